import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import { emptyFolder } from '../../scripts/lib/site.mjs';
import { bundledByWebpack, installedApp, plays, publishedSample } from './lib/customer.mjs';
import { serveFolder } from './lib/file-server.mjs';

const bundle = await bundledByWebpack(await installedApp('webpack', 'module'));

test('an app built with webpack plays', async (t) => {
  const { options } = await publishedSample(t);
  const server = await serveFolder(bundle);
  t.after(() => server.stop());
  await plays(t, server.url, options);
});

test('a page under a strict Content-Security-Policy plays', async (t) => {
  const { options, origin, tracker } = await publishedSample(t);
  const csp = [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self'",
    `connect-src 'self' ${origin} ${tracker}`,
    'media-src blob:',
    'img-src data:',
  ].join('; ');
  const server = await serveFolder(bundle, { 'Content-Security-Policy': csp });
  t.after(() => server.stop());
  // hls.js makes its own worker from a Blob, which this policy does not allow.
  await plays(t, server.url, { ...options, playerWorker: false });
});

test('a page whose bundle comes from another origin plays', async (t) => {
  const { options, origin, tracker } = await publishedSample(t);
  const cdn = await serveFolder(bundle, { 'Access-Control-Allow-Origin': '*' });
  t.after(() => cdn.stop());
  const page = await emptyFolder(path.join(bundle, '..', 'page'));
  await writeFile(
    path.join(page, 'index.html'),
    `<!doctype html><link rel="icon" href="data:," /><video muted></video><script src="${cdn.url}main.js"></script>`,
  );
  const csp = [
    "default-src 'none'",
    `script-src ${cdn.url} 'wasm-unsafe-eval'`,
    'worker-src blob:',
    `connect-src ${cdn.url} ${origin} ${tracker}`,
    'media-src blob:',
    'img-src data:',
  ].join('; ');
  const server = await serveFolder(page, { 'Content-Security-Policy': csp });
  t.after(() => server.stop());
  await plays(t, server.url, options);
});
