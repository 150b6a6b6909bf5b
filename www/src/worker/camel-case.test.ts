import assert from 'node:assert/strict';
import { test } from 'node:test';

import { camelCase } from './camel-case.js';

test('names change at every depth, values never do', () => {
  assert.deepEqual(
    camelCase({
      type: 'object_done',
      from_peers: 1,
      http_reasons: [['nobody_has', 2]],
      tracks: [{ media_type: 'a_b', bitrate: null }],
    }),
    {
      type: 'object_done',
      fromPeers: 1,
      httpReasons: [['nobody_has', 2]],
      tracks: [{ mediaType: 'a_b', bitrate: null }],
    },
  );
});
