// N headless viewers play a content for a while; a table shows them live, and a JSON file holds what was measured.
// Started by `npm start -- --viewers N`, where WebRTC works.

import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import path from 'node:path';

import { Browsers, placeViewer, viewerUrl } from './lib/viewers.mjs';
import { LiveTable } from './lib/table.mjs';
import { RUN_OPTIONS } from './lib/options.mjs';
import { WORK } from './lib/paths.mjs';
import { bold, bytes, red, step } from './lib/say.mjs';
import { checkLoads } from './lib/independent-check.mjs';
import { countOrigin, isMedia, readLog } from './lib/origin-log.mjs';
import { demoKeys, placeContent } from './lib/content.mjs';
import { emptyFolder } from './lib/site.mjs';
import { figure, percent, resultLine, runMeasurement, wholeNumber } from './lib/measuring.mjs';
import { serve } from './lib/service.mjs';
import { summary } from './lib/figures.mjs';
import { versions } from './lib/versions.mjs';

const LOOK_EVERY_MS = 500;
const BUFFER_SECONDS = 12;

const COLUMNS = [
  { title: 'viewer', width: 6, value: ({ n }) => n + 1 },
  {
    title: 'position',
    width: 9,
    value: ({ latest }) => (latest === null ? '–' : `${latest.position.toFixed(1)} s`),
  },
  {
    title: 'buffer',
    width: 7,
    value: ({ latest }) => (latest === null ? '–' : `${(latest.bufferedEnd - latest.position).toFixed(1)} s`),
  },
  { title: 'stalls', width: 6, value: ({ latest }) => latest?.stalls.length ?? '–' },
  { title: 'from peers', width: 10, value: ({ latest }) => bytes(latest?.bytes?.peers ?? 0) },
  { title: 'from http', width: 10, value: ({ latest }) => bytes(latest?.bytes?.http ?? 0) },
  { title: 'uploaded', width: 10, value: ({ latest }) => bytes(latest?.bytes?.uploaded ?? 0) },
  { title: 'peers', width: 5, value: ({ latest }) => latest?.peers ?? '–' },
  { title: 'errors', width: 24, value: ({ latest }) => latest?.errors.at(-1)?.code ?? '' },
];

const { values } = parseArgs({ options: RUN_OPTIONS });
const plan = {
  viewers: wholeNumber(values, 'viewers', 3),
  seconds: wholeNumber(values, 'seconds', 60),
  stagger: Number(values.stagger ?? 3),
  browser: values.browser ?? 'chromium',
};

await runMeasurement(measure);

async function measure() {
  const site = await emptyFolder(path.join(WORK, 'measure'));
  const content = await placeContent(path.join(site, 'content'), values);
  await placeViewer(site);
  const keys = await demoKeys();
  const accessLog = path.join(WORK, 'measure-access.jsonl');
  await writeFile(accessLog, '');
  const service = await serve({
    root: site,
    publicKey: content.publicKey,
    trackerKey: keys.tracker.file,
    accessLog,
  });
  const url = viewerUrl(service.url, {
    source: content.playlist,
    content: content.contentId,
    tracker: service.tracker,
    trust: content.publicKey,
    trackerKey: keys.tracker.publicKey,
    height: values.height ?? (values.content === undefined ? 360 : null),
    buffer: BUFFER_SECONDS,
  });
  step(
    `${plan.viewers} viewers in ${plan.browser}, ${plan.stagger} s apart, ${plan.seconds} s each: ${service.url}`,
  );
  const browsers = new Browsers();
  const viewers = await playAll(browsers, url);
  const log = await readLog(accessLog);
  const result = summary({
    plan,
    viewers: await Promise.all(viewers.map((viewer) => account(viewer, service.url, content.folder))),
    origin: await countOrigin(log, '/content/', content.folder),
    versions: { ...(await versions()), browsers: await browsers.versions() },
  });
  await browsers.close();
  await service.stop();
  report(result);
  if (values.json !== undefined) {
    await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`);
  }
  return result.viewers.every(({ played: did }) => did);
}

// Viewers join one after the other; every one plays for the full time, and all are read before the first leaves.
async function playAll(browsers, url) {
  const viewers = [];
  const from = Date.now();
  const table = new LiveTable(COLUMNS);
  const end = from + (plan.seconds + plan.stagger * (plan.viewers - 1)) * 1000;
  let opening = null;
  while (Date.now() < end) {
    const due = from + viewers.length * plan.stagger * 1000;
    if (opening === null && viewers.length < plan.viewers && Date.now() >= due) {
      opening = browsers.open(plan.browser, url).then((viewer) => {
        viewers.push({ viewer, latest: null });
        opening = null;
      });
      await opening;
    }
    await Promise.all(viewers.map(look));
    table.show(viewers.map(({ latest }, n) => ({ n, latest })));
    await sleep(LOOK_EVERY_MS);
  }
  await Promise.all(viewers.map(look));
  table.show(
    viewers.map(({ latest }, n) => ({ n, latest })),
    { last: true },
  );
  return viewers;
}

async function look(entry) {
  entry.latest = await entry.viewer.metrics();
}

// The last word of one viewer, with what it was given checked against the disk.
async function account({ viewer, latest }, origin, folder) {
  const base = new URL('/content/', origin).href;
  const loads = await viewer.loads();
  const check = await checkLoads(loads, base, folder);
  const media = loads.filter(({ url }) => isMedia(new URL(url).pathname.slice('/content/'.length)));
  return {
    metrics: latest,
    check,
    mediaBytes: media.reduce((sum, { length }) => sum + length, 0),
    mediaLoads: media.length,
  };
}

function report(result) {
  console.log(bold('\n  result'));
  resultLine('offload', percent(result.offload), result.offload > 0);
  resultLine('origin bytes per unique byte', figure(result.originBytesPerUniqueByte, 3));
  resultLine('origin requests per unique segment', figure(result.originRequestsPerUniqueSegment, 3));
  resultLine(
    'stalls after the first frame',
    String(result.stallsAfterFirstFrame),
    result.stallsAfterFirstFrame === 0,
  );
  resultLine('parse errors', String(result.parseErrors), result.parseErrors === 0);
  resultLine(
    'unverified bytes delivered',
    String(result.unverifiedBytesDelivered),
    result.unverifiedBytesDelivered === 0,
  );
  resultLine(
    'first frame, ms',
    result.firstFrameMs.map((ms) => figure(ms, 0)).join(' '),
    !result.firstFrameMs.includes(null),
  );
  for (const [n, viewer] of result.viewers.entries()) {
    if (!viewer.played) {
      console.log(red(`  viewer ${n + 1} did not play: ${viewer.reason}`));
    }
  }
}
