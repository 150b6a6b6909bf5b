// Lays vectors out as files, or checks that the files are what they would be.
import { readFileSync, writeFileSync } from 'node:fs';

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

/** Writes `{ name: vectors }`, or with --check says which file is not what it would write. */
export function writeVectors(files) {
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
}
