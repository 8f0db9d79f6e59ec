/* The configuration of a proxy that makes the same change, for programs that no preload can reach. */
#include "doctor.h"

#include <ctype.h>
#include <string.h>

/* The host suffixes as the alternatives of a regular expression. */
static void print_suffixes(const struct config *config)
{
    const struct host_suffixes *hosts = &config->policy.hosts;
    for (size_t i = 0; i < hosts->count; i++) {
        fputs(i ? "|" : "", stdout);
        for (size_t j = 0; j < hosts->suffix[i].len; j++) {
            fputs(hosts->suffix[i].at[j] == '.' ? "\\" : "", stdout);
            putchar(hosts->suffix[i].at[j]);
        }
    }
}

/* Prints a text; @L, @A, @R and @S in it are the listener, the CA file, the resolver and the suffixes. */
static void print_filled(const char *text, const struct proxy *proxy, const struct config *config)
{
    for (; *text; text++) {
        if (*text != '@') {
            putchar(*text);
            continue;
        }
        switch (*++text) {
        case 'L': fputs(proxy->listen, stdout); break;
        case 'A': fputs(proxy->ca_file, stdout); break;
        case 'R': fputs(proxy->resolver, stdout); break;
        case 'C': fputs(proxy->certificate ? proxy->certificate : "", stdout); break;
        case 'S': print_suffixes(config); break;
        default: break;
        }
    }
}

static const char intro[] =
    "# A local proxy for programs that jwtshim cannot be preloaded into: `?jwt=TOKEN` of requests to Atlassian's "
    "hosts\n"
    "# becomes `Authorization: JWT TOKEN`, by TLS to the site that the request names. Other hosts are refused (421).\n"
    "# Nothing is logged: a request line may hold a token.\n"
    "#\n";

static const char plain_use[] =
    "# Point the program to it, either\n"
    "#   by its proxy setting, with http:// in its base URL (the proxy speaks TLS to the site):\n"
    "#       http_proxy=http://@L                                         most programs\n"
    "#       java -Dhttp.proxyHost=ADDRESS -Dhttp.proxyPort=PORT ...      Java; the two parts of @L\n"
    "#   or by its base URL, http://SITE.atlassian.net:PORT, with this line in /etc/hosts:\n"
    "#       127.0.0.1 SITE.atlassian.net\n"
    "# A program whose URLs must begin with https:// needs a listener with a certificate for the site: `--listen\n"
    "# 127.0.0.1:443 --cert FILE` (certificate and key), that line in /etc/hosts, and trust in who signed it\n"
    "# (Java: keytool -importcert -cacerts; Go: SSL_CERT_FILE). The site's real address is asked of the resolver "
    "below,\n"
    "# which does not read /etc/hosts.\n";

static const char tls_use[] =
    "# Point the program to it by this line in /etc/hosts (the site's real address is asked of the resolver below, "
    "which does\n"
    "# not read that file), and make it trust who signed @C\n"
    "# (Java: keytool -importcert -cacerts; Go: SSL_CERT_FILE; Node.js: NODE_EXTRA_CA_CERTS):\n"
    "#     127.0.0.1 SITE.atlassian.net\n";

static const char haproxy_start[] = "# Start it: haproxy -f THIS-FILE (2.4 or newer)\n"
                                    "# Where a parameter's name is percent-encoded, the request passes as it is.\n\n"
                                    "global\n"
                                    "    maxconn 1000\n\n"
                                    "defaults\n"
                                    "    mode http\n"
                                    "    timeout connect 10s\n"
                                    "    timeout client 300s\n"
                                    "    timeout server 300s\n\n"
                                    "resolvers dns\n"
                                    "    nameserver dns @R\n"
                                    "    accepted_payload_size 4096\n\n"
                                    "frontend jwt\n"
                                    "    bind @L";

