'use strict';
// Tests of the mock itself: what its judge accepts and refuses, and that the server says so over HTTP/1.1, HTTP/2 and plain.
// Prints TAP. Listens on free ports of the loopback address only, in a temporary directory that it removes.
//
//   node test.js

const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const http2 = require('node:http2');
const https = require('node:https');
const os = require('node:os');
const path = require('node:path');
const jwt = require('atlassian-jwt');
const { judge } = require('./judge');
const { sign, DEFAULT_SECRET } = require('./sign');
const { splitTarget, baseOf, redact } = require('./target');

let count = 0;
let failed = 0;
function check(sentence, got, wanted) {
  count += 1;
  const same = JSON.stringify(got) === JSON.stringify(wanted);
  if (!same) failed += 1;
  console.log(`${same ? 'ok' : 'not ok'} ${count} - ${sentence}`);
  if (!same) console.log(`# got ${redact(JSON.stringify(got))}, wanted ${redact(JSON.stringify(wanted))}`);
}

function theJudge() {
  const url = '/rest/api/2/search?jql=a+b&x=1';
  const token = (claims, secret) => sign('GET', url, { claims, secret }).token;
  const verdict = (fields, target = url, method = 'GET') => judge(method, splitTarget(target), fields.flat(), DEFAULT_SECRET);
  const header = (claims, secret) => [['Authorization', `JWT ${token(claims, secret)}`]];
  const now = Math.floor(Date.now() / 1000);

  check('a signed token in the header is accepted', verdict(header()), 'valid');
  check('the name of the field is compared without case', verdict([['authorization', `JWT ${token()}`]]), 'valid');
  check('nothing is refused', verdict([]), 'no-authorization');
  check('a query JWT is refused', verdict([], sign('GET', url).url), 'query-jwt');
  check('a query JWT is refused with a good header too', verdict(header(), sign('GET', url).url), 'query-jwt');
  check('a percent-encoded name is a query JWT', verdict(header(), `${url}&%6Awt=T`), 'query-jwt');
  check('another parameter whose value names one is none', verdict(header(), `${url}&u=%3Fjwt%3Dx`), 'qsh-mismatch');
  check('two Authorization fields are refused', verdict([...header(), ...header()]), 'two-authorizations');
  check('Bearer is refused', verdict([['Authorization', `Bearer ${token()}`]]), 'wrong-scheme');
  check('a lower-case scheme is refused', verdict([['Authorization', `jwt ${token()}`]]), 'wrong-scheme');
  check('"JWT token=…" is refused', verdict([['Authorization', `JWT token=${token()}`]]), 'malformed-token');
  check('two spaces are refused', verdict([['Authorization', `JWT  ${token()}`]]), 'malformed-token');
  check("another's signature is refused", verdict(header({}, 'another secret')), 'bad-signature');
  check('an expired token is refused', verdict(header({ exp: now - 60 })), 'expired');
  check('a token from the future is refused', verdict(header({ iat: now + 600 })), 'not-yet-valid');
  check('a token without qsh is refused', verdict(header({ qsh: undefined })), 'no-qsh');
  check('a token for another query is refused', verdict(header(), `${url}&y=2`), 'qsh-mismatch');
  check('a token for another method is refused', verdict(header(), url, 'POST'), 'qsh-mismatch');

  for (const place of ['first', 'middle', 'last']) {
    const signed = sign('GET', url, { position: place });
    const expected = { first: 0, middle: 1, last: 2 }[place];
    check(`the token is put ${place}`, splitTarget(signed.url).query.split('&').findIndex((part) => part.startsWith('jwt=')), expected);
  }

  // Published vectors: method, target and hash.
  for (const [method, target, hash] of [
    ['GET', '/rest/api/3/issue/AC-1', '697768f56294af78beb213d54a57e6cecd3b8ebd7da883b78653fc803d4675a6'],
    ['GET', '/wiki/rest/api/content?expand=body.storage&spaceKey=TST', '90d84b1764605ef40b5210f57e8524a1c54fbfcb4d984e893af9059da12a36ff'],
    ['GET', '/wiki/', 'c88caad15a1c1a900b8ac08aa9686f4e8184539bea1deda36e2f649430df3239'],
    ['GET', '/rest/a&b/c&d?x=y', '4a378aae13b11bf739c3f64c5e0285a48c4902715dc7928e949fdd0f18d9c32d'],
    ['GET', '/p?r=2&r=10&r=1', '823802eb924fcaaf045000fdeaa5e99275eea88a6e8facecbdb54b780cdfdb49'],
    ['GET', "/p?q=a+b%20c%2Bd~e*f%2Ag!h'i(j)", '88c11c7d990d158847db62fa40a2eb656ca898e6a5bcf58577a7887c786884e7'],
    ['GET', '/p?notmuch=&flag', '0e1533972899177a0feb6fce6b81fa14155cde159283a205cd039b09ac5e615d'],
    ['POST', '/rest/api/2/issue', '43dd1779e33c34fae00c308d62e5dd153a32147d1bcb5d40b3936457fda0ece4'],
  ]) {
    const { qsh } = jwt.decodeSymmetric(sign(method, target).token, DEFAULT_SECRET, 'HS256');
    check(`the qsh of ${method} ${target}`, qsh, hash);
  }
  check('a path keeps its apostrophe in the qsh', verdict([['Authorization', `JWT ${sign('GET', "/a'b").token}`]], "/a'b"), 'valid');
  check('an apostrophe and its escape are two paths', verdict([['Authorization', `JWT ${sign('GET', "/a'b").token}`]], '/a%27b'), 'qsh-mismatch');
  check('only Confluence has a context path', [baseOf('/wiki/x'), baseOf('/wikix'), baseOf('/')].map(Boolean), [true, false, false]);
  check('a redacted target names no token', /eyJ/.test(redact(`${sign('GET', url).url}&other=${token()}`)), false);
}

