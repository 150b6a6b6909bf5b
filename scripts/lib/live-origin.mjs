// Where a measured live stream is fetched from: the server, or an origin that misbehaves with a tracker beside it.

import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { Origin } from '../../tests/browser/lib/origin.mjs';
import { WORK } from './paths.mjs';
import { readLog } from './origin-log.mjs';
import { serve, track } from './service.mjs';

/** {url, tracker, log(), stop()}; `fault` is one of origin-faults.mjs, or null; `lowLatency` as in service.mjs. */
export async function liveOrigin({ site, publicKey, trackerKey, fault, lowLatency }) {
  const serving = { root: site, publicKey, trackerKey };
  if (fault === null) {
    const accessLog = path.join(WORK, 'measure-live-access.jsonl');
    await writeFile(accessLog, '');
    const service = await serve({ ...serving, accessLog, lowLatency });
    const { url, tracker } = service;
    return { url, tracker, log: () => readLog(accessLog), stop: () => service.stop() };
  }
  const [origin, tracker] = await Promise.all([new Origin(site, fault).listen(), track(serving)]);
  return {
    url: origin.url,
    tracker: tracker.tracker,
    log: () => origin.log,
    stop: () => Promise.all([origin.stop(), tracker.stop()]),
  };
}
