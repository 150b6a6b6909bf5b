import path from 'node:path';
import { test } from 'node:test';
import { build, createServer } from 'vite';

import { installedApp, plays, publishedSample } from './lib/customer.mjs';
import { serveFolder } from './lib/file-server.mjs';

test('an app built with Vite plays', async (t) => {
  const { options } = await publishedSample(t);
  const root = await installedApp('vite-build', 'module');
  await build({ root, logLevel: 'error', configFile: false });
  const server = await serveFolder(path.join(root, 'dist'));
  t.after(() => server.stop());
  await plays(t, server.url, options);
});

test("an app on Vite's development server plays", async (t) => {
  const { options } = await publishedSample(t);
  const root = await installedApp('vite-dev', 'module');
  const server = await createServer({ root, logLevel: 'warn', configFile: false, server: { port: 0 } });
  t.after(() => server.close());
  await server.listen();
  await plays(t, server.resolvedUrls.local[0], options);
});
