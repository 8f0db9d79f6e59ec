"""The scenarios of the libcurl suite: what is asked for, and what has to come of it. Data only."""

SITE, OTHER_SITE, APP = 'https://site.atlassian.net', 'https://other.atlassian.net', 'https://app.example.com'
MYSELF = ('GET', SITE + '/rest/api/3/myself?expand=groups')
# Bytes that nothing may put into another form: lower-case and upper-case escapes, '+', a dot segment that is no more one.
RAW = ('GET', SITE + '/wiki/rest/api/content/Some+Image%20%28dev%29%2Fx%2fy?jql=text+~+%22a+b%22&x=%3d%3D')
SEARCH = ('GET', OTHER_SITE + '/rest/api/2/search?jql=project%20%3D%20ZEP&startAt=50')
ISSUE = ('POST', SITE + '/rest/api/2/issue')
PROPERTY = ('PUT', SITE + '/rest/api/3/issue/A-1/properties/k')
LIKE_ONE = ('GET', APP + '/rest/api/3/mypermissions?permissions=BROWSE_PROJECTS')   # another path: another token
ATTACHMENT = ('GET', SITE + '/secure/attachment/12600/Some+Image.png')

VALID, QUERY, ANONYMOUS, NOT_ATLASSIAN = 'valid', 'query-jwt', 'anonymous', 'not-atlassian'
HIDDEN = ('private', 'tls', 'plugin')
ALL = ('private', 'tls', 'plugin', 'system')


class Row:
    """`urls`: (method, URL) that is signed, and given to the program. `asked`: how often each of them leaves, where that is not once.
    `ordered`: over HTTP/1.1, the raw bytes of the connections can be compared. `unmade`: how many more are decided about and given up."""

    def __init__(self, scenario, sentence, urls=(MYSELF,), asked=None, ordered=True, options='', valgrind=False, libraries=ALL,
                 http=('1.1', '2'), unmade=0):
        self.scenario, self.sentence, self.urls, self.options = scenario, sentence, urls, options
        self.asked = asked or [1] * len(urls)
        self.ordered, self.valgrind, self.libraries, self.http = ordered, valgrind, libraries, http
        self.unmade = unmade


# 401 without the shim and 200 with it; nothing but the tokens moves; the program sees the same.
MOVES = [
    Row('get', 'a GET', valgrind=True),
    Row('get', 'bytes that must not be put into another form', (RAW,)),
    Row('get', 'one handle for an Atlassian host and another one in turn', (MYSELF, LIKE_ONE, SEARCH, LIKE_ONE), valgrind=True),
    Row('post', 'a POST of fields', (ISSUE, ISSUE)),
    Row('put', 'an upload by callback, its size a curl_off_t', (PROPERTY,), valgrind=True),
    Row('header-before', 'a list set before the URL, freed after each request', (MYSELF, LIKE_ONE, SEARCH), valgrind=True),
    Row('header-after', 'a list set behind the URL, freed after each request', (MYSELF, LIKE_ONE, SEARCH)),
    Row('list-changed', 'a list that grows after it was set', (MYSELF, SEARCH)),
    Row('duplicate', 'duplicates before and after a request', (MYSELF, LIKE_ONE), [2, 1], valgrind=True),
    Row('duplicate-in-callback', 'a duplicate made in the middle of a request', (MYSELF, LIKE_ONE), [2, 1], valgrind=True),
    Row('reset', 'a handle that is reset, and used for another host', (MYSELF, LIKE_ONE), http=('1.1',), valgrind=True),
    Row('curlu', 'an URL given as CURLOPT_CURLU', (MYSELF, RAW, LIKE_ONE), valgrind=True),
    Row('request-target', 'a target given as CURLOPT_REQUEST_TARGET', (MYSELF, LIKE_ONE), valgrind=True),
    Row('longjmp', 'a callback that leaves by longjmp()', (MYSELF, LIKE_ONE)),
    Row('off-t-options', '64-bit options arrive whole', (MYSELF,)),
    Row('default-protocol', 'an URL without a scheme, by CURLOPT_DEFAULT_PROTOCOL', (MYSELF,)),
    Row('header-callbacks', 'header callbacks of all kinds', (MYSELF,), [4], valgrind=True),
    Row('get', 'a proxy, by CONNECT', (MYSELF, LIKE_ONE), options='proxy=http://127.0.0.1:3128'),
    Row('get', 'a proxy that gets the same list as the host', (MYSELF,), options='proxy=http://127.0.0.1:3128 unified'),
    Row('parallel', 'four at once by one multi handle, twice', (MYSELF, LIKE_ONE, SEARCH, RAW), [2] * 4, ordered=False, valgrind=True),
    Row('multi-ends-first', 'easy handles that outlive their multi handle', (MYSELF, LIKE_ONE, SEARCH), [2] * 3, ordered=False, valgrind=True),
    Row('cleaned-inside', 'easy handles that end inside their multi handle', (MYSELF, LIKE_ONE, SEARCH), ordered=False, valgrind=True,
        unmade=1),
    Row('late-list', 'a list set behind curl_multi_add_handle(), and by a callback', (MYSELF, LIKE_ONE), ordered=False),
    Row('multi-socket', 'an event loop of the program\'s own', (MYSELF, LIKE_ONE, SEARCH), ordered=False, valgrind=True),
]


