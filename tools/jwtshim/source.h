/* The bytes of a file, unpacked if it is gzip: known by its content, one member or many, from a pipe as well. */
#ifndef JWTSHIM_TOOLS_SOURCE_H
#define JWTSHIM_TOOLS_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <zlib.h>

struct source {
    int fd;
    bool known, gzip;
    bool in_member; /* a gzip member has begun, and not ended */
    bool at_end;    /* of the file */
    uint64_t taken; /* bytes read from the file */
    z_stream inflater;
    size_t at, len; /* what of `raw` is not used yet */
    unsigned char raw[64 * 1024];
};

/* Begins with a descriptor, which source_end() closes. */
void source_begin(struct source *source, int fd);

/* Up to `room` bytes. 0: the end. -1: errno, or EILSEQ with *why if the compressed data is broken; what could be unpacked before it
 * was given by earlier calls. */
ssize_t source_read(struct source *source, char *to, size_t room, const char **why);

void source_end(struct source *source);

#endif
