"""The requests that the programs send, each as it is written and as it must leave: both spelled out here by hand, from the
rules, and never computed by the code under test. A template is a function of the host that returns the two."""

# Shaped like a real one, and made of pieces so that no whole token stands in a file.
TOKEN = '.'.join(('eyJ' + 'hbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9', 'eyJ' + 'pc3MiOiJjb20uZXhhbXBsZS5hcHAifQ' * 6,
                  'c2lnbmF0dXJlLW9mLTMyLWJ5dGVzLS0tLS0tLS0'))
SITE, OTHER = 'site.atlassian.net', 'app.example.com'


def _template(written, left):
    def fill(host):
        return tuple(text.replace('{H}', host).replace('{T}', TOKEN).encode('latin-1') for text in (written, left))
    return fill


GET = _template(
    'GET /rest/api/2/issue/A-1?fields=summary&jwt={T}&expand=names HTTP/1.1\r\nHost: {H}\r\nAccept: */*\r\n\r\n',
    'GET /rest/api/2/issue/A-1?fields=summary&expand=names HTTP/1.1\r\nHost: {H}\r\nAccept: */*\r\nAuthorization: JWT {T}\r\n\r\n')

GET_SECOND = _template(
    'GET /rest/api/2/search?jwt={T}&jql=a+b HTTP/1.1\r\nHost: {H}\r\n\r\n',
    'GET /rest/api/2/search?jql=a+b HTTP/1.1\r\nHost: {H}\r\nAuthorization: JWT {T}\r\n\r\n')

GET_WITHOUT = _template('GET /rest/api/2/myself?a=1 HTTP/1.1\r\nHost: {H}\r\nAccept: */*\r\n\r\n',
                        'GET /rest/api/2/myself?a=1 HTTP/1.1\r\nHost: {H}\r\nAccept: */*\r\n\r\n')

PUT = _template(
    'PUT /rest/api/2/issue/A-1/properties/k?jwt={T} HTTP/1.1\r\nContent-Type: application/json\r\nHost: {H}\r\nContent-Length: 5\r\n\r\n'
    'abcde',
    'PUT /rest/api/2/issue/A-1/properties/k HTTP/1.1\r\nContent-Type: application/json\r\nHost: {H}\r\nContent-Length: 5\r\n'
    'Authorization: JWT {T}\r\n\r\nabcde')

ABSOLUTE = _template('GET http://{H}/p?jwt={T}&a=1 HTTP/1.1\r\nHost: {H}\r\n\r\n',
                     'GET http://{H}/p?a=1 HTTP/1.1\r\nHost: {H}\r\nAuthorization: JWT {T}\r\n\r\n')

NUMBERED = _template('GET /%c/%03d?jwt={T} HTTP/1.1\r\nHost: {H}\r\n\r\n', 'GET /%c/%03d HTTP/1.1\r\nHost: {H}\r\nAuthorization: JWT {T}\r\n\r\n')

# What dprintf() scenarios make of the method, target and host of GET_SECOND.
PRINTED = _template(
    'GET /rest/api/2/search?jwt={T}&jql=a+b HTTP/1.1\r\nHost: {H}\r\nConnection: keep-alive\r\nX-Method: GET\r\n\r\n',
    'GET /rest/api/2/search?jql=a+b HTTP/1.1\r\nHost: {H}\r\nConnection: keep-alive\r\nX-Method: GET\r\n'
    'Authorization: JWT {T}\r\n\r\n')
PRINTED_LINES = _template(
    'GET /rest/api/2/search?jwt={T}&jql=a+b HTTP/1.1\r\nHost: {H}\r\nConnection: keep-alive\r\n\r\n',
    'GET /rest/api/2/search?jql=a+b HTTP/1.1\r\nHost: {H}\r\nConnection: keep-alive\r\nAuthorization: JWT {T}\r\n\r\n')
PRINTED_CONVERSIONS = _template(
    'GET /rest/api/2/search?jwt={T}&jql=a+b HTTP/1.1\r\nHost: {H}\r\nX-Error: No such file or directory\r\nAccept: */*\r\n\r\n',
    'GET /rest/api/2/search?jql=a+b HTTP/1.1\r\nHost: {H}\r\nX-Error: No such file or directory\r\nAccept: */*\r\n'
    'Authorization: JWT {T}\r\n\r\n')


def post(size):
    """A POST whose body is full of requests that carry tokens themselves."""
    line = 'POST /x?jwt={T} HTTP/1.1\r\nHost: {H}\r\n\r\n'

    def fill(host):
        one = line.replace('{H}', host).replace('{T}', TOKEN)
        body = (one * (size // len(one) + 1))[:size]
        head = 'POST /rest/api/2/issue?a=1%sHTTP/1.1\r\nHost: ' + host + '\r\nContent-Length: ' + str(size) + '\r\n'
        return ((head % ('&jwt=' + TOKEN + ' ') + '\r\n' + body).encode(),
                (head % ' ' + 'Authorization: JWT ' + TOKEN + '\r\n\r\n' + body).encode())
    return fill


def big_get(size):
    """A head of about `size` bytes, more than a small send buffer takes."""
    fields = ''.join('X-Field-%04d: %s\r\n' % (i, 'v' * 80) for i in range(size // 98))
    return _template('GET /big?jwt={T}&a=1 HTTP/1.1\r\nHost: {H}\r\n' + fields + '\r\n',
                     'GET /big?a=1 HTTP/1.1\r\nHost: {H}\r\n' + fields + 'Authorization: JWT {T}\r\n\r\n')


def open_post(body_of):
    """A head without a token whose Content-Length is the length of the request `body_of`, which comes separately as the body."""
    def fill(host):
        text = ('POST /upload HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n' % (host, 4 + len(body_of(host)[0]))).encode() + b'abcd'
        return text, text
    return fill


def same(template):
    """The template as bytes that must leave as they are."""
    def fill(host):
        return (template(host)[0],) * 2
    return fill


def half(template):
    """Its first half, which must leave as it is."""
    def fill(host):
        text = template(host)[0]
        return (text[:len(text) // 2],) * 2
    return fill


def first(template, count):
    """Its first `count` bytes, which must leave as they are."""
    def fill(host):
        return (template(host)[0][:count],) * 2
    return fill
