// Watches the video element: when the first frame came, where it is, and where it stood still.

const LOOK_EVERY_MS = 50;
const STALL_MS = 250;
const END_MARGIN_S = 0.35;

export class Playback {
  #video;
  #firstFrameMs = null;
  #stalls = [];
  #standing = null;
  #moved = { at: 0, position: 0 };
  #excusedUntil = 0;

  constructor(video) {
    this.#video = video;
    if (video.requestVideoFrameCallback === undefined) {
      video.addEventListener('timeupdate', () => this.#sawFrame(), { once: true });
    } else {
      video.requestVideoFrameCallback(() => this.#sawFrame());
    }
    setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  /** A seek excuses standing still until the picture moves again. */
  seek(seconds) {
    this.#excusedUntil = Infinity;
    this.#standing = null;
    this.#moved.position = seconds;
    this.#video.currentTime = seconds;
  }

  /** Each stall says how many seconds of the stream were held beyond it. */
  metrics() {
    const video = this.#video;
    return {
      firstFrameMs: this.#firstFrameMs,
      position: video.currentTime,
      duration: video.duration,
      bufferedEnd: bufferedEnd(video),
      ended: video.ended,
      paused: video.paused,
      stalls: this.#stalls.map((stall) => ({ ...stall })),
      standing: this.#standing !== null,
      frames: video.getVideoPlaybackQuality?.().totalVideoFrames ?? null,
    };
  }

  #sawFrame() {
    this.#firstFrameMs = performance.now();
    this.#moved = { at: performance.now(), position: this.#video.currentTime };
  }

  #look() {
    const video = this.#video;
    const now = performance.now();
    const position = video.currentTime;
    const idle =
      this.#firstFrameMs === null ||
      video.seeking ||
      video.ended ||
      position >= video.duration - END_MARGIN_S;
    if (idle || position !== this.#moved.position) {
      if (this.#excusedUntil === Infinity && !video.seeking && position > this.#moved.position) {
        this.#excusedUntil = now;
      }
      this.#moved = { at: now, position };
      this.#standing = null;
      return;
    }
    const forMs = now - this.#moved.at;
    if (this.#standing !== null) {
      this.#standing.ms = forMs;
    } else if (forMs >= STALL_MS && now > this.#excusedUntil) {
      this.#standing = { position, at: this.#moved.at, ms: forMs, held: bufferedEnd(video) - position };
      this.#stalls.push(this.#standing);
    }
  }
}

function bufferedEnd(video) {
  for (let n = 0; n < video.buffered.length; n += 1) {
    if (video.buffered.start(n) <= video.currentTime + 0.1 && video.currentTime <= video.buffered.end(n)) {
      return video.buffered.end(n);
    }
  }
  return video.currentTime;
}
