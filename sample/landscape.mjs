// Draws one frame of the sample: hills behind a lake, a balloon, and a whole day in one round of `day`.

export const WIDTH = 640;
export const HEIGHT = 360;

const SHORE = 282;

// Colours over the day, in [0, 1): sky above, sky at the horizon, far hills, near hills, sun.
const PALETTES = [
  { at: 0.0, top: 0x35477d, low: 0xf7a072, far: 0x8f6f94, near: 0x1f2140, sun: 0xffe3b0 },
  { at: 0.14, top: 0x5b8fd0, low: 0xffd9a8, far: 0x9fa8c4, near: 0x24424d, sun: 0xfff3cf },
  { at: 0.32, top: 0x3f8fdc, low: 0xcfeaf5, far: 0x93b8c9, near: 0x235a4c, sun: 0xfffbe6 },
  { at: 0.52, top: 0x4c7fc4, low: 0xffe1ab, far: 0xa79cb0, near: 0x2d4a45, sun: 0xfff0c0 },
  { at: 0.64, top: 0x4a3f7d, low: 0xff8f6b, far: 0x96607f, near: 0x251b3a, sun: 0xffc891 },
  { at: 0.74, top: 0x161c46, low: 0x5b4a82, far: 0x3a3566, near: 0x10122b, sun: 0xffb07a },
  { at: 0.86, top: 0x0a1030, low: 0x27386b, far: 0x1e2a52, near: 0x090d21, sun: 0xe9f0ff },
  { at: 1.0, top: 0x35477d, low: 0xf7a072, far: 0x8f6f94, near: 0x1f2140, sun: 0xffe3b0 },
];

const HILLS = [
  { base: 236, height: 58, speed: 2.0, waves: [0.0071, 0.0173, 0.031], phase: 0.4 },
  { base: 252, height: 46, speed: 4.0, waves: [0.0088, 0.0201, 0.037], phase: 2.1 },
  { base: 264, height: 34, speed: 7.0, waves: [0.0103, 0.0247, 0.043], phase: 4.0 },
  { base: 276, height: 22, speed: 11.0, waves: [0.0127, 0.0291, 0.051], phase: 5.2 },
];

const STARS = Array.from({ length: 70 }, (_, n) => ({
  x: Math.floor(hash(n) * WIDTH),
  y: Math.floor(hash(n + 500) * 170),
  light: 0.35 + 0.65 * hash(n + 900),
}));

/** `day` in [0, 1) is the time of day, `seconds` the time in the stream. Returns RGB, 3 bytes a pixel. */
export function drawFrame(day, seconds) {
  const pixels = Buffer.alloc(WIDTH * HEIGHT * 3);
  const colours = paletteAt(day);
  drawSky(pixels, colours);
  drawStars(pixels, nightness(day));
  drawDisc(pixels, day, colours);
  drawHills(pixels, seconds, colours);
  drawBalloon(pixels, seconds, day);
  drawLake(pixels, seconds, colours);
  return pixels;
}

function drawSky(pixels, { top, low }) {
  for (let y = 0; y < SHORE; y += 1) {
    const colour = mix(top, low, Math.pow(y / SHORE, 1.35));
    for (let x = 0; x < WIDTH; x += 1) {
      put(pixels, x, y, colour);
    }
  }
}

function drawStars(pixels, night) {
  if (night <= 0) {
    return;
  }
  for (const { x, y, light } of STARS) {
    blend(pixels, x, y, [255, 255, 255], night * light);
    blend(pixels, x + 1, y, [255, 255, 255], night * light * 0.4);
  }
}

// The sun crosses from dawn to dusk, then the moon takes its place.
function drawDisc(pixels, day, { sun }) {
  const moon = day > 0.7;
  const along = moon ? (day - 0.7) / 0.34 : (day + 0.06) / 0.76;
  const cx = WIDTH * (0.12 + 0.76 * along);
  const cy = 250 - 190 * Math.sin(Math.PI * Math.min(Math.max(along, 0), 1));
  const radius = moon ? 15 : 24;
  const glow = moon ? 70 : 150;
  for (let y = Math.max(0, Math.floor(cy - glow)); y < Math.min(SHORE, cy + glow); y += 1) {
    for (let x = Math.max(0, Math.floor(cx - glow)); x < Math.min(WIDTH, cx + glow); x += 1) {
      const distance = Math.hypot(x - cx, y - cy);
      const halo = Math.max(0, 1 - distance / glow);
      blend(pixels, x, y, sun, halo * halo * (moon ? 0.3 : 0.55));
      blend(pixels, x, y, sun, clamp(radius - distance + 0.5));
    }
  }
}

function drawHills(pixels, seconds, { far, near }) {
  HILLS.forEach((hill, n) => {
    const colour = mix(far, near, n / (HILLS.length - 1));
    for (let x = 0; x < WIDTH; x += 1) {
      const ridge = ridgeAt(hill, x + seconds * hill.speed);
      const first = Math.floor(ridge);
      blend(pixels, x, first, colour, 1 - (ridge - first));
      for (let y = first + 1; y < SHORE; y += 1) {
        put(pixels, x, y, colour);
      }
    }
  });
}

