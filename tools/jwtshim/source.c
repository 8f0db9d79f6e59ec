#include "source.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void source_begin(struct source *source, int fd)
{
    memset(source, 0, sizeof *source - sizeof source->raw);
    source->fd = fd;
}

static ssize_t read_some(struct source *source, void *to, size_t room)
{
    ssize_t got;
    do
        got = read(source->fd, to, room);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        source->taken += (uint64_t)got;
    source->at_end |= got == 0;
    return got;
}

/* Appends to `raw` until it holds `wanted` bytes or the file ends. False: errno. */
static bool fill(struct source *source, size_t wanted)
{
    while (source->len < wanted && !source->at_end) {
        memmove(source->raw, source->raw + source->at, source->len);
        source->at = 0;
        ssize_t got = read_some(source, source->raw + source->len, sizeof source->raw - source->len);
        if (got < 0)
            return false;
        source->len += (size_t)got;
    }
    return true;
}

static bool begins_member(const struct source *source)
{
    return source->len >= 2 && source->raw[source->at] == 0x1f && source->raw[source->at + 1] == 0x8b;
}

static ssize_t broken(const char **why, const char *what)
{
    *why = what;
    errno = EILSEQ;
    return -1;
}

/* Between two members. Returns 1 if one begins, 0 at the end. Zeros may pad it, as tapes and tar do. */
static int next_member(struct source *source, const char **why)
{
    if (!fill(source, 2))
        return -1;
    if (begins_member(source)) {
        if (inflateReset2(&source->inflater, 15 + 16) != Z_OK)
            return (int)broken(why, "the compressed data cannot be read");
        source->in_member = true;
        return 1;
    }
    while (source->len || !source->at_end) {
        for (; source->len; source->at++, source->len--)
            if (source->raw[source->at] != 0)
                return (int)broken(why, "something follows the compressed data");
        if (!fill(source, 1))
            return -1;
    }
    return 0;
}

static ssize_t unpack(struct source *source, char *to, size_t room, const char **why)
{
    z_stream *z = &source->inflater;
    z->next_out = (unsigned char *)to;
    z->avail_out = (unsigned)room;
    while (z->avail_out == room) {
        if (!source->in_member) {
            int more = next_member(source, why);
            if (more <= 0)
                return more;
        }
        if (!fill(source, 1))
            return -1;
        z->next_in = source->raw + source->at;
        z->avail_in = (unsigned)source->len;
        const int status = inflate(z, Z_NO_FLUSH);
        source->at += source->len - z->avail_in;
        source->len = z->avail_in;
        if (status == Z_STREAM_END)
            source->in_member = false;
        else if (z->avail_out < room)
            break; /* an error comes again, with nothing before it, at the next call */
        else if (status == Z_BUF_ERROR && source->at_end)
            return broken(why, "the compressed data ends in the middle");
        else if (status != Z_OK && status != Z_BUF_ERROR)
            return broken(why, "the compressed data is damaged");
    }
    return (ssize_t)(room - z->avail_out);
}

ssize_t source_read(struct source *source, char *to, size_t room, const char **why)
{
    if (!source->known) {
        if (!fill(source, 2))
            return -1;
        source->known = true;
        source->gzip = begins_member(source);
        if (source->gzip && inflateInit2(&source->inflater, 15 + 16) != Z_OK) {
            source->gzip = false;
            errno = ENOMEM;
            return -1;
        }
    }
    if (source->gzip)
        return unpack(source, to, room, why);
    if (source->len == 0)
        return source->at_end ? 0 : read_some(source, to, room);
    const size_t given = source->len < room ? source->len : room;
    memcpy(to, source->raw + source->at, given);
    source->at += given;
    source->len -= given;
    return (ssize_t)given;
}

void source_end(struct source *source)
{
    if (source->gzip)
        inflateEnd(&source->inflater);
    close(source->fd);
}
