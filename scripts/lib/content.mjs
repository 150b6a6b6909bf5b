// The content that a run plays: the sample, published afresh into .work/, or a folder that its user published.

import path from 'node:path';

import { SAMPLE_MEDIA, WORK } from './paths.mjs';
import { emptyFolder, inspect, keyPair, place, publish } from './site.mjs';

/** Keys made once for this checkout: {file, publicKey} of the demo's publisher and of its tracker. */
export async function demoKeys() {
  const folder = path.join(WORK, 'keys');
  return { publisher: await keyPair(folder, 'publisher'), tracker: await keyPair(folder, 'tracker') };
}

/** Puts the content at `folder`: {folder, contentId, publicKey, playlist, name}. */
export async function placeContent(folder, { content, key } = {}) {
  await emptyFolder(folder);
  if (content !== undefined) {
    if (key === undefined) {
      throw new Error('--content needs --key, the public key of its publisher (ed25519:…)');
    }
    await place(path.resolve(content), folder);
    return described(folder, await inspect(folder), key, path.basename(path.resolve(content)));
  }
  const { publisher } = await demoKeys();
  await place(SAMPLE_MEDIA, folder, { own: true });
  return described(folder, await publish(folder, publisher.file), publisher.publicKey, 'A day over the lake');
}

function described(folder, manifest, publicKey, name) {
  const playlists = manifest.assets.map(({ path: file }) => file).filter((file) => file.endsWith('.m3u8'));
  const playlist = FIRST_PLAYLISTS.find((file) => playlists.includes(file)) ?? playlists.sort(byDepth)[0];
  if (playlist === undefined) {
    throw new Error(`${name} lists no HLS playlist`);
  }
  return { folder, contentId: manifest.content, publicKey, playlist, name };
}

function byDepth(a, b) {
  return a.split('/').length - b.split('/').length || a.localeCompare(b);
}

const FIRST_PLAYLISTS = ['master.m3u8', 'index.m3u8', 'main.m3u8'];
