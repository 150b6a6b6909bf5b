// What an end-to-end test stands on: a published stream, an origin, a tracker, and viewers in real browsers.
// Everything that a stage opened is closed when its test ends; the browsers stay for the other tests of the file.

import { after } from 'node:test';
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import path from 'node:path';

import { Browsers, placeViewer, viewerUrl } from '../../../scripts/lib/viewers.mjs';
import { WORK } from '../../../scripts/lib/paths.mjs';
import { checkLoads } from '../../../scripts/lib/independent-check.mjs';
import { demoKeys } from '../../../scripts/lib/content.mjs';
import { emptyFolder, place, publish } from '../../../scripts/lib/site.mjs';
import { goLive } from '../../../scripts/lib/live.mjs';
import { readLog } from '../../../scripts/lib/origin-log.mjs';
import { serve, track } from '../../../scripts/lib/service.mjs';
import { Origin } from './origin.mjs';
import { TlsEnd, makeCertificate } from './tls.mjs';
import { media } from './media.mjs';

const LOOK_EVERY_MS = 200;
// Viewers buffer 12 s; a segment of 2 s may be missing from that.
const HELD_AHEAD_S = 10;
const OUTPLAYED_S = 2;
const HELD_ENOUGH_S = 1;
const MOMENT_MS = 1000;
// Started once for a file of tests; pages of different viewers share nothing.
const browsers = new Browsers();
after(() => browsers.close());

const PLAYLISTS = { sample: 'master.m3u8', ladder: 'master.m3u8' };

export class Stage {
  #closing = [];
  #browsers = browsers;
  #serving;
  viewers = [];

  /**
   * `t` is the test; `stream` a name of media.mjs. `faults` replaces the server's origin by one that has them;
   * `ownTracker` starts the tracker apart, so that it can be killed alone; `prepare(folder)` changes files before publishing;
   * `config` is the text of the server's configuration file; `live`, options of `goLive`, makes it a live stream;
   * `tls` puts TLS before origin and tracker, with a certificate that only this stage's browsers take.
   */
  static async open(
    t,
    {
      stream = 'steady',
      faults,
      ownTracker = faults !== undefined,
      own = false,
      prepare,
      config,
      live,
      tls,
    } = {},
  ) {
    const stage = new Stage();
    t.after(() => stage.close());
    await (live === undefined
      ? stage.#build(stream, { own: own || prepare !== undefined, prepare })
      : stage.#goLive(live));
    await stage.#serve({ faults, ownTracker, config });
    if (tls) {
      await stage.#secure();
    }
    if (stage.live !== undefined) {
      stage.playlist = await stage.live.begun();
    }
    return stage;
  }

  async #lay() {
    this.keys = await demoKeys();
    this.site = await emptyFolder(path.join(WORK, 'stages', `${process.pid}-${(stages += 1)}`));
    this.folder = path.join(this.site, 'content');
  }

