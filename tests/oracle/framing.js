#!/usr/bin/env node
// Where does a request end? Node's own llhttp and the shim read the same streams: the golden inputs and generated ones.
// A place where they end a request differently always fails; where only one of them gives up, the table must say why.
// usage: framing.js [--streams N] [--seed N]   (REPLAY=path of the replay program)
'use strict';
const fs = require('fs');
const path = require('path');
const { HTTPParser } = require('_http_common');
const { random, replay, tap, shown } = require('./common');
const { stream } = require('./streams');
const decisions = require('./decisions');

const option = (name, standard) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? standard : Number(process.argv[at + 1]);
};
const streams = option('--streams', 3000);
const seed = option('--seed', 20261123);

// llhttp ends a connection at `Connection: close`; the shim leaves that to the peers, so both are made to go on.
const goOn = HTTPParser.kLenientKeepAlive | 0 | (HTTPParser.kLenientDataAfterClose | 0);
// Both, or llhttp 9 still refuses a bare LF behind the version; Node 18 has neither.
const allowLf = HTTPParser.kLenientOptionalCRBeforeLF | 0 | (HTTPParser.kLenientOptionalLFAfterCR | 0);
const allowFold = HTTPParser.kLenientHeaders | 0;
// Strict first. The lenient ones follow a stream past a bare LF or a fold, so that what comes behind is compared as well.
const ways = [
  { flags: goOn },
  { flags: goOn | allowLf, lenient: 'bare LF' },
  { flags: goOn | allowFold, lenient: 'obs-fold' },
  { flags: goOn | allowLf | allowFold, lenient: 'bare LF and obs-fold' },
];

// What Node 18's llhttp 6 is no judge of: it takes a bare CR for a line end, and a Content-Length in a trailer for the body's.
const major = Number(process.versions.llhttp.split('.')[0]);
const unjudged = major < 8 ? /\r(?!\n|$)|0(;last)?\r\nContent-Length: 9\r\n/ : null;

// A server that declines an Upgrade (to h2c, as most do) goes on with HTTP/1.1: the only protocol that is asked for here by name.
function declines(message) {
  const wanted = [...message.matchAll(/^upgrade:[ \t]*(.*?)[ \t]*\r?$/gim)].map((match) => match[1].toLowerCase());
  return wanted.length > 0 && wanted.every((protocol) => protocol === 'h2c');
}

// What llhttp makes of the stream, fed one byte at a time, since its callbacks tell no offsets.
// { requests: [{ headEnd, end }], stop: null | { kind: 'error' | 'upgrade', offset, code } }; behind CONNECT, and an Upgrade that is
// declined, a new parser starts.
function byLlhttp(input, flags) {
  const requests = [];
  let stop = null;
  let at = 0;
  let head = null;
  let left = false; // the parser announced another protocol
  const start = () => {
    const parser = new HTTPParser();
    parser.initialize(HTTPParser.REQUEST, {}, 1 << 20, flags);
    parser[HTTPParser.kOnHeaders] = () => {};
    parser[HTTPParser.kOnBody] = () => {};
    parser[HTTPParser.kOnHeadersComplete] = (major, minor, headers, method, url, status, reason, upgrade) => {
      head = { headEnd: at + 1, upgrade };
      return 0;
    };
    parser[HTTPParser.kOnMessageComplete] = () => {
      requests.push({ headEnd: head.headEnd, end: at + 1 });
      left = head.upgrade;
    };
    return parser;
  };
  let parser = start();
  for (; at < input.length && !stop; at++) {
    const before = requests.length;
    const taken = parser.execute(input.subarray(at, at + 1));
    if (typeof taken !== 'number') {
      stop = { kind: 'error', offset: at, code: taken.code };
    } else if (left && requests.length > before) {
      left = false;
      const from = before ? requests[before - 1].end : 0;
      const message = input.subarray(from, at + 1).toString('latin1');
      if (/^[\r\n]*CONNECT /.test(message) || declines(message)) parser = start();
      else stop = { kind: 'upgrade', offset: at + 1 };
    }
  }
  return { requests, stop };
}

