// Headless viewers on the bare page of tests/browser/viewer.

import path from 'node:path';

import { launchBrowser } from './browsers.mjs';
import { PKG, ROOT } from './paths.mjs';
import { place } from './site.mjs';

/** Adds the built package, hls.js and the viewer page to a site. */
export async function placeViewer(site) {
  await place(PKG, path.join(site, 'pkg'));
  await place(
    path.join(ROOT, 'node_modules', 'hls.js', 'dist', 'hls.mjs'),
    path.join(site, 'vendor', 'hls.mjs'),
  );
  await place(path.join(ROOT, 'tests', 'browser', 'viewer'), path.join(site, 'viewer'));
}

/** The viewer page's address; `options` are its URL parameters, `null` and `undefined` leave one out. */
export function viewerUrl(origin, options) {
  const url = new URL('/viewer/index.html', origin);
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && value !== null) {
      url.searchParams.set(name, String(value));
    }
  }
  return url.href;
}

/** Browsers by name, each started once, when first used. */
export class Browsers {
  #launched = new Map();
  #options;

  /** `options` are those of `launchBrowser`. */
  constructor(options = {}) {
    this.#options = options;
  }

  async open(name, url) {
    const browser = await this.#browser(name);
    return new Viewer(await browser.open(url), browser);
  }

  async versions() {
    return Promise.all([...this.#launched.values()].map(async (browser) => (await browser).version));
  }

  async close() {
    const all = [...this.#launched.values()];
    this.#launched.clear();
    await Promise.allSettled(all.map(async (browser) => (await browser).close()));
  }

  #browser(name) {
    const known = this.#launched.get(name) ?? launchBrowser(name, this.#options);
    this.#launched.set(name, known);
    return known;
  }
}

/** One open viewer page. */
export class Viewer {
  #open;
  openedAt = Date.now();

  constructor(open, browser) {
    this.#open = open;
    this.browser = browser.name;
  }

  get page() {
    return this.#open.page;
  }

  evaluate(task, given) {
    return this.#open.evaluate(task, given);
  }

  metrics() {
    return this.evaluate(() => window.__viewer.metrics());
  }

  loads() {
    return this.evaluate(() => window.__viewer.loads());
  }

  events(type) {
    return this.evaluate(
      (wanted) => window.__viewer.record.events.filter((event) => event.type === wanted),
      type,
    );
  }

  /** When events of these types happened, Unix milliseconds by a clock that no page changes, and what they said. */
  async happened(types) {
    const [asked, { now, events }] = [
      Date.now(),
      await this.evaluate((wanted) => {
        const all = window.__viewer.record.events.filter(({ type }) => wanted.includes(type));
        return { now: performance.now(), events: all };
      }, types),
    ];
    return events.map(({ at, ...event }) => ({ ...event, at: asked - (now - at) }));
  }

  seek(seconds) {
    return this.evaluate((to) => window.__viewer.seek(to), seconds);
  }

  /** Closes the page at once: no goodbye to anyone. */
  close() {
    return this.#open.close();
  }
}
