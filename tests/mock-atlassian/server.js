'use strict';
// The mock of an Atlassian site: HTTP/1.1 and HTTP/2 (by ALPN) over TLS on one port, plain HTTP/1.1 on another.
// For tests only: listens on the loopback address, lives for a bounded time, and never logs a token.
//
//   node server.js --pki DIR [--tls-port N] [--plain-port N] [--secret S] [--capture DIR] [--ready FILE] [--lifetime SECONDS] [--until-eof]
//
// Each option may also come from the environment (MOCK_PKI, MOCK_TLS_PORT, …). Port 0 takes a free one. The ready file gets one line
// of JSON with the ports once both listen; without one, the line goes to stdout. With --until-eof the end of stdin ends the server.

const fs = require('node:fs');
const http = require('node:http');
const http2 = require('node:http2');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { requestListener } = require('./sites');
const { DEFAULT_SECRET } = require('./sign');
const { Tap } = require('./tap');

// Heads of up to 64 KiB are the shim's business, so the server must not be the one that refuses them.
const MAX_HEADER_SIZE = 128 * 1024;

function readOptions() {
  const env = (name, otherwise) => process.env[`MOCK_${name}`] || otherwise;
  const { values } = parseArgs({
    options: {
      pki: { type: 'string', default: env('PKI') },
      'tls-port': { type: 'string', default: env('TLS_PORT', '0') },
      'plain-port': { type: 'string', default: env('PLAIN_PORT', '0') },
      secret: { type: 'string', default: env('SECRET', DEFAULT_SECRET) },
      capture: { type: 'string', default: env('CAPTURE') },
      ready: { type: 'string', default: env('READY') },
      lifetime: { type: 'string', default: env('LIFETIME', '600') },
      'until-eof': { type: 'boolean', default: Boolean(env('UNTIL_EOF')) },
    },
  });
  if (!values.pki) throw new Error('--pki DIR is needed: make it with make-pki');
  return {
    pki: values.pki,
    tlsPort: Number(values['tls-port']),
    plainPort: Number(values['plain-port']),
    secret: values.secret,
    capture: values.capture,
    ready: values.ready,
    lifetime: Number(values.lifetime),
    untilEof: values['until-eof'],
  };
}

const listen = (server, port) => new Promise((resolve, reject) => {
  server.once('error', reject);
  server.listen(port, '127.0.0.1', () => resolve(server.address().port));
});

async function main() {
  const options = readOptions();
  const tap = new Tap(options.capture);
  const listener = requestListener(tap, options);

  const secure = http2.createSecureServer({
    allowHTTP1: true,
    cert: fs.readFileSync(path.join(options.pki, 'leaf.pem')),
    key: fs.readFileSync(path.join(options.pki, 'leaf.key')),
  }, listener);
  secure.maxHeaderSize = MAX_HEADER_SIZE; // as an option it would not reach the HTTP/1 parser
  const plain = http.createServer({ maxHeaderSize: MAX_HEADER_SIZE }, listener);

  const sockets = new Set();
  const keep = (socket, kind) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    tap.connection(socket, kind);
  };
  // Node announces an HTTP/2 session in its own connection listener, that is just before ours runs for the same socket.
  let newest;
  secure.on('session', (session) => { newest = session; });
  secure.on('secureConnection', (socket) => {
    const h2 = socket.alpnProtocol === 'h2';
    keep(socket, h2 ? 'h2' : 'tls');
    if (h2) newest.connectionNumber = socket.connectionNumber;
  });
  plain.on('connection', (socket) => keep(socket, 'plain'));

  options.tlsPort = await listen(secure, options.tlsPort);
  options.plainPort = await listen(plain, options.plainPort);

  const stop = (code) => {
    for (const socket of sockets) socket.destroy();
    secure.close();
    plain.close();
    process.exit(code);
  };
  process.on('SIGTERM', () => stop(0));
  process.on('SIGINT', () => stop(0));
  setTimeout(() => stop(3), options.lifetime * 1000);
  if (options.untilEof) process.stdin.on('end', () => stop(0)).resume();

  const line = `${JSON.stringify({ pid: process.pid, tls_port: options.tlsPort, plain_port: options.plainPort })}\n`;
  if (!options.ready) process.stdout.write(line);
  else {
    // Renamed into place: a reader never sees half a line.
    fs.writeFileSync(`${options.ready}.part`, line);
    fs.renameSync(`${options.ready}.part`, options.ready);
  }
}

main().catch((error) => {
  console.error(`mock-atlassian: ${error.message}`);
  process.exit(1);
});
