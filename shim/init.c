/* What happens at every exec of every program: the settings are read, the objects counted, the main program is asked whether
 * it has a TLS library inside, and standard output is looked at, whose stream is written to by calls that nobody sees.
 * Everything else waits for the first bytes that may begin a request. */
#include "config.h"
#include "hooks/stdio_streams.h"
#include "loader/patched.h"
#include "loader/resolve.h"

__attribute__((constructor)) static void start(void)
{
    resolve_note_startup();
    config_get();
    stdio_watch_if_inherited();
    patch_main_program();
}

/* Which version this is, readable from the file without loading it: an ELF note "jwtshim", type 1. */
__asm__(".pushsection .note.jwtshim, \"a\", %note\n"
        "        .balign 4\n"
        "        .long 8, 2f - 1f, 1\n"
        "        .asciz \"jwtshim\"\n"
        "1:      .asciz \"" JWTSHIM_VERSION "\"\n"
        "2:      .balign 4\n"
        "        .popsection\n");