// The same from the shim's trace lines.
function byShim(trace) {
  const requests = [];
  let stop = null;
  for (const line of trace) {
    const word = line.split(' ');
    if (word[0] === 'request') requests.push({ start: +word[1], end: +word[2], headEnd: +word[3] });
    else if (word[0] === 'opaque' && !stop)
      stop = { kind: word[2] === 'upgrade' ? 'upgrade' : 'error', offset: +word[1], code: word[2] };
  }
  return { requests, stop };
}

// { agree } or { decision: key } (one of them gave up) or { wrong: text } (they end a request differently).
function compare(theirs, ours, input) {
  const common = Math.min(theirs.requests.length, ours.requests.length);
  for (let i = 0; i < common; i++) {
    const a = theirs.requests[i];
    const b = ours.requests[i];
    // Behind a head that asks for an upgrade the shim is opaque; llhttp reads a body first if there is one.
    const last = ours.stop && ours.stop.kind === 'upgrade' && i === ours.requests.length - 1;
    if (a.headEnd !== b.headEnd)
      return { wrong: `request ${i}: the head ends at ${a.headEnd} for llhttp, at ${b.headEnd} for the shim`, at: i };
    if (a.end !== b.end && !last)
      return { wrong: `request ${i}: ends at ${a.end} for llhttp, at ${b.end} for the shim`, at: i };
    const from = i ? ours.requests[i - 1].end : 0;
    if (b.start < from || /[^\r\n]/.test(input.subarray(from, b.start).toString('latin1'))) {
      return { wrong: `request ${i}: begins at ${b.start} for the shim, but the one before ended at ${from}`, at: i };
    }
  }
  const level = theirs.requests.length === ours.requests.length;
  const upgraded = ours.stop && ours.stop.kind === 'upgrade';
  if (
    upgraded &&
    theirs.stop &&
    theirs.stop.kind === 'upgrade' &&
    (level || theirs.requests.length === ours.requests.length + 1)
  )
    return { agree: true, at: common };
  if (upgraded && common === ours.requests.length) {
    const counted = common > 0 && ours.requests[common - 1].end === ours.stop.offset;
    return { decision: 'shim: upgrade', offset: ours.stop.offset, at: counted ? common - 1 : common };
  }
  const theyStop = theirs.stop && common === theirs.requests.length;
  const weStop = ours.stop && common === ours.requests.length;
  if (theyStop && weStop) return { agree: true, at: common };
  if (!theirs.stop && !ours.stop && level) return { agree: true, at: common };
  if (weStop) return { decision: `shim: ${ours.stop.code}`, offset: ours.stop.offset, at: common };
  if (theyStop)
    return { decision: `llhttp: ${theirs.stop.code || theirs.stop.kind}`, offset: theirs.stop.offset, at: common };
  return {
    wrong: `llhttp sees ${theirs.requests.length} requests, the shim ${ours.requests.length}, and nobody gave up`,
    at: common,
  };
}

// What stands where somebody gave up: in which part of the request, and in which line.
function place(input, start, offset) {
  const text = input.toString('latin1');
  while (text[start] === '\r' || text[start] === '\n') start++;
  const lineEnd = text.indexOf('\n', start);
  const emptyLine = text.slice(start).search(/\n\r?\n/);
  const headEnd = emptyLine < 0 ? text.length : start + emptyLine + 1;
  const from = text.lastIndexOf('\n', offset - 1) + 1;
  const to = text.indexOf('\n', offset);
  const part = offset <= lineEnd ? 'request line' : offset <= headEnd + 1 ? 'field' : 'body';
  return {
    part,
    line: text.slice(from, to < 0 ? text.length : to + 1),
    request: text.slice(start, lineEnd + 1),
    head: text.slice(start, headEnd),
  };
}

