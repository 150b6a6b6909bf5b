// What every contender is served: one content, published once, the pages, and each contender's own files as they are
// distributed.

import { createCipheriv, createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import path from 'node:path';

import { PKG, ROOT, WORK } from '../../scripts/lib/paths.mjs';
import { demoKeys } from '../../scripts/lib/content.mjs';
import { emptyFolder, place, publish } from '../../scripts/lib/site.mjs';
import { media } from '../../tests/browser/lib/media.mjs';

export const BENCH = path.join(ROOT, 'bench');
const MODULES = path.join(BENCH, 'node_modules');

/** The rivals' files as a page loads them, by the name under /vendor/. */
export const VENDOR = {
  'hls.min.js': 'hls.js/dist/hls.min.js',
  'p2p-media-loader-core.es.min.js': 'p2p-media-loader-core/dist/p2p-media-loader-core.es.min.js',
  'p2p-media-loader-hlsjs.es.min.js': 'p2p-media-loader-hlsjs/dist/p2p-media-loader-hlsjs.es.min.js',
  'webtorrent.min.js': 'webtorrent/dist/webtorrent.min.js',
};

export const vendored = (name) => path.join(MODULES, VENDOR[name]);

/**
 * Makes the site: {root, folder, contents}; `contents` says of `stream`, `file` and what else `scenarios` play what a
 * page must know of them.
 */
export async function makeSite(scenarios) {
  const root = await emptyFolder(path.join(WORK, 'bench', 'site'));
  const keys = await demoKeys();
  await place(PKG, path.join(root, 'pkg'));
  await place(path.join(BENCH, 'pages'), path.join(root, 'bench'));
  await place(path.join(ROOT, 'tests', 'browser', 'viewer'), path.join(root, 'viewer'));
  for (const name of Object.keys(VENDOR)) {
    await place(vendored(name), path.join(root, 'vendor', name));
  }
  const asked = scenarios
    .map(({ options }) => options.content ?? 'stream')
    .filter((name) => name !== LIVE && name !== CROWD);
  const names = new Set(['stream', ...asked]);
  const streams = {};
  for (const name of names) {
    const { made, playlist = 'index.m3u8' } = STREAMS[name];
    const folder = path.join(root, 'content', name);
    await place(await media(made), folder);
    const source = `/content/${name}/${playlist}`;
    streams[name] = { ...(await published(folder, keys)), name, source, folder };
  }
  const file = path.join(root, 'content', 'file');
  await mkdir(file, { recursive: true });
  await writeNoise(path.join(file, 'file.bin'), FILE_BYTES);
  if (scenarios.some(({ options }) => options.content === CROWD)) {
    const folder = path.join(root, 'content', CROWD);
    await mkdir(folder, { recursive: true });
    await writeNoise(path.join(folder, 'first.bin'), BLOCK_BYTES);
    await writeNoise(path.join(folder, 'rest.bin'), FILE_BYTES);
    streams[CROWD] = {
      ...(await published(folder, keys)),
      source: `/content/${CROWD}/rest.bin`,
      bytes: FILE_BYTES,
    };
  }
  return {
    root,
    keys,
    contents: {
      ...streams,
      file: {
        ...(await published(file, keys)),
        source: '/content/file/file.bin',
        bytes: FILE_BYTES,
        folder: file,
      },
    },
  };
}

async function published(folder, keys) {
  const { content } = await publish(folder, keys.publisher.file);
  return {
    content,
    manifest: `/content/${path.basename(folder)}/content.seal`,
    trust: keys.publisher.publicKey,
  };
}

/** The same bytes every time, and nothing in them to compress. */
async function writeNoise(file, bytes) {
  const out = createWriteStream(file);
  for (let written = 0, n = 0; written < bytes; n += 1) {
    const block = noise(n);
    out.write(block);
    written += block.length;
  }
  out.end();
  await once(out, 'finish');
}

function noise(n) {
  const key = createHash('sha256').update(`block ${n}`).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(BLOCK_BYTES));
}

/** Name and version of everything that is measured against. */
export async function rivalVersions() {
  const { devDependencies } = JSON.parse(await readFile(path.join(BENCH, 'package.json'), 'utf8'));
  return devDependencies;
}

export async function writeResult(file, result) {
  await writeFile(file, `${JSON.stringify(result, null, 2)}\n`);
}

/** What of tests/browser/lib/media.mjs is served under which name. */
const STREAMS = {
  stream: { made: 'steady' },
  long: { made: 'long' },
  ladder: { made: 'ladder', playlist: 'master.m3u8' },
  many: { made: 'many' },
};
/** On the air only while a scenario plays it, which says when: scenarios/live.mjs. */
export const LIVE = 'live';
/** A file that a page holds before others come, and one that they send it. */
export const CROWD = 'crowd';
const BLOCK_BYTES = 1024 * 1024;
const FILE_BYTES = 64 * BLOCK_BYTES;
