import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';

import { Stage, goesAhead, playsTo, segmentsToFetch, stalls } from '../lib/stage.mjs';
import { publish } from '../../../scripts/lib/site.mjs';

test('an honest viewer on an older manifest version is not blamed', async (t) => {
  const stage = await Stage.open(t, { own: true });
  const older = await stage.viewer();
  await goesAhead(older, 6);

  // A segment far ahead of both viewers changes, and the content is published again.
  await cp(path.join(stage.folder, 's070.m4s'), path.join(stage.folder, 's080.m4s'));
  await publish(stage.folder, stage.keys.publisher.file);
  const newer = await stage.viewer();
  const early = await playsTo(newer, 2);
  assert.ok(segmentsToFetch(early) >= 5, `${segmentsToFetch(early)} segments to fetch`);
  await playsTo(newer, 10);
  await sleep(1000);

  for (const viewer of [older, newer]) {
    assert.deepEqual(await viewer.events('peer-blamed'), []);
    assert.deepEqual(stalls(await viewer.metrics()), []);
    assert.deepEqual((await stage.check(viewer)).wrong, []);
  }
});
