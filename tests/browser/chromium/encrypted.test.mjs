import assert from 'node:assert/strict';
import { mkdir, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import { Stage, findsPeers, goesAhead, playsTo } from '../lib/stage.mjs';

test('an AES-128 stream is shared as ciphertext, and no peer message has its key or asks for it', async (t) => {
  let key;
  const stage = await Stage.open(t, {
    stream: 'encrypted',
    prepare: async (folder) => {
      const own = path.join(folder, '..', 'key');
      await mkdir(own);
      await rename(path.join(folder, 'key.bin'), path.join(own, 'key.bin'));
      key = await readFile(path.join(own, 'key.bin'));
    },
  });
  const worker = '/viewer/worker.js?listen';
  const first = await stage.viewer({ worker });
  await listen(first, key);
  await goesAhead(first, 6);
  const second = await stage.viewer({ worker });
  await listen(second, key);
  await findsPeers(second);
  const seen = await playsTo(second, 8);
  assert.ok(seen.bytes.peers > 0, 'ciphertext came from the peer');
  assert.deepEqual((await stage.check(second)).wrong, []);

  for (const viewer of [first, second]) {
    const { messages, leaks } = await viewer.evaluate(() => window.__overheard);
    assert.ok(messages > 0, 'peer messages were overheard');
    assert.deepEqual(leaks, []);
  }
});

// Looks through everything that the viewer's worker sends to peers, from now on.
function listen(viewer, key) {
  const forms = [
    key,
    Buffer.from(key.toString('hex')),
    Buffer.from(key.toString('base64')),
    Buffer.from('key.bin'),
  ];
  return viewer.evaluate(
    (needles) => {
      window.__overheard = { messages: 0, leaks: [] };
      new BroadcastChannel('worker-faults').onmessage = ({ data: { label, bytes } }) => {
        window.__overheard.messages += 1;
        const text =
          String.fromCharCode(...bytes.subarray(0, 100)) +
          Array.from(bytes.subarray(100), (b) => String.fromCharCode(b)).join('');
        for (const needle of needles) {
          if (text.includes(String.fromCharCode(...needle))) {
            window.__overheard.leaks.push({ label, needle });
          }
        }
      };
    },
    forms.map((form) => [...form]),
  );
}
