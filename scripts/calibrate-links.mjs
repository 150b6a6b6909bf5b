// `npm run calibrate:links`: what a data channel carries between two Chromiums at a loss and a round-trip time, written to
// sim/calibration/data-channel.json, from which the simulator takes it. Takes about twenty minutes: each figure needs some dozens
// of losses.

import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { writeFile } from 'node:fs/promises';

import { format, resolveConfig } from 'prettier';

import { ROOT } from './lib/paths.mjs';
import { dim, step } from './lib/say.mjs';
import { launchBrowser } from './lib/browsers.mjs';
import { openLink } from './lib/udp-link.mjs';
import { readOptions } from './lib/options.mjs';
import { run } from './lib/run.mjs';
import { versions } from './lib/versions.mjs';
import { whereWebRtcWorks } from './lib/network.mjs';

const SELF = fileURLToPath(import.meta.url);
const TABLE = path.join(ROOT, 'sim', 'calibration', 'data-channel.json');
const LOSS_PERMILLE = [10, 20, 50, 100, 200];
const ROUND_TRIP_MS = [10, 40, 100, 200];
/** Mean lengths of bursts of loss, in packets. */
const BURSTS = [1, 4];
const LIMITS_KBPS = [1_000, 5_000, 20_000];
const WARM_UP_MS = 3_000;

const USAGE = `npm run calibrate:links     measure data channels over lossy links, for the simulator
  --seconds S                 how long each (20)
  --here                      in this network namespace, where others may use the links as well`;

const { values } = readOptions(USAGE, {
  here: { type: 'boolean' },
  seconds: { type: 'string', default: '20' },
});
if (values.here) await measureAll(Number(values.seconds));
else {
  const [command, args] = await whereWebRtcWorks(
    process.execPath,
    [SELF, '--here', ...process.argv.slice(2)],
    { apart: true },
  );
  await run(command, args);
}

/** All links to measure: every loss at every round-trip time, and some with a limit of rate, to check the model by. */
function links() {
  const unlimited = LOSS_PERMILLE.flatMap((lossPermille) =>
    BURSTS.flatMap((burstPackets) =>
      ROUND_TRIP_MS.map((roundTripMs) => ({ lossPermille, burstPackets, roundTripMs, limitKbps: null })),
    ),
  );
  const limited = LIMITS_KBPS.flatMap((limitKbps) =>
    [0, 10].map((lossPermille) => ({ lossPermille, burstPackets: 4, roundTripMs: 40, limitKbps })),
  );
  return [...unlimited, ...limited];
}

async function measureAll(seconds) {
  const browser = await launchBrowser('chromium');
  const rows = [];
  try {
    for (const link of links()) {
      const measured = await measure(browser, link, seconds);
      rows.push({ ...link, ...measured });
      const { lossPermille, burstPackets, roundTripMs, limitKbps } = link;
      const limit = limitKbps === null ? '' : `, at most ${limitKbps} kbit/s`;
      step(
        `${lossPermille} ‰ by ${burstPackets}, ${roundTripMs} ms${limit}: ${measured.kbps} kbit/s ${dim(`(${measured.measuredRoundTripMs} ms)`)}`,
      );
    }
  } finally {
    await browser.close();
  }
  const table = {
    about:
      'Goodput of one ordered, reliable data channel between two pages of one Chromium, over a link with this loss of packets (both ways, in bursts of this mean length) and this round-trip time. Where there is a limit of rate, a queue of 200 ms is before it',
    command: 'npm run calibrate:links',
    seconds,
    versions: { browser: browser.version, ...(await versions()) },
    rows,
  };
  const options = await resolveConfig(TABLE);
  await writeFile(TABLE, await format(JSON.stringify(table), { ...options, parser: 'json' }));
}

async function measure(browser, { lossPermille, burstPackets, roundTripMs, limitKbps }, seconds) {
  const link = await openLink({
    latencyMs: roundTripMs / 2,
    loss: lossPermille / 1000,
    burst: burstPackets,
    kbps: limitKbps,
  });
  const pages = [await browser.open('about:blank'), await browser.open('about:blank')];
  const [sender, receiver] = pages;
  try {
    const offer = link.disguise(0, await sender.evaluate(describe, null));
    const answer = link.disguise(1, await receiver.evaluate(describe, offer));
    await sender.evaluate(accept, answer);
    const measuredRoundTripMs = await sender.evaluate(echo, null);
    await sender.evaluate(flood, null);
    await pause(WARM_UP_MS + 4 * roundTripMs);
    const [bytesBefore, before] = await receiver.evaluate(received, null);
    await pause(seconds * 1_000);
    const [bytesAfter, after] = await receiver.evaluate(received, null);
    const kbps = Math.round(((bytesAfter - bytesBefore) * 8) / (after - before));
    return { kbps, measuredRoundTripMs };
  } finally {
    await Promise.all(pages.map((page) => page.close()));
    link.close();
  }
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/* The functions below run in pages. */

/** Makes a connection with the two channels that peers have; answers `offer` if there is one. */
async function describe(offer) {
  const connection = new globalThis.RTCPeerConnection();
  const [control, data] = ['control', 'data'].map((label, id) =>
    connection.createDataChannel(label, { negotiated: true, id }),
  );
  Object.assign(globalThis, { connection, control, data, bytes: 0 });
  control.binaryType = data.binaryType = 'arraybuffer';
  control.onmessage = ({ data: message }) => globalThis.heard?.(message) ?? control.send(message);
  data.onmessage = ({ data: message }) => (globalThis.bytes += message.byteLength);
  if (offer !== null) await connection.setRemoteDescription({ type: 'offer', sdp: offer });
  await connection.setLocalDescription();
  await new Promise((resolve) => {
    const look = () => connection.iceGatheringState === 'complete' && resolve();
    connection.onicegatheringstatechange = look;
    look();
  });
  return connection.localDescription.sdp;
}

async function accept(answer) {
  await globalThis.connection.setRemoteDescription({ type: 'answer', sdp: answer });
  await Promise.all(
    [globalThis.control, globalThis.data].map((channel) =>
      channel.readyState === 'open' ? null : new Promise((resolve) => (channel.onopen = resolve)),
    ),
  );
}

/** The shortest of some round trips, in whole milliseconds: what loss made longer says nothing of the path. */
async function echo() {
  const times = [];
  for (let turn = 0; turn < 5; turn += 1) {
    const sent = performance.now();
    await new Promise((resolve) => {
      globalThis.heard = () => {
        resolve();
        return true;
      };
      globalThis.control.send(new ArrayBuffer(64));
    });
    times.push(performance.now() - sent);
  }
  globalThis.heard = undefined;
  return Math.round(Math.min(...times));
}

/** Keeps the channel full. */
function flood() {
  const { data } = globalThis;
  const message = new ArrayBuffer(16 << 10);
  data.bufferedAmountLowThreshold = 512 << 10;
  const fill = () => {
    while (data.bufferedAmount < 1 << 20) data.send(message);
  };
  data.onbufferedamountlow = fill;
  fill();
}

function received() {
  return [globalThis.bytes, performance.now()];
}
