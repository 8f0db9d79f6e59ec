/* jwtshim run: what jwtshim-run does. That is a script, since it must also work where nothing of ours can be built or started
 * first; here it is found and becomes this process. */
#include "command.h"

#include "beside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Usage: jwtshim run [OPTION]... [--] COMMAND [ARGUMENT]...\n"
    "\n"
    "Runs COMMAND so that its requests to Atlassian carry the JWT as \"Authorization: JWT ...\" instead of in the "
    "query.\n"
    "The same as jwtshim-run.\n"
    "\n"
    "  --audit            report what would be rewritten, change nothing\n"
    "  --log WHERE        stderr, syslog, off or a file for one JSON object per event\n"
    "  --log-level LEVEL  rewrite (default), or all: each request left alone, and why\n"
    "  --hosts LIST       further host suffixes, comma-separated; -SUFFIX takes one out\n"
    "  --help             show this and end\n"
    "\n"
    "The object is $JWTSHIM_LIBRARY if that is set, else the one installed or built beside this command.\n"
    "Exit codes: 125 wrong use, 126 the object or COMMAND is there but cannot be used, 127 it is not there; otherwise\n"
    "that of COMMAND.\n";

enum { EX_CANNOT_USE = 126, EX_NOT_THERE = 127 };

static int run(const struct command *command, int argc, char **argv)
{
    static const char *const places[] = {"jwtshim-run", "../tools/jwtshim-run", NULL};
    (void)argc;
    char *script = beside_us(places);
    if (!script)
        return command_failed(command, EX_NOT_THERE, "jwtshim-run is not installed beside this command");
    argv[0] = script;
    execv(script, argv);
    const int code =
        command_failed(command, errno == ENOENT ? EX_NOT_THERE : EX_CANNOT_USE, "%s: %s", script, strerror(errno));
    free(script);
    return code;
}

const struct command run_command = {
    .name = "run", .summary = "runs a command with the shim, as jwtshim-run does", .help = help, .run = run};