static const char haproxy_rules[] =
    "\n"
    "    http-request set-var(txn.host) 'req.hdr(host),lower,regsub(\"[.]?(:[0-9]*)?$\",\"\")'\n"
    "    acl atlassian var(txn.host) -m reg '^([a-z0-9_-]+\\.)*(@S)$'\n"
    "    acl elsewhere var(txn.host) -m str api.media.atlassian.com\n"
    "    http-request return status 421 content-type text/plain string \"not an Atlassian host\" if elsewhere or "
    "!atlassian\n"
    "    # The site gets the origin-form, and its name without this proxy's port.\n"
    "    http-request set-uri %[pathq]\n"
    "    http-request set-header Host %[var(txn.host)] if { req.hdr(host) -m sub : }\n\n"
    "    # The first parameter named jwt, if it is a token.\n"
    "    acl named query -m reg '(^|&)jwt='\n"
    "    http-request set-var(txn.jwt) 'query,regsub(\"^(?:(?!jwt=)[^&]*&)*jwt=([^&]*).*$\",\"\\\\1\"),url_dec' if "
    "named\n"
    "    acl token var(txn.jwt) -m reg '^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$'\n"
    "    acl alone var(txn.query) -m reg '^jwt=[^&]*(&jwt=[^&]*)*$'\n"
    "    http-request set-var(txn.query) query\n"
    "    http-request set-var(txn.rest) 'query,regsub(\"^(?:jwt=[^&]*(?:&|$))+\",\"\"),regsub(\"&jwt=[^&]*\",\"\",g)' "
    "if named token\n"
    "    http-request set-header Authorization \"JWT %[var(txn.jwt)]\" if named token\n"
    "    http-request set-uri \"%[path]\" if named token alone\n"
    "    http-request set-uri \"%[path]?%[var(txn.rest)]\" if named token !alone\n\n"
    "    # A page's own token must not be told to others either.\n"
    "    http-request replace-header Referer "
    "'^(https?://([A-Za-z0-9_-]+\\.)*(?:@S)(?::[0-9]+)?[^?#]*)\\?jwt=[^&#]*(#.*)?$' '\\1\\3'\n"
    "    http-request replace-header Referer "
    "'^(https?://([A-Za-z0-9_-]+\\.)*(?:@S)(?::[0-9]+)?[^?#]*\\?)jwt=[^&#]*&(.*)$' '\\1\\3'\n"
    "    http-request replace-header Referer "
    "'^(https?://([A-Za-z0-9_-]+\\.)*(?:@S)(?::[0-9]+)?[^?#]*\\?[^#]*?)&jwt=[^&#]*(.*)$' '\\1\\3'\n\n"
    "    http-request do-resolve(txn.address,dns,ipv4) var(txn.host)\n"
    "    http-request return status 502 content-type text/plain string \"the site's name has no address\" unless { "
    "var(txn.address) -m found }\n"
    "    http-request set-dst var(txn.address)\n"
    "    default_backend site\n\n"
    "backend site\n"
    "    server site 0.0.0.0:443 ssl verify required ca-file @A sni var(txn.host) alpn http/1.1\n";

static const char nginx_start[] =
    "# Start it: nginx -c THIS-FILE -g 'pid /run/jwtshim-proxy.pid;' (an absolute path)\n"
    "# Where a parameter's name, or more of a token than its dots, is percent-encoded, the request passes as it is.\n\n"
    "error_log stderr emerg;\n"
    "events { }\n\n"
    "http {\n"
    "    access_log off;\n"
    "    resolver @R ipv6=off;\n"
    "    server_names_hash_bucket_size 128;\n\n"
    "    # The first parameter named jwt, if it is a token.\n"
    "    map $request_uri $jwt {\n"
    "        default \"\";\n"
    "        "
    "\"~^[^?]*\\?(?:(?!jwt=)[^&]*&)*jwt=(?<t1>[A-Za-z0-9_-]+)(?:\\.|%2[Ee])(?<t2>[A-Za-z0-9_-]+)(?:\\.|%2[Ee])(?<t3>[A-"
    "Za-z0-9_-]+)(?:&|$)\"\n"
    "            \"JWT $t1.$t2.$t3\";\n"
    "    }\n"
    "    map $jwt $authorization {\n"
    "        default $jwt;\n"
    "        \"\" $http_authorization;\n"
    "    }\n\n"
    "    # The target without it: alone, in front of others, behind others (up to three times).\n"
    "    map $request_uri $target_1 {\n"
    "        default $request_uri;\n"
    "        \"~^(?<p1>[^?]*)\\?jwt=[^&]*(?:&jwt=[^&]*)*$\" $p1;\n"
    "        \"~^(?<p2>[^?]*\\?)(?:jwt=[^&]*&)+(?<r2>.*)$\" $p2$r2;\n"
    "    }\n"
    "    map $target_1 $target_2 {\n"
    "        default $target_1;\n"
    "        \"~^(?<p3>[^?]*\\?.*?)&jwt=[^&]*(?<r3>(?:&.*)?)$\" $p3$r3;\n"
    "    }\n"
    "    map $target_2 $target_3 {\n"
    "        default $target_2;\n"
    "        \"~^(?<p4>[^?]*\\?.*?)&jwt=[^&]*(?<r4>(?:&.*)?)$\" $p4$r4;\n"
    "    }\n"
    "    map $target_3 $target_4 {\n"
    "        default $target_3;\n"
    "        \"~^(?<p5>[^?]*\\?.*?)&jwt=[^&]*(?<r5>(?:&.*)?)$\" $p5$r5;\n"
    "    }\n"
    "    map $target_4 $too_many {\n"
    "        default 0;\n"
    "        \"~^[^?]*\\?(?:.*&)?jwt=\" 1;\n"
    "    }\n"
    "    map $jwt $target {\n"
    "        default $target_4;\n"
    "        \"\" $request_uri;\n"
    "    }\n\n"
    "    # A page's own token must not be told to others either.\n"
    "    map $http_referer $referer {\n"
    "        default $http_referer;\n"
    "        \"~^(?<p6>https?://(?:[A-Za-z0-9_-]+\\.)*(?:@S)(?::[0-9]+)?[^?#]*)\\?jwt=[^&#]*(?<r6>(?:#.*)?)$\" "
    "$p6$r6;\n"
    "        \"~^(?<p7>https?://(?:[A-Za-z0-9_-]+\\.)*(?:@S)(?::[0-9]+)?[^?#]*\\?)jwt=[^&#]*&(?<r7>.*)$\" $p7$r7;\n"
    "        \"~^(?<p8>https?://(?:[A-Za-z0-9_-]+\\.)*(?:@S)(?::[0-9]+)?[^?#]*\\?[^#]*?)&jwt=[^&#]*(?<r8>.*)$\" "
    "$p8$r8;\n"
    "    }\n\n";

