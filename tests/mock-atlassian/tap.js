'use strict';
// Keeps what arrived: the raw request bytes of each HTTP/1 connection (after decryption) and one journal line a request.
// The captures hold tokens and belong into a temporary directory; the journal never holds one.

const fs = require('node:fs');
const path = require('node:path');

class Tap {
  constructor(directory) {
    this.directory = directory;
    this.connections = 0;
    this.requests = 0;
  }

  // Call it behind the HTTP server's own connection listener: adding a `data` listener makes Node hand the bytes
  // to its parser in JavaScript instead of consuming them natively, so both see every byte.
  connection(socket, kind) {
    this.connections += 1;
    socket.connectionNumber = this.connections;
    if (!this.directory || kind === 'h2') return;
    const file = path.join(this.directory, `${String(this.connections).padStart(6, '0')}.${kind}`);
    fs.writeFileSync(file, '');
    socket.on('data', (bytes) => fs.appendFileSync(file, bytes));
  }

  // Written before the answer goes out: a client that has its answer finds its line here.
  request(entry) {
    this.requests += 1;
    const line = { n: this.requests, ...entry };
    if (this.directory) fs.appendFileSync(path.join(this.directory, 'journal.jsonl'), `${JSON.stringify(line)}\n`);
    return line;
  }
}

module.exports = { Tap };
