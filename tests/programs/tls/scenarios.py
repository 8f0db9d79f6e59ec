"""Every scenario of the TLS programs, one row each."""
from suite import BIG, GET, POST, PUT, Scenario, THREE

OPENSSL = [
    Scenario('write/whole', 'SSL_write of a whole request', 'openssl_write', THREE, valgrind=True),
    Scenario('write/ex', 'SSL_write_ex of head and body in two calls', 'openssl_write', THREE, valgrind=True),
    Scenario('write/bytes', 'SSL_write of one byte at a time', 'openssl_write', valgrind=True),
    Scenario('write/pipelined', 'SSL_write of three requests at once', 'openssl_write', THREE),
    Scenario('write/retry', 'SSL_write refused by a slow peer and repeated from the same place', 'openssl_write', BIG,
             slow=True, needs=('was refused',), valgrind=True),
    Scenario('write/moving', 'SSL_write refused and repeated from a moved copy', 'openssl_write', BIG, slow=True, needs=('was refused',),
             valgrind=True),
    Scenario('write/partial', 'SSL_write in partial mode', 'openssl_write', BIG, slow=True, needs=('was refused',)),
    Scenario('write/partial-moving', 'SSL_write in partial mode from moved copies', 'openssl_write', BIG, slow=True,
             needs=('was refused',)),
    Scenario('write/memory', 'SSL_write_ex over memory BIOs, a head in two halves', 'openssl_write', THREE, valgrind=True),
    Scenario('write/clear', 'SSL_clear between connections, the first cut off in a head', 'openssl_write', THREE),
    Scenario('write/free', 'SSL_free and SSL_new, each first one cut off in a body', 'openssl_write', (GET,), answers=5),
    Scenario('write/second-reference', 'SSL_free of one of two references in the middle of a body', 'openssl_write', (POST,)),
    Scenario('hold/sendfile', 'SSL_sendfile of a body, or its error without kernel TLS', 'openssl_hold', (POST, PUT)),
    Scenario('hold/nonblocking-read', 'a non-blocking SSL_read leaves half a head where it is', 'openssl_hold', (POST,)),
    Scenario('hold/nonblocking-read-ex', 'a non-blocking SSL_read_ex leaves half a head where it is', 'openssl_hold', (POST,)),
]

HELD = [
    Scenario('hold/shutdown', 'SSL_shutdown sends half a head that was written before', 'openssl_hold', (GET,), 'same'),
    Scenario('hold/free', 'SSL_free sends half a head that was written before', 'openssl_hold', (GET,), 'same'),
    Scenario('hold/close', 'close of the socket under an SSL sends half a head that was written before', 'openssl_hold', (GET,), 'same'),
    Scenario('hold/socket-shutdown', 'shutdown of the socket under an SSL sends half a head before', 'openssl_hold', (GET,), 'same'),
    Scenario('hold/exit', 'exit sends half a head that was written before', 'openssl_hold', (GET,), 'same'),
    Scenario('hold/exec', 'exec sends half a head that was written before', 'openssl_hold', (GET,), 'same'),
    Scenario('hold/fork', 'a child goes on with the half head of its parent', 'openssl_hold', (POST,), 'same'),
    Scenario('hold/blocking-read', 'a blocking SSL_read sends half a head first', 'openssl_hold', (POST,), 'same', valgrind=True),
    Scenario('hold/blocking-read-ex', 'a blocking SSL_read_ex sends half a head first', 'openssl_hold', (POST,), 'same'),
    Scenario('hold/blocking-peek', 'a blocking SSL_peek sends half a head first', 'openssl_hold', (POST,), 'same'),
    Scenario('hold/invisible', 'errno, dlerror() and the error queue show nothing of the hooks', 'openssl_hold', (POST,), answers=2,
             needs=()),
    Scenario('hold/pending-dlerror', 'an error that dlerror() has still to tell survives the hooks', 'openssl_hold', (POST,)),
]

BIO = [
    Scenario('bio/write', 'BIO_write to an SSL BIO', 'openssl_bio', THREE, valgrind=True),
    Scenario('bio/write-ex', 'BIO_write_ex of head and body', 'openssl_bio', THREE),
    Scenario('bio/puts', 'BIO_puts of a whole request', 'openssl_bio', THREE, valgrind=True),
    Scenario('bio/printf', 'BIO_printf of a request line, fields and a body', 'openssl_bio', (POST, POST), valgrind=True),
    Scenario('bio/bytes', 'BIO_write of one byte at a time', 'openssl_bio'),
    Scenario('bio/buffer', 'a buffering BIO before the SSL BIO', 'openssl_bio', (POST, PUT), valgrind=True),
    Scenario('bio/again', 'BIO_free_all and a new connection at the same address, 25 times', 'openssl_bio', (GET,), answers=25,
             needs=('an address came back',)),
    Scenario('bio/mixed', 'half a head by BIO_write and half by SSL_write of its SSL', 'openssl_bio', (POST, GET, PUT)),
    Scenario('bio/nonblocking-read', 'a non-blocking BIO_read leaves half a head where it is', 'openssl_bio', (POST,)),
    Scenario('bio/nonblocking-read-ex', 'a non-blocking BIO_read_ex leaves half a head where it is', 'openssl_bio', (POST,)),
    Scenario('bio/blocking-read', 'a blocking BIO_read sends half a head first', 'openssl_bio', (POST,), 'same'),
    Scenario('bio/blocking-read-ex', 'a blocking BIO_read_ex sends half a head first', 'openssl_bio', (POST,), 'same'),
    Scenario('bio/free', 'BIO_free_all sends half a head that was written before', 'openssl_bio', (GET,), 'same'),
    Scenario('bio/no-close', 'an SSL BIO freed without its SSL in the middle of a body', 'openssl_bio', (POST,)),
    Scenario('bio/memory', 'text that looks like a request in a memory BIO stays as it is', 'openssl_bio', (POST,)),
]

