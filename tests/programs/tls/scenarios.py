"""Every scenario of the TLS programs, one row each."""
from suite import BIG, GET, PLAIN, POST, PUT, Scenario, SLOW, THREE, TLS

OPENSSL = [
    Scenario('write/whole', 'SSL_write of a whole request', 'openssl_write', THREE, valgrind=True),
    Scenario('write/ex', 'SSL_write_ex of head and body in two calls', 'openssl_write', THREE, valgrind=True),
    Scenario('write/bytes', 'SSL_write of one byte at a time', 'openssl_write', valgrind=True),
    Scenario('write/pipelined', 'SSL_write of three requests at once', 'openssl_write', THREE),
    Scenario('write/retry', 'SSL_write refused by a slow peer and repeated from the same place', 'openssl_write', BIG,
             port=SLOW, needs=('was refused',), valgrind=True),
    Scenario('write/moving', 'SSL_write refused and repeated from a moved copy', 'openssl_write', BIG, port=SLOW, needs=('was refused',),
             valgrind=True),
    Scenario('write/partial', 'SSL_write in partial mode', 'openssl_write', BIG, port=SLOW, needs=('was refused',)),
    Scenario('write/partial-moving', 'SSL_write in partial mode from moved copies', 'openssl_write', BIG, port=SLOW,
             needs=('was refused',)),
    Scenario('write/implicit', 'SSL_write that does the handshake', 'openssl_write', THREE, valgrind=True),
    Scenario('write/implicit-refused', 'SSL_write that does the handshake without waiting, repeated at WANT_READ from a moved copy', 'openssl_write', THREE,
             port=SLOW),
    Scenario('write/implicit-body', 'SSL_write of a head that does the handshake, and of its body', 'openssl_write', (POST, POST)),
    Scenario('write/implicit-halves', 'SSL_write of half a head that does the handshake', 'openssl_write', THREE, 'same'),
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
    Scenario('hold/vanished-free', 'SSL_free behind half a head, its transport gone, writes nothing to it', 'openssl_hold', (GET,), 'lost'),
    Scenario('hold/vanished-exit', 'exit behind half a head, its transport gone, writes nothing to it', 'openssl_hold', (GET,), 'lost'),
    Scenario('hold/vanished-fork', 'fork behind half a head, its transport gone, writes nothing to it', 'openssl_hold', (GET,), 'lost'),
    Scenario('hold/exec', 'exec sends half a head that was written before', 'openssl_hold', (GET,), 'same'),
    Scenario('hold/fork', 'a child goes on with the half head of its parent', 'openssl_hold', (POST,), 'same'),
    Scenario('hold/blocking-read', 'a blocking SSL_read sends half a head first', 'openssl_hold', (POST,), 'same', valgrind=True),
    Scenario('hold/blocking-read-ex', 'a blocking SSL_read_ex sends half a head first', 'openssl_hold', (POST,), 'same'),
    Scenario('hold/blocking-peek', 'a blocking SSL_peek sends half a head first', 'openssl_hold', (POST,), 'same'),
    Scenario('hold/invisible', 'errno, dlerror() and the error queue show nothing of the hooks', 'openssl_hold', (POST,), answers=2,
             valgrind=True),
    Scenario('queue/each-end', 'an end that cannot send half a head leaves no error behind', 'openssl_queue', (POST,), valgrind=True),
    Scenario('queue/next-connection', 'an end that cannot send half a head does not disturb the next connection', 'openssl_queue', (POST,),
             answers=2),
    Scenario('queue/ssl-read-and-fork', 'an SSL_read in the middle of a head is left alone while another thread forks', 'openssl_queue', (POST,)),
    Scenario('queue/bio-read-and-fork', 'a BIO_read in the middle of a head is left alone while another thread forks', 'openssl_queue', (POST,)),
    Scenario('hold/without-connection', 'SSL_write without a connection fails as ever', 'openssl_hold', (POST,)),
]

