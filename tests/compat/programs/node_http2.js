'use strict';
// node:http2.
const fs = require('node:fs');
const http2 = require('node:http2');
const [mode, text] = process.argv.slice(2);
const url = new URL(text);
const session = http2.connect(url.origin, { ca: fs.readFileSync(process.env.CA) });
const stream = session.request({ ':method': mode.toUpperCase(), ':path': url.pathname + url.search }, { endStream: mode !== 'post' });
stream.on('response', (fields) => console.log(fields[':status'])).on('close', () => session.close()).resume();
if (mode === 'post') stream.end('{}');
