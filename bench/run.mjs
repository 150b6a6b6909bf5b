// `npm run bench [-- SCENARIO…]`: swarmseal and its rivals side by side, in the same browser, on the same content, in the
// same run. This part installs and builds; measure.mjs measures, where WebRTC works.

import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import path from 'node:path';

import { CommandFailed, run, stopAll } from '../scripts/lib/run.mjs';
import { ROOT } from '../scripts/lib/paths.mjs';
import { build } from '../scripts/lib/build-all.mjs';
import { red, step } from '../scripts/lib/say.mjs';
import { whereWebRtcWorks } from '../scripts/lib/network.mjs';
import { Missing, setup } from '../scripts/setup.mjs';
import { BENCH_OPTIONS, USAGE } from './lib/options.mjs';

const BENCH = path.join(ROOT, 'bench');
const STAMP = path.join(BENCH, 'node_modules', '.swarmseal-lock');

process.on('SIGINT', () => leave(130));
process.on('SIGTERM', () => leave(143));

try {
  await main();
  leave(0);
} catch (error) {
  const expected =
    error instanceof Missing || error instanceof CommandFailed || error.code?.startsWith('ERR_PARSE_ARGS');
  console.error(red(expected ? error.message : error.stack));
  leave(1);
}

async function main() {
  const { values } = parseArgs({ options: BENCH_OPTIONS, allowPositionals: true });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  if (!values.list) {
    await setup('live');
    await installRivals();
    if (!values.built) {
      await build();
    }
  } else {
    await installRivals();
  }
  const measure = [path.join(BENCH, 'measure.mjs'), ...process.argv.slice(2)];
  const [command, args] = values.list
    ? [process.execPath, measure]
    : await whereWebRtcWorks(process.execPath, measure, { apart: true });
  await run(command, args);
}

async function installRivals() {
  const lock = await readFile(path.join(BENCH, 'package-lock.json'));
  const digest = createHash('sha256').update(lock).digest('hex');
  if ((await readFile(STAMP, 'utf8').catch(() => '')) === digest) {
    return;
  }
  step('installing what is measured against, into bench/node_modules');
  await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: BENCH });
  await writeFile(STAMP, digest);
}

function leave(status) {
  stopAll();
  process.exit(status);
}
