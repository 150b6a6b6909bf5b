// `npm run test:long [-- NAME…]`: everything that live streams must reach in real browsers, run after run, about 40 minutes in
// all. What was measured is kept under docs/results/. For a machine that does nothing else.

import { copyFile, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';

import { LIVE_TABLE } from './lib/live-table.mjs';
import { ROOT, WORK } from './lib/paths.mjs';
import { bold, dim, green, red, seconds, step } from './lib/say.mjs';
import { build } from './lib/build-all.mjs';
import { emptyFolder } from './lib/site.mjs';
import { run, stopAll } from './lib/run.mjs';
import { setup } from './setup.mjs';
import { whereWebRtcWorks } from './lib/network.mjs';

const RESULTS = path.join(ROOT, 'docs', 'results');

process.on('SIGINT', () => leave(130));
process.on('SIGTERM', () => leave(143));

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !LIVE_TABLE.some((row) => row.name === name));
if (unknown.length > 0) {
  console.error(
    red(`no run is called ${unknown.join(', ')}; there are: ${LIVE_TABLE.map(({ name }) => name).join(' ')}`),
  );
  process.exit(2);
}

await setup('live');
await build();
await mkdir(RESULTS, { recursive: true });
const made = await emptyFolder(path.join(WORK, 'test-long'));
let missed = 0;
for (const row of LIVE_TABLE.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const from = Date.now();
  step(bold(`${row.name}: npm start -- --live ${row.args.join(' ')}`));
  missed += (await passes(row)) ? 0 : 1;
  console.log(dim(`  ${seconds(Date.now() - from)}\n`));
}
console.log(missed === 0 ? green('all runs reach what they must') : red(`${missed} runs do not`));
leave(missed === 0 ? 0 : 1);

async function passes({ name, args, must }) {
  const file = path.join(made, `${name}.json`);
  const [command, rest] = await whereWebRtcWorks(process.execPath, [
    path.join(ROOT, 'scripts', 'measure-live.mjs'),
    ...['--live', ...args, '--json', file],
  ]);
  let ended = true;
  try {
    await run(command, rest);
  } catch (error) {
    console.error(red(error.message));
    ended = false;
  }
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) {
    return false;
  }
  await copyFile(file, path.join(RESULTS, `${name}.json`));
  const claims = must(JSON.parse(text));
  for (const { what, value, must: bound, holds } of claims) {
    const shown = typeof value === 'number' ? Number(value.toFixed(3)) : value;
    console.log(
      `  ${holds ? green('✓') : red('✗')} ${what}: ${shown}${bound === undefined ? '' : dim(`  (${bound})`)}`,
    );
  }
  return ended && claims.every(({ holds }) => holds);
}

function leave(status) {
  stopAll();
  process.exit(status);
}
