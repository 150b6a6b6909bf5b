// Where a viewer's segments came from, by the events of its peer.

/** Finished media segments in order of track and index: {track, index, fromPeers, fromHttp, httpReason}. */
export async function objectsDone(viewer) {
  const events = await viewer.events('object-done');
  return events
    .filter(({ track }) => track > 0)
    .sort((a, b) => a.track - b.track || a.index - b.index)
    .map(({ track, index, fromPeers, fromHttp, httpReason }) => ({
      track,
      index,
      fromPeers,
      fromHttp,
      httpReason,
    }));
}

/** Bytes from peers / all bytes of these segments. */
export function shareFromPeers(objects) {
  const peers = objects.reduce((sum, { fromPeers }) => sum + fromPeers, 0);
  const http = objects.reduce((sum, { fromHttp }) => sum + fromHttp, 0);
  return peers / (peers + http);
}
