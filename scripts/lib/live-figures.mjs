// From what viewers and origin say to the figures of a live run.

import { checkLoads } from './independent-check.mjs';
import { countOrigin, isMedia } from './origin-log.mjs';

const PREFIX = '/content/';
/** A player finds its place behind the live edge in this time. */
const SETTLED_MS = 10_000;
/** "0 stalls after the first 5 s". */
const SETTLING_MS = 5_000;
/** For so long before a fault is latency taken; and from two segments after it on. */
const BEFORE_MS = 6_000;
const BACK_MS = 4_000;
/** "Every viewer with at least 4 s buffered does not stall." */
const HELD_S = 4;

/**
 * `viewers` are {metrics, samples, loads, left}, `log` what the origin answered, `span` the Unix milliseconds of the run,
 * `heads` the heads published in that time.
 */
export async function liveFigures({ viewers, log, span: [from, to], heads, origin, folder, fault }) {
  const base = new URL(PREFIX, origin).href;
  const each = await Promise.all(viewers.map((viewer, n) => oneViewer(viewer, n, { base, folder, fault })));
  const asked = log.filter((entry) => entry.t_ms >= from && entry.t_ms <= to && entry.method === 'GET');
  const named = (pattern) => asked.filter(({ path }) => pattern.test(path)).length;
  const media = asked.filter((entry) => isMedia(entry.path));
  const [peers, http] = [sum(each, 'peerBytes'), sum(each, 'httpBytes')];
  const counted = await countOrigin(media, PREFIX, folder);
  const headRequests = named(/\/seal\/live\/(latest|\d+\/\d+\.head)$/);
  return {
    offload: peers + http === 0 ? null : peers / (peers + http),
    latencySeconds: median(each.map(({ latencySeconds }) => latencySeconds)),
    stallsAfterFirstFrame: sum(each, 'stallsAfterFirstFrame'),
    stallsAfterSettled: sum(each, 'stallsAfterSettled'),
    ...atFault(each),
    parseErrors: sum(each, 'parseErrors'),
    unverifiedBytesDelivered: sum(each, 'unverifiedBytesDelivered'),
    originBytesPerUniqueByte: counted.bytesPerUniqueByte,
    originRequestsPerUniqueSegment: counted.requestsPerUniqueSegment,
    headRequestsPerHead: heads === 0 ? null : headRequests / heads,
    heads,
    origin: {
      ...counted,
      headRequests,
      playlistRequests: named(/\.m3u8$/),
      logRequests: named(/\.(records|pages|rows)$/),
      refused: asked.filter(({ status }) => status === 0 || status >= 400).length,
    },
    fault,
    viewers: each,
  };
}

async function oneViewer({ metrics, samples, loads, noticed, left = false }, n, { base, folder, fault }) {
  // Playlists are others by now; the files of media stay as they were.
  const media = loads.filter(({ url }) => isMedia(new URL(url).pathname));
  const check = await checkLoads(media, base, folder);
  const began = samples.find(({ latencySeconds }) => latencySeconds !== null)?.at ?? Infinity;
  const settled = samples.filter(
    ({ at, latencySeconds }) => at > began + SETTLED_MS && latencySeconds !== null,
  );
  return {
    viewer: n + 1,
    left,
    played: metrics.firstFrameMs !== null && metrics.errors.every(({ fatal }) => fatal === false),
    firstFrameMs: metrics.firstFrameMs,
    latencySeconds: median(settled.map(({ latencySeconds }) => latencySeconds)),
    latencyAtEndSeconds: metrics.latencySeconds,
    stallsAfterFirstFrame: metrics.stalls.length,
    ...(fault === null ? {} : throughFault(samples, noticed, fault)),
    stalls: metrics.stalls,
    leastHeldSeconds: settled.length === 0 ? null : Math.min(...settled.map(({ held }) => held)),
    stallsAfterSettled: metrics.stalls.filter(({ at }) => at > metrics.firstFrameMs + SETTLING_MS).length,
    namedItsClock: noticed.some(({ type }) => type === 'clock-off'),
    parseErrors: metrics.parseErrors,
    unverifiedBytesDelivered: check.unverifiedBytes,
    bytesDelivered: check.bytes,
    peerBytes: metrics.bytes.peers,
    httpBytes: metrics.bytes.http,
    uploadedBytes: metrics.bytes.uploaded,
    connectionsKept: metrics.peers,
    errors: metrics.errors,
  };
}

/** How one viewer came through a fault. */
function throughFault(samples, noticed, { at: began, overAt }) {
  const ended = overAt ?? Infinity;
  const latencyIn = (from, to) =>
    median(samples.filter(({ at }) => at >= from && at < to).map(({ latencySeconds }) => latencySeconds));
  const peerBytesAt = (when) => samples.findLast(({ at }) => at <= when)?.peerBytes ?? 0;
  return {
    heldAtFaultSeconds: samples.findLast(({ at }) => at <= began)?.held ?? null,
    latencyBeforeFaultSeconds: latencyIn(began - BEFORE_MS, began),
    latencyAfterFaultSeconds: latencyIn(ended + BACK_MS, Infinity),
    peerBytesDuringFault: peerBytesAt(ended) - peerBytesAt(began),
    noticed: noticed.map(({ at, type, code, kind }) => ({
      ...{ type, code, kind },
      afterSeconds: (at - began) / 1000,
    })),
  };
}

/** How those fared who had enough in hand when the fault began. */
function atFault(each) {
  const enough = each.filter(({ heldAtFaultSeconds }) => (heldAtFaultSeconds ?? 0) >= HELD_S);
  return { viewersWithEnoughAtFault: enough.length, stallsOfThose: sum(enough, 'stallsAfterFirstFrame') };
}

/** Of numbers; nulls do not count. */
export function median(values) {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) {
    return null;
  }
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function sum(rows, key) {
  return rows.reduce((total, row) => total + row[key], 0);
}
