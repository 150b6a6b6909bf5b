import type { PlayerState } from './messages.js';

/** A media element, or a player that has one by the name of `media` (hls.js), now or later. */
export type Player = HTMLMediaElement | { readonly media: HTMLMediaElement | null };

/**
 * Tells where the player is: on every event that changes it, and every 250 ms while it plays.
 * Returns a function that stops it.
 */
export function followPlayhead(player: Player, tell: (state: PlayerState) => void): () => void {
  let media: HTMLMediaElement | null = null;
  const changed = (): void => {
    if (media !== null) tell(playerState(media));
  };
  const look = (): void => {
    const now = 'media' in player ? player.media : player;
    if (now !== media) {
      for (const event of EVENTS) {
        media?.removeEventListener(event, changed);
        now?.addEventListener(event, changed);
      }
      media = now;
      changed();
    } else if (media?.paused === false) changed();
  };
  const timer = setInterval(look, TICK_MS);
  look();
  // The page gives the player its element next, before the player asks for anything.
  queueMicrotask(look);
  return () => {
    clearInterval(timer);
    // The look that is still to come, if any, finds nothing to follow either.
    player = { media: null };
    look();
  };
}

function playerState(media: HTMLMediaElement): PlayerState {
  const { currentTime: position, playbackRate: rate, paused, seeking, buffered } = media;
  let bufferedEnd = position;
  for (let n = 0; n < buffered.length; n += 1) {
    if (buffered.start(n) <= position + GAP_S && position <= buffered.end(n)) bufferedEnd = buffered.end(n);
  }
  return { position, rate, bufferedEnd, paused, seeking };
}

const EVENTS = ['play', 'playing', 'pause', 'seeking', 'seeked', 'ratechange', 'waiting', 'ended'];
const TICK_MS = 250;
/** Players begin a little before the first frame. */
const GAP_S = 0.1;
