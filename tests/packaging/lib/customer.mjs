// What a customer has: the packed package installed in an app of theirs, a published stream, and a browser.

import assert from 'node:assert/strict';
import { cp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import webpack from 'webpack';

import { launchBrowser } from '../../../scripts/lib/browsers.mjs';
import { demoKeys, placeContent } from '../../../scripts/lib/content.mjs';
import { PKG, ROOT, WORK } from '../../../scripts/lib/paths.mjs';
import { output } from '../../../scripts/lib/run.mjs';
import { serve } from '../../../scripts/lib/service.mjs';
import { emptyFolder } from '../../../scripts/lib/site.mjs';

const APPS = path.join(ROOT, 'tests', 'packaging', 'apps');

/** The app `app` (a folder of apps/) for the test `name`, with the tarball installed. Returns its folder. */
export async function installedApp(name, app) {
  const folder = await emptyFolder(path.join(WORK, 'packaging', name));
  await cp(path.join(APPS, app), folder, { recursive: true });
  await writeFile(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  const packed = JSON.parse(
    await output('npm', ['pack', PKG, '--json', '--silent', '--pack-destination', folder]),
  );
  const tarball = path.join(folder, packed[0].filename);
  // Nothing else is to be installed: hls.js is found in our own node_modules, above this folder.
  await output('npm', ['install', '--offline', '--no-save', '--silent', tarball], { cwd: folder });
  await rm(tarball);
  return folder;
}

/** Bundles an app as webpack does it without being told anything, but for the folder. Returns the built folder. */
export async function bundledByWebpack(app) {
  const built = path.join(app, 'dist');
  const stats = await new Promise((resolve, reject) => {
    const configuration = { mode: 'production', context: app, entry: './main.js', output: { path: built } };
    webpack(configuration, (error, result) => (error ? reject(error) : resolve(result)));
  });
  assert.deepEqual(stats.toJson({ all: false, errors: true }).errors, []);
  await cp(path.join(app, 'index.html'), path.join(built, 'index.html'));
  return built;
}

/** A published sample with its tracker: {options, origin, tracker}. Stopped when the test ends. */
export async function publishedSample(t) {
  const keys = await demoKeys();
  const site = await emptyFolder(path.join(WORK, 'packaging', `${path.basename(process.argv[1])}-site`));
  const content = await placeContent(path.join(site, 'content'));
  const service = await serve({
    root: site,
    publicKey: keys.publisher.publicKey,
    trackerKey: keys.tracker.file,
  });
  t.after(() => service.stop());
  const join = {
    manifest: `${service.url}/content/content.seal`,
    content: content.contentId,
    tracker: service.tracker,
    trackerKeys: [keys.tracker.publicKey],
    trust: [content.publicKey],
    policy: { share: 'on' },
  };
  const playlist = `${service.url}/content/${content.playlist}`;
  return { options: { join, playlist, playerWorker: true }, origin: service.url, tracker: service.tracker };
}

/** Opens the page and asserts that it plays what the peer verified, with nothing refused on the way. */
export async function plays(t, page, options) {
  const browser = await launchBrowser('chromium');
  t.after(() => browser.close());
  const url = new URL(page);
  url.searchParams.set('join', JSON.stringify(options));
  const opened = await browser.open('about:blank');
  const complaints = [];
  opened.page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  opened.page.on('pageerror', (error) => complaints.push(String(error)));
  await opened.page.goto(url.href);
  const seen = await opened.evaluate(watch, PLAYED_S);
  assert.deepEqual(complaints, []);
  assert.equal(seen.error, null);
  assert.ok(seen.position >= PLAYED_S, `played to ${seen.position} s`);
  assert.ok(seen.verified > 0, 'no media came through the peer');
}

async function watch(seconds) {
  const video = document.querySelector('video');
  const end = performance.now() + 30_000;
  const peer = await window.playing.catch((error) => ({ error: `${error.code}: ${error.message}` }));
  if (peer.error !== undefined) {
    return peer;
  }
  while (video.currentTime < seconds && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { media } = await peer.stats();
  return { error: null, position: video.currentTime, verified: media.fromHttp + media.fromPeers };
}

const PLAYED_S = 3;
