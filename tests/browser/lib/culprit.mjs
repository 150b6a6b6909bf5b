// Somebody who sends something else than the publisher signed, and whoever is fed by them.

import assert from 'node:assert/strict';

import { goesAhead, segmentsToFetch, until } from './stage.mjs';

const ENOUGH_SEGMENTS = 5;

/**
 * Opens the culprit, a viewer with another `worker`, and lets it play ahead; then its victim, in `browser`, with most of the
 * stream still to fetch. `prepare(culprit)` comes before it plays. Returns once the victim has blamed somebody:
 * {culprit, handle, victim, blamed}.
 */
export async function blames(stage, { worker, prepare = async () => {}, browser }) {
  const culprit = await stage.viewer({ worker }, 'chromium');
  await prepare(culprit);
  await goesAhead(culprit, 8);
  const { handle } = await culprit.metrics();
  const victim = await stage.viewer({}, browser);
  const early = await until(
    'the first frame',
    () => victim.metrics(),
    ({ firstFrameMs }) => firstFrameMs !== null,
  );
  const left = segmentsToFetch(early);
  assert.ok(left >= ENOUGH_SEGMENTS, `${left} segments to fetch`);
  const [blamed] = await until(
    'blaming the culprit',
    () => victim.events('peer-blamed'),
    (events) => events.length > 0,
  );
  return { culprit, handle, victim, blamed };
}
