'use strict';
// Says of each request on standard input (a JSON line: method, target, authorization, secret) what the mock's judge says of it.
const readline = require('node:readline');
const { judge } = require('../mock-atlassian/judge');
const { splitTarget } = require('../mock-atlassian/target');
const { sign } = require('../mock-atlassian/sign');

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const { method, url, target, authorization, secret, position, claims } = JSON.parse(line);
  const answer = url ? sign(method, url, { position, claims, secret }) : { verdict: judge(method, splitTarget(target), ['Authorization', authorization], secret) };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
});
