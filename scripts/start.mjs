// `npm start`: sets up, builds, publishes the sample, starts tracker and origin, and prints one URL.
// `npm start -- --viewers N --seconds S --json FILE` plays it in N headless viewers instead and measures.

import { parseArgs } from 'node:util';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { CommandFailed, run, stopAll } from './lib/run.mjs';
import { DEMO, ROOT, WORK } from './lib/paths.mjs';
import { bold, dim, red } from './lib/say.mjs';
import { build } from './lib/build-all.mjs';
import { demoKeys, placeContent } from './lib/content.mjs';
import { emptyFolder, place } from './lib/site.mjs';
import { RUN_OPTIONS } from './lib/options.mjs';
import { goLive } from './lib/live.mjs';
import { serve } from './lib/service.mjs';
import { whereWebRtcWorks } from './lib/network.mjs';
import { Missing, setup } from './setup.mjs';

const USAGE = `npm start                     open the page and play the sample
npm start -- --viewers N      play it in N headless viewers and measure
  --seconds S                   how long the last of them plays (60)
  --json FILE                   write the measurements
  --stagger S                   seconds between two viewers (3)
  --browser chromium|firefox    (chromium)
  --content DIR                 another published folder (needs --key, its publisher's public key)
  --key ed25519:…               the publisher key of --content
  --port P                      for the page (8080, or any free one)
  --live                        a live stream: --content, a folder of fMP4, or the sample, again and again
  --encoder ffmpeg              with --live: a real encoder instead
  --low-latency                 with --live: parts of half a second (low-latency HLS)
npm start -- --live --viewers N   measure a live stream (320×180, 1.5 Mbit/s, or --content)
  --control                     before it, the same players without peers; the run counts if they do not stall
  --pairs P                     P such pairs, one after the other
  --churn S                     every S seconds the oldest viewer leaves and another comes
  --fault NAME[:N]              stop (N s), cut (N segments), leave (N times), freeze, replay, fork (of heads, N s)
  --skew M                      clocks of viewers are M minutes ahead, behind, and right, in turn`;

const PORT = 8080;

let live = null;
process.on('SIGINT', () => signalled(130));
process.on('SIGTERM', () => signalled(143));

try {
  await main();
} catch (error) {
  const expected =
    error instanceof Missing || error instanceof CommandFailed || error.code?.startsWith('ERR_PARSE_ARGS');
  console.error(red(expected ? error.message : error.stack));
  leave(1);
}

async function main() {
  const { values } = parseArgs({ options: RUN_OPTIONS });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const measured = values.viewers !== undefined;
  const encodes = values.encoder !== undefined || values['low-latency'] || (measured && values.live);
  await setup(encodes ? 'live' : measured ? 'viewers' : 'start');
  await build();
  if (measured) {
    const args = process.argv.slice(2);
    const [command, rest] = await whereWebRtcWorks(process.execPath, [
      path.join(ROOT, 'scripts', values.live ? 'measure-live.mjs' : 'measure.mjs'),
      ...args,
    ]);
    await run(command, rest);
    return;
  }
  await openPage(values);
}

async function openPage({ content, key, port, live: isLive, encoder, 'low-latency': lowLatency }) {
  const site = await emptyFolder(path.join(WORK, 'page'));
  const { publisher, tracker } = await demoKeys();
  const folder = path.join(site, 'content');
  if (isLive) {
    const source = content === undefined ? undefined : path.resolve(content);
    const state = path.join(WORK, 'page-live');
    live = await goLive(folder, {
      ...{ publisher, state, lowLatency, source },
      // The sample has no fragments.
      encoder: encoder ?? (lowLatency && content === undefined ? 'ffmpeg' : undefined),
    });
  }
  const placed = live ?? (await placeContent(folder, { content, key }));
  await place(DEMO, site);
  const serving = {
    root: site,
    publicKey: placed.publicKey,
    trackerKey: tracker.file,
    lowLatency: lowLatency ? placed : undefined,
  };
  const service = await serve({ ...serving, listen: `127.0.0.1:${port ?? PORT}` }).catch((error) => {
    if (port === undefined && /in use/i.test(error.message)) {
      return serve(serving);
    }
    throw error;
  });
  const playlist = await (live?.begun() ?? placed.playlist);
  await writeFile(
    path.join(site, 'demo.json'),
    JSON.stringify(demoConfiguration({ ...placed, playlist }, service, tracker, isLive === true), null, 2),
  );
  console.log(
    `\n  ${bold(service.url)}\n\n  ${dim('Open it in two tabs: the second one is fed by the first. Ctrl-C stops everything.')}\n`,
  );
  if (live !== null) {
    void tellIfItEnds(live);
  }
  const status = await service.service.ended;
  throw new Error([`the server ended with ${status}`, ...service.service.lines.slice(-20)].join('\n'));
}

function demoConfiguration({ name, contentId, publicKey, playlist }, service, tracker, isLive) {
  return {
    title: name,
    live: isLive,
    manifest: 'content/content.seal',
    content: contentId,
    tracker: service.tracker,
    trust: [publicKey],
    trackerKeys: [tracker.publicKey],
    playlist: `content/${playlist}`,
  };
}

/** A stream that stops while the page is open is no reason to go, but to be told. */
async function tellIfItEnds({ packager, publishing }) {
  const status = await Promise.race([packager.ended, publishing.ended]);
  if (live !== null) {
    const said = [...packager.lines.slice(-5), ...publishing.lines.slice(-5)];
    console.error(red([`the live stream has ended (${status})`, ...said].join('\n')));
  }
}

/** A live stream gets its signed end and its recording first. A second signal does not wait for them. */
function signalled(status) {
  const ending = live;
  live = null;
  if (ending === null) {
    leave(status);
    return;
  }
  ending.end().then(
    () => leave(status),
    (error) => {
      console.error(red(error.message));
      leave(1);
    },
  );
}

function leave(status) {
  stopAll();
  process.exit(status);
}
