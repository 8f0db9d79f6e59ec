#include "libjwt.h"

#include "base64url.h"

#include <jwt.h>
#include <stdlib.h>
#include <string.h>

/* What jansson printed goes back to the allocator that jansson is bound to, which need not be ours. */
static json_t *parsed(char *text)
{
    json_free_t free_text;
    json_get_alloc_funcs(NULL, &free_text);
    json_t *object = text ? json_loads(text, 0, NULL) : NULL;
    if (text) {
        explicit_bzero(text, strlen(text));
        free_text(text);
    }
    return object;
}

static bool both_or_none(json_t **header, json_t **claims)
{
    if (*header && *claims)
        return true;
    json_decref(*header);
    json_decref(*claims);
    *header = *claims = NULL;
    return false;
}

#ifdef jwt_set_GET_JSON /* 3.x */

struct reading {
    json_t *header, *claims;
};

/* Called between reading a token and verifying it, which fails without a key: what it says is known by then. */
static int take_claims(jwt_t *jwt, jwt_config_t *config)
{
    struct reading *reading = config->ctx;
    jwt_value_t value;
    jwt_set_GET_JSON(&value, NULL);
    if (jwt_header_get(jwt, &value) == JWT_VALUE_ERR_NONE)
        reading->header = parsed(value.json_val);
    jwt_set_GET_JSON(&value, NULL);
    if (jwt_claim_get(jwt, &value) == JWT_VALUE_ERR_NONE)
        reading->claims = parsed(value.json_val);
    return 0;
}

bool libjwt_read(const char *token, json_t **header, json_t **claims)
{
    struct reading reading = {NULL, NULL};
    jwt_checker_t *checker = jwt_checker_new();
    if (checker && jwt_checker_setcb(checker, take_claims, &reading) == 0)
        (void)jwt_checker_verify(checker, token);
    jwt_checker_free(checker);
    *header = reading.header;
    *claims = reading.claims;
    return both_or_none(header, claims);
}

/* A symmetric key as libjwt 3 wants it, a JWK. */
static jwk_set_t *key_of(const char *secret, size_t len, jwt_alg_t alg)
{
    static const char form[] = "{\"kty\":\"oct\",\"alg\":\"%s\",\"k\":\"%s\"}";
    char *encoded = malloc(BASE64URL_LENGTH(len) + 1);
    char *jwk = malloc(BASE64URL_LENGTH(len) + sizeof form + 16);
    jwk_set_t *keys = NULL;
    if (encoded && jwk) {
        encoded[base64url_encode(secret, len, encoded)] = '\0';
        int size = snprintf(jwk, BASE64URL_LENGTH(len) + sizeof form + 16, form, jwt_alg_str(alg), encoded);
        keys = jwks_load_strn(NULL, jwk, (size_t)size);
        explicit_bzero(encoded, strlen(encoded));
        explicit_bzero(jwk, (size_t)size);
    }
    free(encoded);
    free(jwk);
    return keys;
}

bool libjwt_verifies(const char *token, const char *secret, size_t len)
{
    static const jwt_alg_t algs[] = {JWT_ALG_HS256, JWT_ALG_HS384, JWT_ALG_HS512};
    bool verified = false;
    for (size_t i = 0; i < sizeof algs / sizeof algs[0] && !verified; i++) {
        jwk_set_t *keys = key_of(secret, len, algs[i]);
        jwt_checker_t *checker = jwt_checker_new();
        /* Only the signature is asked about here: an expired token may still be well signed. */
        if (keys && checker && jwt_checker_setkey(checker, algs[i], jwks_item_get(keys, 0)) == 0) {
            jwt_checker_time_leeway(checker, JWT_CLAIM_EXP, -1);
            jwt_checker_time_leeway(checker, JWT_CLAIM_NBF, -1);
            verified = jwt_checker_verify(checker, token) == 0;
        }
        jwt_checker_free(checker);
        jwks_free(keys);
    }
    return verified;
}

char *libjwt_sign(const json_t *claims, const char *secret, size_t len)
{
    char *token = NULL;
    char *text = json_dumps(claims, JSON_COMPACT);
    jwk_set_t *keys = key_of(secret, len, JWT_ALG_HS256);
    jwt_builder_t *builder = jwt_builder_new();
    jwt_value_t value;
    jwt_set_SET_JSON(&value, NULL, text);
    if (text && keys && builder && jwt_builder_setkey(builder, JWT_ALG_HS256, jwks_item_get(keys, 0)) == 0 &&
        jwt_builder_enable_iat(builder, 0) >= 0 && jwt_builder_claim_set(builder, &value) == JWT_VALUE_ERR_NONE)
        token = jwt_builder_generate(builder);
    jwt_builder_free(builder);
    jwks_free(keys);
    free(text);
    return token;
}

#else /* 1.x */

bool libjwt_read(const char *token, json_t **header, json_t **claims)
{
    jwt_t *jwt = NULL;
    *header = *claims = NULL;
    /* Without a key the signature is not looked at. */
    if (jwt_decode(&jwt, token, NULL, 0) != 0)
        return false;
    *header = parsed(jwt_get_headers_json(jwt, NULL));
    *claims = parsed(jwt_get_grants_json(jwt, NULL));
    jwt_free(jwt);
    return both_or_none(header, claims);
}

bool libjwt_verifies(const char *token, const char *secret, size_t len)
{
    jwt_t *jwt = NULL;
    if (len == 0 || jwt_decode(&jwt, token, (const unsigned char *)secret, (int)len) != 0)
        return false;
    jwt_alg_t alg = jwt_get_alg(jwt);
    jwt_free(jwt);
    return alg == JWT_ALG_HS256 || alg == JWT_ALG_HS384 || alg == JWT_ALG_HS512;
}

char *libjwt_sign(const json_t *claims, const char *secret, size_t len)
{
    jwt_t *jwt = NULL;
    char *token = NULL;
    char *text = json_dumps(claims, JSON_COMPACT);
    if (text && jwt_new(&jwt) == 0 && jwt_add_grants_json(jwt, text) == 0 &&
        jwt_set_alg(jwt, JWT_ALG_HS256, (const unsigned char *)secret, (int)len) == 0)
        token = jwt_encode_str(jwt);
    jwt_free(jwt);
    free(text);
    return token;
}

#endif
