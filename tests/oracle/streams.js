// Makes pipelined request streams, mostly valid, some odd in every way that the framing oracle knows to judge.
// It never says where a request ends: that is for the two parsers to find out.
'use strict';

const token = 'eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl';
const methods = [
  'GET',
  'GET',
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'PROPFIND',
  'PROPPATCH',
  'MKCOL',
  'COPY',
  'MOVE',
  'LOCK',
  'UNLOCK',
  'REPORT',
  'SEARCH',
];
const insideBodies = [
  'x',
  '',
  '\r\n',
  '\r\n\r\n',
  '\n\n',
  '0\r\n\r\n',
  '\0\x80\xff',
  '{"a": 1}',
  '5\r\nabcde\r\n',
  `GET /inner?jwt=${token} HTTP/1.1\r\nHost: site.atlassian.net\r\n\r\n`,
  'POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n',
];

function body(r) {
  let text = '';
  for (let n = r.below(4); n > 0; n--) text += r.pick(insideBodies);
  return text;
}

function otherCase(r, name) {
  return r.weighted({ same: 6, lower: 2, upper: 1 }) === 'same'
    ? name
    : r.chance(0.6)
      ? name.toLowerCase()
      : name.toUpperCase();
}

function targetFor(r, method) {
  if (method === 'OPTIONS' && r.chance(0.3)) return '*';
  const query = r.pick(['', '', '?a=1', `?jwt=${token}`, `?a=1&jwt=${token}`, '?jwt=none', '?']);
  const start = r.pick(['', '', '', '', 'http://site.atlassian.net', 'https://app.example.com:8443']);
  return `${start}/${r.pick(['', 'rest/api/3/myself', 'a//b/../c%2f', 'x;y=1'])}${query}`;
}

function plainFields(r) {
  const fields = [];
  for (let n = r.below(5); n > 0; n--) {
    fields.push(
      r.pick([
        'Accept: */*',
        'User-Agent: x/1 (y; z)',
        'X-Empty:',
        'X-Blank:  \t ',
        'Cookie: a=1; b=2',
        'X-Text: gr\xfc\xdfe',
        'Connection: keep-alive',
        'Connection: close',
        'Expect: 100-continue',
        'Content-Type: text/plain',
        "!#$%&'*+-.^_`|~09: odd but a token",
        'Content-Lengthy: 7',
        'X-Content-Length: 7',
        'Transfer-Encodings: chunked',
        'Trailer: X-Sum',
        'TE: trailers',
        'Authorization: Basic dTpw',
        'Referer: https://app.example.com/',
        `Referer: https://site.atlassian.net/?jwt=${token}`,
        'X-Colon: a:b:c',
        'Tab:\tx\t',
        'No-Space:x',
      ]),
    );
  }
  return fields;
}

// One field line that is wrong, or right in a way few senders use.
function oddField(r) {
  return r.pick([
    'X-Fold: a\n b',
    'X-Fold:\n\tb',
    'Host-Fold: a\n \n b',
    'X-Space : a',
    'Content-Length : 3',
    'nonsense',
    ': x',
    'X(1): a',
    'X-Cr: a\rb',
    'X-Nul: a\0b',
    ' X-Lead: a',
    'Bad Name: a',
    'X\x80: a',
    'X-Ctl: a\x01b',
    'X-Del: a\x7fb',
    'Transfer-Encoding',
    'Accept : */*',
    'A\tb: c',
    '\x0bX: a',
  ]);
}

// Whole chunk lines end in CRLF even in a stream of bare LF: no setting of llhttp allows less there.
function chunked(r) {
  const eol = '\r\n';
  let text = '';
  for (let n = r.below(4); n > 0; n--) {
    const data = body(r) || 'y';
    let size = data.length.toString(16);
    if (r.chance(0.2)) size = size.toUpperCase();
    if (r.chance(0.2)) size = '00' + size;
    text += size + (r.chance(0.25) ? r.pick([';a', ';a=1', ';a="b;c"', ';a=1;b="x y"', '; a = 1']) : '') + eol + data + eol;
  }
  const trailers = r.chance(0.3)
    ? r.pick(['X-Sum: 1', 'X-Sum: 1\nX-Two: 2', 'Content-Length: 9', 'Transfer-Encoding: chunked'])
    : '';
  text += `${r.pick(['0', '0', '0', '000'])}${r.chance(0.1) ? ';last' : ''}${eol}`;
  return text + (trailers ? trailers.replace(/\n/g, eol) + eol : '') + eol;
}

// Chunked bodies that break section 7.1 of RFC 9112 in one place.
function brokenChunked(r) {
  return r.pick([
    'xyz\r\nabc\r\n0\r\n\r\n',
    '3\r\nabcd\r\n0\r\n\r\n',
    '\r\n0\r\n\r\n',
    '-3\r\nabc\r\n0\r\n\r\n',
    '0x3\r\nabc\r\n0\r\n\r\n',
    'fffffffffffffffff\r\nabc\r\n0\r\n\r\n',
    ';a=1\r\n0\r\n\r\n',
    '3 \r\nabc\r\n0\r\n\r\n',
    '3\t;a\r\nabc\r\n0\r\n\r\n',
    '3 4\r\nabc\r\n0\r\n\r\n',
    '3\rx\nabc\r\n0\r\n\r\n',
    '3\r\nabc\r\r\n0\r\n\r\n',
    '3\r\nabc\n0\r\n\r\n',
    '3\nabc\r\n0\r\n\r\n',
    '3;a\nabc\r\n0\r\n\r\n',
    '3\r\nabc\r\n0\r\nnonsense\r\n\r\n',
    '3\r\nabc\r\n0\r\nX: 1\r\n fold\r\n\r\n',
    '3\r\nabc\r\n0\r\n\r\r\n',
    '3\r\nabc\r\n0\r\nX : 1\r\n\r\n',
    '3\r\nabc\r\n0\r\n\n',
  ]);
}

