// Viewers of one stream, one after the other: what the origin sent, what the page cost, and how it played.

import { setTimeout as sleep } from 'node:timers/promises';
import { stat } from 'node:fs/promises';
import path from 'node:path';

import { Failed, until } from '../lib/trial.mjs';
import { median } from '../lib/statistics.mjs';
import { LIVE } from '../lib/site.mjs';
import { checkLoads } from '../../scripts/lib/independent-check.mjs';

const MB = 1e6;

/** What each contender needs beside its files. */
const TRACKERS = { 'hls.js': null, 'p2p-media-loader': 'bittorrent', swarmseal: 'swarmseal' };
export const PLAYERS = Object.keys(TRACKERS);
/** Not the player's default, but it avoids a known fault of the main rival's release, which is so seen at its best too. */
export const WORKER_OFF = 'p2p-media-loader, player worker off';

export function trackerOf(contender) {
  return TRACKERS[contender.split(', ')[0]];
}

/** What is played in this trial. */
function contentOf({ site, options }) {
  return site.contents[options.content ?? 'stream'];
}

export const PLAYER_FIGURES = [
  { key: 'offload', title: 'offload (of all bytes played)', digits: 3, better: 'more' },
  { key: 'fromPeers', title: 'from peers, of all bytes fetched', digits: 3, better: 'more' },
  { key: 'requests', title: 'origin requests per unique segment', digits: 3, better: 'less' },
  { key: 'originBytes', title: 'origin bytes per unique byte', digits: 3, better: 'less' },
  { key: 'shortSegments', title: 'segments given empty or short', digits: 0, better: 'less' },
  { key: 'wrongBytes', title: 'altered bytes given to players', digits: 0, better: 'less' },
  { key: 'stalls', title: 'stalls after the first frame', digits: 0, better: 'less' },
  { key: 'parseErrors', title: 'parse errors', digits: 0, better: 'less' },
  { key: 'firstFrameMs', title: 'first frame, ms', digits: 0, better: 'less' },
  { key: 'firstPeerByteMs', title: 'first byte from a peer, last viewer, ms', digits: 0, better: 'less' },
  { key: 'connections', title: 'RTCPeerConnections made per pair kept', digits: 2, better: 'less' },
  { key: 'cpuMsPerMB', title: 'CPU of all processes, ms per MB played', digits: 0, better: 'less' },
  { key: 'scriptMsPerMB', title: 'main thread script, ms per MB played', digits: 1, better: 'less' },
  { key: 'taskMsPerMB', title: 'main thread tasks, ms per MB played', digits: 1, better: 'less' },
  { key: 'memoryPerViewer', title: 'page processes, MiB per viewer', digits: 1, better: 'less' },
  { key: 'latencyS', title: 'behind the time of the encoder, s', digits: 2, better: 'less' },
  { key: 'positionS', title: 'last position of the last viewer, s', digits: 1 },
];

/** The parameters of a viewer page in this trial. */
function viewerParameters(trial, extra = {}) {
  return {
    ...trial.joining(contentOf(trial)),
    contender: trial.contender.split(', ')[0],
    playerWorker: trial.contender === WORKER_OFF ? 'off' : undefined,
    buffer: trial.options.buffer,
    backBuffer: trial.options.backBuffer,
    level: trial.options.level,
    probe: trial.options.probe,
    live: trial.options.content === LIVE ? 'on' : undefined,
    liveSync: trial.options.liveSync,
    ...extra,
  };
}

/**
 * Of the last viewer: its page looks for the first byte from a peer. Where there is no event for that it has to ask, ten times a
 * second, which costs its main thread; a page to which nobody sends would do so all the time.
 */
export const LAST = { firstByte: 'on' };

/** Opens a viewer and waits for its first frame. */
export async function openViewer(trial, extra = {}) {
  const viewer = await trial.page('player.html', viewerParameters(trial, extra));
  viewer.openedAt = Date.now();
  const { position } = await until(
    'first frame',
    FIRST_FRAME_S,
    () => viewer.metrics(),
    ({ firstFrameMs, errors }) => firstFrameMs !== null || errors.some(({ fatal }) => fatal),
  );
  viewer.beganAt = position;
  return viewer;
}

