// Puts together what an origin serves: contents, the built package, pages. Files are linked, not copied, where that works.

import {
  constants,
  copyFile,
  link,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import path from 'node:path';

import { output } from './run.mjs';
import { SWARMSEAL } from './paths.mjs';

/** An empty folder, whatever was there before. */
export async function emptyFolder(folder) {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  return folder;
}

/** The tree `from` as `to`, by hard links. `own` takes real copies, for files that something will change. */
export async function place(from, to, { own = false } = {}) {
  if ((await stat(from)).isFile()) {
    await mkdir(path.dirname(to), { recursive: true });
    await (own
      ? copyFile(from, to, constants.COPYFILE_FICLONE)
      : link(from, to).catch(() => copyFile(from, to)));
    return;
  }
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from)) {
    await place(path.join(from, name), path.join(to, name), { own });
  }
}

/** The folder, filled by `make(folder)` on first use; whoever looks meanwhile sees none of it or all. */
export async function madeOnce(folder, make) {
  if (await exists(folder)) {
    return folder;
  }
  await mkdir(path.dirname(folder), { recursive: true });
  const unfinished = await mkdtemp(`${folder}.`);
  await make(unfinished);
  await rename(unfinished, folder).catch(async (error) => {
    // Somebody else has made it meanwhile.
    if (!(await exists(folder))) throw error;
    await rm(unfinished, { recursive: true });
  });
  return folder;
}

/** The key pair `name` in `folder`, made on first use: {file, publicKey}. */
export async function keyPair(folder, name) {
  const own = await madeOnce(path.join(folder, name), (unfinished) =>
    output(SWARMSEAL, ['keygen', path.join(unfinished, `${name}.key`)]),
  );
  const file = path.join(own, `${name}.key`);
  return { file, publicKey: (await readFile(`${file}.pub`, 'utf8')).trim() };
}

/** Publishes a folder in place and says what was published. */
export async function publish(folder, keyFile) {
  await output(SWARMSEAL, ['publish', folder, '--key', keyFile]);
  return inspect(folder);
}

/** What a published folder says about itself. */
export async function inspect(folder) {
  return JSON.parse(await output(SWARMSEAL, ['inspect', folder, '--json']));
}

export async function exists(file) {
  return stat(file).then(
    () => true,
    () => false,
  );
}