function request(r, eol) {
  let method = r.chance(0.02) ? r.pick(['BREW', 'get', 'GETX', 'PURGE', 'M-SEARCH', 'LINK']) : r.pick(methods);
  let version = r.chance(0.03)
    ? r.pick(['HTTP/1.2', 'HTTP/2.0', 'http/1.1', 'HTTP/1.1 ', 'HTTP/0.9', 'HTTP/11'])
    : 'HTTP/1.1';
  if (r.chance(0.05)) version = 'HTTP/1.0';
  let fields = ['Host: site.atlassian.net', ...plainFields(r)];
  let after = '';
  const length = otherCase(r, 'Content-Length');
  const coding = otherCase(r, 'Transfer-Encoding');
  const framing = r.weighted({
    none: 10,
    length: 10,
    chunked: 10,
    connect: 1.5,
    upgrade: 1.5,
    upgradeAlone: 0.5,
    upgradeWithBody: 0.5,
    oddLength: 2,
    oddCoding: 2,
    both: 1,
    brokenChunked: 3,
  });
  const text = body(r);
  if (framing === 'length') {
    fields.push(
      `${length}:${r.pick([' ', '', ' \t'])}${r.chance(0.1) ? '00' : ''}${text.length}${r.chance(0.1) ? ' ' : ''}`,
    );
    after = text;
  } else if (framing === 'chunked') {
    fields.push(`${coding}: ${r.pick(['chunked', 'chunked', 'Chunked', 'gzip, chunked', 'gzip,chunked', ' chunked '])}`);
    after = chunked(r);
  } else if (framing === 'brokenChunked') {
    fields.push(`${coding}: chunked`);
    after = brokenChunked(r);
  } else if (framing === 'connect') {
    method = 'CONNECT';
    if (r.chance(0.2)) fields.push(r.pick(['Content-Length: 3', 'Transfer-Encoding: chunked']));
  } else if (framing.startsWith('upgrade')) {
    fields.push(r.pick(['Upgrade: websocket', 'upgrade: h2c']));
    if (framing !== 'upgradeAlone') fields.push(r.pick(['Connection: Upgrade', 'connection: keep-alive, upgrade']));
    if (framing === 'upgradeWithBody') {
      fields.push(`Content-Length: ${text.length}`);
      after = text;
    }
  } else if (framing === 'oddLength') {
    fields.push(
      ...r
        .pick([
          ['5', '5'],
          ['5', '6'],
          ['5, 5'],
          ['-5'],
          ['+5'],
          ['0x5'],
          [''],
          ['5.0'],
          ['5 5'],
          ['5x'],
          ['99999999999999999999999'],
          ['18446744073709551616'],
        ])
        .map((value) => `${length}: ${value}`),
    );
    after = 'abcde';
  } else if (framing === 'oddCoding') {
    fields.push(
      ...r
        .pick([
          ['gzip', 'chunked'],
          ['chunked', 'gzip'],
          ['chunked, gzip'],
          ['gzip'],
          ['identity'],
          ['xchunked'],
          ['chunkedx'],
          [''],
          ['chunked, chunked'],
          ['chunked, '],
          [', chunked'],
          ['chunked;a=1'],
          ['"chunked"'],
          ['chunked', 'chunked'],
        ])
        .map((value) => `${coding}: ${value}`),
    );
    after = '1\r\na\r\n0\r\n\r\n';
  } else if (framing === 'both') {
    fields.push(`${length}: 5`, `${coding}: chunked`);
    after = '0\r\n\r\n';
  }
  if (r.chance(0.5)) fields.sort((a, b) => (a < b ? -1 : 1));
  if (r.chance(0.1)) fields.splice(r.below(fields.length + 1), 0, oddField(r));
  const target = method === 'CONNECT' ? 'site.atlassian.net:443' : targetFor(r, method);
  let line = `${method} ${target} ${version}`;
  if (r.chance(0.02))
    line = r.pick([
      `${method}  ${target} ${version}`,
      `${method} ${target}  ${version}`,
      `${method} ${target}`,
      `${method} /a b ${version}`,
      `${method}\t${target} ${version}`,
      ` ${line}`,
      `${method} ${version}`,
      `${method} /a\x01 ${version}`,
      `${method} /gr\xfc\xdfe ${version}`,
    ]);
  return [line, ...fields].map((field) => field.replace(/\n/g, eol) + eol).join('') + eol + after;
}

function stream(r) {
  const ends = r.weighted({ crlf: 17, lf: 1.5, mixed: 1.5 });
  let bytes = r.chance(0.03) ? r.pick(['\r\n', '\r\n\r\n', '\n']) : '';
  for (let n = 1 + r.below(4); n > 0; n--) {
    const eol = ends === 'crlf' || (ends === 'mixed' && r.chance(0.5)) ? '\r\n' : '\n';
    bytes += request(r, eol) + (r.chance(0.04) ? r.pick(['\r\n', '\r\n\r\n', '\n', '\r']) : '');
  }
  // No setting of llhttp judges both a bare LF and a bare CR.
  if (ends !== 'crlf') bytes = bytes.replace(/\r(?!\n)/g, ' ');
  // A last plain request shows where each parser believes to be.
  bytes += `GET /last?jwt=${token} HTTP/1.1\r\nHost: site.atlassian.net\r\n\r\n`;
  return Buffer.from(r.chance(0.05) ? bytes.slice(0, -1 - r.below(40)) : bytes, 'latin1');
}

module.exports = { stream };
