// `npm run fuzz [-- TARGET…] [--minutes N] [--keep]`: libFuzzer on every target of fuzz/, one after the other, at the lowest
// priority. It starts from the protocol's vectors and from fuzz/corpus. What breaks a target is put into fuzz/corpus, where
// `npm test` finds it; with --keep so is what reaches new code, reduced to the least.

import { cp, mkdir, readFile, readdir, rm } from 'node:fs/promises';
import path from 'node:path';

import { ROOT, TARGET, TOOLS, WORK } from './lib/paths.mjs';
import { output, run } from './lib/run.mjs';
import { bold, green, red, step } from './lib/say.mjs';
import { readOptions } from './lib/options.mjs';

const CARGO_FUZZ = '0.13.2';
const FUZZ = path.join(ROOT, 'fuzz');
const PLACE = path.join(WORK, 'fuzz');
/** Inputs are small things; longer ones only slow the search. The engine takes a whole story. */
const MAX_LEN = { engine: 4096, default: 2048 };
/** An input that takes longer than this is a finding. */
const TIMEOUT_S = 10;
const RSS_MB = 2048;

const USAGE = `npm run fuzz                search every target for what breaks it, one after the other
npm run fuzz -- TARGET…     some of them
  --minutes N                 how long each (5)
  --keep                      keep in fuzz/corpus what reaches new code`;

const { values, positionals } = readOptions(USAGE, {
  minutes: { type: 'string', default: '5' },
  keep: { type: 'boolean' },
});
const targets = await chosen();
const minutes = Number(values.minutes);
if (!(minutes > 0)) {
  console.error(red('--minutes takes a number above 0'));
  process.exit(2);
}

const program = await cargoFuzz();
await seeds();
const broken = [];
for (const target of targets) {
  step(`${bold(target)}, ${minutes} min`);
  if (!(await survives(target))) {
    broken.push(target);
  }
}
console.log(
  broken.length === 0
    ? green(`${targets.length} targets, nothing found`)
    : red(`found something: ${broken.join(', ')}; the inputs are in fuzz/corpus`),
);
process.exit(broken.length === 0 ? 0 : 1);

async function survives(target) {
  const found = path.join(PLACE, 'found', target);
  const crashes = path.join(PLACE, 'crashes', target);
  const kept = path.join(FUZZ, 'corpus', target);
  await rm(crashes, { recursive: true, force: true });
  for (const folder of [found, crashes, kept]) {
    await mkdir(folder, { recursive: true });
  }
  const options = [
    `-max_total_time=${Math.round(minutes * 60)}`,
    `-max_len=${MAX_LEN[target] ?? MAX_LEN.default}`,
    `-timeout=${TIMEOUT_S}`,
    `-rss_limit_mb=${RSS_MB}`,
    `-artifact_prefix=${crashes}/`,
    '-print_final_stats=1',
    '-verbosity=0',
  ];
  const folders = [found, path.join(PLACE, 'seeds', target), kept];
  const passed = await libFuzzer(target, folders, options);
  for (const name of await readdir(crashes)) {
    await cp(path.join(crashes, name), path.join(kept, name));
  }
  if (values.keep) {
    await libFuzzer(
      target,
      [kept, found],
      [
        '-set_cover_merge=1',
        '-use_counters=0',
        `-max_len=${MAX_LEN[target] ?? MAX_LEN.default}`,
        '-verbosity=0',
      ],
    );
  }
  return passed;
}

async function libFuzzer(target, folders, options) {
  const command = [
    'fuzz',
    'run',
    '--fuzz-dir',
    FUZZ,
    '--sanitizer',
    'none',
    '--features',
    'libfuzzer',
    target,
  ];
  try {
    await run('nice', ['-n', '19', program, ...command, ...folders, '--', ...options], {
      env: await toolchain(),
    });
    return true;
  } catch (error) {
    console.error(red(error.message));
    return false;
  }
}

/** Coverage needs a nightly compiler, or a stable one that is told to behave like one. */
async function toolchain() {
  const installed = (await output('rustup', ['toolchain', 'list'])) ?? '';
  // What is shipped is built slowly so that it is small; here only the search has to be fast.
  const env = {
    CARGO_TARGET_DIR: path.join(TARGET, 'fuzz'),
    CARGO_PROFILE_RELEASE_LTO: 'false',
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16',
  };
  return installed.includes('nightly')
    ? { ...env, RUSTUP_TOOLCHAIN: 'nightly' }
    : { ...env, RUSTC_BOOTSTRAP: '1' };
}

/** cargo-fuzz inside the project, installed when it is first needed. */
async function cargoFuzz() {
  const place = path.join(TOOLS, 'bin', 'cargo-fuzz');
  const version = await output(place, ['--version']);
  if (!version?.includes(CARGO_FUZZ)) {
    step(`cargo-fuzz ${CARGO_FUZZ}`);
    await run('cargo', [
      'install',
      'cargo-fuzz',
      '--version',
      CARGO_FUZZ,
      '--locked',
      '--quiet',
      '--root',
      TOOLS,
    ]);
  }
  return place;
}

async function seeds() {
  const env = { SWARMSEAL_FUZZ_SEEDS: path.join(PLACE, 'seeds') };
  await run('cargo', ['test', '--quiet', '--package', 'swarmseal-fuzz', '--test', 'corpus', 'seeds'], {
    env,
    quiet: true,
  });
}

async function chosen() {
  const manifest = await readFile(path.join(FUZZ, 'Cargo.toml'), 'utf8');
  const names = [...manifest.matchAll(/^name = "(\w+)"$/gm)].map(([, name]) => name);
  const unknown = positionals.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    console.error(red(`no target is called ${unknown.join(', ')}; there are: ${names.join(' ')}`));
    process.exit(2);
  }
  return positionals.length > 0 ? positionals : names;
}
