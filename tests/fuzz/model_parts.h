/* The parts of the model: strings, targets, lines, bodies. For its own files alone. */
#ifndef JWTSHIM_TESTS_FUZZ_MODEL_PARTS_H
#define JWTSHIM_TESTS_FUZZ_MODEL_PARTS_H

#include "model.h"

#include <stdint.h>

/* A string that may hold NULs. */
struct text {
    char at[MODEL_MAX + 1];
    size_t len;
};

/* The stream that is read, and what comes of it. */
struct reader {
    const char *in;
    size_t len, at;
    enum model_conflict conflict;
    struct model *model;
};

/* A target in pieces: before + ['?' + query] + fragment. */
struct url {
    bool is_absolute, is_origin, has_query;
    struct text before, authority, query, fragment;
};

/* What the parameters of a query say. */
struct parameters {
    bool any, good;    /* there is a `jwt`; the first is a token */
    struct text token; /* decoded */
    struct text rest;  /* the query without any `jwt` */
    bool rest_any;     /* some parameter is left, if only an empty one */
    size_t cuts;       /* how many separate runs of bytes leave */
};

enum line_found { LINE_UNFINISHED, LINE_EMPTY, LINE_FIELD };

/* A field line with its folds. */
struct line {
    size_t at, len;   /* in the stream, with all line ends */
    bool well_formed; /* and these are set only then */
    struct text name, value;
    size_t value_at, value_len; /* in the stream, trimmed */
};

/* What a head says of its body. */
struct body {
    bool fault, chunked, upgrade, connect;
    size_t lengths, codings;
    uint64_t length;
};

void text_set(struct text *text, const char *from, size_t len);
void text_copy(struct text *to, const struct text *from);
bool text_is(const struct text *text, const char *word);
void text_trim(struct text *text);
bool is_atlassian(const struct text *authority);
void url_split(struct url *url, const struct text *target);
void parameters_read(struct parameters *p, const struct url *url);
void url_join(struct text *out, const struct url *url, const struct parameters *p);

/* The offset behind the line that is at `from`; 0 if its LF is not there. */
size_t line_end(const struct reader *r, size_t from);
enum line_found line_read(const struct reader *r, size_t from, struct line *line);

void body_note(struct body *body, const struct line *line);
bool body_is_faulty(const struct body *body, bool http_1_0);

/* Passes the body. False if nothing behind it is understood. */
bool body_pass(struct reader *r, const struct body *body);

void put(struct reader *r, const char *from, size_t len);
void copy(struct reader *r, size_t len);
bool copy_opaque(struct reader *r);

#endif
