// The faults of measured live runs do take place: without this, a run that bears them would show nothing.

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { Origin } from '../lib/origin.mjs';
import { WORK } from '../../../scripts/lib/paths.mjs';
import { emptyFolder } from '../../../scripts/lib/site.mjs';
import { originFault } from '../../../scripts/lib/origin-faults.mjs';

const LONG_S = 600;
const LATEST = 'seal/live/latest';

for (const [name, expected] of [
  [`stop:${LONG_S}`, { latest: null, first: null, again: null, happened: 3 }],
  ['cut:2', { latest: 'third', first: null, again: 40_000, happened: 1 }],
  [`freeze:${LONG_S}`, { latest: 'second', first: 40_000, again: 40_000, happened: 1 }],
  [`fork:${LONG_S}`, { latest: 'other', first: 40_000, again: 40_000, happened: 1 }],
  [`replay:${LONG_S}`, { latest: 'first', first: 40_000, again: 40_000, happened: 1 }],
]) {
  test(`an origin with the fault ${name}`, async (t) => {
    const root = await emptyFolder(path.join(WORK, 'stages', `faults-${process.pid}`));
    const folder = path.join(root, 'content');
    await mkdir(path.join(folder, 'seal', 'live'), { recursive: true });
    await writeFile(path.join(folder, 's-1.m4s'), Buffer.alloc(40_000));
    await writeFile(path.join(folder, LATEST), 'first');
    const other = path.join(root, 'twin');
    await mkdir(path.join(other, 'seal', 'live'), { recursive: true });
    await writeFile(path.join(other, LATEST), 'other');
    const fault = await originFault(name, { folder, targetS: 2, twin: async () => other });
    const origin = await new Origin(root, fault).listen();
    t.after(() => origin.stop());
    await writeFile(path.join(folder, LATEST), 'second');
    assert.equal(await text(origin, LATEST), 'second');
    await fault.begin();
    await writeFile(path.join(folder, LATEST), 'third');
    assert.deepEqual(
      {
        latest: await text(origin, LATEST),
        first: (await text(origin, 's-1.m4s'))?.length ?? null,
        again: (await text(origin, 's-1.m4s'))?.length ?? null,
        happened: fault.happened,
      },
      expected,
    );
  });
}

test('a fault that nobody knows is refused', async () => {
  await assert.rejects(
    async () => originFault('stall', { folder: WORK, targetS: 2 }),
    /--fault must be one of/,
  );
});

/** What a request gets, or null if it breaks off. */
async function text(origin, name) {
  try {
    return await (await fetch(`${origin.url}/content/${name}`)).text();
  } catch (error) {
    assert.equal(error.name, 'TypeError');
    return null;
  }
}
