#!/usr/bin/env node
// What is hashed of a request? Atlassian's own package judges generated methods, paths and queries: its hash and ours are the same.
// usage: qsh.js [--requests N] [--seed N]   (QSH=path of the program that hashes)
'use strict';
const path = require('path');
const querystring = require('querystring');
const { spawnSync } = require('child_process');
const { random, tap, shown } = require('./common');
const jwt = require('../mock-atlassian/node_modules/atlassian-jwt');

const program = process.env.QSH || path.join(__dirname, '../../build/tests/qsh');
const option = (name, standard) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? standard : Number(process.argv[at + 1]);
};
const count = option('--requests', 20000);
const seed = option('--seed', 20261127);
const r = random(seed);

const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'get', 'Post'];
const names = ['a', 'b', 'B', 'r', 'q', 'jql', 'jwt', 'JWT', '%6Awt', 'a-', 'a.', 'a_', 'a~', 'a{', 'a|', 'expand', 'x[]', 'x%5B%5D', '10', '9', 'é', '\u{1f600}', '\uff01', '', '%F0%9F%98%80'];
const pieces = ['x', 'Y', '7', ' ', '+', '%20', '%2B', '%2b', '%', '%4', '%zz', '%25', '=', '~', '*', '!', "'", '(', ')', ',', ';', ':', '@', '/', '?', '[', ']', '{', '"', '<', '\\', '^', '`', '|', '$', '-', '_', '.', 'ü', '%C3%BC', '語', '\u{1f600}', '%00', '%0a', 'sum:asc'];
const segments = ['rest', 'api', '3', 'issue', 'A-1', 'a&b', "o'hara", '', '..', '.', '%2f', '%2F', 'x%20y', 'a+b', '(dev)', 'é', 'wiki', 'a=b', 'c;d', '~user', 'x:y', '@me', '*', '!', ','];
const many = (most, make) => Array.from({ length: r.below(most + 1) }, make).join('');

// Node decodes text with a broken escape as if each character were a byte, and spoils others so: never both in one request.
const hasText = (piece) => /[^\x00-\x7f]/.test(piece);
const isBroken = (piece) => /^%(4|zz)?$/.test(piece);

function request() {
  const fit = r.chance(0.5) ? (piece) => !hasText(piece) : (piece) => !isBroken(piece);
  const usableNames = names.filter(fit);
  const usable = pieces.filter(fit);
  const wiki = r.chance(0.3);
  const trailing = r.chance(0.3) ? '/' : '';
  const raw = (wiki ? '/wiki' : '') + many(6, () => '/' + r.pick(segments)) + trailing;
  const parameters = Array.from({ length: r.below(7) }, () => {
    const name = r.chance(0.8) ? r.pick(usableNames) : many(3, () => r.pick(usable)).replace(/=/g, '');
    return r.chance(0.1) ? name : `${name}=${many(6, () => r.pick(usable))}`;
  });
  if (r.chance(0.5)) parameters.splice(r.below(parameters.length + 1), 0, 'jwt=a.b.c');
  const query = parameters.join(r.chance(0.05) ? '&&' : '&').replace(/#/g, '');
  return { method: r.pick(methods), path: raw, query, base: raw === '/wiki' || raw.startsWith('/wiki/') ? '/wiki' : '' };
}

function atlassians({ method, path: pathname, query, base }) {
  const decoded = querystring.parse(query, '&', '=', { maxKeys: 0 });
  return jwt.createQueryStringHash({ method, pathname, query: decoded }, false, base && 'https://site.atlassian.net' + base);
}

const report = tap();
const requests = Array.from({ length: count }, request);
const hex = (text) => '.' + Buffer.from(text).toString('hex');
const run = spawnSync(program, { input: requests.map((q) => `${q.method} ${hex(q.path)} ${hex(q.query)} ${hex(q.base)}\n`).join(''), maxBuffer: 1 << 28, encoding: 'latin1' });
const answers = run.status === 0 ? run.stdout.split('\n') : [];
const wrong = requests.filter((q, i) => answers[i] !== atlassians(q));
report.note(`atlassian-jwt ${jwt.version}, seed ${seed}: ${new Set(answers).size - 1} different hashes`);
report.test(wrong.length === 0 && new Set(answers).size > count / 2, `${count} requests have the hash that Atlassian's package gives them`,
  wrong.slice(0, 5).map((q) => `${q.method} ${shown(Buffer.from(q.path))} ${shown(Buffer.from(q.query))}: ${JSON.stringify(jwt.createCanonicalRequest({ method: q.method, pathname: q.path, query: querystring.parse(q.query) }, false, q.base && 'https://s' + q.base))}`));
report.test(requests.filter((q) => q.base).length > count / 10 && requests.filter((q) => /(^|&)jwt=/.test(q.query)).length > count / 10,
  'a context path and a jwt parameter are often there');
report.done();