BIO = [
    Scenario('bio/write', 'BIO_write to an SSL BIO', 'openssl_bio', THREE, valgrind=True),
    Scenario('bio/write-ex', 'BIO_write_ex of head and body', 'openssl_bio', THREE),
    Scenario('bio/puts', 'BIO_puts of a whole request', 'openssl_bio', THREE, valgrind=True),
    Scenario('bio/printf', 'BIO_printf of a request line, fields and a body', 'openssl_bio', (POST, POST), valgrind=True),
    Scenario('bio/bytes', 'BIO_write of one byte at a time', 'openssl_bio'),
    Scenario('bio/buffer', 'a buffering BIO before the SSL BIO', 'openssl_bio', (POST, PUT), valgrind=True),
    Scenario('bio/flush', 'a buffering BIO that is flushed behind the head', 'openssl_bio', (POST, POST), valgrind=True),
    Scenario('bio/puts-behind', 'a buffering BIO that gets half a head by BIO_write and half by BIO_puts', 'openssl_bio', (POST, PUT)),
    Scenario('bio/printf-below', 'BIO_printf of a body past the buffering BIO that the head came by', 'openssl_bio', (POST,)),
    Scenario('bio/implicit', 'BIO_write that connects and does the handshake', 'openssl_bio', THREE, valgrind=True),
    Scenario('bio/implicit-halves', 'BIO_write of half a head that does the handshake', 'openssl_bio', THREE, 'same'),
    Scenario('bio/again', 'BIO_free_all and a new connection at the same address, 25 times', 'openssl_bio', (GET,), answers=25,
             needs=('an address came back',)),
    Scenario('bio/mixed', 'half a head by BIO_write and half by SSL_write of its SSL', 'openssl_bio', (POST, GET, PUT)),
    Scenario('bio/nonblocking-read', 'a non-blocking BIO_read leaves half a head where it is', 'openssl_bio', (POST,)),
    Scenario('bio/nonblocking-read-ex', 'a non-blocking BIO_read_ex leaves half a head where it is', 'openssl_bio', (POST,)),
    Scenario('bio/blocking-read', 'a blocking BIO_read sends half a head first', 'openssl_bio', (POST,), 'same'),
    Scenario('bio/blocking-read-ex', 'a blocking BIO_read_ex sends half a head first', 'openssl_bio', (POST,), 'same'),
    Scenario('bio/free', 'BIO_free_all sends half a head that was written before', 'openssl_bio', (GET,), 'same'),
    Scenario('bio/shutdown', 'a shutdown of the SSL BIO sends half a head that was written before', 'openssl_bio', (GET,), 'same'),
    Scenario('bio/reset', 'BIO_reset sends half a head that was written before, and to no other connection', 'openssl_bio', (GET,), 'same'),
    Scenario('bio/exit', 'exit sends half a head that was written to a BIO', 'openssl_bio', (GET,), 'same'),
    Scenario('bio/fork', 'a child goes on with the half head that its parent wrote to a BIO', 'openssl_bio', (POST,), 'same'),
    Scenario('bio/memory', 'text that looks like a request in a memory BIO stays as it is', 'openssl_bio', (POST,)),
]

REFERENCES = [
    Scenario('references/' + way, sentence + ' in the middle of a body', 'openssl_references', (POST,), valgrind=way in ('head', 'end'))
    for way, sentence in (
        ('no-close', 'BIO_free of an SSL BIO without its SSL'),
        ('no-close-all', 'BIO_free_all of an SSL BIO without its SSL'),
        ('second', 'BIO_free of one of two references'),
        ('head', 'BIO_free_all of a chain whose head has two references'),
        ('end', 'BIO_free_all of a chain whose SSL BIO has two references'),
        ('duplicate', 'SSL_dup and one SSL_free'),
    )
] + [
    Scenario('references/last', 'the last of several references, each first connection cut off in a body', 'openssl_references', (POST,),
             answers=10),
    Scenario('references/reset', 'BIO_reset of a chain that was cut off in a body', 'openssl_references', (POST,)),
]