function exchange(client, options, body) {
  return new Promise((resolve, reject) => {
    const request = client.request({ host: '127.0.0.1', timeout: 10000, ...options }, (response) => {
      let text = '';
      response.on('data', (bytes) => { text += bytes; });
      response.on('end', () => resolve({ status: response.statusCode, text, headers: response.headers }));
    });
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.end(body);
  });
}

function exchange2(port, ca, headers) {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`https://127.0.0.1:${port}`, { ca, servername: 'site.atlassian.net' });
    session.on('error', reject);
    const stream = session.request({ ':authority': `site.atlassian.net:${port}`, ...headers });
    let status;
    stream.on('response', (fields) => { status = fields[':status']; });
    stream.resume();
    stream.on('end', () => { session.close(); resolve(status); });
    stream.on('error', reject);
  });
}

async function theServer(directory, child) {
  spawnSync(path.join(__dirname, 'make-pki'), [path.join(directory, 'pki')], { stdio: 'inherit' });
  fs.mkdirSync(path.join(directory, 'capture'));
  child.process = spawn(process.execPath, [path.join(__dirname, 'server.js'), '--pki', path.join(directory, 'pki'),
    '--capture', path.join(directory, 'capture'), '--lifetime', '60', '--until-eof'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => { child.process.once('exit', (code) => resolve(code)); });
  const ports = await new Promise((resolve, reject) => {
    child.process.stdout.once('data', (line) => resolve(JSON.parse(line)));
    child.process.once('exit', () => reject(new Error('the server ended')));
  });
  const ca = fs.readFileSync(path.join(directory, 'pki', 'ca.pem'));
  const authority = `site.atlassian.net:${ports.tls_port}`;
  const tls = { ca, servername: 'site.atlassian.net', port: ports.tls_port, agent: new https.Agent({ keepAlive: false }) };
  const header = (method, target) => `JWT ${sign(method, target).token}`;

  let answer = await exchange(https, { ...tls, path: sign('GET', '/rest/api/3/myself').url, headers: { Host: authority } });
  check('HTTP/1.1 over TLS: a query JWT gets the 401 of real sites', [answer.status, answer.text],
    [401, '{"message":"Client must be authenticated to access this resource.","status-code":401}']);
  answer = await exchange(https, { ...tls, path: '/rest/api/3/myself', headers: { Host: authority, Authorization: header('GET', '/rest/api/3/myself') } });
  check('HTTP/1.1 over TLS: the header gets 200', [answer.status, JSON.parse(answer.text).verdict], [200, 'valid']);
  check('the answer tells names of fields but no token', [JSON.parse(answer.text).fields.includes('Authorization'), /eyJ/.test(answer.text)], [true, false]);
  answer = await exchange(http, { port: ports.plain_port, path: '/a', headers: { Host: 'site.atlassian.net', Authorization: header('GET', '/a') } });
  check('plain HTTP/1.1: the header gets 200', answer.status, 200);
  check('HTTP/2: the header gets 200', await exchange2(ports.tls_port, ca, { ':path': '/b?x=1', authorization: header('GET', '/b?x=1') }), 200);
  check('HTTP/2: a query JWT gets 401', await exchange2(ports.tls_port, ca, { ':path': sign('GET', '/b?x=1').url }), 401);
  answer = await exchange(https, { ...tls, method: 'POST', path: '/c', headers: { Host: authority, 'Transfer-Encoding': 'chunked', Expect: '100-continue', Authorization: header('POST', '/c') } }, 'x'.repeat(100000));
  check('a chunked upload after 100-continue arrives whole', [answer.status, JSON.parse(answer.text).body_length, JSON.parse(answer.text).framing], [200, 100000, 'chunked']);
  const attachment = '/secure/attachment/12600/a%20b.png';
  answer = await exchange(https, { ...tls, path: attachment, headers: { Host: authority, Authorization: header('GET', attachment) } });
  check('an attachment redirects to the media host', [answer.status, new URL(answer.headers.location).hostname, Number(new URL(answer.headers.location).port)], [302, 'api.media.atlassian.com', ports.tls_port]);
  const media = (more) => exchange(https, { ...tls, path: more.path || '/file?token=t', headers: { Host: 'api.media.atlassian.com', ...more.headers } });
  check('the media host answers an anonymous request', (await media({})).status, 200);
  check('the media host cries about any Authorization', (await media({ headers: { Authorization: 'Basic eA==' } })).text, 'leak');
  check('the media host cries about a query JWT', (await media({ path: '/file?jwt=x' })).text, 'leak');
  check('the media host cries about a Referer with a token', (await media({ headers: { Referer: 'https://site.atlassian.net/?jwt=x' } })).text, 'leak');
  answer = await exchange(https, { ...tls, path: '/redirect/landing', headers: { Host: authority, Authorization: header('GET', '/redirect/landing') } });
  check('the landing of a redirect on the same host cries too', answer.text, 'leak');
  answer = await exchange(https, { ...tls, path: '/x?jwt=y', headers: { Host: 'app.example.com' } });
  check('another host takes everything', [answer.status, JSON.parse(answer.text).site], [200, 'other']);
  const journal = fs.readFileSync(path.join(directory, 'capture', 'journal.jsonl'), 'utf8');
  check('the journal has a line for each request, and no token', [journal.trim().split('\n').length, /eyJ/.test(journal)], [13, false]);
  for (const [words, client, options] of [['TLS', https, tls], ['plain', http, { port: ports.plain_port }]]) {
    answer = await exchange(client, { ...options, path: '/', headers: { Host: 'app.example.com', Big: 'x'.repeat(100 * 1024) } });
    check(`a head of 100 KiB is taken over ${words}`, answer.status, 200);
  }
  const raw = fs.readFileSync(path.join(directory, 'capture', '000001.tls'), 'utf8');
  check('the capture has the raw bytes', [raw.startsWith('GET /rest/api/3/myself?jwt=eyJ'), raw.endsWith('\r\n\r\n')], [true, true]);
  child.process.kill('SIGTERM');
  check('SIGTERM ends it cleanly', await ended, 0);
}

async function main() {
  theJudge();
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'jwtshim-mock-'));
  const child = {};
  try {
    await theServer(directory, child);
  } catch (error) {
    check('the server could be tested', redact(error.message), '');
  } finally {
    if (child.process) child.process.kill();
    fs.rmSync(directory, { recursive: true, force: true });
  }
  console.log(`1..${count}`);
  process.exitCode = failed ? 1 : 0;
}

main();
