import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SWARMSEAL } from '../../../scripts/lib/paths.mjs';
import { Stage, playsTo, stalls, until } from '../lib/stage.mjs';
import { inspect } from '../../../scripts/lib/site.mjs';
import { output } from '../../../scripts/lib/run.mjs';

/** The sample lasts 83.9 s; a viewer who comes when 80 s are there crosses its first repetition. */
const AHEAD_S = 80;
const BEYOND_S = 92;

test('a plain player plays the live sample beyond its first repetition, and its end; the recording is shared', async (t) => {
  const stage = await Stage.open(t, { live: { loop: ['--ahead', String(AHEAD_S)] } });
  const viewer = await stage.viewer({ swarmseal: 'off', height: 180 });
  const seen = await playsTo(viewer, BEYOND_S, 60_000);
  assert.deepEqual(stalls(seen), []);
  assert.equal(seen.parseErrors, 0);

  await stage.live.end();
  const ended = await until(
    'the end',
    () => viewer.metrics(),
    (now) => now.ended,
  );
  assert.deepEqual(stalls(ended), []);
  const media = (await viewer.loads()).filter(({ url }) => url.endsWith('.m4s'));
  assert.ok(
    media.some(({ url }) => url.endsWith('video-180/index-43.m4s')),
    'a segment of the second repetition',
  );
  await stage.closeViewer(viewer);

  // What is there now is a recording: signed, complete, and played by a peer.
  await output(SWARMSEAL, ['verify', stage.folder, '--key', stage.keys.publisher.publicKey]);
  const recording = await inspect(stage.folder);
  assert.equal(recording.content, stage.manifest.content);
  const peer = await stage.viewer({ height: 180, start: 0 });
  await playsTo(peer, 4);
  assert.equal((await stage.check(peer)).unverifiedBytes, 0);
});