  async #goLive(options) {
    await this.#lay();
    this.live = await goLive(this.folder, {
      publisher: this.keys.publisher,
      state: `${this.site}-live`,
      ...options,
    });
    this.#closing.push(() => this.live.kill());
    this.manifest = { content: this.live.contentId };
    await placeViewer(this.site);
  }

  async #build(stream, { own, prepare }) {
    await this.#lay();
    await place(await media(stream), this.folder, { own });
    await prepare?.(this.folder);
    this.manifest = await publish(this.folder, this.keys.publisher.file);
    this.playlist = PLAYLISTS[stream] ?? 'index.m3u8';
    await placeViewer(this.site);
  }

  async #serve({ faults, ownTracker, config = '' }) {
    const file = `${this.site}.toml`;
    // Whoever is put out is so in this stage only.
    await writeFile(file, `revocations = "${this.site}-revocations.jsonl"\n${config}`);
    const serving = {
      root: this.site,
      publicKey: this.keys.publisher.publicKey,
      trackerKey: this.keys.tracker.file,
      config: file,
    };
    this.#serving = serving;
    this.accessLog = path.join(this.site, '..', `${path.basename(this.site)}-access.jsonl`);
    if (faults === undefined) {
      const lowLatency = this.live?.fragments ? this.live : undefined;
      this.service = await serve({ ...serving, accessLog: this.accessLog, lowLatency });
      this.#closing.push(() => this.service.stop());
      this.url = this.service.url;
    } else {
      this.origin = await new Origin(this.site, faults).listen();
      this.#closing.push(() => this.origin.stop());
      this.url = this.origin.url;
    }
    if (ownTracker) {
      this.tracker = await track(serving);
      this.#closing.push(() => this.tracker.stop());
      this.trackerUrl = this.tracker.tracker;
    } else {
      this.trackerUrl = this.service.tracker;
    }
  }

  async #secure() {
    const certificate = await makeCertificate(`${this.site}-tls`);
    const [origin, tracker] = await Promise.all(
      [this.url, this.trackerUrl].map((url) => TlsEnd.open(new URL(url).host, certificate)),
    );
    const own = new Browsers({ certificate });
    this.#browsers = own;
    this.#closing.push(
      () => origin.stop(),
      () => tracker.stop(),
      () => own.close(),
    );
    this.url = `https://127.0.0.1:${origin.port}`;
    this.trackerUrl = `wss://127.0.0.1:${tracker.port}${new URL(this.trackerUrl).pathname}`;
  }

  /** Ends the tracker without warning and starts it again at the same address, `pause` ms later. */
  async restartTracker(pause) {
    const listen = new URL(this.tracker.url).host;
    await this.tracker.stop('SIGKILL');
    await sleep(pause);
    this.tracker = await track({ ...this.#serving, listen });
  }

  /** Opens a viewer; `options` are parameters of the viewer page. */
  async viewer(options = {}, browser = process.env.BROWSER ?? 'chromium') {
    return this.page(this.viewerUrl(options), browser);
  }

  /** Opens any page of the site, as a viewer. */
  async page(url, browser = 'chromium') {
    const viewer = await this.#browsers.open(browser, url);
    this.viewers.push(viewer);
    return viewer;
  }

  viewerUrl(options = {}) {
    return viewerUrl(this.url, {
      source: this.playlist,
      content: this.manifest.content,
      live: this.live === undefined ? null : 'on',
      tracker: this.trackerUrl,
      trust: this.keys.publisher.publicKey,
      trackerKey: this.keys.tracker.publicKey,
      buffer: 12,
      ...options,
    });
  }

  /** Requests that the origin answered so far, below /content/, without that prefix. */
  async requests() {
    const log = this.origin?.log ?? (await readLog(this.accessLog));
    return log
      .filter((entry) => entry.path.startsWith('/content/'))
      .map((entry) => ({ ...entry, path: entry.path.slice('/content/'.length) }));
  }

  /** Compares all that the viewer's player was given with the files on disk; live playlists have changed since then. */
  async check(viewer) {
    const loads = await viewer.loads();
    const lasting = this.live === undefined ? loads : loads.filter(({ url }) => !/\.m3u8(\?|$)/.test(url));
    return checkLoads(lasting, new URL('/content/', this.url).href, this.folder);
  }

  async closeViewer(viewer) {
    this.viewers = this.viewers.filter((other) => other !== viewer);
    await viewer.close();
  }

  async close() {
    await Promise.all(this.viewers.map((viewer) => viewer.close()));
    for (const close of this.#closing.reverse()) {
      await close();
    }
  }
}

/** Waits until `look()` returns something that `enough` accepts; says `what` was waited for if it does not come. */
export async function until(what, look, enough = Boolean, timeoutMs = 30_000) {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (enough(seen)) {
      return seen;
    }
    if (Date.now() > end) {
      throw new Error(`${what} did not happen within ${timeoutMs / 1000} s; last seen: ${brief(seen)}`);
    }
    await sleep(LOOK_EVERY_MS);
  }
}

/** Waits until the viewer has played to `seconds`. */
export async function playsTo(viewer, seconds, timeoutMs = 40_000) {
  return until(
    `playing to ${seconds} s`,
    () => viewer.metrics(),
    (seen) => {
      const fatal = seen.errors.find((error) => error.fatal === true || error.fatal === undefined);
      if (fatal !== undefined) {
        throw new Error(`the viewer failed: ${fatal.code}: ${fatal.message}`);
      }
      return seen.firstFrameMs !== null && seen.position >= seconds;
    },
    timeoutMs,
  );
}

/**
 * Brings a new viewer `seconds` into the stream as if it had played there, by a jump as soon as it holds that much: another
 * one that comes now can be fed by it, and stays behind it.
 */
export async function goesAhead(viewer, seconds) {
  await holds(viewer, seconds);
  await viewer.seek(seconds);
  await playsTo(viewer, seconds);
  return holds(viewer, seconds + HELD_AHEAD_S);
}

/** Waits until the viewer, which is in the swarm, has buffered to `seconds`. */
export async function holds(viewer, seconds) {
  return until(
    `holding to ${seconds} s`,
    () => viewer.metrics(),
    ({ bufferedEnd, handle }) => bufferedEnd >= seconds && handle !== null,
  );
}

/** Waits until the viewer has played all that it held when `then` was seen, and some more. */
export async function outplays(viewer, then) {
  return playsTo(viewer, then.bufferedEnd + OUTPLAYED_S);
}

/** Waits until the viewer has a proven peer. */
export async function findsPeers(viewer, count = 1, timeoutMs = 20_000) {
  return until(
    'finding peers',
    () => viewer.metrics(),
    ({ peers }) => peers >= count,
    timeoutMs,
  );
}

/**
 * Stalls for want of data. Where seconds of the stream are held and the picture still pauses for a moment, the decoder waited
 * for a processor: another test had it. `npm start -- --viewers` counts those as well.
 */
export function stalls(seen) {
  return seen.stalls.filter(({ held, ms }) => held < HELD_ENOUGH_S || ms >= MOMENT_MS);
}

/** How many segments of `seconds` the viewer still has to fetch. */
export function segmentsToFetch({ duration, bufferedEnd }, seconds = 2) {
  return Math.floor((duration - bufferedEnd) / seconds);
}

function brief(seen) {
  const text = JSON.stringify(seen) ?? String(seen);
  return text.length > 1500 ? `${text.slice(0, 1500)}…` : text;
}

let stages = 0;
