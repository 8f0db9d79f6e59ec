'use strict';
// What Node.js programs do to ask for something: node_client.js WAY URL…  Prints the status of each response, a line each.
// POSTs send the file $BODY.
const fs = require('node:fs');
const http = require('node:http');
const http2 = require('node:http2');
const https = require('node:https');
const { fork, spawn, exec, execFile } = require('node:child_process');
const { once } = require('node:events');

const body = () => fs.readFileSync(process.env.BODY);
const say = (status) => fs.writeSync(1, `${status}\n`);

const by = (url) => (url.startsWith('https:') ? https : http);

function request(url, options = {}, data = undefined) {
  return new Promise((resolve, reject) => {
    const sent = by(url).request(url, options, (response) => {
      response.resume().on('end', () => resolve(response)).on('error', reject);
    });
    sent.on('error', reject).end(data);
  });
}

async function get(urls) {
  for (const url of urls) say((await request(url)).statusCode);
}

async function overHttp2(url, data) {
  const { origin, pathname, search } = new URL(url);
  const session = http2.connect(origin);
  const stream = session.request({ ':path': pathname + search, ':method': data ? 'POST' : 'GET' });
  const [headers] = await Promise.all([once(stream, 'response'), stream.resume().end(data)]);
  await once(stream, 'close');
  session.close();
  say(headers[0][':status']);
}

// The same script, in a process or a thread of its own: it prints by itself.
const again = (urls) => [__filename, 'get', ...urls];
const ended = async (child) => {
  const [code] = await once(child, 'exit');
  if (code) process.exit(code);
};

const ways = {
  get,
  async post([url]) {
    say((await request(url, { method: 'POST', headers: { 'Content-Type': 'application/json' } }, body())).statusCode);
  },
  async chunked([url]) {
    say((await request(url, { method: 'POST', headers: { 'Transfer-Encoding': 'chunked' } }, body())).statusCode);
  },
  async pieces([url]) {
    const sent = https.request(url, { method: 'PUT', headers: { 'Content-Length': 3, Expect: '100-continue' } });
    sent.on('continue', () => ['a', 'b', 'c'].forEach((piece) => sent.write(piece)) || sent.end());
    sent.flushHeaders();
    const [response] = await once(sent, 'response');
    await once(response.resume(), 'end');
    say(response.statusCode);
  },
  async 'keep-alive'(urls) {
    const agent = new (by(urls[0]).Agent)({ keepAlive: true, maxSockets: 1 });
    for (const url of urls) say((await request(url, { agent })).statusCode);
    agent.destroy();
  },
  async parallel(urls) {
    const agent = new https.Agent({ keepAlive: true, maxSockets: 2 });
    (await Promise.all(urls.map((url) => request(url, { agent })))).forEach((response) => say(response.statusCode));
    agent.destroy();
  },
  async fetch([url]) {
    const response = await fetch(url);
    await response.arrayBuffer();
    say(response.status);
  },
  async 'fetch-post'([url]) {
    const response = await fetch(url, { method: 'POST', body: body() });
    await response.arrayBuffer();
    say(response.status);
  },
  http2: ([url]) => overHttp2(url),
  'http2-post': ([url]) => overHttp2(url, body()),
  async 'http2-many'(urls) {
    const session = http2.connect(new URL(urls[0]).origin);
    const all = urls.map((url) => new Promise((resolve, reject) => {
      const { pathname, search } = new URL(url);
      const stream = session.request({ ':path': pathname + search });
      let status;
      stream.on('response', (headers) => { status = headers[':status']; }).on('error', reject).on('close', () => resolve(status));
      stream.resume().end();
    }));
    (await Promise.all(all)).forEach(say);
    session.close();
  },
  async worker(urls) {
    const { Worker } = require('node:worker_threads');
    await Promise.all(urls.map((url) => ended(new Worker(__filename, { argv: ['get', url] }))));
  },
  spawn: (urls) => ended(spawn(process.execPath, again(urls), { stdio: 'inherit' })),
  fork: (urls) => ended(fork(__filename, ['get', ...urls])),
  async shell(urls) {
    const quoted = [process.execPath, ...again(urls)].map((word) => `'${word}'`).join(' ');
    const child = exec(quoted);
    child.stdout.pipe(process.stdout);
    await ended(child);
  },
  async execfile(urls) {
    const child = execFile(process.execPath, again(urls));
    child.stdout.pipe(process.stdout);
    await ended(child);
  },
  async cluster(urls) {
    const cluster = require('node:cluster');
    cluster.setupPrimary({ exec: __filename, args: ['get', ...urls] });
    const worker = cluster.fork();
    const done = ended(worker);
    worker.on('message', (message) => message === 'done' && worker.disconnect());
    await done;
  },
  async follow([url]) {
    const response = await fetch(url, { redirect: 'follow' });
    await response.arrayBuffer();
    say(response.status);
  },
  // The same request over and over, on few connections; says what came back, and how the memory grew behind the first quarter.
  async soak([url, count]) {
    const agent = new https.Agent({ keepAlive: true, maxSockets: 4 });
    const seen = {};
    let early;
    for (let i = 0; i < Number(count); i += 20) {
      const some = await Promise.all(Array.from({ length: 20 }, () => request(url, { agent })));
      some.forEach(({ statusCode }) => { seen[statusCode] = (seen[statusCode] || 0) + 1; });
      if (i === Number(count) / 4) early = process.memoryUsage().rss;
    }
    agent.destroy();
    say(JSON.stringify({ seen, grown: process.memoryUsage().rss - early }));
  },
};

const [way, ...urls] = process.argv.slice(2);
ways[way](urls).then(() => {
  if (process.send) process.send('done');
}, (error) => {
  fs.writeSync(2, `${error.stack}\n`);
  process.exit(1);
});
