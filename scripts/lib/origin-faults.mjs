// What goes wrong at an origin while a live stream runs. Each fault is what Origin (tests/browser/lib/origin.mjs) asks before
// it answers; it begins when `begin()` is called, and `happened` counts what it did.

import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { isMedia } from './origin-log.mjs';

const PREFIX = '/content/';

/**
 * `text` is NAME or NAME:N, one of FAULTS; `folder` is that of the stream, `targetS` the length of a segment, `twin()` makes
 * a twin of the stream and gives its folder. `over()` says whether it has done all that it was to do, `seeksBack` that a
 * viewer should have gone back by then.
 */
export async function originFault(text, { folder, targetS, twin }) {
  const [name, number] = text.split(':');
  const make = FAULTS[name];
  const count = number === undefined ? undefined : Number(number);
  if (make === undefined || (count !== undefined && !(count > 0))) {
    throw new Error(`--fault must be one of ${Object.keys(FAULTS).join(', ')}, perhaps with :N; not ${text}`);
  }
  return { name, ...(await make({ folder, targetS, count, twin })) };
}

const FAULTS = {
  /** The origin answers nobody for so many seconds. */
  stop({ count = 3 }) {
    let until = 0;
    return {
      happened: 0,
      seeksBack: true,
      begin: () => (until = Date.now() + count * 1000),
      over: () => until > 0 && Date.now() >= until,
      stopped() {
        const refused = Date.now() < until;
        this.happened += refused ? 1 : 0;
        return refused;
      },
    };
  },

  /** The first response for each of so many segments ends in its middle. */
  cut({ count = 15 }) {
    const seen = new Set();
    let begun = false;
    return {
      happened: 0,
      begin: () => (begun = true),
      over() {
        return this.happened === count;
      },
      cutAfter(requested, length) {
        if (!isSegment(requested) || seen.has(requested)) return null;
        seen.add(requested);
        if (!begun || this.happened === count) return null;
        this.happened += 1;
        return Math.floor(length / 2);
      },
    };
  },

  /** So many times the viewer who has fetched from the origin last goes away without a goodbye; the runner does that. */
  leave({ count = 3 }) {
    return {
      happened: 0,
      times: count,
      begin: () => {},
      over() {
        return this.happened === count;
      },
    };
  },

  /** The newest head stays as it is. */
  freeze({ folder, targetS, count = 4 * targetS }) {
    return heldBack(count, async () => {
      const held = await newest(folder);
      return () => held;
    });
  },

  /** The newest head is one from the beginning of the run. */
  async replay({ folder, targetS, count = 4 * targetS }) {
    const first = await newest(folder);
    return heldBack(count, async () => () => first);
  },

  /** Every second one who asks is given the head of a twin, whose segments are others under the same key. */
  fork({ targetS, count = 4 * targetS, twin }) {
    return heldBack(count, async () => {
      const folder = await twin();
      let asked = 0;
      return () => ((asked += 1) % 2 === 1 ? newest(folder) : null);
    });
  },
};

/** For `seconds` from the beginning, the newest head is what `choose` made to give it. */
function heldBack(seconds, choose) {
  let [until, give] = [0, null];
  return {
    happened: 0,
    async begin() {
      give = await choose();
      until = Date.now() + seconds * 1000;
    },
    over: () => until > 0 && Date.now() >= until,
    async instead(requested) {
      if (requested !== `${PREFIX}${LATEST}` || Date.now() >= until) return null;
      this.happened += 1;
      return give();
    },
  };
}

const newest = (folder) => readFile(path.join(folder, LATEST));
const isSegment = (requested) =>
  requested.startsWith(PREFIX) && isMedia(requested) && !/init/.test(requested);
const LATEST = 'seal/live/latest';
