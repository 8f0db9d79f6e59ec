#!/usr/bin/env node
// Which parameter leaves? WHATWG URL and URLSearchParams, as Node has them, judge generated request targets: the shim moves
// a token if and only if the first `jwt` they see is one, takes all `jwt` and nothing else, and keeps each other byte.
// usage: parameter.js [--targets N] [--seed N]   (REPLAY=path of the replay program)
'use strict';
const { random, replay, tap, shown } = require('./common');

const option = (name, standard) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? standard : Number(process.argv[at + 1]);
};
const targets = option('--targets', 20000);
const seed = option('--seed', 20261124);
const r = random(seed);

const tokenShape = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
const tokens = [
  'eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl',
  'eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJ5In0.YW5vdGhlcg',
  'a.b.c',
  '-_.0-9._',
];
const noTokens = [
  '',
  'T',
  'a.b',
  'a.b.c.d',
  '.b.c',
  'a..c',
  'a.b.',
  'a.b.c ',
  'a b.c.d',
  'a.b.c=',
  'a+.b.c',
  'a.b.c/',
  'a.b.c\r\nX: y',
  'a.b.\u00fc',
  'a.b.c\0',
  'a.b.c;d',
  'a.b.c?d',
  '%61.b.c',
  '...',
  'a.b,c',
  'a%2Eb.c',
];
const names = [
  'jwt',
  'jwt',
  'jwt',
  'jwt',
  'JWT',
  'Jwt',
  'xjwt',
  'jwtx',
  'jwt ',
  ' jwt',
  'j',
  'jw',
  '',
  'a',
  'fields',
  'jql',
  'jwt[]',
  'jwt\0',
  'jwt%',
  'jwt;a',
  'a;jwt',
  '%6Awt',
  'token',
  '\ufeffjwt',
  '\u00fc',
  'jwt.',
];
const values = [
  '',
  '1',
  'text ~ "a b"',
  'a+b',
  '100%',
  'https://e.com/?jwt=a.b.c',
  '?jwt=a.b.c',
  'x;jwt=a.b.c',
  '\u00fc\u20ac',
  '=',
  '==',
  "!*'()~",
  '%zz',
  '/',
  '..',
];

const hex = (byte) => {
  const digits = byte.toString(16).padStart(2, '0');
  return `%${r.chance(0.5) ? digits.toUpperCase() : digits}`;
};

// Writes text as query bytes: what must be encoded is, a space may be `+`, and some of the rest is too.
function written(text, share) {
  let out = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const c = String.fromCharCode(byte);
    if (c === ' ' && r.chance(0.5)) out += '+';
    else if (byte <= 0x20 || byte === 0x7f || '&#%+'.includes(c)) out += hex(byte);
    else if (byte >= 0x80) out += share < 0.5 && r.chance(0.3) ? c : hex(byte);
    else out += r.chance(share) ? hex(byte) : c;
  }
  return out;
}

// Query bytes that no encoder writes: they are taken as they stand.
const raw = [
  '',
  '',
  '=',
  '==',
  'jwt',
  'jwt=',
  '%6Awt',
  '%',
  '%6',
  '%zz',
  'jwt%',
  'jwt=%',
  'jwt=a.b.c%',
  'jwt=a.b.c%2',
  '%6awt=a%2eb.c',
  '%6Awt=a.b.c',
  'j%77t=a.b.c',
  'jw%74=a.b%2Ec',
  'jwt%3Da.b.c',
  'jwt%3da=b.c.d',
  'a=1?jwt=a.b.c',
  '?jwt=a.b.c',
  'a=1;jwt=a.b.c',
  'jwt=a.b.c;a=1',
  '+jwt=a.b.c',
  'jwt+=a.b.c',
  '%256Awt=a.b.c',
  'jwt=a.b.c=',
  'jwt==a.b.c',
  'jwt=a%252Eb.c',
  '%ff=1',
  'jwt=%ff.b.c',
  '%ffjwt=a.b.c',
  'jwt%00=a.b.c',
  'jwt=a.b.c%00',
  '%EF%BB%BFjwt=a.b.c',
  'jwt=a.b.c%0d%0a',
  '\xff\xfe=\x80',
  "a='",
  '"<>`{}|^\\',
  'u=https://e.com/?a=1',
  'jwt=a.b.c+',
  'jwt=a.b.c%20',
  'jwt=%61.%62.%63',
  'J%57T=a.b.c',
  '%4Awt=a.b.c',
  'jwt=a%2fb.c.d',
];

