// What goes wrong at an origin while a live stream runs. Each fault is what Origin (tests/browser/lib/origin.mjs) asks before
// it answers; it begins when `begin()` is called, and `happened` counts what it did.

import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { isMedia } from './origin-log.mjs';

const PREFIX = '/content/';

/** `text` is NAME or NAME:N, one of FAULTS; `folder` is that of the stream, `targetS` the length of a segment. */
export async function originFault(text, { folder, targetS }) {
  const [name, number] = text.split(':');
  const make = FAULTS[name];
  const count = number === undefined ? undefined : Number(number);
  if (make === undefined || (count !== undefined && !(count > 0))) {
    throw new Error(`--fault must be one of ${Object.keys(FAULTS).join(', ')}, perhaps with :N; not ${text}`);
  }
  return { name, ...(await make({ folder, targetS, count })) };
}

const FAULTS = {
  /** The origin answers nobody for so many seconds. */
  stop({ count = 3 }) {
    let until = 0;
    return {
      happened: 0,
      begin: () => (until = Date.now() + count * 1000),
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
    return { happened: 0, times: count, begin: () => {} };
  },

  /** The newest head stays as it is. */
  freeze({ folder, targetS, count = 4 * targetS }) {
    return heldBack(folder, count, (current) => current);
  },

  /** The newest head is one from the beginning of the run. */
  async replay({ folder, targetS, count = 4 * targetS }) {
    const first = await newest(folder);
    return heldBack(folder, count, () => first);
  },
};

/** For `seconds` from the beginning, the newest head is what `choose` says of the one at the beginning. */
function heldBack(folder, seconds, choose) {
  let [until, given] = [0, null];
  return {
    happened: 0,
    async begin() {
      given = choose(await newest(folder));
      until = Date.now() + seconds * 1000;
    },
    instead(requested) {
      if (requested !== `${PREFIX}${LATEST}` || Date.now() >= until) return null;
      this.happened += 1;
      return given;
    },
  };
}

const newest = (folder) => readFile(path.join(folder, LATEST));
const isSegment = (requested) =>
  requested.startsWith(PREFIX) && isMedia(requested) && !/init/.test(requested);
const LATEST = 'seal/live/latest';
