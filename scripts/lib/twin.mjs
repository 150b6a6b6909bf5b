// A second publisher with the keys of the first: what a stolen state, or one restored in two places, makes of a stream.

import { copyFile, cp, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { SWARMSEAL } from './paths.mjs';
import { isMedia } from './origin-log.mjs';
import { start } from './run.mjs';

const MIRROR_EVERY_MS = 100;

/**
 * From now on, what the stream in `folder` gets is mirrored to a twin of it, with one byte of every segment changed, and
 * signed there. `live` is what goLive gave, `state` the publisher's. Gives the twin's folder.
 */
export async function twin(live, { folder, state, publisher }) {
  const [own, ownState] = [`${folder}-twin`, `${state}-twin`];
  await cp(folder, own, { recursive: true, force: true });
  await cp(state, ownState, { recursive: true, force: true });
  const known = new Set(await readdir(own));
  start(SWARMSEAL, ['publish', own, '--watch', '--key', publisher.file, '--state', ownState]);
  let mirroring = Promise.resolve();
  const timer = setInterval(() => {
    mirroring = mirroring.then(() => mirror(folder, own, known));
  }, MIRROR_EVERY_MS);
  live.packager.ended.then(() => clearInterval(timer));
  return own;
}

async function mirror(from, to, known) {
  const names = await readdir(from);
  for (const name of names.filter((name) => isMedia(name) && name.endsWith('.m4s') && !known.has(name))) {
    known.add(name);
    const bytes = await readFile(path.join(from, name));
    bytes[bytes.length - 1] ^= 1;
    await writeFile(path.join(to, name), bytes);
  }
  for (const name of names.filter((name) => name.endsWith('.m3u8'))) {
    await copyFile(path.join(from, name), path.join(to, `${name}.new`));
    await rename(path.join(to, `${name}.new`), path.join(to, name));
  }
}
