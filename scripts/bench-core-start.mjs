// `npm run bench:core-start`, after `npm run build`: how long a new worker in Chromium takes from its first line to a core that
// can be called. Once as it is shipped, by columns; once as the module itself, compiled while it downloads. From loopback, so this
// is what it costs, and the download is what it saves.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { build } from 'esbuild';

import { launchBrowser } from './lib/browsers.mjs';
import { PKG, ROOT } from './lib/paths.mjs';

const ROUNDS = 25;
const WORKERS = {
  module: `import init from './www/core/core.js';
    onmessage = async () => {
      const from = performance.now();
      await init({ module_or_path: '/module.wasm' });
      postMessage([performance.now() - from]);
    };`,
  columns: `import { initSync } from './www/core/core.js';
    import { assembled } from './www/src/worker/columns.ts';
    onmessage = async () => {
      const from = performance.now();
      const file = new Uint8Array(await (await fetch('/columns.wasm')).arrayBuffer());
      const before = performance.now();
      const module = assembled(file);
      const after = performance.now();
      initSync({ module: await WebAssembly.compile(module) });
      postMessage([performance.now() - from, after - before]);
    };`,
};

const files = new Map([
  ['/', ['text/html', '<title>nothing</title>']],
  ['/module.wasm', ['application/wasm', await readFile(path.join(ROOT, 'www', 'core', 'core_bg.wasm'))]],
  ['/columns.wasm', ['application/wasm', await readFile(path.join(PKG, 'core_bg.wasm'))]],
]);
for (const [name, contents] of Object.entries(WORKERS)) {
  const stdin = { contents, resolveDir: ROOT };
  const built = await build({ stdin, bundle: true, minify: true, format: 'iife', write: false });
  files.set(`/${name}.js`, ['text/javascript', built.outputFiles[0].text]);
}
const server = createServer((request, response) => {
  const [type, body] = files.get(request.url) ?? [];
  response.writeHead(body === undefined ? 404 : 200, { 'content-type': type ?? 'text/plain' }).end(body);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${server.address().port}`;

const browser = await launchBrowser('chromium');
const times = { module: [], columns: [], 'of these, putting together': [] };
for (let round = 0; round < ROUNDS; round += 1) {
  for (const name of Object.keys(WORKERS)) {
    const page = await browser.open(`${origin}/`);
    const [whole, assembling] = await page.evaluate(
      (script) =>
        new Promise((resolve) => {
          const worker = new Worker(script);
          worker.onmessage = ({ data }) => resolve(data);
          worker.postMessage(null);
        }),
      `/${name}.js`,
    );
    times[name].push(whole);
    if (assembling !== undefined) times['of these, putting together'].push(assembling);
    await page.close();
  }
}
for (const [name, each] of Object.entries(times)) {
  const sorted = each.toSorted((one, other) => one - other);
  const [median, least, most] = [sorted[ROUNDS >> 1], sorted[0], sorted.at(-1)].map((ms) => ms.toFixed(1));
  console.log(`${name.padEnd(28)} median ${median} ms (${least} – ${most})`);
}
await browser.close();
server.close();
