// N headless viewers watch a live stream for a while, with peers and, as a control, without. A JSON file holds what was
// measured. Started by `npm start -- --live --viewers N`, where WebRTC works.

import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import path from 'node:path';

import { Browsers, placeViewer, viewerUrl } from './lib/viewers.mjs';
import { RUN_OPTIONS } from './lib/options.mjs';
import { WORK } from './lib/paths.mjs';
import { bold, red, step } from './lib/say.mjs';
import { demoKeys } from './lib/content.mjs';
import { emptyFolder } from './lib/site.mjs';
import { figure, percent, resultLine, runMeasurement, wholeNumber } from './lib/measuring.mjs';
import { goLive } from './lib/live.mjs';
import { liveOrigin } from './lib/live-origin.mjs';
import { liveFigures, median } from './lib/live-figures.mjs';
import { media } from '../tests/browser/lib/media.mjs';
import { originFault } from './lib/origin-faults.mjs';
import { twin } from './lib/twin.mjs';
import { versions } from './lib/versions.mjs';

const LOOK_EVERY_MS = 250;
const HEAD_EVERY_MS = 10;
const BUFFER_SECONDS = 12;
const SEGMENT_SECONDS = 2;
/** All of a run stays in the playlists' reach and on disk, so that it can be checked at the end. */
const WINDOW_SECONDS = 3600;
/** Events in which a viewer says that something is wrong with the stream. */
const NOTICES = [
  'head-refused',
  'publisher-contradicted',
  'live-frozen',
  'live-resumed',
  'clock-off',
  'warning',
];
/** For a fault that wants it, who came last goes back so far as it begins: to what it never had, but others have. */
const BACK_SECONDS = 18;
/** By then, everybody plays and has met. */
const FAULT_AFTER_SECONDS = 15;

const { values } = parseArgs({ options: RUN_OPTIONS });
const plan = {
  viewers: wholeNumber(values, 'viewers', 3),
  seconds: wholeNumber(values, 'seconds', 90),
  stagger: Number(values.stagger ?? 3),
  browser: values.browser ?? 'chromium',
  churn: values.churn === undefined ? null : wholeNumber(values, 'churn'),
  fault: values.fault ?? null,
  lowLatency: values['low-latency'] === true,
  skew: values.skew === undefined ? null : wholeNumber(values, 'skew'),
  pairs: values.pairs === undefined ? null : wholeNumber(values, 'pairs'),
};
const control = values.control === true || plan.pairs !== null;

await runMeasurement(measure);

