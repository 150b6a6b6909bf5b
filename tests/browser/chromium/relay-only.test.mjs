import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Stage, findsPeers, goesAhead, playsTo, stalls } from '../lib/stage.mjs';
import { TurnServer } from '../lib/turn.mjs';

test('in the mode relay media flows over the TURN server, and no other address reaches a peer', async (t) => {
  const turn = await TurnServer.start(t);
  const config = `[tracker]\nexposure = "relay"\n${turn.config()}`;
  const stage = await Stage.open(t, { stream: 'sample', config });
  const first = await stage.viewer({ height: 360 });
  await goesAhead(first, 4);
  const second = await stage.viewer({ height: 360 });
  await findsPeers(second);
  const seen = await playsTo(second, 8);

  assert.ok(seen.bytes.peers > 0, 'nothing came from the peer');
  assert.deepEqual(stalls(seen), []);
  assert.ok(turn.said('ALLOCATE processed, success'), 'the TURN server had nothing to do');
  for (const viewer of [first, second]) {
    const { candidates, paths } = await viewer.evaluate(async () => {
      const { connections } = await window.__viewer.peer.stats();
      return { candidates: window.__viewer.record.candidates, paths: connections.map(({ path }) => path) };
    });
    assert.ok(candidates.length > 0, 'no candidate came');
    for (const line of candidates) {
      assert.match(line, / typ relay /);
      assert.ok(line.includes(` ${turn.address} `), line);
    }
    for (const path of paths) {
      assert.deepEqual([path?.local, path?.remote], ['relay', 'relay']);
    }
  }
});
