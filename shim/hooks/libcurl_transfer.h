/* What the three files of a libcurl transfer share: the request as it is taken apart, what libcurl was given for it, and
 * redirects. For those files only. */
#ifndef JWTSHIM_HOOKS_LIBCURL_TRANSFER_H
#define JWTSHIM_HOOKS_LIBCURL_TRANSFER_H

#include "libcurl_list.h"

/* --- libcurl_request.c --- */

/* A request before it is made, taken apart: what the decision is about. */
struct request {
    char *url; /* absolute, with a path; ours */
    size_t target_at;
    struct span authority;
    bool https;
};

/* The URL that the program has set, one way or the other; NULL if there is none. To be given back with `*of_libcurl`. */
char *request_url(const struct easy *easy, bool *of_libcurl);
void request_url_release(const struct easy *easy, char *url, bool of_libcurl);

/* The URL as libcurl shows it once it has parsed it, a copy. NULL where it cannot be told. */
char *request_url_normalized(const struct easy *easy, const char *url);

/* Makes `url` absolute in the way that libcurl will: the default scheme in front, a '/' where there is no path. False if it
 * is no http URL, or without memory; request_end() is due in any case. */
bool request_take_apart(const char *url, bool default_https, struct request *request);
void request_end(struct request *request);

/* The decision about one request. `host` is the program's own Host, where libcurl sends that; .at is NULL if not. */
void request_decide(const struct options *options, struct span host, struct span authority, struct span target,
                    struct decision *decision);

/* --- libcurl_transfer.c --- */

struct transfer {
    struct list *lists; /* all that libcurl was given, freed at the end */
    struct list *given; /* the one it has now; NULL: the program's */
    CURLU *curlu;       /* ours, if one is set */
    char *url;          /* what CURLOPT_URL is set to, if it is */
    bool watches, auth_off, headers_apart, referer_cut, target_cut, unrestricted; /* options that are set to ours */
    int status;         /* of the response that is being read */
    bool location_seen; /* in it */
};

/* A copy of `text` without what the edits cut; the edits are relative to text + at. */
char *text_cut(const struct edits *edits, const char *text, size_t at);

bool transfer_set(const struct easy *easy, int option, const void *value);
bool transfer_set_number(const struct easy *easy, int option, long value);

/* Gives libcurl the list for the next request: the program's, with the token (NULL: without one), with a Referer more if
 * there is one, and with Referers cut. */
bool transfer_give_list(struct easy *easy, const struct span *token, struct span referer);

/* The same as a decision wants it, with what else keeps the token from going astray. */
bool transfer_enter_token(struct easy *easy, const struct decision *decision);

void transfer_report(const struct easy *easy, struct decision *decision, const char *why, enum reason failure);

/* --- libcurl_redirect.c --- */

/* CURLOPT_HEADERFUNCTION, with the easy as its context: reads the line, then does what libcurl would do for the program. */
curl_data_fn transfer_header_line;

/* The next request gets what the program itself would send; whatever was set for the last one is taken back. */
void transfer_drop_token(struct easy *easy);

#endif
