// What both oracles share: a random source with a fixed seed, the replay program run over many inputs at once, TAP.
// It knows nothing of HTTP, and never prints an input: inputs hold tokens.
'use strict';
const fs = require('fs');
const os = require('os');
const path = require('path');
const { spawnSync } = require('child_process');

const replayProgram = process.env.REPLAY || path.join(__dirname, '../../build/tests/replay');

// mulberry32: small, and the same numbers on every machine and Node version.
function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n) => Math.floor(next() * n);
  return {
    below,
    chance: (p) => next() < p,
    pick: (list) => list[below(list.length)],
    // one of the keys, as often as its weight says
    weighted: (weights) => {
      let at = next() * Object.values(weights).reduce((a, b) => a + b, 0);
      for (const [key, weight] of Object.entries(weights)) {
        at -= weight;
        if (at < 0) return key;
      }
      return Object.keys(weights)[0];
    },
  };
}

// Feeds each Buffer as one connection. Returns for each the trace lines and what left: [{ trace: [string], out: Buffer }].
function replay(inputs, ...options) {
  if (!fs.existsSync(replayProgram)) {
    console.log('Bail out! the replay program is missing: make it first');
    process.exit(1);
  }
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'oracle-'));
  try {
    const file = path.join(dir, 'batch');
    const records = inputs.flatMap((input) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(input.length);
      return [length, input];
    });
    fs.writeFileSync(file, Buffer.concat(records), { mode: 0o600 });
    const run = spawnSync(replayProgram, ['--trace', ...options, '--batch', file], {
      maxBuffer: 1 << 30,
      timeout: 120000,
      encoding: 'latin1',
    });
    if (run.error) throw run.error;
    if (run.status !== 0) throw new Error(`replay ended with ${run.status === null ? run.signal : run.status}`);
    const results = [];
    let current = { trace: [], out: Buffer.alloc(0) };
    for (const line of run.stdout.split('\n')) {
      if (line === 'end') {
        results.push(current);
        current = { trace: [], out: Buffer.alloc(0) };
      } else if (line === 'out' || line.startsWith('out ')) {
        current.out = Buffer.from(line.slice(4), 'hex');
      } else if (line) {
        current.trace.push(line);
      }
    }
    if (results.length !== inputs.length) throw new Error(`replay answered ${results.length} of ${inputs.length} inputs`);
    return results;
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

// The fixtures' tokens are no secrets, but the suite's logs are searched for anything that looks like one.
const redact = (text) => String(text).replace(/eyJ[A-Za-z0-9_.%-]*/g, '<token>');

function tap() {
  let count = 0;
  let failed = 0;
  return {
    test(passed, sentence, diagnostics = []) {
      count++;
      if (!passed) failed++;
      console.log(`${passed ? 'ok' : 'not ok'} ${count} - ${sentence}`);
      if (!passed) diagnostics.slice(0, 40).forEach((line) => console.log(`# ${redact(line)}`));
    },
    note: (text) => console.log(`# ${redact(text)}`),
    done() {
      console.log(`1..${count}`);
      process.exitCode = failed ? 1 : 0;
    },
  };
}

// Bytes as they can stand on one line of a diagnostic.
const shown = (bytes, limit = 400) => redact(JSON.stringify(bytes.subarray(0, limit).toString('latin1')));

module.exports = { random, replay, replayProgram, tap, shown };
