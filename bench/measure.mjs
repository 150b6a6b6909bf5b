// Gives each contender its turn, round after round, so that a machine that becomes slower does so for all of them.

import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import os from 'node:os';

import { dim, red, seconds } from '../scripts/lib/say.mjs';
import { stopAll } from '../scripts/lib/run.mjs';
import { versions } from '../scripts/lib/versions.mjs';
import { BENCH_OPTIONS } from './lib/options.mjs';
import { Failed, Trial } from './lib/trial.mjs';
import { allScenarios } from './lib/all-scenarios.mjs';
import { makeSite, rivalVersions, writeResult } from './lib/site.mjs';
import { report } from './lib/report.mjs';
import { summarise } from './lib/statistics.mjs';

const ROUNDS = 5;

process.on('SIGINT', () => leave(130));
process.on('SIGTERM', () => leave(143));

try {
  await main();
  leave(0);
} catch (error) {
  console.error(red(error.stack));
  leave(1);
}

async function main() {
  const { values, positionals } = parseArgs({ options: BENCH_OPTIONS, allowPositionals: true });
  const all = await allScenarios();
  if (values.list) {
    all.forEach(({ name, title }) => console.log(`${name.padEnd(16)}${title}`));
    return;
  }
  const scenarios = chosen(all, positionals);
  const site = await makeSite(scenarios);
  const earlier = values.add ? JSON.parse(await readFile(values.json, 'utf8').catch(() => '{}')) : {};
  const result = { ...earlier, machine: await machine(), scenarios: { ...earlier.scenarios } };
  sameMachine(earlier.machine, result.machine);
  for (const scenario of scenarios) {
    const before = result.scenarios[scenario.name]?.results ?? [];
    const made = await measure(scenario, site, values, before);
    await scenario.finish?.();
    const { swarmseal } = result.machine;
    const results = [...before, ...made.map((round) => ({ ...round, swarmseal }))];
    const summary = summarise(results, scenario.figures, scenario.subject);
    report({ ...scenario, summary });
    const { title, subject, figures } = scenario;
    const options = optionsOf(scenario, values);
    result.scenarios[scenario.name] = { title, subject, options, figures, summary, results };
    if (values.json !== undefined) {
      await writeResult(values.json, result);
    }
  }
}

async function measure(scenario, site, values, before) {
  const contenders = scenario.contenders.filter((name) => values.only?.includes(name) ?? true);
  const options = optionsOf(scenario, values);
  const rounds = Number(values.rounds ?? scenario.rounds ?? ROUNDS);
  const from = 1 + Math.max(0, ...before.map(({ round }) => round));
  const results = [];
  for (let round = from; round < from + rounds; round += 1) {
    // Nobody is always first.
    const turn = round % contenders.length;
    for (const contender of [...contenders.slice(turn), ...contenders.slice(0, turn)]) {
      const started = Date.now();
      const trial = new Trial(site, contender, options);
      const load = os.loadavg()[0];
      const outcome = await oneTurn(scenario, trial);
      const result = { round, contender, load, browser: trial.browser?.version, ...outcome };
      results.push(result);
      const how = result.failure === undefined ? dim('done') : red(result.failure);
      console.log(dim(`  ${scenario.name} ${round} ${contender} ${seconds(Date.now() - started)} `) + how);
    }
  }
  return results;
}

async function oneTurn(scenario, trial) {
  try {
    return { figures: await scenario.run(trial) };
  } catch (error) {
    if (!(error instanceof Failed)) {
      throw error;
    }
    return { figures: error.figures, failure: error.message };
  } finally {
    await trial.close();
  }
}

function optionsOf({ options }, { seconds: asked }) {
  return { ...options, ...(asked === undefined ? {} : { seconds: Number(asked) }) };
}

/** Rounds of other machines or rivals are not added to each other; the commit is kept with each round. */
function sameMachine(earlier, now) {
  for (const key of ['cpu', 'cores', 'memoryGiB', 'system', 'hls.js', 'rivals']) {
    if (earlier !== undefined && JSON.stringify(earlier[key]) !== JSON.stringify(now[key])) {
      console.error(red(`--add: the rounds in that file were measured with another ${key}`));
      leave(2);
    }
  }
}

function chosen(all, names) {
  const unknown = names.filter((name) => !all.some((scenario) => scenario.name.startsWith(name)));
  if (unknown.length > 0) {
    console.error(red(`no scenario is called ${unknown.join(', ')}; --list says what there is`));
    leave(2);
  }
  const exact = new Set(names.filter((asked) => all.some(({ name }) => name === asked)));
  const asked = ({ name }) =>
    exact.has(name) || names.some((begin) => !exact.has(begin) && name.startsWith(begin));
  return names.length === 0 ? all : all.filter(asked);
}

async function machine() {
  const [cpu] = os.cpus();
  return {
    ...(await versions()),
    rivals: await rivalVersions(),
    cpu: cpu?.model ?? null,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    at: new Date().toISOString().slice(0, 10),
  };
}

function leave(status) {
  stopAll();
  process.exit(status);
}
