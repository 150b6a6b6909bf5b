// Viewers of a live stream, which goes on over all rounds: a packager writes it, and the publisher signs beside it, for every
// contender alike.

import path from 'node:path';

import { WORK } from '../../scripts/lib/paths.mjs';
import { goLive } from '../../scripts/lib/live.mjs';
import { media } from '../../tests/browser/lib/media.mjs';
import { LIVE } from '../lib/site.mjs';
import { PLAYERS, PLAYER_FIGURES, WORKER_OFF, viewing } from './playing.mjs';

const watching = viewing({ viewers: 3, stagger: 3 });
/** Listed from the beginning, so that a player may be as far behind as it likes. */
const WINDOW_S = 60;
/** Of a live stream a position says nothing. */
const FIGURES = PLAYER_FIGURES.filter(({ key }) => key !== 'positionS');

export const scenarios = [
  live('live', '3 viewers 3 s apart, 30 s, everything at its default', {}),
  live('live-3-segments', '3 viewers 3 s apart, 30 s, the player told to be 3 segments behind', {
    liveSync: 3,
  }),
];

function live(name, title, options) {
  let stream = null;
  return {
    name,
    title: `live, 1.5 Mbit/s, segments of 2 s, a window of ${WINDOW_S} s, ${title}`,
    contenders: [...PLAYERS, WORKER_OFF],
    subject: 'swarmseal',
    rounds: 3,
    figures: FIGURES,
    options: { seconds: 30, content: LIVE, ...options },
    async run(trial) {
      stream ??= await onAir(trial.site);
      return watching(trial);
    },
    async finish() {
      await stream?.end();
      stream = null;
    },
  };
}

async function onAir({ root, keys, contents }) {
  const folder = path.join(root, 'content', LIVE);
  const stream = await goLive(folder, {
    publisher: keys.publisher,
    state: path.join(WORK, 'bench', 'live-state'),
    source: await media('steady'),
    loop: ['--window', String(WINDOW_S), '--ahead', String(WINDOW_S)],
  });
  contents[LIVE] = {
    name: LIVE,
    folder,
    content: stream.contentId,
    trust: stream.publicKey,
    manifest: `/content/${LIVE}/content.seal`,
    source: `/content/${LIVE}/${await stream.begun()}`,
  };
  return stream;
}
