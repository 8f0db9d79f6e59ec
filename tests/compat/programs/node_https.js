'use strict';
// node:https and node:http.
const fs = require('node:fs');
const [mode, url] = process.argv.slice(2);
const options = { method: mode.toUpperCase(), ca: fs.readFileSync(process.env.CA) };
const request = require(`node:${new URL(url).protocol.slice(0, -1)}`).request(url, options, (answer) => {
  console.log(answer.statusCode);
  answer.resume();
});
request.end(mode === 'post' ? '{}' : undefined);
