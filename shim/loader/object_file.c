#include "object_file.h"

#include "raw.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_trusted(const struct stat *status)
{
    return S_ISREG(status->st_mode) && (status->st_uid == 0 || status->st_uid == geteuid()) &&
           !(status->st_mode & S_IWOTH);
}

/* All that its segments and its section table, which stands at the end, say is there. */
static bool is_whole(int fd, size_t size)
{
    ElfW(Ehdr) header = {.e_phnum = 0};
    ElfW(Phdr) segment = {.p_type = PT_NULL};
    if (raw_read(fd, &header, sizeof header) != (long)sizeof header || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_phentsize != sizeof segment)
        return false;
    if (header.e_shoff > size || (size_t)header.e_shnum * header.e_shentsize > size - header.e_shoff)
        return false;
    for (size_t i = 0; i < header.e_phnum; i++) {
        const off_t at = (off_t)(header.e_phoff + i * sizeof segment);
        if (raw_syscall(SYS_lseek, fd, at, SEEK_SET, 0, 0, 0) != at ||
            raw_read(fd, &segment, sizeof segment) != (long)sizeof segment || segment.p_offset > size ||
            segment.p_filesz > size - segment.p_offset)
            return false;
    }
    return true;
}

enum object_file object_file_check(const char *path)
{
    struct stat status;
    enum object_file verdict = OBJECT_FILE_FIT;
    int fd = (int)raw_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return OBJECT_FILE_MISSING;
    if (fstat(fd, &status) != 0 || !is_trusted(&status))
        verdict = OBJECT_FILE_NOT_TRUSTED;
    else if (!is_whole(fd, (size_t)status.st_size))
        verdict = OBJECT_FILE_NOT_WHOLE;
    raw_close(fd);
    return verdict;
}