class Redirect:
    """`hops`: (site, method, verdict) with the shim. `effective`: where the program is told that it has arrived."""

    def __init__(self, sentence, url, hops, effective, options='follow', scenario='get', libraries=ALL):
        self.sentence, self.url, self.hops, self.effective = sentence, url, hops, effective
        self.options, self.scenario, self.libraries = options, scenario, libraries


TO_MEDIA = [('atlassian', 'GET', VALID), ('media', 'GET', ANONYMOUS)]
TO_SAME = [('atlassian', 'GET', VALID), ('atlassian', 'GET', ANONYMOUS)]
MEDIA_FILE, LANDING = 'https://api.media.atlassian.com/file', SITE + '/redirect/landing'
SAME = ('GET', SITE + '/redirect/same?a=1')
REDIRECTS = [
    Redirect('an attachment\'s redirect to the media host', ATTACHMENT, TO_MEDIA, MEDIA_FILE),
    Redirect('the same with CURLOPT_UNRESTRICTED_AUTH', ATTACHMENT, TO_MEDIA, MEDIA_FILE, 'follow unrestricted'),
    Redirect('the same with CURLOPT_AUTOREFERER', ATTACHMENT, TO_MEDIA, MEDIA_FILE, 'follow autoreferer'),
    Redirect('the same by the multi interface', ATTACHMENT, TO_MEDIA, MEDIA_FILE, scenario='parallel'),
    Redirect('a redirect to the same host', SAME, TO_SAME, LANDING),
    Redirect('the same with CURLOPT_AUTOREFERER and CURLOPT_UNRESTRICTED_AUTH', SAME, TO_SAME, LANDING, 'follow autoreferer unrestricted'),
    Redirect('a target by CURLOPT_CURLU, redirected to the same host', SAME, TO_SAME, LANDING, 'follow autoreferer', scenario='curlu'),
    Redirect('a POST that becomes a GET', ('POST', SITE + '/redirect/same'),
             [('atlassian', 'POST', VALID), ('atlassian', 'GET', ANONYMOUS)], LANDING, scenario='post'),
    Redirect('a Location with a token of its own', ('GET', SITE + '/redirect/signed'),
             [('atlassian', 'GET', VALID), ('atlassian', 'GET', VALID)], SITE + '/rest/api/2/landed with a jwt', 'follow autoreferer'),
    Redirect('a redirect that is not followed', SAME, TO_SAME[:1], "the program's own", ''),
]

# (options, scenario, verdict by JWTSHIM_ON_CONFLICT). Digest waits for a challenge, so that there is nothing in the way of the token.
CONFLICTS = [
    ('an Authorization in the program\'s list', '', 'own-authorization', {'jwt': VALID, 'header': 'wrong-scheme', 'leave': QUERY}),
    ('a name and password', 'user=user:pass', 'get', {'jwt': VALID, 'header': 'wrong-scheme', 'leave': QUERY}),
    ('a name and password in the URL', 'in-url', 'get', {'jwt': VALID, 'header': 'wrong-scheme', 'leave': QUERY}),
    ('a bearer token', 'bearer=abc auth=64', 'get', {'jwt': VALID, 'header': 'wrong-scheme', 'leave': QUERY}),
    ('a password for Digest', 'user=user:pass auth=2', 'get', {'jwt': VALID, 'header': VALID, 'leave': VALID}),
    ('a password for any scheme', 'user=user:pass auth=-17', 'get', {'jwt': VALID, 'header': VALID, 'leave': VALID}),
]