function parameter() {
  if (r.chance(0.2)) return r.pick(raw);
  const share = r.pick([0, 0, 0, 0.1, 0.5, 1]);
  const name = r.pick(names);
  if (r.chance(0.08)) return written(name, share).replace(/=/g, '%3D');
  const value = name === 'jwt' ? (r.chance(0.7) ? r.pick(tokens) : r.pick(noTokens)) : r.pick([...values, ...tokens]);
  return `${written(name, share).replace(/=/g, '%3D')}=${written(value, share)}`;
}

function target() {
  const parts = [];
  for (let n = r.below(6); n > 0; n--) parts.push(parameter());
  const path = r.pick([
    '/',
    '/rest/api/3/myself',
    '//a/../b%2f',
    '/jwt=a.b.c',
    '/p;jwt=a.b.c',
    '/p&jwt=a.b.c',
    '/%3Fjwt=a.b.c',
  ]);
  const query = parts.length || r.chance(0.5) ? `?${parts.join('&')}` : '';
  const fragment = r.chance(0.15) ? r.pick(['#', '#f', '#?jwt=a.b.c', '#&jwt=a.b.c', '#jwt=a.b.c']) : '';
  const absolute = r.chance(0.15)
    ? r.pick(['http://site.atlassian.net', 'https://site.atlassian.net:8443', 'http://u:p@site.atlassian.net'])
    : '';
  return absolute + (absolute && r.chance(0.1) ? '' : path) + query + fragment;
}