function ridgeAt({ base, height, waves, phase }, x) {
  const [a, b, c] = waves;
  const shape =
    0.6 * Math.sin(a * x + phase) + 0.28 * Math.sin(b * x + phase * 2) + 0.12 * Math.sin(c * x + phase * 3);
  return base - height * (0.5 + 0.5 * shape);
}

function drawBalloon(pixels, seconds, day) {
  const cx = ((seconds * 9.5 + 400) % (WIDTH + 120)) - 60;
  const cy = 118 + 16 * Math.sin(seconds * 0.23) + 5 * Math.sin(seconds * 0.61);
  const radius = 27;
  const light = 1 - 0.55 * nightness(day);
  for (let y = Math.floor(cy - radius - 1); y < cy + radius * 2; y += 1) {
    for (let x = Math.floor(cx - radius - 1); x <= cx + radius + 1; x += 1) {
      const dx = x - cx;
      const dy = y - cy;
      // A circle above, drawn together to the basket below.
      const half =
        dy < 0
          ? Math.sqrt(Math.max(0, radius * radius - dy * dy))
          : radius * Math.max(0, 1 - (dy / (radius * 1.45)) ** 2);
      if (dy < radius * 1.3) {
        const stripe = half > 1 ? Math.floor(((Math.asin(clampUnit(dx / half)) / Math.PI) * 2 + 1) * 3.5) : 0;
        const shade = light * (1 - 0.25 * clamp((dx + radius) / (2 * radius)));
        const colour = (stripe % 2 === 0 ? [240, 92, 84] : [255, 240, 222]).map((v) => v * shade);
        blend(pixels, x, y, colour, clamp(half - Math.abs(dx) + 0.5));
      } else if (dy > radius * 1.5 && dy < radius * 1.78) {
        blend(pixels, x, y, [92 * light, 62 * light, 46 * light], clamp(5 - Math.abs(dx) + 0.5));
      }
    }
  }
}

// The lake mirrors what stands above it, a little darker, with slow ripples that widen towards us.
function drawLake(pixels, seconds, { top }) {
  for (let y = SHORE; y < HEIGHT; y += 1) {
    const depth = (y - SHORE) / (HEIGHT - SHORE);
    const ripple = (1 + 7 * depth) * Math.sin((0.9 * (y - SHORE)) / (0.4 + depth) - seconds * 1.1);
    const mirror = Math.max(0, Math.min(SHORE - 1, Math.round(SHORE - 1 - (y - SHORE) * 2.6)));
    for (let x = 0; x < WIDTH; x += 1) {
      const from = (mirror * WIDTH + Math.max(0, Math.min(WIDTH - 1, Math.round(x + ripple)))) * 3;
      const colour = [pixels[from], pixels[from + 1], pixels[from + 2]];
      put(pixels, x, y, mix(colour, top, 0.18 + 0.3 * depth));
    }
  }
}

function paletteAt(day) {
  const next = PALETTES.findIndex(({ at }) => at > day);
  const [a, b] = [PALETTES[next - 1], PALETTES[next]];
  const share = smooth((day - a.at) / (b.at - a.at));
  return Object.fromEntries(
    ['top', 'low', 'far', 'near', 'sun'].map((key) => [key, mix(rgb(a[key]), rgb(b[key]), share)]),
  );
}

function nightness(day) {
  return Math.min(smooth(clamp((day - 0.68) / 0.12)), smooth(clamp((0.985 - day) / 0.08)));
}

function put(pixels, x, y, [r, g, b]) {
  const at = (y * WIDTH + x) * 3;
  pixels[at] = r;
  pixels[at + 1] = g;
  pixels[at + 2] = b;
}

function blend(pixels, x, y, [r, g, b], share) {
  if (share <= 0 || x < 0 || x >= WIDTH || y < 0 || y >= SHORE) {
    return;
  }
  const at = (y * WIDTH + x) * 3;
  pixels[at] += (r - pixels[at]) * share;
  pixels[at + 1] += (g - pixels[at + 1]) * share;
  pixels[at + 2] += (b - pixels[at + 2]) * share;
}

function mix(a, b, share) {
  return a.map((value, n) => value + (b[n] - value) * share);
}

function rgb(value) {
  return [value >> 16, (value >> 8) & 255, value & 255];
}

function hash(n) {
  const value = Math.sin(n * 127.1 + 311.7) * 43758.5453;
  return value - Math.floor(value);
}

function smooth(x) {
  return x * x * (3 - 2 * x);
}

function clamp(x) {
  return Math.min(1, Math.max(0, x));
}

function clampUnit(x) {
  return Math.min(1, Math.max(-1, x));
}