GNUTLS = [
    Scenario('gnutls/' + name, sentence, 'gnutls', requests, layer='gnutls', **more) for name, sentence, requests, more in (
        ('send', 'gnutls_record_send of a whole request', THREE, {'valgrind': True}),
        ('send2', 'gnutls_record_send2 of head and body', THREE, {}),
        ('bytes', 'gnutls_record_send of one byte at a time', (POST,), {}),
        ('range', 'gnutls_record_send_range of head and body', THREE, {}),
        ('cork', 'a request under a gnutls_record_cork', THREE, {'valgrind': True}),
        ('half-cork', 'an empty cork, and half a head under another', THREE, {}),
        ('again', 'GNUTLS_E_AGAIN and the same data again', BIG, {'port': SLOW, 'needs': ('was refused',), 'valgrind': True}),
        ('again-null', 'GNUTLS_E_AGAIN and a resume without data', BIG, {'port': SLOW, 'needs': ('was refused',), 'valgrind': True}),
        ('again-cork', 'GNUTLS_E_AGAIN of a gnutls_record_uncork', BIG, {'port': SLOW, 'needs': ('was refused',)}),
        ('file', 'gnutls_record_send_file of a body', (POST, PUT), {}),
        ('nonblocking-read', 'a non-blocking gnutls_record_recv leaves half a head where it is', (POST,), {}),
        ('deinit', 'gnutls_deinit and a new session, each first one cut off in a body', (GET,), {'answers': 10}),
    )
] + [
    Scenario('gnutls/bye', 'gnutls_bye sends half a head that was written before', 'gnutls', (GET,), 'same'),
    Scenario('gnutls/deinit-half', 'gnutls_deinit without a bye sends half a head that was written before', 'gnutls', (GET,), 'same'),
    Scenario('gnutls/vanished-deinit', 'gnutls_deinit behind half a head, its transport gone, writes nothing to it', 'gnutls', (GET,), 'lost'),
    Scenario('gnutls/blocking-read', 'a blocking gnutls_record_recv sends half a head first', 'gnutls', (POST,), 'same'),
]

# The socket hooks see what a plain descriptor sends.
NSPR_KINDS = (('tls', "NSS's TLS", TLS, {}, 'nspr'), ('plain', 'a plain TCP descriptor', PLAIN, {'PLAIN': '1'}, 'socket'))
NSPR = [
    Scenario('nspr-%s/%s' % (kind, name), '%s on %s' % (sentence, where), 'nspr', requests, layer=layer, port=port, env=env, **more)
    for kind, where, port, env, layer in NSPR_KINDS
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
    Scenario('nspr-%s/%s' % (kind, name), '%s on %s' % (sentence, where), 'nspr', (POST,), 'same', port=port, env=env)
    for kind, where, port, env, layer in NSPR_KINDS
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
        ('retry', 'mbedtls_ssl_write refused and repeated', BIG, {'port': SLOW, 'needs': ('was refused',), 'valgrind': True}),
        ('bytes', 'mbedtls_ssl_write of one byte at a time', (POST,), {}),
        ('reset', 'mbedtls_ssl_session_reset, each first connection cut off in a body', (GET,), {'answers': 5}),
        ('nonblocking-read', 'a non-blocking mbedtls_ssl_read leaves half a head where it is', (POST,), {}),
    )
] + [
    Scenario('mbedtls/close-notify', 'mbedtls_ssl_close_notify sends half a head that was written before', 'mbedtls', (GET,), 'same'),
    Scenario('mbedtls/reset-half', 'mbedtls_ssl_session_reset sends half a head that was written before', 'mbedtls', (GET,), 'same'),
]

EARLY = [
    Scenario('early-%s/%s' % (kind, way), '%s as early data that the server %ss' % (sentence, kind), 'openssl_early', (POST, GET), kind,
             answers=3, valgrind=way == 'twice')
    for kind in ('accept', 'refuse')
    for way, sentence in (('whole', 'a request'), ('twice', 'a request in two pieces'), ('head', 'a head'))
] + [
    Scenario('early-half/half', 'half a head as early data', 'openssl_early', (POST, GET), 'accept-either', answers=3),
]