async function measure() {
  const site = await emptyFolder(path.join(WORK, 'measure-live'));
  const folder = path.join(site, 'content');
  const state = path.join(WORK, 'measure-live-state');
  const { publisher, tracker } = await demoKeys();
  await placeViewer(site);
  const live = await goLive(folder, {
    publisher,
    state,
    encoder: values.encoder,
    source:
      values.content === undefined
        ? await media(plan.lowLatency ? 'fragments' : 'steady')
        : path.resolve(values.content),
    loop: ['--window', String(WINDOW_SECONDS)],
    lowLatency: plan.lowLatency,
  });
  if (!plan.lowLatency) {
    // A fault may begin with the first head; parts are grouped by the origin, so there the origin is first.
    await live.begun();
  }
  const fault =
    plan.fault === null
      ? null
      : await originFault(plan.fault, {
          folder,
          targetS: SEGMENT_SECONDS,
          twin: () => twin(live, { folder, state, publisher }),
        });
  const origin = await liveOrigin({
    ...{ site, publicKey: live.publicKey, trackerKey: tracker.file, fault },
    lowLatency: plan.lowLatency ? live : undefined,
  });
  const page = {
    source: await live.begun(),
    content: live.contentId,
    live: 'on',
    tracker: origin.tracker,
    trust: live.publicKey,
    trackerKey: tracker.publicKey,
    height: values.height,
    buffer: BUFFER_SECONDS,
  };
  const browsers = new Browsers();
  const runs = { browsers, live, origin, page, folder };
  const pairs = [];
  for (let n = 0; n < (plan.pairs ?? 1); n += 1) {
    const without = control ? await run(runs, { peers: false, fault: null }) : null;
    pairs.push({ control: without, peers: await run(runs, { peers: true, fault }) });
  }
  const result = {
    ...pairs.at(-1).peers,
    ...compared(pairs),
    plan,
    versions: { ...(await versions()), browsers: await browsers.versions() },
  };
  await browsers.close();
  await live.end();
  await origin.stop();
  report(result);
  if (values.json !== undefined) {
    await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`);
  }
  return result.viewers.every(({ played }) => played) && (fault === null || fault.happened > 0);
}

/** Everybody joins, watches for the full time, and is read before the last one leaves. */
async function run({ browsers, live, origin, page, folder }, { peers, fault }) {
  const url = (n) => viewerUrl(origin.url, { ...page, ...skewed(n), ...(peers ? {} : { swarmseal: 'off' }) });
  step(`${plan.viewers} viewers ${peers ? 'with' : 'without'} peers, ${plan.seconds} s: ${origin.url}`);
  await newSegment(live);
  const [from, headsBefore] = [Date.now(), live.heads()];
  const here = [];
  const gone = [];
  const join = async () => {
    const n = here.length + gone.length;
    here.push({ viewer: await browsers.open(plan.browser, url(n)), samples: [], skewMs: skewOf(n) });
  };
  const depart = async (entry) => {
    here.splice(here.indexOf(entry), 1);
    gone.push({ ...(await account(entry)), left: true });
    await entry.viewer.close();
  };
  const until = from + (plan.seconds + plan.stagger * (plan.viewers - 1)) * 1000;
  const faultAt = from + (plan.stagger * (plan.viewers - 1) + FAULT_AFTER_SECONDS) * 1000;
  const churnMs = (plan.churn ?? Infinity) * 1000;
  let [joined, churnAt, begunAt, overAt] = [
    0,
    from + plan.stagger * plan.viewers * 1000 + churnMs,
    null,
    null,
  ];
  while (Date.now() < until) {
    if (joined < plan.viewers && Date.now() >= from + joined * plan.stagger * 1000) {
      joined += 1;
      await join();
    }
    if (Date.now() >= churnAt && until - Date.now() > churnMs) {
      churnAt += churnMs;
      await depart(here[0]);
      await join();
    }
    if (fault !== null && begunAt === null && Date.now() >= faultAt) {
      if (fault.seeksBack === true) {
        await seekBack(here.at(-1));
      }
      await fault.begin();
      begunAt = Date.now();
    }
    if (begunAt !== null && fault.over()) {
      overAt ??= Date.now();
    }
    if (begunAt !== null && fault.times > fault.happened && (await fetcher(here)) !== null) {
      fault.happened += 1;
      await depart(await fetcher(here));
      await join();
    }
    await Promise.all(here.map(look));
    await sleep(LOOK_EVERY_MS);
  }
  const last = await Promise.all(here.map(account));
  const to = Date.now();
  await Promise.all(here.map(({ viewer }) => viewer.close()));
  return liveFigures({
    viewers: [...gone, ...last],
    log: await origin.log(),
    span: [from, to],
    heads: live.heads() - headsBefore,
    origin: origin.url,
    folder,
    fault: fault === null ? null : { name: fault.name, happened: fault.happened, at: begunAt, overAt },
  });
}

/** A player keeps the distance from the edge that it began with: runs that are compared begin alike. */
async function newSegment(live) {
  const [before, latest] = [live.heads(), Date.now() + 10 * SEGMENT_SECONDS * 1000];
  while (live.heads() === before && Date.now() < latest) {
    await sleep(HEAD_EVERY_MS);
  }
}

async function look(entry) {
  const metrics = await entry.viewer.metrics();
  const { latencySeconds: seen, bufferedEnd, position, bytes } = metrics;
  const latencySeconds = seen === null ? null : seen - entry.skewMs / 1000;
  entry.latest = { ...metrics, latencySeconds };
  entry.samples.push({
    at: Date.now(),
    latencySeconds,
    held: bufferedEnd - position,
    position,
    peerBytes: bytes.peers,
  });
}

async function account(entry) {
  await look(entry);
  return {
    metrics: entry.latest,
    samples: entry.samples,
    loads: await entry.viewer.loads(),
    noticed: await entry.viewer.happened(NOTICES),
  };
}

/** To before where it began. */
async function seekBack(entry) {
  const { viewer, samples } = entry;
  await viewer.seek(Math.max(0, samples.find(({ position }) => position > 0).position - BACK_SECONDS));
  // What it has in hand there is what counts.
  await look(entry);
}

/** Clocks are wrong one way and the other in turn, and every third one is right. */
function skewOf(n) {
  return plan.skew === null ? 0 : [1, -1, 0][n % 3] * plan.skew * 60_000;
}

function skewed(n) {
  const skew = skewOf(n);
  return skew === 0 ? {} : { skew, worker: `/viewer/worker.js?skew=${skew}` };
}

/** Who has fetched a segment from the origin last, if there is somebody to go on without. */
async function fetcher(here) {
  if (here.length < plan.viewers) {
    return null;
  }
  const fetched = await Promise.all(
    here.map(async (entry) => {
      const done = await entry.viewer.events('object-done');
      return { entry, index: Math.max(-1, ...done.filter(isFetched).map(({ index }) => index)) };
    }),
  );
  const newest = fetched.reduce((best, next) => (next.index > best.index ? next : best));
  return newest.index === -1 ? null : newest.entry;
}

function isFetched({ track, fromHttp }) {
  return track > 0 && fromHttp > 0;
}

/** What a run with peers is held against: the same players without. */
function compared(pairs) {
  const both = pairs.filter(({ control: without }) => without !== null);
  if (both.length === 0) {
    return { pairs: null };
  }
  const differences = both.map(({ control: without, peers }) =>
    peers.latencySeconds === null || without.latencySeconds === null
      ? null
      : peers.latencySeconds - without.latencySeconds,
  );
  return {
    counts: both.every(
      ({ control: { stallsAfterFirstFrame, viewers } }) =>
        stallsAfterFirstFrame === 0 && viewers.every(({ played }) => played),
    ),
    latencyDifferenceSeconds: median(differences),
    latencyDifferences: differences,
    pairs: both,
  };
}

function report(result) {
  console.log(bold('\n  result'));
  resultLine('offload', percent(result.offload), result.offload > 0);
  resultLine(
    'stalls after the first frame',
    `${result.stallsAfterFirstFrame}`,
    result.stallsAfterFirstFrame === 0,
  );
  resultLine('latency, s', figure(result.latencySeconds, 2), result.latencySeconds !== null);
  resultLine('origin bytes per unique byte', figure(result.originBytesPerUniqueByte, 2));
  resultLine('head requests at the origin per head', figure(result.headRequestsPerHead, 2));
  resultLine(
    'bytes that differ from the disk',
    `${result.unverifiedBytesDelivered}`,
    result.unverifiedBytesDelivered === 0,
  );
  if (result.pairs !== null) {
    resultLine('later than without peers, s', figure(result.latencyDifferenceSeconds, 2));
    resultLine(
      'the control runs had no stall',
      result.counts ? 'yes' : 'no: this does not count',
      result.counts,
    );
  }
  if (result.fault !== null) {
    resultLine(
      `fault ${result.fault.name} happened`,
      `${result.fault.happened} times`,
      result.fault.happened > 0,
    );
  }
  for (const { viewer, played, errors } of result.viewers) {
    if (!played) {
      console.log(red(`  viewer ${viewer} did not play: ${JSON.stringify(errors).slice(0, 300)}`));
    }
  }
}
