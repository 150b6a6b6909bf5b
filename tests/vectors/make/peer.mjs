// Writes wire.json, handshake.json, ticket.json, signal.json and tampering.json, from docs/PROTOCOL.md alone.
//   node tests/vectors/make/peer.mjs [--check]
// With --check it writes nothing and says which file is not what it would write.
import { readFileSync, writeFileSync } from 'node:fs';
import { handshakeVectors } from './handshake.mjs';
import { signalVectors } from './signal.mjs';
import { tamperingVectors } from './tampering.mjs';
import { ticketVectors } from './ticket.mjs';
import { wireVectors } from './wire.mjs';

const files = {
  'wire.json': wireVectors(),
  'handshake.json': handshakeVectors(),
  'ticket.json': ticketVectors(),
  'signal.json': signalVectors(),
  'tampering.json': tamperingVectors(),
};

/** One vector per line: short enough to read, and a change shows as the line that changed. */
function layout(value, depth = 0) {
  if (value === null || typeof value !== 'object' || depth === 3) return JSON.stringify(value);
  const pad = '  '.repeat(depth + 1);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const items = Object.entries(value).map(([key, item]) => {
    const name = Array.isArray(value) ? '' : `${JSON.stringify(key)}: `;
    const deeper = Array.isArray(value) ? 3 : depth + 1;
    return `${pad}${name}${layout(item, deeper)}`;
  });
  return items.length === 0 ? open + close : `${open}\n${items.join(',\n')}\n${'  '.repeat(depth)}${close}`;
}

let stale = 0;
for (const [name, vectors] of Object.entries(files)) {
  const path = new URL(`../${name}`, import.meta.url);
  const text = `${layout(vectors)}\n`;
  if (!process.argv.includes('--check')) writeFileSync(path, text);
  else if (readFileSync(path, 'utf8') !== text) {
    console.error(`tests/vectors/${name} is not what its generator writes`);
    stale += 1;
  }
}
process.exitCode = stale === 0 ? 0 : 1;
