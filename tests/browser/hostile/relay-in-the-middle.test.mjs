// TR 33.844 §4.2: a signalling relay without the tracker's key tries to get into the middle of connections between real
// browsers. Nobody accepts it, and everybody whom it leaves alone connects.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { FULL, conclude } from '../lib/report.mjs';
import { HONEST, STRATEGIES } from './strategies.mjs';
import { SignallingRelay } from '../lib/signalling-relay.mjs';
import { SigningKey, swarmOf } from '../lib/membership.mjs';
import { Stage } from '../lib/stage.mjs';

const HONEST_RUNS = FULL ? 100 : 4;
const RUNS = FULL ? 5 : 1;
// Pairs of viewers that meet at the same time.
const PAIRS = 4;
// In Firefox, every how many strategies are tried where not all are wanted.
const SOME = FULL ? 1 : 4;

describe('4.2', { concurrency: 2 }, () => {
  for (const [browser, every] of [
    ['chromium', 1],
    ['firefox', SOME],
  ]) {
    test(`4.2: in ${browser}, no strategy of a signalling relay is accepted, and honest introductions succeed`, async (t) => {
      const pairs = await Pairs.open(t, browser);
      const honest = await pairs.all(Array(HONEST_RUNS).fill(HONEST));
      const failed = honest.filter(({ proved }) => !proved.every(Boolean));
      await conclude({
        threat: '19',
        attack: `none: honest introductions in ${browser} that fail`,
        attempts: honest.length,
        successes: failed.length,
        figure: `${honest.length - failed.length} of ${honest.length} connected through the relay; ${JSON.stringify(failed)}`,
        target: 'all of 100',
      });

      const tried = STRATEGIES.filter((_, n) => n % every === 0);
      const endings = await pairs.all(tried.flatMap((strategy) => Array(RUNS).fill(strategy)));
      for (const strategy of tried) {
        const runs = endings.filter(({ name }) => name === strategy.name);
        const accepted = runs.filter(({ proved }) =>
          (strategy.victims ?? [0, 1]).some((victim) => proved[victim]),
        );
        for (const run of runs) {
          assert.ok(run.hostile > 0, `${strategy.name}: the relay interfered; ${JSON.stringify(run)}`);
          const ends = strategy.ends?.length ?? 0;
          assert.equal(run.opened, ends, `${strategy.name}: it ended connections; ${JSON.stringify(run)}`);
        }
        const said = [...new Set(runs.flatMap(({ codes }) => codes))];
        await conclude({
          threat: '19',
          attack: `${strategy.name}, in ${browser}`,
          attempts: runs.length,
          successes: accepted.length,
          figure: `${runs.reduce((sum, { hostile }) => sum + hostile, 0)} messages altered or made up; ${said.join(', ')}`,
          target: '0 accepted',
        });
      }
    });
  }
});

/** Pairs of pages that join anew for every encounter. */
class Pairs {
  static async open(t, browser) {
    const stage = await Stage.open(t, { ownTracker: true });
    const pairs = new Pairs();
    pairs.stage = stage;
    pairs.relay = await SignallingRelay.start(t, {
      tracker: stage.trackerUrl,
      swarm: swarmOf(await readFile(path.join(stage.folder, 'content.seal'))).swarm,
      trackerKey: SigningKey.ofFile(await readFile(stage.keys.tracker.file, 'utf8')),
    });
    const page = (name) => stage.page(new URL(`/viewer/${name}`, stage.url).href, browser);
    await page(`middle.html?relay=${encodeURIComponent(`${pairs.relay.url}/middle`)}`);
    await pairs.relay.middle();
    pairs.pages = [];
    for (let n = 0; n < 2 * PAIRS; n += 1) pairs.pages.push(await page('member.html'));
    return pairs;
  }

  /** What came of each strategy, in their order; as many at a time as there are pairs. */
  async all(strategies) {
    const endings = [];
    const work = [...strategies.entries()];
    await Promise.all(
      Array.from({ length: PAIRS }, async (_, pair) => {
        for (let next = work.shift(); next !== undefined; next = work.shift()) {
          endings[next[0]] = { name: next[1].name, ...(await this.#meet([2 * pair, 2 * pair + 1], next[1])) };
        }
      }),
    );
    return endings;
  }

  async #meet(numbers, strategy) {
    const { stage, relay } = this;
    const pages = numbers.map((number) => this.pages[number]);
    const joining = numbers.map((number, n) =>
      pages[n].evaluate((options) => window.__member.join(options), {
        manifest: new URL('/content/content.seal', stage.url).href,
        trust: [stage.keys.publisher.publicKey],
        policy: { share: 'on' },
        content: stage.manifest.content,
        tracker: relay.trackerFor(number),
        trackerKeys: [stage.keys.tracker.publicKey],
      }),
    );
    await Promise.all(joining);
    const ending = await relay.meet(numbers, strategy);
    const events = await Promise.all(pages.map((page) => page.evaluate(() => window.__member.events)));
    await Promise.all(pages.map((page) => page.evaluate(() => window.__member.leave())));
    const codes = events.flat().map(({ type, code }) => (code === null ? type : code));
    return { ...ending, codes };
  }
}
