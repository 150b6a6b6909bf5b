// The sample's sound: slow chords, each swelling and fading over the next, and a bell now and then.

export const SAMPLE_RATE = 48000;

const CHORD_SECONDS = 7;
const CHORDS = [
  [110.0, 220.0, 261.63, 329.63],
  [87.31, 174.61, 220.0, 329.63],
  [130.81, 196.0, 246.94, 329.63],
  [98.0, 196.0, 246.94, 293.66],
];
const BELLS = [659.25, 783.99, 880.0, 987.77, 1174.66];

/** Stereo, 16 bits little-endian, `seconds` long. */
export function composeSound(seconds) {
  const length = Math.floor(seconds * SAMPLE_RATE);
  const left = new Float64Array(length);
  const right = new Float64Array(length);
  for (let n = 0; n * CHORD_SECONDS < seconds; n += 1) {
    CHORDS[n % CHORDS.length].forEach((hertz, voice) => {
      const note = { at: n * CHORD_SECONDS, hertz, voice };
      addPad(left, { ...note, detune: 0.9985 });
      addPad(right, { ...note, detune: 1.0015 });
    });
  }
  for (let n = 0; n < seconds / 3.5; n += 1) {
    const bell = { at: 1.75 + n * 3.5, hertz: BELLS[(n * 3 + (n >> 2)) % BELLS.length] };
    const side = 0.5 + 0.35 * Math.sin(n * 2.4);
    addBell(left, { ...bell, loudness: 1 - side });
    addBell(right, { ...bell, loudness: side });
  }
  const pcm = Buffer.alloc(length * 4);
  for (let n = 0; n < length; n += 1) {
    const fade = Math.min(1, n / SAMPLE_RATE / 2, (length - n) / SAMPLE_RATE / 3);
    pcm.writeInt16LE(Math.round(Math.tanh(left[n] * fade) * 30000), n * 4);
    pcm.writeInt16LE(Math.round(Math.tanh(right[n] * fade) * 30000), n * 4 + 2);
  }
  return pcm;
}

function addPad(track, { at, hertz, voice, detune }) {
  const from = Math.max(0, Math.floor((at - 1.5) * SAMPLE_RATE));
  const to = Math.min(track.length, Math.floor((at + CHORD_SECONDS + 2) * SAMPLE_RATE));
  for (let n = from; n < to; n += 1) {
    const along = (n / SAMPLE_RATE - at + 1.5) / (CHORD_SECONDS + 3.5);
    const swell = Math.sin(Math.PI * along) ** 2;
    const turn = 2 * Math.PI * hertz * detune * (n / SAMPLE_RATE);
    track[n] +=
      swell * 0.075 * (Math.sin(turn) + 0.25 * Math.sin(turn * 2 + voice) + 0.08 * Math.sin(turn * 3));
  }
}

function addBell(track, { at, hertz, loudness }) {
  const from = Math.floor(at * SAMPLE_RATE);
  const to = Math.min(track.length, from + 4 * SAMPLE_RATE);
  for (let n = from; n < to; n += 1) {
    const t = (n - from) / SAMPLE_RATE;
    const decay = Math.min(1, t / 0.01) * Math.exp(-t * 1.6);
    track[n] +=
      loudness *
      0.07 *
      decay *
      (Math.sin(2 * Math.PI * hertz * t) + 0.3 * Math.exp(-t * 3) * Math.sin(2 * Math.PI * hertz * 2.76 * t));
  }
}
