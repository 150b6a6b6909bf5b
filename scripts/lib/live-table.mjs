// What live streams must reach in real browsers: one run each, what it is given, and what of its result has to hold.

/** A segment of the measured stream, and three target durations, in seconds. */
const SEGMENT_S = 2;
const PATIENCE_S = 3 * SEGMENT_S;
/** Latency is as before when it differs by less than a player's own wavering. */
const AS_BEFORE_S = 0.3;

export const LIVE_TABLE = [
  {
    name: 'live-3-viewers',
    args: ['--viewers', '3', '--seconds', '90', '--pairs', '5'],
    must: (result) => [
      ...counts(result),
      atLeast('offload of every run', Math.min(...result.pairs.map(({ peers }) => peers.offload)), 0.6),
      none(
        'stalls in any run',
        sum(result.pairs, ({ peers }) => peers.stallsAfterFirstFrame),
      ),
      atMost('origin bytes per unique byte', worst(result, 'originBytesPerUniqueByte'), 1.15),
      atMost('head requests per head', worst(result, 'headRequestsPerHead'), 1.5),
      atMost('latency against the control, median, s', Math.abs(result.latencyDifferenceSeconds), 0.2),
      atMost('any viewer behind its control, s', furthestBehind(result.pairs), SEGMENT_S),
    ],
  },
  {
    name: 'live-5-viewers-churn',
    args: ['--viewers', '5', '--seconds', '90', '--churn', '15', '--control'],
    must: (result) => [
      ...counts(result),
      atLeast('offload', result.offload, 0.7),
      none('stalls', result.stallsAfterFirstFrame),
    ],
  },
  {
    name: 'live-low-latency',
    args: ['--low-latency', '--viewers', '4', '--seconds', '90', '--control'],
    must: (result) => [
      ...counts(result),
      atMost('latency, s', result.latencySeconds, 3),
      atLeast('offload', result.offload, 0.4),
      none('stalls after the first 5 s', result.stallsAfterSettled),
    ],
  },
  {
    name: 'live-cut',
    args: ['--viewers', '3', '--seconds', '75', '--fault', 'cut:15', '--control'],
    must: (result) => [
      ...counts(result),
      happened(result, 15),
      none('stalls', result.stallsAfterFirstFrame),
      ...backToBefore(result),
    ],
  },
  {
    name: 'live-leave',
    // One more than pages are closed: who is elected may be another each time.
    args: ['--viewers', '4', '--seconds', '60', '--fault', 'leave:3', '--control'],
    must: (result) => [
      ...counts(result),
      happened(result, 3),
      none('stalls', result.stallsAfterFirstFrame),
      ...backToBefore(result),
    ],
  },
  {
    name: 'live-stop',
    // Who comes last, goes back then and needs what others had before.
    args: ['--viewers', '3', '--stagger', '12', '--seconds', '40', '--fault', 'stop:3', '--control'],
    must: (result) => [
      ...counts(result),
      happened(result, 1),
      atLeast('viewers with 4 s in hand', result.viewersWithEnoughAtFault, 1),
      none('stalls of those', result.stallsOfThose),
      atLeast(
        'bytes shared meanwhile',
        sum(result.viewers, (viewer) => viewer.peerBytesDuringFault),
        1,
      ),
      atLeast('viewers that go on afterwards', goOn(result), result.viewers.length),
    ],
  },
  noticed('freeze', ({ type }) => type === 'live-frozen'),
  noticed('replay', ({ type, code }) => type === 'head-refused' && code !== undefined),
  // Only who is shown both can know; nobody takes the second one, so nobody passes it on.
  noticed('fork', ({ type }) => type === 'publisher-contradicted', { by: 'a viewer', of: Math.min }),
  {
    name: 'live-clocks',
    args: ['--viewers', '3', '--seconds', '40', '--skew', '10', '--control'],
    must: (result) => [
      ...counts(result),
      none('stalls', result.stallsAfterFirstFrame),
      atLeast('viewers who name their clock', sum(result.viewers, named), 2),
      none('viewers who name a right one', named(result.viewers[2])),
      atLeast('offload', result.offload, 0.5),
    ],
  },
];

function noticed(fault, names, { by = 'every viewer', of = Math.max } = {}) {
  const first = ({ noticed: events }) => events.find(names)?.afterSeconds ?? Infinity;
  return {
    name: `live-${fault}`,
    args: ['--viewers', '3', '--seconds', '45', '--fault', fault],
    must: (result) => [
      happened(result, 1),
      atMost(`seconds until ${by} names it`, of(...result.viewers.map(first)), PATIENCE_S),
      none('wrong bytes', result.unverifiedBytesDelivered),
    ],
  };
}

/** The control runs must have had no stall, and every byte must be right. */
function counts(result) {
  return [
    { what: 'the control runs had no stall', value: result.counts, holds: result.counts === true },
    none('wrong bytes', result.unverifiedBytesDelivered),
  ];
}

function happened(result, times) {
  return atLeast('the fault happened, times', result.fault.happened, times);
}

function backToBefore({ viewers }) {
  const there = viewers.filter(({ left, latencyBeforeFaultSeconds: before }) => !left && before !== null);
  const later = there.map(
    ({ latencyBeforeFaultSeconds: before, latencyAfterFaultSeconds: after }) => (after ?? Infinity) - before,
  );
  return [
    atLeast('viewers through all of it', there.length, 1),
    atMost('latency two segments after it, against before, s', Math.max(...later), AS_BEFORE_S),
  ];
}

/** Viewers whose newest second of playing is after the fault. */
function goOn({ viewers }) {
  return viewers.filter(({ latencyAfterFaultSeconds: after }) => after !== null).length;
}

function furthestBehind(pairs) {
  const behind = pairs.flatMap(({ control, peers }) =>
    peers.viewers.map(({ latencySeconds }, n) => latencySeconds - control.viewers[n].latencySeconds),
  );
  return Math.max(...behind);
}

function worst({ pairs }, key) {
  return Math.max(...pairs.map(({ peers }) => peers[key]));
}

/** 1 or 0. */
function named({ namedItsClock }) {
  return Number(namedItsClock);
}

function sum(rows, of) {
  return rows.reduce((total, row) => total + of(row), 0);
}

const atLeast = (what, value, bound) => ({ what, value, must: `≥ ${bound}`, holds: value >= bound });
const atMost = (what, value, bound) => ({ what, value, must: `≤ ${bound}`, holds: value <= bound });
const none = (what, value) => ({ what, value, must: '0', holds: value === 0 });
