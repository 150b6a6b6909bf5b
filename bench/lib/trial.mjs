// One contender's turn: a browser, an origin and a tracker of its own, started afresh and ended afterwards.

import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Origin } from '../../tests/browser/lib/origin.mjs';
import { countOrigin } from '../../scripts/lib/origin-log.mjs';
import { launchBrowser } from '../../scripts/lib/browsers.mjs';
import { start } from '../../scripts/lib/run.mjs';
import { track } from '../../scripts/lib/service.mjs';
import { BENCH } from './site.mjs';
import { farAway } from './far.mjs';
import { browserCpuSeconds, rendererBytes } from './processes.mjs';
import { startRelay } from './relay.mjs';

const LOOK_EVERY_MS = 100;
const SAMPLE_US = 200;
const IDLE = new Set(['(idle)', '(program)', '(root)']);

export class Trial {
  #closing = [];
  #cpuAtStart = 0;
  pages = [];

  constructor(site, contender, options) {
    this.site = site;
    this.contender = contender;
    this.options = options;
  }

  /**
   * `tracker` is `swarmseal`, `bittorrent`, `relay` or null; `origin` are faults of tests/browser/lib/origin.mjs;
   * `roundTripMs` is how far away both are.
   */
  async open({ tracker = null, origin = {}, browser = 'chromium', roundTripMs = 0 } = {}) {
    this.origin = await new Origin(this.site.root, origin).listen();
    this.#closing.push(() => this.origin.stop());
    this.url = await this.#away(this.origin.url, roundTripMs);
    this.tracker =
      tracker === null ? undefined : await this.#away(await this.#startTracker(tracker), roundTripMs);
    this.browser = await launchBrowser(browser);
    this.#closing.push(() => this.browser.close());
    this.inspector = await this.browser.inspect();
    this.#cpuAtStart = await browserCpuSeconds(this.inspector);
    return this;
  }

  /** What else has to be ended with it. */
  closes(close) {
    this.#closing.push(close);
  }

  async close() {
    for (const close of this.#closing.reverse()) {
      await close();
    }
  }

  /** Opens a page of bench/pages with these parameters; undefined ones are left out. */
  async page(name, parameters) {
    const url = new URL(`/bench/${name}`, this.url);
    for (const [key, value] of Object.entries(parameters)) {
      if (value !== undefined) {
        url.searchParams.set(key, String(value));
      }
    }
    let session;
    const problems = [];
    const opened = await this.browser.open(url.href, {
      prepare: async (page) => {
        page.on('pageerror', (error) => problems.push(String(error.message)));
        session = await page.context().newCDPSession(page);
        // What the thread ran, not what passed on the clock while it waited for the processor.
        await session.send('Performance.enable', { timeDomain: 'threadTicks' });
        if (this.options.profile === true) {
          await session.send('Profiler.enable');
          await session.send('Profiler.setSamplingInterval', { interval: SAMPLE_US });
          await session.send('Profiler.start');
        }
      },
    });
    const page = new Page(opened, session, problems);
    this.pages.push(page);
    return page;
  }

  /** Parameters by which a page joins the swarm of `content`. */
  joining({ content, manifest, trust, source }) {
    const swarmseal = this.contender.startsWith('swarmseal');
    return {
      source,
      tracker: this.tracker,
      ...(swarmseal ? { content, manifest, trust, trackerKey: this.site.keys.tracker.publicKey } : {}),
    };
  }

  async cpuSeconds() {
    return (await browserCpuSeconds(this.inspector)) - this.#cpuAtStart;
  }

  memory() {
    return rendererBytes(this.inspector);
  }

  /** What the origin has sent of the content named `name`. */
  sent(name) {
    return countOrigin(
      this.origin.log.map((entry) => ({ ...entry, method: 'GET' })),
      `/content/${name}/`,
      path.join(this.site.root, 'content', name),
    );
  }

  async #away(url, roundTripMs) {
    if (roundTripMs === 0) {
      return url;
    }
    const far = await farAway(url, roundTripMs);
    this.#closing.push(() => far.stop());
    return far.url;
  }

  async #startTracker(kind) {
    if (kind === 'relay') {
      const relay = await startRelay();
      this.#closing.push(() => relay.stop());
      return relay.url;
    }
    if (kind === 'swarmseal') {
      const { root, keys } = this.site;
      const own = await track({ root, publicKey: keys.publisher.publicKey, trackerKey: keys.tracker.file });
      this.#closing.push(() => own.stop());
      return own.tracker;
    }
    const { url, stop } = await startRivalTracker();
    this.#closing.push(stop);
    return url;
  }
}

/** bittorrent-tracker in a process of its own: {url, pid, stop()}. */
export async function startRivalTracker() {
  let seen;
  const listening = new Promise((resolve) => (seen = resolve));
  const service = start(process.execPath, [path.join(BENCH, 'lib', 'rival-tracker.mjs')], {
    cwd: BENCH,
    onLine: (line) => {
      const url = /listening on (\S+)/.exec(line)?.[1];
      if (url !== undefined) {
        seen(url);
      }
    },
  });
  const url = await Promise.race([
    listening,
    service.ended.then((status) => {
      throw new Error(`bittorrent-tracker ended with ${status}: ${service.lines.join('\n')}`);
    }),
  ]);
  return { url, pid: service.pid, stop: () => service.stop() };
}

export class Page {
  #opened;
  #session;

  constructor(opened, session, problems) {
    this.#opened = opened;
    this.#session = session;
    this.problems = problems;
  }

  evaluate(task, given) {
    return this.#opened.evaluate(task, given);
  }

  metrics() {
    return this.evaluate(() => window.__bench.metrics());
  }

  loads() {
    return this.evaluate(() => window.__bench.loads());
  }

  /** Seconds of the main thread: {script, task}. */
  async mainThread() {
    const { metrics } = await this.#session.send('Performance.getMetrics');
    const value = (name) => metrics.find((metric) => metric.name === name)?.value ?? 0;
    return { script: value('ScriptDuration'), task: value('TaskDuration') };
  }

  /** Milliseconds that the main thread spent in each script's own functions so far, by the script's URL; '' is the browser's own. */
  async endProfile() {
    const { profile } = await this.#session.send('Profiler.stop');
    const nodes = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
    const spent = {};
    profile.samples.forEach((id, n) => {
      const { url, functionName } = nodes.get(id);
      // What is neither in a script nor called by one.
      if (!IDLE.has(functionName)) {
        spent[url] = (spent[url] ?? 0) + profile.timeDeltas[n] / 1000;
      }
    });
    return spent;
  }

  /** Closes the page at once. */
  close() {
    return this.#opened.close();
  }
}

/** Waits until `look()` gives something that `enough` takes; after `seconds`, an error that names `what`. */
export async function until(what, seconds, look, enough = Boolean) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const seen = await look();
    if (enough(seen)) {
      return seen;
    }
    if (Date.now() > end) {
      throw new Failed(`no ${what} within ${seconds} s`);
    }
    await sleep(LOOK_EVERY_MS);
  }
}

/** A contender did not do what the scenario asks of it. */
export class Failed extends Error {
  /** `figures` are what could be measured all the same. */
  constructor(message, figures = {}) {
    super(message);
    this.name = 'Failed';
    this.figures = figures;
  }
}