function decide(input) {
  let best = null;
  const bareCr = /\r(?!\n|$)/.test(input.bytes.toString('latin1'));
  for (const way of ways) {
    // What makes llhttp take a bare LF behind the version makes it take a bare CR for a line end, too: no judge of those.
    if (bareCr && way.flags & allowLf) continue;
    const theirs = byLlhttp(input.bytes, way.flags);
    const result = compare(theirs, input.ours, input.bytes);
    if (result.agree) return way.lenient ? { lenient: way.lenient } : result;
    result.reach = theirs.stop ? theirs.stop.offset : input.bytes.length;
    result.start = result.at ? input.ours.requests[result.at - 1].end : 0;
    if (!best || result.at > best.at || (result.at === best.at && result.reach > best.reach)) best = result;
  }
  if (!best.wrong) best.place = place(input.bytes, best.start, best.offset === undefined ? input.bytes.length : best.offset);
  return best;
}

const report = tap();
const goldenDir = path.join(__dirname, '../golden');
const r = random(seed);
const inputs = fs
  .readdirSync(goldenDir)
  .filter((name) => name.endsWith('.in.http'))
  .sort()
  .map((name) => ({ name, bytes: fs.readFileSync(path.join(goldenDir, name)) }));
const golden = inputs.length;
for (let i = 0; i < streams; i++) inputs.push({ name: `generated ${i}`, bytes: stream(r) });
replay(inputs.map((input) => input.bytes)).forEach((result, i) => {
  inputs[i].ours = byShim(result.trace);
});

const leniently = new Map();
const seen = new Map(decisions.map((row) => [row, 0]));
const wrong = [];
const unexplained = new Map();
let agreed = 0;
let requests = 0;
let skipped = 0;
for (const input of inputs) {
  if (unjudged && unjudged.test(input.bytes.toString('latin1'))) {
    skipped++;
    continue;
  }
  const result = decide(input);
  requests += input.ours.requests.length;
  if (result.agree) {
    agreed++;
  } else if (result.lenient) {
    leniently.set(result.lenient, (leniently.get(result.lenient) || 0) + 1);
  } else if (result.wrong) {
    wrong.push(`${input.name}: ${result.wrong}`, `  ${shown(input.bytes, 900)}`);
  } else {
    const { part, line, request, head } = result.place;
    const row = decisions.find(
      (d) =>
        d.who.test(result.decision) &&
        (!d.part || d.part === part) &&
        (!d.line || d.line.test(line)) &&
        (!d.request || d.request.test(request)) &&
        (!d.head || d.head.test(head)),
    );
    if (row) seen.set(row, seen.get(row) + 1);
    else {
      const key = `${result.decision}, ${part}`;
      unexplained.set(key, [
        ...(unexplained.get(key) || []),
        `${input.name}, request ${result.at}: ${shown(Buffer.from(line, 'latin1'), 100)} of ${shown(Buffer.from(head, 'latin1'))}`,
      ]);
    }
  }
}

report.note(
  `llhttp ${process.versions.llhttp}, seed ${seed}, ${golden} golden and ${streams} generated streams, ${requests} requests ended`,
);
report.test(wrong.length === 0, `no request ends at two places (${inputs.length} streams)`, wrong);
report.test(agreed > inputs.length / 2, `more than half of the streams need no excuse (${agreed} of ${inputs.length})`);
if (skipped)
  report.note(`${skipped} streams are left out: this llhttp takes a bare CR for a line end, or a trailer for a length`);
for (const [what, times] of leniently)
  report.note(`${times} streams with ${what}: llhttp agrees once it is told to allow that`);
for (const [row, times] of seen) {
  report.test(
    times > 0 || row.somewhere === true,
    `${row.why}${times ? ` (${times} streams)` : ' # SKIP no stream shows it here'}`,
    ['no stream shows this any more: remove the row'],
  );
}
report.test(
  unexplained.size === 0,
  'every other disagreement has its reason in the table',
  [...unexplained].flatMap(([key, cases]) => [
    `${key}: ${cases.length} streams`,
    ...cases.slice(0, 3).map((text) => `  ${text}`),
  ]),
);
report.done();