/** Reads every viewer; throws Failed, with the figures, if one does not play. */
export async function account(trial, viewers, { check = false } = {}) {
  const cpu = await trial.cpuSeconds();
  const memory = await trial.memory();
  const threads = await Promise.all(viewers.map((viewer) => viewer.mainThread()));
  const metrics = await Promise.all(viewers.map((viewer) => viewer.metrics()));
  const origin = await trial.sent(contentOf(trial).name);
  const { played, short } = await segmentsGiven(trial, metrics);
  const wrong = check ? await alteredBytes(trial, viewers) : undefined;
  const last = metrics.at(-1);
  const received = sum(metrics, ({ wire }) => wire.received);
  const kept = sum(metrics, ({ wire }) => wire.connected);
  const figures = {
    offload: 1 - origin.bytes / played,
    requests: origin.requestsPerUniqueSegment,
    originBytes: origin.bytesPerUniqueByte,
    shortSegments: short,
    wrongBytes: wrong,
    stalls: sum(metrics, ({ stalls }) => stalls.length),
    parseErrors: sum(metrics, (each) => each.parseErrors),
    firstFrameMs: sum(metrics, ({ firstFrameMs }) => firstFrameMs) / metrics.length,
    firstPeerByteMs: last.peers.firstByteMs ?? undefined,
    connections: kept === 0 ? undefined : sum(metrics, ({ wire }) => wire.made) / kept,
    cpuMsPerMB: (cpu * 1000) / (played / MB),
    scriptMsPerMB: (sum(threads, ({ script }) => script) * 1000) / (played / MB),
    taskMsPerMB: (sum(threads, ({ task }) => task) * 1000) / (played / MB),
    memoryPerViewer: memory / viewers.length / 2 ** 20,
    fromPeers: received / (received + origin.bytes),
    lastFromPeers: last.wire.received / (await segmentsGiven(trial, [last])).played,
    latencyS: median(metrics.map(({ latencyS }) => latencyS).filter((each) => each !== null)) ?? undefined,
    positionS: last.position,
    playedBytes: played,
    originBytesSent: origin.bytes,
    peerBytesReceived: received,
    peerBytesSent: sum(metrics, ({ wire }) => wire.sent),
  };
  const problem = metrics.map((each, n) => notPlaying(each, n, viewers[n])).find((text) => text !== null);
  if (problem !== undefined) {
    throw new Failed(problem, figures);
  }
  return figures;
}

/** Viewers join `stagger` seconds apart and the last of them plays for `seconds`. */
export function viewing({ viewers: count, stagger }) {
  return async (trial) => {
    const seconds = trial.options.seconds;
    await trial.open({ tracker: trackerOf(trial.contender) });
    const viewers = [];
    while (viewers.length < count) {
      viewers.push(await openViewer(trial, viewers.length === count - 1 ? LAST : {}));
      await sleep((viewers.length < count ? stagger : seconds) * 1000);
    }
    return account(trial, viewers);
  };
}

/** Bytes of the segments that players asked for and were given, by their size on disk, and how many came without all of them. */
async function segmentsGiven(trial, metrics) {
  const { folder, name } = contentOf(trial);
  const given = metrics.flatMap(({ loaded }) => loaded);
  let [played, short] = [0, 0];
  for (const { url, length } of given) {
    const { size } = await stat(path.join(folder, path.relative(`/content/${name}`, new URL(url).pathname)));
    played += size;
    short += length < size ? 1 : 0;
  }
  return { played, short };
}

async function alteredBytes(trial, viewers) {
  const { folder, name } = contentOf(trial);
  const base = new URL(`/content/${name}/`, trial.origin.url).href;
  const checks = await Promise.all(
    viewers.map(async (viewer) => checkLoads(await viewer.loads(), base, folder)),
  );
  return sum(checks, ({ unverifiedBytes }) => unverifiedBytes);
}

function notPlaying(metrics, n, viewer) {
  const name = `viewer ${n + 1}`;
  const codes = [...new Set(metrics.errors.map(({ code }) => code))].join(', ');
  if (metrics.firstFrameMs === null) {
    const why = [...metrics.errors.map(({ code, message }) => `${code}: ${message}`), ...viewer.problems];
    return `${name} shows no picture (${why.join('; ')})`;
  }
  const possible = (Date.now() - viewer.openedAt) / 1000;
  const played = metrics.position - viewer.beganAt;
  if (!metrics.ended && played < possible * PLAYED_SHARE) {
    return `${name} has played ${played.toFixed(1)} s after ${possible.toFixed(0)} s (${codes || 'no error'})`;
  }
  return null;
}

function sum(rows, value) {
  return rows.reduce((total, row) => total + value(row), 0);
}

const FIRST_FRAME_S = 30;
const PLAYED_SHARE = 0.7;
