// The sample, published and served: for tests that bring pages of their own.

import path from 'node:path';

import { demoKeys, placeContent } from './content.mjs';
import { serve } from './service.mjs';

/**
 * Publishes the sample into `root`/content and serves `root`:
 * {origin, tracker, publisher, trackerKey, content, playlist, close()}, keys as `ed25519:…`.
 */
export async function startServe({ root, listen }) {
  const placed = await placeContent(path.join(root, 'content'));
  const { tracker } = await demoKeys();
  const service = await serve({ root, publicKey: placed.publicKey, trackerKey: tracker.file, listen });
  return {
    origin: service.url,
    tracker: service.tracker,
    publisher: placed.publicKey,
    trackerKey: tracker.publicKey,
    content: placed.contentId,
    playlist: `content/${placed.playlist}`,
    close: () => service.stop(),
  };
}
