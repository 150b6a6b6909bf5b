// `npm run size`: what a page downloads, compressed with brotli, against www/size-budget.json. With `--update`, figures
// that went down become the new budget; none ever goes up. `goals` are what the package is meant to come down to.

import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

import { PKG, ROOT } from './lib/paths.mjs';
import { green, red, yellow } from './lib/say.mjs';

const STEP = 1024;
const BUDGET = path.join(ROOT, 'www', 'size-budget.json');

const budget = JSON.parse(await readFile(BUDGET, 'utf8'));
const files = await sizes(Object.keys(budget.files));
const measured = { files, sums: sums(files) };

let over = 0;
for (const kind of ['files', 'sums']) {
  for (const [name, limit] of Object.entries(budget[kind])) {
    const size = measured[kind][name];
    over += size > limit ? 1 : 0;
    const line = `${name.padEnd(24)} ${String(size).padStart(7)} of ${String(limit).padStart(7)} bytes`;
    console.log(size > limit ? red(`${line}  too large`) : line);
  }
}
for (const [name, goal] of Object.entries(budget.goals)) {
  const missing = measured.sums[name] - goal;
  console.log(missing > 0 ? yellow(`${name} is ${missing} bytes from its goal`) : `${name} is at its goal`);
}
if (process.argv.includes('--update')) {
  await writeFile(BUDGET, `${JSON.stringify(lowered(), null, 2)}\n`);
}
const within = Object.keys({ ...budget.files, ...budget.sums }).length - over;
console.log((over > 0 ? red : green)(`${within} within their budget, ${over} over`));
process.exitCode = over > 0 ? 1 : 0;

async function sizes(names) {
  const entries = names.map(async (name) => [name, compressed(await readFile(path.join(PKG, name)))]);
  return Object.fromEntries(await Promise.all(entries));
}

/**
 * `main-thread` and the totals are of the ES modules; a page loads either them or the classic script, and one of the cores:
 * `live-total` is what a live page downloads.
 */
function sums(each) {
  const mainThread = each['index.js'] + each['hls.js'];
  const [titles, live] = ['core_bg.wasm', 'core-live_bg.wasm'].map(
    (core) => mainThread + each['worker.js'] + each[core],
  );
  return { 'main-thread': mainThread, total: titles, 'live-total': live };
}

function compressed(content) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  return brotliCompressSync(content, { params }).length;
}

function lowered() {
  const lower = (kind) =>
    Object.fromEntries(
      Object.entries(budget[kind]).map(([name, limit]) => [
        name,
        Math.min(limit, roundedUp(measured[kind][name])),
      ]),
    );
  return { files: lower('files'), sums: lower('sums'), goals: budget.goals };
}

/** Another patch release of the compiler must not break the build by a handful of bytes. */
function roundedUp(size) {
  return Math.ceil(size / STEP) * STEP;
}
