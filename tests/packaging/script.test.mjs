import { cp } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import { ROOT } from '../../scripts/lib/paths.mjs';
import { installedApp, plays, publishedSample } from './lib/customer.mjs';
import { serveFolder } from './lib/file-server.mjs';

test('a page with plain script tags plays', async (t) => {
  const { options } = await publishedSample(t);
  const folder = await installedApp('script', 'script');
  const vendor = path.join(folder, 'vendor');
  await cp(path.join(folder, 'node_modules', 'swarmseal'), path.join(vendor, 'swarmseal'), {
    recursive: true,
  });
  await cp(path.join(ROOT, 'node_modules', 'hls.js', 'dist', 'hls.min.js'), path.join(vendor, 'hls.js'));
  const server = await serveFolder(folder);
  t.after(() => server.stop());
  await plays(t, server.url, options);
});
