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
  const site = await makeSite();
  const earlier = values.add ? JSON.parse(await readFile(values.json, 'utf8').catch(() => '{}')) : {};
  const result = { ...earlier, machine: await machine(), scenarios: { ...earlier.scenarios } };
  for (const scenario of chosen(all, positionals)) {
    const before = result.scenarios[scenario.name]?.results ?? [];
    const results = [...before, ...(await measure(scenario, site, values, before))];
    const summary = summarise(results, scenario.figures, scenario.subject);
    report({ ...scenario, summary });
    const { title, options } = scenario;
    result.scenarios[scenario.name] = { title, options, summary, results };
    if (values.json !== undefined) {
      await writeResult(values.json, result);
    }
  }
}

async function measure(scenario, site, values, before) {
  const contenders = scenario.contenders.filter((name) => values.only?.includes(name) ?? true);
  const options = {
    ...scenario.options,
    ...(values.seconds === undefined ? {} : { seconds: Number(values.seconds) }),
  };
  const rounds = Number(values.rounds ?? scenario.rounds ?? ROUNDS);
  const from = 1 + Math.max(0, ...before.map(({ round }) => round));
  const results = [];
  for (let round = from; round < from + rounds; round += 1) {
    // Nobody is always first.
    const turn = round % contenders.length;
    for (const contender of [...contenders.slice(turn), ...contenders.slice(0, turn)]) {
      const started = Date.now();
      const trial = new Trial(site, contender, options);
      const result = { round, contender, load: os.loadavg()[0], ...(await oneTurn(scenario, trial)) };
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

function chosen(all, names) {
  const unknown = names.filter((name) => !all.some((scenario) => scenario.name.startsWith(name)));
  if (unknown.length > 0) {
    console.error(red(`no scenario is called ${unknown.join(', ')}; --list says what there is`));
    leave(2);
  }
  return names.length === 0 ? all : all.filter(({ name }) => names.some((begin) => name.startsWith(begin)));
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
