// What a page downloads of each contender's own code, compressed as a server would send it. The player is not counted.

import { readFile } from 'node:fs/promises';
import { brotliCompressSync, constants } from 'node:zlib';
import path from 'node:path';

import { PKG } from '../../scripts/lib/paths.mjs';
import { VENDOR, vendored } from '../lib/site.mjs';

const own = (name) => path.join(PKG, name);
const P2P = Object.keys(VENDOR).filter((name) => name.startsWith('p2p-'));
/** What a page with hls.js, or with a file to load, fetches; `main` runs on the main thread. */
const FILES = {
  swarmseal: { main: [own('index.js'), own('hls.js')], apart: [own('worker.js'), own('core_bg.wasm')] },
  'p2p-media-loader': { main: P2P.map(vendored), apart: [] },
  webtorrent: { main: [vendored('webtorrent.min.js')], apart: [] },
};

export const scenarios = [
  {
    name: 'size',
    title: 'bytes of code, brotli',
    contenders: Object.keys(FILES),
    subject: 'swarmseal',
    rounds: 1,
    figures: [
      { key: 'main', title: 'on the main thread', digits: 0, better: 'less' },
      { key: 'apart', title: 'in a worker', digits: 0, better: 'less' },
      { key: 'total', title: 'together', digits: 0, better: 'less' },
    ],
    options: {},
    async run({ contender }) {
      const [main, apart] = await Promise.all([
        compressed(FILES[contender].main),
        compressed(FILES[contender].apart),
      ]);
      return { main, apart, total: main + apart };
    },
  },
];

async function compressed(files) {
  const sizes = await Promise.all(
    files.map(async (file) => {
      const bytes = await readFile(file);
      return brotliCompressSync(bytes, {
        params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
      }).length;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