RESOLVE = [
    Scenario('resolve/' + way, sentence, 'resolve', requests, **more)
    for way, sentence, requests, more in (
        ('local', 'a plugin that brings libssl with RTLD_LOCAL', (POST, GET), {'valgrind': True}),
        ('tail-call', 'a plugin that reaches SSL_write by a tail call', (POST, GET), {}),
        ('two-copies', 'two plugins with a libssl each', (POST, GET), {'answers': 4}),
        ('reload', 'a plugin that is unloaded and loaded elsewhere', (POST, GET), {'answers': 6, 'needs': ('was elsewhere',)}),
    )
] + [
    Scenario('resolve/deep-bind', 'a plugin with RTLD_DEEPBIND', 'resolve', (POST, GET)),
    Scenario('resolve-off/deep-bind', 'a plugin with RTLD_DEEPBIND, JWTSHIM_LOADER=off, is not reached, and not disturbed', 'resolve', (POST, GET),
             'same', env={'JWTSHIM_LOADER': 'off'}),
] + [
    Scenario('linked/' + way, sentence, 'resolve_linked', (POST, GET), answers=4)
    for way, sentence in (
        ('mine-and-copy', 'a plugin with a copy of the libssl that the program is linked with'),
        ('mine-and-tail-call', 'a plugin with a copy of the libssl that the program is linked with, by a tail call'),
        ('mine-and-old', 'a plugin with libssl 1.1.1 in a program with libssl 3'),
    )
]

# The programs above with the libraries of another Debian.
VERSIONS = [
    Scenario('%s-%s/%s' % (program, version, way), '%s with OpenSSL %s' % (sentence, version), 'openssl_%s-%s' % (program, version), requests,
             port=port, answers=answers)
    for version in ('1.1.1', '3.5')
    for program, way, sentence, requests, port, answers in (
        ('write', 'ex', 'SSL_write_ex of head and body in two calls', THREE, TLS, None),
        ('write', 'bytes', 'SSL_write of one byte at a time', (POST,), TLS, None),
        ('write', 'moving', 'SSL_write refused and repeated from a moved copy', BIG, SLOW, None),
        ('write', 'partial', 'SSL_write in partial mode', BIG, SLOW, None),
        ('write', 'memory', 'SSL_write_ex over memory BIOs, a head in two halves', THREE, TLS, None),
        ('write', 'free', 'SSL_free and SSL_new, each first one cut off in a body', (GET,), TLS, 5),
        ('bio', 'printf', 'BIO_printf of a request line, fields and a body', (POST, POST), TLS, None),
        ('bio', 'buffer', 'a buffering BIO before the SSL BIO', (POST, PUT), TLS, None),
        ('bio', 'again', 'BIO_free_all and a new connection at the same address, 25 times', (GET,), TLS, 25),
        ('references', 'duplicate', 'SSL_dup and one SSL_free in the middle of a body', (POST,), TLS, None),
        ('references', 'end', 'BIO_free_all of a chain whose SSL BIO has two references in the middle of a body', (POST,), TLS, None),
        ('references', 'last', 'the last of several references, each first connection cut off in a body', (POST,), TLS, 10),
        ('queue', 'each-end', 'an end that cannot send half a head leaves no error behind', (POST,), TLS, None),
    )
] + [Scenario('ex2-3.5/ex2', 'SSL_write_ex2 of head and body', 'openssl_ex2-3.5', THREE)]

SCENARIOS = OPENSSL + HELD + BIO + REFERENCES + EARLY + RESOLVE + VERSIONS + GNUTLS + NSPR + MBEDTLS
MODES = ('write/ex', 'bio/puts', 'gnutls/send2', 'nspr-tls/send', 'nspr-plain/send', 'mbedtls/head-and-body')