GNUTLS = [
    Scenario('gnutls/' + name, sentence, 'gnutls', requests, layer='gnutls', **more) for name, sentence, requests, more in (
        ('send', 'gnutls_record_send of a whole request', THREE, {'valgrind': True}),
        ('send2', 'gnutls_record_send2 of head and body', THREE, {}),
        ('bytes', 'gnutls_record_send of one byte at a time', (POST,), {}),
        ('range', 'gnutls_record_send_range of head and body', THREE, {}),
        ('cork', 'a request under a gnutls_record_cork', THREE, {'valgrind': True}),
        ('half-cork', 'an empty cork, and half a head under another', THREE, {}),
        ('again', 'GNUTLS_E_AGAIN and the same data again', BIG, {'slow': True, 'needs': ('was refused',), 'valgrind': True}),
        ('again-null', 'GNUTLS_E_AGAIN and a resume without data', BIG, {'slow': True, 'needs': ('was refused',), 'valgrind': True}),
        ('file', 'gnutls_record_send_file of a body', (POST, PUT), {}),
        ('nonblocking-read', 'a non-blocking gnutls_record_recv leaves half a head where it is', (POST,), {}),
        ('deinit', 'gnutls_deinit and a new session, each first one cut off in a body', (GET,), {'answers': 10}),
    )
] + [
    Scenario('gnutls/bye', 'gnutls_bye sends half a head that was written before', 'gnutls', (GET,), 'same'),
    Scenario('gnutls/deinit-half', 'gnutls_deinit without a bye sends half a head that was written before', 'gnutls', (GET,), 'same'),
    Scenario('gnutls/blocking-read', 'a blocking gnutls_record_recv sends half a head first', 'gnutls', (POST,), 'same'),
]

NSPR = [
    Scenario('nspr-%s/%s' % (kind, name), '%s on %s' % (sentence, where), 'nspr', requests, layer='nspr', env=env, **more)
    for kind, where, env in (('tls', "NSS's TLS", {}), ('plain', 'a plain TCP descriptor', {'PLAIN': '1'}))
    for name, sentence, requests, more in (
        ('write', 'PR_Write of a whole request', THREE, {'valgrind': kind == 'tls'}),
        ('send', 'PR_Send of head and body', THREE, {}),
        ('writev', 'PR_Writev of sixteen pieces, the first empty,', (GET, POST), {'valgrind': kind == 'tls'}),
        ('bytes', 'PR_Write of one byte at a time', (POST,), {}),
        ('file', 'PR_Write to files and pipes stays as it is, then a request', (POST,), {'answers': 10}),
        ('reuse', 'PR_Close and a new descriptor, each first one cut off in a body,', (GET,), {'answers': 10}),
        ('no-wait-read', 'a PR_Recv that does not wait leaves half a head where it is', (POST,), {}),
    )
] + [
    Scenario('nspr-%s/%s' % (kind, name), '%s on %s' % (sentence, where), 'nspr', (POST,), 'same', env=env)
    for kind, where, env in (('tls', "NSS's TLS", {}), ('plain', 'a plain TCP descriptor', {'PLAIN': '1'}))
    for name, sentence in (
        ('shutdown', 'PR_Shutdown sends half a head that was written before'),
        ('close', 'PR_Close sends half a head that was written before'),
        ('blocking-read', 'a PR_Recv that waits sends half a head first'),
    )
]

MBEDTLS = [
    Scenario('mbedtls/' + name, sentence, 'mbedtls', requests, layer='mbedtls', **more) for name, sentence, requests, more in (
        ('head-and-body', 'mbedtls_ssl_write of head and body', THREE, {'valgrind': True}),
        ('short', 'mbedtls_ssl_write that writes in parts', BIG, {'needs': ('wrote in parts',)}),
        ('retry', 'mbedtls_ssl_write refused and repeated', BIG, {'slow': True, 'needs': ('was refused',), 'valgrind': True}),
        ('bytes', 'mbedtls_ssl_write of one byte at a time', (POST,), {}),
        ('reset', 'mbedtls_ssl_session_reset, each first connection cut off in a body', (GET,), {'answers': 5}),
        ('nonblocking-read', 'a non-blocking mbedtls_ssl_read leaves half a head where it is', (POST,), {}),
    )
] + [
    Scenario('mbedtls/close-notify', 'mbedtls_ssl_close_notify sends half a head that was written before', 'mbedtls', (GET,), 'same'),
    Scenario('mbedtls/reset-half', 'mbedtls_ssl_session_reset sends half a head that was written before', 'mbedtls', (GET,), 'same'),
    Scenario('mbedtls/blocking-read', 'a blocking mbedtls_ssl_read sends half a head first', 'mbedtls', (POST,), 'same'),
]

SCENARIOS = OPENSSL + HELD + BIO + GNUTLS + NSPR + MBEDTLS
MODES = ('write/ex', 'bio/puts', 'gnutls/send2', 'nspr-tls/send', 'nspr-plain/send', 'mbedtls/head-and-body')
