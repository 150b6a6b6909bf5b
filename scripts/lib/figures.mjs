// From what viewers and origin say to the figures of a run.

const MIN_PLAYED_SHARE = 0.5;

/** The result of a measured run, as it is written to JSON. */
export function summary({ plan, viewers, origin, versions }) {
  const each = viewers.map((viewer, n) => oneViewer(viewer, plan, n));
  const [peers, http] = [sum(each, 'peerBytes'), sum(each, 'httpBytes')];
  return {
    offload: peers + http === 0 ? null : peers / (peers + http),
    originRequestsPerUniqueSegment: origin.requestsPerUniqueSegment,
    originBytesPerUniqueByte: origin.bytesPerUniqueByte,
    stallsAfterFirstFrame: sum(each, 'stallsAfterFirstFrame'),
    parseErrors: sum(each, 'parseErrors'),
    unverifiedBytesDelivered: sum(each, 'unverifiedBytesDelivered'),
    firstFrameMs: each.map(({ firstFrameMs }) => firstFrameMs),
    viewers: each,
    origin,
    plan,
    versions,
  };
}

function oneViewer({ metrics, check, mediaBytes, mediaLoads }, plan, n) {
  const reason = whyNotPlayed(metrics, plan);
  return {
    viewer: n + 1,
    played: reason === null,
    ...(reason === null ? {} : { reason }),
    firstFrameMs: metrics.firstFrameMs,
    position: metrics.position,
    stallsAfterFirstFrame: metrics.stalls.length,
    stalls: metrics.stalls,
    parseErrors: metrics.parseErrors,
    unverifiedBytesDelivered: check.unverifiedBytes,
    unverifiedLoads: check.wrong,
    bytesDelivered: check.bytes,
    mediaBytes,
    mediaLoads,
    peerBytes: metrics.bytes.peers,
    httpBytes: metrics.bytes.http,
    uploadedBytes: metrics.bytes.uploaded,
    connectionsMade: metrics.connectionsMade,
    connectionsKept: metrics.peers,
    errors: metrics.errors,
  };
}

function whyNotPlayed(metrics, plan) {
  const fatal = metrics.errors.find((error) => error.fatal !== false);
  if (metrics.firstFrameMs === null) {
    return `no first frame${fatal === undefined ? '' : ` (${fatal.code}: ${fatal.message})`}`;
  }
  const wanted = Math.min(plan.seconds, metrics.duration || plan.seconds) * MIN_PLAYED_SHARE;
  if (metrics.position < wanted && !metrics.ended) {
    return `only at ${metrics.position.toFixed(1)} s after ${plan.seconds} s`;
  }
  return null;
}

function sum(rows, key) {
  return rows.reduce((total, row) => total + row[key], 0);
}
