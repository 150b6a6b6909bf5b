// Compares what a player was given with the files on disk, by plain SHA-256 of files and ranges: nothing of swarmseal is used.

import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import path from 'node:path';

/**
 * `loads` are {url, range, length, sha256}; `base` is the URL of `folder`.
 * Returns the bytes given and those that differ from the disk, with the loads that do.
 */
export async function checkLoads(loads, base, folder) {
  const known = new Map();
  const wrong = [];
  let [bytes, unverifiedBytes] = [0, 0];
  for (const load of loads) {
    bytes += load.length;
    const key = `${new URL(load.url).pathname} ${load.range ?? ''}`;
    if (!known.has(key)) {
      known.set(key, await digestOf(load, base, folder));
    }
    if (known.get(key) !== load.sha256) {
      unverifiedBytes += load.length;
      wrong.push(load);
    }
  }
  return { bytes, unverifiedBytes, wrong };
}

async function digestOf({ url, range }, base, folder) {
  const [from, to] = [new URL(base).pathname, new URL(url).pathname];
  if (!to.startsWith(from)) {
    return null;
  }
  const file = path.join(folder, decodeURIComponent(to.slice(from.length)));
  const size = await stat(file).then(
    (found) => found.size,
    () => null,
  );
  if (size === null) {
    return null;
  }
  const [first, last] = range ?? [0, size - 1];
  const hash = createHash('sha256');
  if (last >= first) {
    const handle = await open(file);
    for await (const part of handle.createReadStream({ start: first, end: last })) {
      hash.update(part);
    }
  }
  return hash.digest('hex');
}
