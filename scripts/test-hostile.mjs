// `npm run test:hostile [-- --json FILE] [-- --mutants [NAME…]]`: every attack of tests/hostile in full, one line for each; or,
// with --mutants, each defence (or those named) taken out of a copy of the source, where the attack that it is there for must
// then succeed;
// --mutants-apply only looks whether the source is still what that needs.

import { cp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { ROOT, TARGET, WORK } from './lib/paths.mjs';
import { output, run } from './lib/run.mjs';
import { bold, dim, green, red, seconds } from './lib/say.mjs';
import { readOptions } from './lib/options.mjs';
import { setup } from './setup.mjs';
import { whereWebRtcWorks } from './lib/network.mjs';

const MUTANTS = path.join(ROOT, 'tests', 'hostile', 'mutants');
const SCRATCH = path.join(WORK, 'mutants');
// Each way of running has its own, as both take long and one may be started beside the other.
const LINES = path.join(WORK, process.argv.includes('--mutants') ? 'mutants.jsonl' : 'hostile.jsonl');

/** Every test target with attacks in it, and the package that it belongs to. */
const TARGETS = [
  ['--package', 'swarmseal', '--test', 'hostile'],
  ['--package', 'swarmseal', '--test', 'swarm', 'attacks'],
  ['--package', 'swarmseal-tracker', 'requirement'],
  ['--package', 'swarmseal-tracker', 'revocation'],
  ['--package', 'swarmseal-server', '--test', 'requirement_4_1_identity_privacy'],
  ['--package', 'swarmseal-server', '--test', 'audit'],
  ['--package', 'swarmseal-server', '--test', 'requirement_4_4_tampering'],
].map((target) => ['cargo', ['test', '--quiet', ...target]]);

/** Where they attack real browsers, and what has to be built for that. */
const BROWSERS = path.join(ROOT, 'tests', 'browser', 'hostile');
const BUILDS = [
  ['cargo', ['build', '--quiet', '--package', 'swarmseal-server']],
  ['npm', ['run', '--silent', 'build']],
  [process.execPath, ['tests/browser/make-streams.mjs']],
];

const USAGE = `npm run test:hostile                       every attack in full, one line for each
  --json FILE                                write what came of each
npm run test:hostile -- --mutants [NAME…]  each defence taken away: its attack must then succeed
  --mutants-apply                            see only whether the source is still what that needs`;

const { values, positionals } = readOptions(USAGE, {
  json: { type: 'string' },
  mutants: { type: 'boolean' },
  'mutants-apply': { type: 'boolean' },
});
await mkdir(WORK, { recursive: true });
process.exit((await task()()) ? 0 : 1);

function task() {
  if (values['mutants-apply']) return allMutantsApply;
  return values.mutants ? allMutantsAreCaught : noAttackSucceeds;
}

async function noAttackSucceeds() {
  await setup('test');
  for (const [command, args] of BUILDS) {
    await run(command, args);
  }
  await rm(LINES, { force: true });
  let passed = true;
  const inBrowsers = ['--test', '--test-concurrency=1', '--test-reporter=dot', BROWSERS];
  for (const [command, args] of [
    ...TARGETS,
    await whereWebRtcWorks(process.execPath, inBrowsers, { apart: true }),
  ]) {
    const from = Date.now();
    try {
      await run(command, args, { env: { SWARMSEAL_HOSTILE_REPORT: LINES, SWARMSEAL_HOSTILE_FULL: '1' } });
      console.log(dim(`${args.at(-1)}: ${seconds(Date.now() - from)}`));
    } catch (error) {
      console.error(red(error.message));
      passed = false;
    }
  }
  const outcomes = await reported();
  for (const { threat, attack, attempts, successes, figure, target } of outcomes) {
    const verdict = successes === 0 ? green('lost') : red('WON');
    console.log(
      `${verdict}  threat ${threat}: ${attack}\n      ${dim(`${attempts} attempts, ${successes} successes; ${figure}; target: ${target}`)}`,
    );
  }
  const attempts = outcomes.reduce((sum, outcome) => sum + outcome.attempts, 0);
  const won = outcomes.filter(({ successes }) => successes > 0).length;
  console.log(`\n${outcomes.length} kinds of attack, ${attempts} attempts, ${won} won by the attacker`);
  if (values.json !== undefined) {
    await writeFile(values.json, `${JSON.stringify({ outcomes }, null, 2)}\n`);
  }
  return passed && won === 0 && outcomes.length > 0;
}

async function allMutantsAreCaught() {
  const all = (await readdir(MUTANTS)).filter((name) => name.endsWith('.patch')).sort();
  const unknown = positionals.filter((name) => !all.includes(`${name}.patch`));
  if (unknown.length > 0) {
    throw new Error(`no patch in ${MUTANTS} is called ${unknown.join(', ')}`);
  }
  const names = positionals.length === 0 ? all : positionals.map((name) => `${name}.patch`);
  await copySource();
  // The copy as it is: it builds, and nothing succeeds on it.
  await output('cargo', ['test', '--quiet', '--test', 'hostile'], {
    cwd: SCRATCH,
    env: scratchEnvironment(),
  });
  let missed = 0;
  for (const name of names) {
    const patch = path.join(MUTANTS, name);
    const { target, test, attack } = expectation(await readFile(patch, 'utf8'), name);
    const from = Date.now();
    await apply(patch);
    const success = await attackSucceeds(target, test, attack);
    await apply(patch, '--reverse');
    missed += success ? 0 : 1;
    const verdict = success ? green('caught') : red('MISSED');
    console.log(
      `${verdict}  ${bold(name.replace('.patch', ''))}: ${attack} ${dim(seconds(Date.now() - from))}`,
    );
  }
  console.log(`\n${names.length - missed} of ${names.length} defences are missed when they are gone`);
  return missed === 0;
}

/** Whether the source is still what the patches were made for: cheap enough for every test run. */
async function allMutantsApply() {
  const names = (await readdir(MUTANTS)).filter((name) => name.endsWith('.patch'));
  let applied = 0;
  for (const name of names) {
    try {
      await output('git', ['apply', '--check', '-C1', path.join(MUTANTS, name)]);
      applied += 1;
    } catch (error) {
      console.error(red(error.message));
    }
  }
  return applied === names.length;
}

/** Runs one test on the altered copy; whether the attack that it names was reported as won. */
async function attackSucceeds(target, test, attack) {
  await rm(LINES, { force: true });
  const env = scratchEnvironment();
  const passed = await output('cargo', ['test', '--quiet', ...target, test], {
    cwd: SCRATCH,
    env,
  }).then(
    () => true,
    (error) => {
      if (error.message.includes('could not compile')) {
        // As good as missed, and no reason to leave the others untried.
        console.error(red(error.message));
      }
      return false;
    },
  );
  const won = (await reported()).filter(({ successes }) => successes > 0);
  return !passed && won.some((outcome) => outcome.attack === attack);
}

function scratchEnvironment() {
  return { SWARMSEAL_HOSTILE_REPORT: LINES, CARGO_TARGET_DIR: path.join(TARGET, 'mutants') };
}

/** The first lines of a patch say which test, of `Package:` or `Target:` or else of tests/hostile, has the attack that must succeed. */
function expectation(text, name) {
  const test = /^Test: (.+)$/m.exec(text)?.[1];
  const attack = /^Attack: (.+)$/m.exec(text)?.[1];
  const apart = /^Package: (.+)$/m.exec(text)?.[1];
  const within = /^Target: (.+)$/m.exec(text)?.[1] ?? 'hostile';
  const target = apart === undefined ? ['--test', within] : ['--package', apart];
  if (test === undefined || attack === undefined) {
    throw new Error(`${name} does not say "Test:" and "Attack:"`);
  }
  return { target, test, attack };
}

/** Git must not look for the repository around the copy, or it would pass over files that are not its own. */
async function apply(patch, ...options) {
  const env = { GIT_CEILING_DIRECTORIES: WORK };
  await run('git', ['apply', '-C1', ...options, patch], { cwd: SCRATCH, env });
}

async function copySource() {
  await rm(SCRATCH, { recursive: true, force: true });
  await mkdir(SCRATCH, { recursive: true });
  for (const name of [
    'Cargo.toml',
    'Cargo.lock',
    'src',
    'tests',
    'benches',
    'tracker',
    'sim',
    'server',
    'fuzz',
    // A test of the server reads the manual.
    'docs',
  ]) {
    await cp(path.join(ROOT, name), path.join(SCRATCH, name), { recursive: true, preserveTimestamps: true });
  }
}

async function reported() {
  const text = await readFile(LINES, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
