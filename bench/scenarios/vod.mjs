// Video on demand at the defaults of player and contenders, and with the player's buffer held short.

import { setTimeout as sleep } from 'node:timers/promises';

import {
  LAST,
  PLAYERS,
  WORKER_OFF,
  PLAYER_FIGURES,
  account,
  openViewer,
  trackerOf,
  viewing,
} from './playing.mjs';

const vod = (name, title, viewers, seconds, options = {}) => ({
  name,
  title,
  contenders: [...PLAYERS, WORKER_OFF],
  subject: 'swarmseal',
  figures: PLAYER_FIGURES,
  options: { seconds, ...options },
  run: viewing({ viewers, stagger: 3 }),
});

export const scenarios = [
  vod('vod-2', 'VoD, 1.5 Mbit/s, 2 viewers 3 s apart, 20 s, everything at its default', 2, 20),
  vod('vod-3', 'VoD, 1.5 Mbit/s, 3 viewers 3 s apart, 20 s, everything at its default', 3, 20),
  vod('vod-3-short', 'VoD, 1.5 Mbit/s, 3 viewers 3 s apart, 40 s, the player buffers 12 s', 3, 40, {
    buffer: 12,
  }),
  {
    ...vod(
      'renditions',
      'VoD, 2 viewers 3 s apart go from 1.2 to 0.4 Mbit/s after 12 s and play 20 s more',
      2,
      20,
      {
        content: 'ladder',
        level: 1,
        buffer: 12,
      },
    ),
    run: changing,
  },
  {
    ...vod(
      'whose-script',
      'VoD, 1.5 Mbit/s, 2 viewers 3 s apart, 20 s: whose script the main thread runs',
      2,
      20,
      {
        profile: true,
      },
    ),
    figures: [
      { key: 'ownMsPerMB', title: "the contender's own, ms per MB played", digits: 2, better: 'less' },
      { key: 'playerMsPerMB', title: "the player's", digits: 2, better: 'less' },
      { key: 'browserMsPerMB', title: "the browser's, on behalf of scripts", digits: 2, better: 'less' },
      { key: 'benchMsPerMB', title: "the measuring page's", digits: 2, better: 'less' },
    ],
    run: profiled,
  },
];

/** Whose functions the main thread runs. What they call of the browser's is the browser's. */
async function profiled(trial) {
  await trial.open({ tracker: trackerOf(trial.contender) });
  const viewers = [await openViewer(trial)];
  await sleep(STAGGER_S * 1000);
  viewers.push(await openViewer(trial));
  await sleep(trial.options.seconds * 1000);
  const profiles = await Promise.all(viewers.map((viewer) => viewer.endProfile()));
  const { playedBytes } = await account(trial, viewers);
  const spent = profiles.flatMap(Object.entries);
  const perMB = (path) =>
    spent.reduce((sum, [url, ms]) => sum + (path.test(url.replace(trial.url, '')) ? ms : 0), 0) /
    (playedBytes / 1e6);
  return {
    ownMsPerMB: perMB(/^\/(pkg\/|vendor\/p2p-)/),
    playerMsPerMB: perMB(/^\/vendor\/hls/),
    benchMsPerMB: perMB(/^\/(bench|viewer)\//),
    browserMsPerMB: perMB(/^$/),
  };
}

/** Both change to the lowest rendition at once, the second one 12 s after it began. */
async function changing(trial) {
  await trial.open({ tracker: trackerOf(trial.contender) });
  const viewers = [await openViewer(trial)];
  await sleep(STAGGER_S * 1000);
  viewers.push(await openViewer(trial, LAST));
  await sleep(BEFORE_S * 1000);
  await Promise.all(viewers.map((viewer) => viewer.evaluate(() => window.__bench.switchTo(0))));
  await sleep(trial.options.seconds * 1000);
  return account(trial, viewers);
}

const STAGGER_S = 3;
const BEFORE_S = 12;
