// Makes the sample stream: 84 s of a day passing over a lake, two H.264 renditions and one AAC audio
// rendition, HLS with fMP4 segments of 2 s. Everything is drawn and played here; nothing is downloaded.
//
//   node sample/make.mjs [OUT]        (needs ffmpeg; writes sample/media by default)

import { spawn } from 'node:child_process';
import { mkdir, rm, writeFile, readdir, stat } from 'node:fs/promises';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

import { drawFrame, HEIGHT, WIDTH } from './landscape.mjs';
import { SAMPLE_RATE, composeSound } from './sound.mjs';

const SECONDS = 84;
const FPS = 24;
const SEGMENT_SECONDS = 2;
const SIZE_LIMIT = 2_900_000;

const RENDITIONS = [
  {
    name: 'video-360',
    label: '360p',
    width: 640,
    height: 360,
    kbps: 138,
    codec: 'avc1.4d401e',
    level: '3.0',
  },
  { name: 'video-180', label: '180p', width: 320, height: 180, kbps: 54, codec: 'avc1.4d400d', level: '1.3' },
];
const AUDIO = { name: 'audio', kbps: 40, codec: 'mp4a.40.2' };

const out = path.resolve(process.argv[2] ?? fileURLToPath(new URL('media', import.meta.url)));

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
for (const rendition of RENDITIONS) {
  await encodeVideo(rendition);
}
await encodeAudio();
await writeFile(path.join(out, 'master.m3u8'), masterPlaylist());
await encodePoster();
const bytes = await folderSize(out);
console.log(`${out}: ${(bytes / 1e6).toFixed(2)} MB`);
if (bytes > SIZE_LIMIT) {
  console.error(`the sample must stay under ${SIZE_LIMIT} bytes`);
  process.exitCode = 1;
}

async function encodeVideo(rendition) {
  const folder = path.join(out, rendition.name);
  await mkdir(folder);
  await ffmpeg(
    [
      ...rawVideoInput(),
      '-vf',
      `scale=${rendition.width}:${rendition.height}:flags=lanczos,${caption(rendition)},format=yuv420p`,
      ...['-c:v', 'libx264', '-preset', 'veryslow', '-profile:v', 'main', '-level', rendition.level],
      ...[
        '-b:v',
        `${rendition.kbps}k`,
        '-maxrate',
        `${rendition.kbps * 1.5}k`,
        '-bufsize',
        `${rendition.kbps * 3}k`,
      ],
      ...[
        '-g',
        String(FPS * SEGMENT_SECONDS),
        '-keyint_min',
        String(FPS * SEGMENT_SECONDS),
        '-sc_threshold',
        '0',
      ],
      ...hlsOutput(folder),
    ],
    frames,
  );
}

async function encodeAudio() {
  const folder = path.join(out, AUDIO.name);
  await mkdir(folder);
  await ffmpeg(
    [
      ...['-f', 's16le', '-ar', String(SAMPLE_RATE), '-ac', '2', '-i', 'pipe:0'],
      ...['-c:a', 'aac', '-b:a', `${AUDIO.kbps}k`],
      ...hlsOutput(folder),
    ],
    () => [composeSound(SECONDS - 0.1)],
  );
}

async function encodePoster() {
  await ffmpeg(
    [
      ...rawVideoInput(),
      '-frames:v',
      '1',
      '-update',
      '1',
      '-q:v',
      '6',
      '-bitexact',
      path.join(out, 'poster.jpg'),
    ],
    () => [drawFrame(8 / SECONDS, 8)],
  );
}

function rawVideoInput() {
  return [
    '-f',
    'rawvideo',
    '-pix_fmt',
    'rgb24',
    '-s',
    `${WIDTH}x${HEIGHT}`,
    '-r',
    String(FPS),
    '-i',
    'pipe:0',
  ];
}

function caption({ label, height }) {
  const size = Math.round(height / 15);
  const margin = Math.round(height / 20);
  const style = `fontcolor=white@0.92:shadowcolor=black@0.45:shadowx=1:shadowy=1`;
  const name = `drawtext=font=DejaVu Sans:text='swarmseal · ${label}':fontsize=${size}:x=${margin}:y=${margin}:${style}`;
  const clock = `drawtext=font=DejaVu Sans Mono:text='%{pts\\:hms}':fontsize=${size}:x=w-tw-${margin}:y=${margin}:${style}`;
  return `${name},${clock}`;
}

function hlsOutput(folder) {
  return [
    ...['-map_metadata', '-1', '-fflags', '+bitexact', '-flags:v', '+bitexact', '-flags:a', '+bitexact'],
    ...['-f', 'hls', '-hls_time', String(SEGMENT_SECONDS), '-hls_playlist_type', 'vod'],
    ...['-hls_segment_type', 'fmp4', '-hls_fmp4_init_filename', 'init.mp4'],
    ...['-hls_segment_filename', path.join(folder, 's%03d.m4s'), path.join(folder, 'index.m3u8')],
  ];
}

function masterPlaylist() {
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="Evening air",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="${AUDIO.name}/index.m3u8"`,
  ];
  for (const { name, width, height, kbps, codec } of RENDITIONS) {
    const average = (kbps + AUDIO.kbps) * 1000;
    lines.push(
      `#EXT-X-STREAM-INF:BANDWIDTH=${Math.round(average * 1.4)},AVERAGE-BANDWIDTH=${average},RESOLUTION=${width}x${height},` +
        `FRAME-RATE=${FPS},CODECS="${codec},${AUDIO.codec}",AUDIO="sound"`,
      `${name}/index.m3u8`,
    );
  }
  return `${lines.join('\n')}\n`;
}

function* frames() {
  for (let n = 0; n < SECONDS * FPS; n += 1) {
    yield drawFrame(n / (SECONDS * FPS), n / FPS);
  }
}

async function ffmpeg(args, input) {
  const child = spawn('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-y', ...args], {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  const ended = once(child, 'exit');
  for (const part of input()) {
    if (!child.stdin.write(part)) {
      await once(child.stdin, 'drain');
    }
  }
  child.stdin.end();
  const [code] = await ended;
  if (code !== 0) {
    throw new Error(`ffmpeg ended with ${code}`);
  }
}

async function folderSize(folder) {
  let total = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) {
      total += (await stat(path.join(entry.parentPath ?? entry.path, entry.name))).size;
    }
  }
  return total;
}