static const char nginx_servers[] = "    server {\n"
                                    "        listen @L default_server;\n"
                                    "        return 421;\n"
                                    "    }\n"
                                    "    server {\n"
                                    "        listen @L;\n"
                                    "        server_name \"~^(?:[a-z0-9_-]+\\.)*(?:@S)$\";\n"
                                    "        underscores_in_headers on;\n"
                                    "        merge_slashes off;\n"
                                    "        client_max_body_size 0;\n"
                                    "        location / {\n"
                                    "            if ($host = api.media.atlassian.com) { return 421; }\n"
                                    "            set $refuse $jwt:$too_many;\n"
                                    "            if ($refuse ~ \"^JWT .*:1$\") { return 400; }\n"
                                    "            proxy_pass https://$host:443$target;\n"
                                    "            proxy_http_version 1.1;\n"
                                    "            proxy_set_header Host $host;\n"
                                    "            proxy_set_header Connection \"\";\n"
                                    "            proxy_set_header Authorization $authorization;\n"
                                    "            proxy_set_header Referer $referer;\n"
                                    "            proxy_request_buffering off;\n"
                                    "            proxy_buffering off;\n"
                                    "            proxy_redirect off;\n"
                                    "            proxy_read_timeout 300s;\n"
                                    "            proxy_ssl_server_name on;\n"
                                    "            proxy_ssl_name $host;\n"
                                    "            proxy_ssl_verify on;\n"
                                    "            proxy_ssl_verify_depth 5;\n"
                                    "            proxy_ssl_trusted_certificate @A;\n"
                                    "        }\n"
                                    "    }\n"
                                    "}\n";

static const char nginx_certificate[] = "    ssl_certificate @C;\n"
                                        "    ssl_certificate_key @C;\n\n";

static void print_nginx(const struct proxy *proxy, const struct config *config)
{
    struct proxy listener = *proxy;
    char listen[PATH_MAX];
    snprintf(listen, sizeof listen, "%s%s", proxy->listen, proxy->certificate ? " ssl" : "");
    listener.listen = listen;
    print_filled(nginx_start, proxy, config);
    if (proxy->certificate)
        print_filled(nginx_certificate, proxy, config);
    print_filled(nginx_servers, &listener, config);
}

static void print_haproxy(const struct proxy *proxy, const struct config *config)
{
    print_filled(haproxy_start, proxy, config);
    if (proxy->certificate)
        print_filled(" ssl crt @C", proxy, config);
    print_filled(haproxy_rules, proxy, config);
}

/* What could end a word of either language. */
static bool is_one_word(const char *text)
{
    for (; text && *text; text++)
        if (!isalnum((unsigned char)*text) && !strchr("_./:+,-[]*%=", *text))
            return false;
    return true;
}

bool proxy_print(const char *name, const struct proxy *proxy, const struct config *config)
{
    bool is_nginx = strcmp(name, "nginx") == 0;
    if (!is_one_word(proxy->listen) || !is_one_word(proxy->certificate) || !is_one_word(proxy->ca_file) ||
        !is_one_word(proxy->resolver))
        return false;
    fputs(intro, stdout);
    print_filled(proxy->certificate ? tls_use : plain_use, proxy, config);
    fputs("#\n", stdout);
    if (is_nginx)
        print_nginx(proxy, config);
    else
        print_haproxy(proxy, config);
    return true;
}