// What URL makes of a target. The target's bytes are UTF-8 or not: they reach URL percent-encoded where they are no ASCII,
// which is what URL itself does with them.
function judged(bytes) {
  const text = bytes.toString('latin1').replace(/[\x80-\xff]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
  const url = new URL(/^https?:/i.test(text) ? text : `http://site.atlassian.net${text}`);
  const list = [...url.searchParams];
  return { list, first: list.find(([name]) => name === 'jwt'), others: list.filter(([name]) => name !== 'jwt') };
}

// Where the shim means something else than URLSearchParams, and why: { fault, when, why }, each a RegExp on what `fault()` says and
// on the target. None is known: a `+` in a name or a value is a space to URLSearchParams, and so neither jwt nor a token to either.
// A row that no target reached is stale and fails.
const differences = [];

// The parts of a target: what is before the query, its pieces, the fragment. Raw bytes, nothing decoded.
function pieces(bytes) {
  const text = bytes.toString('latin1');
  const hash = text.indexOf('#') < 0 ? text.length : text.indexOf('#');
  const mark = text.slice(0, hash).indexOf('?');
  return {
    before: text.slice(0, mark < 0 ? hash : mark),
    fragment: text.slice(hash),
    query: mark < 0 ? null : text.slice(mark + 1, hash).split('&'),
  };
}

function kept(before, after) {
  if (after.before !== before.before) return 'the path changed';
  if (after.fragment !== before.fragment) return 'the fragment changed';
  let at = 0;
  for (const piece of after.query || []) {
    while (at < before.query.length && before.query[at] !== piece) at++;
    if (at++ === before.query.length) return 'a parameter that stayed is not one that was there, or not in its order';
  }
  return null;
}

// A request whose target is in question, and one whose Referer is. What left of either is read back by `reads`.
const places = {
  target: {
    request: (bytes) =>
      Buffer.concat([Buffer.from('GET '), bytes, Buffer.from(' HTTP/1.1\r\nHost: site.atlassian.net\r\n\r\n')]),
    reads: /^GET (\S+) HTTP\/1\.1\r\nHost: site\.atlassian\.net\r\n(?:Authorization: JWT ([^\r\n]*)\r\n)?\r\n$/,
    header: true,
  },
  Referer: {
    request: (bytes) =>
      Buffer.concat([Buffer.from('GET / HTTP/1.1\r\nHost: app.example.com\r\nReferer: '), bytes, Buffer.from('\r\n\r\n')]),
    reads: /^GET \/ HTTP\/1\.1\r\nHost: app\.example\.com\r\nReferer: (\S+)\r\n\r\n$/,
    header: false,
  },
};

// What is wrong with what left, or null.
function fault(place, bytes, out) {
  const read = place.reads.exec(out.toString('latin1'));
  if (!read) return 'what left is not that request';
  const left = Buffer.from(read[1], 'latin1');
  const header = read[2];
  const was = judged(bytes);
  const is = judged(left);
  const shouldMove = was.first !== undefined && tokenShape.test(was.first[1]);
  if (!shouldMove) {
    if (header !== undefined) return 'a header was added although the first jwt is no token';
    return left.equals(bytes) ? null : 'it changed although the first jwt is no token';
  }
  if (place.header && header === undefined) return 'the first jwt is a token, and no header was added';
  if (place.header && header !== was.first[1]) return 'the header carries something else than the first jwt';
  if (JSON.stringify(is.list) !== JSON.stringify(was.others)) return 'what is left is not the list without jwt';
  const before = pieces(bytes);
  const after = pieces(left);
  const removed = before.query.length - (after.query ? after.query.length : 0);
  if (removed !== was.list.length - was.others.length)
    return `${removed} parameters left the target, ${was.list.length - was.others.length} are named jwt`;
  return kept(before, after);
}

const report = tap();
const inputs = [];
for (let i = 0; i < targets; i++) inputs.push(Buffer.from(target(), 'latin1'));

const counts = { moved: 0, noToken: 0, none: 0 };
for (const bytes of inputs) {
  const { first } = judged(bytes);
  counts[first === undefined ? 'none' : tokenShape.test(first[1]) ? 'moved' : 'noToken']++;
}
report.note(
  `URL of Node ${process.versions.node}, seed ${seed}, ${targets} targets: ${counts.moved} with a token first, ${counts.noToken} with a jwt that is none, ${counts.none} without jwt`,
);
report.test(
  Math.min(counts.moved, counts.noToken, counts.none) > targets / 20,
  'tokens, values that are none, and targets without jwt all occur often',
);

for (const [name, place] of Object.entries(places)) {
  const asked =
    name === 'Referer'
      ? inputs.map((bytes) =>
          bytes[0] === 0x2f ? Buffer.concat([Buffer.from('https://site.atlassian.net'), bytes]) : bytes,
        )
      : inputs;
  const results = replay(asked.map(place.request));
  const faults = new Map();
  asked.forEach((bytes, i) => {
    const text = fault(place, bytes, results[i].out);
    if (!text) return;
    const difference = differences.find((d) => d.fault.test(text) && d.when.test(bytes.toString('latin1')));
    if (difference) difference.seen = (difference.seen || 0) + 1;
    else faults.set(text, [...(faults.get(text) || []), bytes]);
  });
  report.test(
    faults.size === 0,
    `from the ${name} leaves what URLSearchParams names jwt, and no other byte (${asked.length} of them)`,
    [...faults].flatMap(([text, list]) => [
      `${text}: ${list.length}`,
      ...list.slice(0, 3).map((bytes) => `  ${shown(bytes)}`),
    ]),
  );
}
for (const difference of differences)
  report.test(difference.seen > 0, `difference: ${difference.why} (${difference.seen || 0} targets)`);
report.done();
