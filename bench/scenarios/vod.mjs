// Video on demand at the defaults of player and contenders, and with the player's buffer held short.

import { PLAYERS, WORKER_OFF, PLAYER_FIGURES, viewing } from './playing.mjs';

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
];
