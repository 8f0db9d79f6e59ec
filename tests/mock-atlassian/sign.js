'use strict';
// Puts a really signed Connect JWT into a URL, with Atlassian's own package; a library and a command.
// Never touches another byte of the URL.
//
//   node sign.js [--secret S] [--position first|middle|last] [--claims JSON] [--token] METHOD URL
//   node sign.js [--secret S] --batch      one JSON request a line on stdin, one JSON answer a line on stdout

const readline = require('node:readline');
const { parseArgs } = require('node:util');
const jwt = require('atlassian-jwt');
const { splitTarget, baseOf } = require('./target');

const DEFAULT_SECRET = 'the-shared-secret-of-the-tests-0123456789abcdef';

function sign(method, url, { position = 'last', claims = {}, secret = DEFAULT_SECRET } = {}) {
  const hash = url.indexOf('#');
  const fragment = hash < 0 ? '' : url.slice(hash);
  const target = hash < 0 ? url : url.slice(0, hash);
  const { path, query, parameters } = splitTarget(target);
  const now = Math.floor(Date.now() / 1000);
  const qsh = jwt.createQueryStringHash({ method, pathname: path || '/', query: parameters }, false, baseOf(path));
  const all = { iss: 'com.example.app', iat: now, exp: now + 3600, qsh, sub: '557058:c3f0a1d2-5b6e-4f70-8a91-b2c3d4e5f607', ...claims };
  const token = jwt.encodeSymmetric(all, secret, jwt.SymmetricAlgorithm.HS256);

  const mark = target.indexOf('?');
  const front = mark < 0 ? target : target.slice(0, mark);
  const parts = query === '' ? [] : query.split('&');
  const at = { first: 0, middle: Math.ceil(parts.length / 2), last: parts.length }[position];
  if (at === undefined) throw new Error(`position is first, middle or last, not ${position}`);
  parts.splice(at, 0, `jwt=${token}`);
  return { url: `${front}?${parts.join('&')}${fragment}`, token };
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      secret: { type: 'string', default: process.env.MOCK_SECRET || DEFAULT_SECRET },
      position: { type: 'string', default: 'last' },
      claims: { type: 'string', default: '{}' },
      token: { type: 'boolean', default: false },
      batch: { type: 'boolean', default: false },
    },
  });
  const { secret } = values;
  if (values.batch) {
    readline.createInterface({ input: process.stdin }).on('line', (line) => {
      const { method, url, position, claims } = JSON.parse(line);
      process.stdout.write(`${JSON.stringify(sign(method, url, { position, claims, secret }))}\n`);
    });
    return;
  }
  if (positionals.length !== 2) {
    console.error('usage: sign.js [--secret S] [--position first|middle|last] [--claims JSON] [--token] METHOD URL | --batch');
    process.exitCode = 2;
    return;
  }
  const signed = sign(positionals[0], positionals[1], { position: values.position, claims: JSON.parse(values.claims), secret });
  console.log(values.token ? signed.token : signed.url);
}

module.exports = { sign, DEFAULT_SECRET };
if (require.main === module) main();
