// What the measurements beside the rivals must reach. A goal about another contender is held against the same round.

import { median } from '../../../bench/lib/statistics.mjs';
import { number } from './plot.mjs';

const BARE = 'bare channel';
const P2P = 'p2p-media-loader';
const TRACKER = 'bittorrent-tracker';
const STORE_MIB = 64;

const GOALS = {
  'vod-2': [
    ratio('main thread script', 'scriptMsPerMB', P2P, '≤', 0.3),
    ratio('CPU of all processes', 'cpuMsPerMB', P2P, '≤', 1),
    connections(),
  ],
  'vod-3': [
    ratio('main thread script', 'scriptMsPerMB', P2P, '≤', 0.3),
    ratio('CPU of all processes', 'cpuMsPerMB', P2P, '≤', 1),
    connections(),
  ],
  corrupt: [of('altered bytes given to players', 'wrongBytes', 0, '≤', 0)],
  'file-1': [
    ratio('MiB/s', 'rate', BARE, '≥', 0.9),
    ratio('MiB/s', 'rate', 'webtorrent', '≥', 1.5),
    against(
      'first byte after the bare channel opens, ms',
      BARE,
      ({ firstByteMs }, bare) => firstByteMs - bare.openMs,
      0,
      '≤',
      400,
    ),
    against(
      'first byte beyond 1.5 × the time in which the bare channel opens, ms',
      BARE,
      ({ firstByteMs }, bare) => firstByteMs - 1.5 * bare.openMs,
      0,
      '≤',
      150,
    ),
    connections(),
  ],
  'file-3': [of('the seed sends, × the file', 'seedSent', 2, '≤', 1.15), connections()],
  memory: [
    against(
      `MiB per viewer beyond hls.js alone and the store of ${STORE_MIB}`,
      'hls.js',
      (own, plain) => own.memoryPerViewer - plain.memoryPerViewer - STORE_MIB,
      1,
      '≤',
      24,
    ),
    against(
      'wasm memory grows after the first minute, KiB',
      null,
      ({ wasmMiB, wasmFirstMiB }) => (wasmMiB - wasmFirstMiB) * 1024,
      0,
      '≤',
      0,
    ),
  ],
  start: [
    against(
      'first frame of the first viewer after that of hls.js alone, ms',
      'hls.js',
      (own, plain) => own.firstFrameMs - plain.firstFrameMs,
      0,
      '≤',
      150,
    ),
  ],
  size: [of('bytes of wasm and JavaScript, brotli', 'total', 0, '≤', 85 * 1024)],
  'tracker-introductions': [ratio('introductions per CPU second', 'introductionsPerCpuS', TRACKER, '≥', 2)],
  'tracker-idle': [of('KiB of memory for each idle peer', 'kibPerPeer', 1, '≤', 20)],
};

/** The scenarios that have goals. */
export const WITH_GOALS = Object.keys(GOALS);

/** {what, reached, goal, holds} for each goal of a scenario; nothing was reached where nothing was measured. */
export function goalsOf(id, { subject, results }) {
  const rounds = [...new Set(results.map(({ round }) => round))];
  const of = (n, contender) =>
    results.find((result) => result.round === n && result.contender === contender)?.figures;
  return (GOALS[id] ?? []).map(({ what, other, value, digits, sign, bound, unit }) => {
    const values = rounds
      .filter(
        (round) => of(round, subject) !== undefined && (other === null || of(round, other) !== undefined),
      )
      .map((round) => value(of(round, subject), other === null ? null : of(round, other)))
      .filter((each) => Number.isFinite(each));
    const reached = median(values);
    const keeps = (value) => (sign === '≥' ? value >= bound : value <= bound);
    const holds = reached !== null && keeps(reached);
    // Rounding must not make a near miss look like a hit.
    const exact = reached === null || keeps(Number(reached.toFixed(digits))) === holds ? digits : digits + 2;
    return {
      what: other === null || unit !== '×' ? what : `${what}, × ${other}`,
      reached: reached === null ? 'not measured' : number(reached, exact),
      goal: `${sign} ${number(bound, Number.isInteger(bound) ? 0 : 2)}`,
      holds,
    };
  });
}

function ratio(what, key, other, sign, bound) {
  return { ...against(what, other, (own, theirs) => own[key] / theirs[key], 2, sign, bound), unit: '×' };
}

function of(what, key, digits, sign, bound) {
  return against(what, null, (own) => own[key], digits, sign, bound);
}

function against(what, other, value, digits, sign, bound) {
  return { what, other, value, digits, sign, bound };
}

function connections() {
  return of('RTCPeerConnections made per pair kept', 'connections', 2, '≤', 1.2);
}
