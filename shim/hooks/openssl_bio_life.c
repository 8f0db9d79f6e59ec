/* Freeing an SSL BIO frees its SSL, by libssl's own inner call; but the last reference to it only, and only where the SSL is the
 * BIO's. Who still has one goes on with the stream where it was. */
#include "alpn.h"
#include "openssl.h"

#include <errno.h>

typedef int BIO_up_ref_fn(BIO *bio);
typedef int BIO_free_fn(BIO *bio);
typedef void BIO_free_all_fn(BIO *bio);

/* Whether BIO_up_ref() was ever called for a BIO that may stand in a chain with an SSL: nearly nobody does. */
static _Atomic bool any_references;

/* Of the BIO itself alone: BIO_free() does not follow the chain, whose other end may be freed already. */
static int type_of(BIO *bio, const void *function)
{
    int (*method_type)(const BIO *) = (int (*)(const BIO *))resolve_beside(NEIGHBOUR_BIO_method_type, function);
    if (!bio)
        return 0;
    if (method_type)
        return method_type(bio);
    /* A macro in 1.0.2, where a BIO begins with its method, and that with its type. */
    return resolve_beside(NEIGHBOUR_SSLeay, function) ? **(const int *const *)bio : 0;
}

/* Sockets and memory are no filters, and get references all the time: SSL_set_fd() gives one. */
EXPORT int BIO_up_ref(BIO *bio)
{
    BIO_up_ref_fn *real = REAL_OF_CALLER(BIO_up_ref);
    int result = real ? real(bio) : 0;
    if (result == 1 && (type_of(bio, (void *)real) & BIO_TYPE_FILTER) && !IS_INNER_CALL(BIO_up_ref)) {
        int saved = errno;
        handle_add_reference(bio);
        any_references = true;
        errno = saved;
    }
    return result;
}

/* One reference less. False if there are more: the BIO lives on. */
static bool drop_reference(const BIO *bio)
{
    if (__builtin_expect(!any_references, 1))
        return true;
    if (!handle_drop_reference(bio))
        return false;
    handle_forget(bio);
    return true;
}

/* `bio` goes, with its SSL if it has one of its own. False if it lives on. What is held goes out by the chain, from its `head` on.
 * Inside the main program libssl's own SSL_free() is seen too, and ends the handle. */
static bool ends(BIO *bio, BIO *head, void *real)
{
    const int control_get_close = 8; /* BIO_CTRL_GET_CLOSE */
    BIO *at;
    if (!drop_reference(bio))
        return false;
    if (type_of(bio, real) != BIO_TYPE_SSL)
        return true;
    SSL *ssl = bio_ssl(bio, real, &at);
    long (*control)(BIO *, int, long, void *) =
        (long (*)(BIO *, int, long, void *))resolve_beside(NEIGHBOUR_BIO_ctrl, real);
    if (!ssl || !control || control(bio, control_get_close, 0, NULL) == 0)
        return true;
    bio_release(head, ssl, real, false);
    if (!resolve_is_inside(real)) {
        handle_ends(ssl);
        offer_forget(ssl);
    }
    return true;
}

/* A call of the library's own is BIO_free_all()'s, which was looked at. */
EXPORT int BIO_free(BIO *bio)
{
    BIO_free_fn *real = REAL_OF_CALLER(BIO_free);
    if (real && bio && !IS_INNER_CALL(BIO_free))
        ends(bio, bio, (void *)real);
    return real ? real(bio) : 0;
}

/* Frees from the head on, up to a BIO that somebody else has. */
EXPORT void BIO_free_all(BIO *bio)
{
    BIO_free_all_fn *real = REAL_OF_CALLER(BIO_free_all);
    BIO *(*next)(BIO *) = real ? (BIO * (*)(BIO *)) resolve_beside(NEIGHBOUR_BIO_next, real) : NULL;
    for (BIO *at = bio; at && next; at = next(at))
        if (!ends(at, bio, (void *)real))
            break;
    if (real)
        real(bio);
}
