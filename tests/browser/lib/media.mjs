// The streams that tests play, made once by ffmpeg into .work/ and kept there.

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import path from 'node:path';

import { SAMPLE_MEDIA, WORK } from '../../../scripts/lib/paths.mjs';
import { madeOnce } from '../../../scripts/lib/site.mjs';
import { output } from '../../../scripts/lib/run.mjs';

/** Makes all streams that are not there yet, so that no encoder runs beside a test. */
export async function makeStreams() {
  await Promise.all(Object.keys(STREAMS).map(media));
}

/** The folder of the stream `name`, one of STREAMS, or `sample`. */
export async function media(name) {
  if (name === 'sample') {
    return SAMPLE_MEDIA;
  }
  const make = STREAMS[name] ?? LONG_STREAMS[name];
  if (make === undefined) {
    throw new Error(`no stream is called ${name}`);
  }
  const recipe = createHash('sha256').update(make.toString()).update(HELPERS).digest('hex').slice(0, 12);
  return madeOnce(path.join(WORK, 'streams', `${name}-${recipe}`), make);
}

const STREAMS = {
  /** 320×180 at 1.5 Mbit/s, 2 s segments of over 20 chunks, 180 s. */
  async steady(folder) {
    await ffmpeg([
      ...noisyPicture('320x180', 25, 180),
      ...h264(1500, 50),
      ...segments(folder, { seconds: 2 }),
    ]);
  },

  /** 320×180 at 1.5 Mbit/s, in fragments of 0.5 s of which every fourth begins with a key frame, 60 s. */
  async fragments(folder) {
    await ffmpeg([
      ...noisyPicture('320x180', 24, 60),
      ...h264(1500, 48),
      ...['-bf', '0', '-hls_flags', 'split_by_time', ...segments(folder, { seconds: 0.5 })],
    ]);
  },

  /** 10,000 segments of 1 s in one file, addressed by byte ranges. */
  async endless(folder) {
    await ffmpeg([
      ...['-f', 'lavfi', '-i', 'testsrc2=size=96x54:rate=4:duration=10000'],
      ...[
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        '-crf',
        '30',
        '-g',
        '4',
        '-keyint_min',
        '4',
        '-sc_threshold',
        '0',
      ],
      ...['-pix_fmt', 'yuv420p'],
      ...segments(folder, { seconds: 1, single: true }),
    ]);
  },

  /** Three renditions of 0.4, 1.2 and 3 Mbit/s, 60 s: the last is above what a 2 Mbit/s origin gives. */
  async ladder(folder) {
    const lines = ['#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-INDEPENDENT-SEGMENTS'];
    for (const [height, kbps] of [
      [90, 400],
      [180, 1200],
      [270, 3000],
    ]) {
      const size = `${(height * 16) / 9}x${height}`;
      const own = path.join(folder, `v${height}`);
      await mkdir(own);
      await ffmpeg([...noisyPicture(size, 25, 60), ...h264(kbps, 50), ...segments(own, { seconds: 2 })]);
      lines.push(
        `#EXT-X-STREAM-INF:BANDWIDTH=${kbps * 1100},RESOLUTION=${size},CODECS="avc1.64001e"`,
        `v${height}/index.m3u8`,
      );
    }
    await writeFile(path.join(folder, 'master.m3u8'), `${lines.join('\n')}\n`);
  },

  /** MPEG-TS segments encrypted with AES-128; the key lies beside them as key.bin. */
  async encrypted(folder) {
    const key = createHash('sha256').update('a key that no peer may see').digest().subarray(0, 16);
    const info = path.join(folder, 'key.info');
    await writeFile(path.join(folder, 'key.bin'), key);
    await writeFile(info, `/key/key.bin\n${path.join(folder, 'key.bin')}\n`);
    await ffmpeg([
      ...noisyPicture('320x180', 25, 60),
      ...h264(800, 50),
      ...['-f', 'hls', '-hls_time', '2', '-hls_playlist_type', 'vod', '-hls_key_info_file', info],
      ...['-hls_segment_filename', path.join(folder, 's%03d.ts'), path.join(folder, 'index.m3u8')],
    ]);
    await rm(info);
  },
};

/** For measurements alone: no test waits until these are made. */
const LONG_STREAMS = {
  /** As `steady`, 660 s: 330 segments. */
  async long(folder) {
    await ffmpeg([
      ...noisyPicture('320x180', 25, 660),
      ...h264(1500, 50),
      ...segments(folder, { seconds: 2 }),
    ]);
  },

  /** 600 segments of 1 s, each a file, at 0.25 Mbit/s. */
  async many(folder) {
    await ffmpeg([...noisyPicture('160x90', 12, 600), ...h264(250, 12), ...segments(folder, { seconds: 1 })]);
  },
};

// Moving noise over a test picture, so that the encoder really uses the bit rate.
function noisyPicture(size, rate, seconds) {
  const source = `testsrc2=size=${size}:rate=${rate}:duration=${seconds},noise=alls=24:allf=t`;
  return ['-f', 'lavfi', '-i', source];
}

function h264(kbps, group) {
  const rate = [`-b:v`, `${kbps}k`, '-minrate', `${kbps}k`, '-maxrate', `${kbps}k`, '-bufsize', `${kbps}k`];
  const keys = ['-g', String(group), '-keyint_min', String(group), '-sc_threshold', '0'];
  return [
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-profile:v',
    'high',
    '-level',
    '3.0',
    ...rate,
    ...keys,
    '-pix_fmt',
    'yuv420p',
  ];
}

function segments(folder, { seconds, single = false }) {
  const names = single
    ? ['-hls_flags', 'single_file', '-hls_segment_filename', path.join(folder, 'all.m4s')]
    : ['-hls_fmp4_init_filename', 'init.mp4', '-hls_segment_filename', path.join(folder, 's%03d.m4s')];
  const format = [
    '-f',
    'hls',
    '-hls_time',
    String(seconds),
    '-hls_playlist_type',
    'vod',
    '-hls_segment_type',
    'fmp4',
  ];
  return [...format, ...names, path.join(folder, 'index.m3u8')];
}

async function ffmpeg(args) {
  await output('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-nostdin', '-y', ...args]);
}

const HELPERS = [noisyPicture, h264, segments].join('\n');
