// `npm run bench:instructions`: what a pass of each case of benches/src costs in instructions and in allocations, counted by
// valgrind, the instructions against benches/instructions.json. With `--update`, figures that went down, or are new, are kept; whoever makes one go up writes it
// there by hand, and why into the commit.
//
// The same program gives the same counts however busy the machine is. They differ between architectures: on one without figures
// they are printed, and nothing is compared. Valgrind's processor has no instructions for hashing, so hashes are computed as
// on machines without them.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { ROOT, WORK } from './lib/paths.mjs';
import { output } from './lib/run.mjs';
import { green, red, yellow } from './lib/say.mjs';

/** Another release of the compiler, or of the C library's memcpy and malloc, must not fail the build. */
const TOLERANCE = 1.08;
/** So many that one pass among them does not matter, and so few that all cases together take seconds. */
const PASSES = {
  'hash-chunk': 20,
  'tree-root': 4,
  'tree-path': 200,
  'codec-request': 2000,
  'statement-sign': 20,
  'statement-compare': 2000,
  'statement-judge': 20,
  'engine-tick': 400,
  'engine-tick-short': 400,
  'engine-have': 2000,
  'tracker-announce': 200,
  'tracker-introduction': 200,
};
/** Of the C library. */
const ALLOCATORS = /^(malloc|calloc|realloc|posix_memalign|aligned_alloc)\b/;
const LIMITS = path.join(ROOT, 'benches', 'instructions.json');
await mkdir(WORK, { recursive: true });
const program = await built();
const known = JSON.parse(await readFile(LIMITS, 'utf8'));
const limits = known[process.arch];
const updating = process.argv.includes('--update');
const kept = {};
let over = 0;
for (const name of await cases()) {
  const { instructions: each, allocations } = await counted(name);
  const limit = limits?.[name];
  const isNew = limits === undefined || (updating && limit === undefined);
  const tooMany = !isNew && !(each <= limit * TOLERANCE);
  over += tooMany ? 1 : 0;
  const against = `${String(each).padStart(10)} instructions a pass of ${String(limit ?? '-').padStart(10)}`;
  const line = `${name.padEnd(20)} ${against} ${String(allocations).padStart(7)} allocations`;
  console.log(tooMany ? red(`${line}  too many`) : line);
  kept[name] = Math.min(limit ?? each, each);
}
if (limits === undefined) console.log(yellow(`no figures are known for ${process.arch}`));
if (updating) {
  await writeFile(LIMITS, `${JSON.stringify({ ...known, [process.arch]: kept }, null, 2)}\n`);
}
const within = Object.keys(kept).length - over;
console.log((over > 0 ? red : green)(`${within} within their budget, ${over} over`));
process.exitCode = over > 0 ? 1 : 0;

/** The program that runs the cases. */
async function built() {
  const what = ['--package', 'swarmseal-bench', '--bench', 'instructions'];
  const said = await output('cargo', [
    'build',
    '--quiet',
    '--profile',
    'sim',
    ...what,
    '--message-format',
    'json',
  ]);
  const lines = said.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line)).find(({ executable }) => Boolean(executable)).executable;
}

/** As the program names them; each must have its number of passes. */
async function cases() {
  const names = (await output(program, [])).trim().split('\n');
  const [there, here] = [names, Object.keys(PASSES)].map((each) => each.toSorted().join(' '));
  if (there !== here) throw new Error(`the program has the cases ${there}, this script ${here}`);
  return names;
}

/**
 * Instructions and calls of the allocator of one pass. Calls are counted outside of passes as well: a longer run tells those before
 * the first pass apart, and those that prepare a pass stay with it.
 */
async function counted(name) {
  const passes = PASSES[name];
  const [once, twice] = [await ran(name, passes), await ran(name, 2 * passes)];
  const allocations = Math.round(((twice.calls - once.calls) / passes) * 10) / 10;
  return { instructions: Math.round(once.instructions / passes), allocations };
}

async function ran(name, passes) {
  const file = path.join(WORK, 'callgrind.out');
  const text = await output('valgrind', [
    ...['--tool=callgrind', `--callgrind-out-file=${file}`],
    ...['--collect-atstart=no', '--toggle-collect=instructions::counted*'],
    ...[program, name, String(passes)],
  ]);
  if (text === null) throw new Error('valgrind is missing, which counts: apt-get install valgrind');
  const instructions = Number(/Collected\s+: (\d+)/.exec(text)?.[1]);
  if (!(instructions > 0)) {
    throw new Error(`valgrind does not say how many instructions ${name} takes:\n${text}`);
  }
  return { instructions, calls: allocatorCalls(await readFile(file, 'utf8')) };
}

/**
 * In callgrind's file a call is two lines: `cfn=(id) name`, or `cfn=(id)` once the name was given, then `calls=` and how often. Only
 * what the C library's functions are called by counts, not what they call among themselves.
 */
function allocatorCalls(file) {
  const names = new Map();
  let from = '';
  let to = '';
  let all = 0;
  for (const line of file.split('\n')) {
    const [, kind, id, given] = /^(c?fn)=(\(\d+\))(?: (.*))?$/.exec(line) ?? [];
    if (kind !== undefined) {
      if (given !== undefined) names.set(id, given);
      const name = names.get(id);
      if (kind === 'fn') from = name;
      else to = name;
    } else if (line.startsWith('calls=') && ALLOCATORS.test(to) && !ALLOCATORS.test(from)) {
      all += Number(/^calls=(\d+)/.exec(line)[1]);
    }
  }
  return all;
}
