// A live stream as in the field: a packager writes into a folder, the publisher signs beside it.

import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { SAMPLE_MEDIA, SWARMSEAL } from './paths.mjs';
import { emptyFolder, exists, inspect } from './site.mjs';
import { start } from './run.mjs';

const FIRST_HEAD_MS = 20_000;
const LOOK_EVERY_MS = 100;
const END_MS = 10_000;

/**
 * Starts a stream in `folder`, signed by `publisher` ({file, publicKey}); `state` is a folder of the publisher's own.
 * `encoder` is `ffmpeg`, or undefined for `source`, a packaged folder, played again and again. With `lowLatency` what is
 * packaged are fragments of half a second, which a server with `fragments` groups.
 * Resolves once it can be served: {folder, fragments, contentId, publicKey, name, heads(), begun(), packager, publishing,
 * end(), kill()}; `begun()` once viewers can come, to the name of the playlist.
 */
export async function goLive(
  folder,
  { publisher, state, encoder, source = SAMPLE_MEDIA, loop = [], lowLatency = false },
) {
  const fragments = lowLatency ? `${folder}-fragments` : null;
  await Promise.all([folder, state, fragments].filter((made) => made !== null).map(emptyFolder));
  let heads = 0;
  const publishing = start(
    SWARMSEAL,
    ['publish', folder, '--watch', '--key', publisher.file, '--state', state],
    { onLine: (line) => (heads += /^head \d+/.test(line) ? 1 : 0) },
  );
  const packager = await packages(fragments ?? folder, { encoder, source, loop, lowLatency });
  await until(() => exists(path.join(folder, 'content.seal')));
  const { content } = await inspect(folder);
  return {
    folder,
    fragments,
    contentId: content,
    publicKey: publisher.publicKey,
    name: encoder === 'ffmpeg' ? 'Live from ffmpeg' : 'A day over the lake, live',
    heads: () => heads,
    begun,
    packager,
    publishing,
    end,
    kill,
  };

  async function begun() {
    await until(() => heads > 0);
    return (await exists(path.join(folder, 'master.m3u8'))) ? 'master.m3u8' : 'index.m3u8';
  }

  async function until(holds) {
    const latest = Date.now() + FIRST_HEAD_MS;
    while (!(await holds())) {
      const ended = await Promise.race([packager.ended, publishing.ended, sleep(LOOK_EVERY_MS, null)]);
      if (ended !== null || Date.now() > latest) {
        const said = [...packager.lines.slice(-10), ...publishing.lines.slice(-10)];
        throw new Error(['the live stream did not begin', ...said].join('\n'));
      }
    }
  }

  /** Stops both at once, and leaves the stream as it is. */
  async function kill() {
    await Promise.all([packager.stop('SIGKILL'), publishing.stop('SIGKILL')]);
  }

  /** Ends the stream: its end is signed, and its recording published. */
  async function end() {
    await packager.stop();
    const late = new Promise((resolve) => setTimeout(resolve, END_MS, 'late').unref());
    const status = await Promise.race([publishing.ended, late]);
    if (status !== 0) {
      await publishing.stop('SIGKILL');
      const said = publishing.lines.slice(-10);
      throw new Error([`the end of the stream was not signed (${status})`, ...said].join('\n'));
    }
  }
}

async function packages(folder, { encoder, source, loop, lowLatency }) {
  if (encoder === undefined) {
    return start(SWARMSEAL, ['loop', source, folder, ...loop]);
  }
  if (encoder !== 'ffmpeg') {
    throw new Error(`--encoder must be ffmpeg, not ${encoder}`);
  }
  return start('ffmpeg', [
    ...['-hide_banner', '-loglevel', 'error', '-nostdin', '-re'],
    ...['-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=24'],
    ...['-f', 'lavfi', '-i', 'sine=frequency=330:beep_factor=2:sample_rate=48000'],
    ...[
      '-c:v',
      'libx264',
      '-preset',
      'veryfast',
      '-tune',
      'zerolatency',
      '-b:v',
      '900k',
      '-pix_fmt',
      'yuv420p',
    ],
    ...['-g', '48', '-keyint_min', '48', '-sc_threshold', '0', '-c:a', 'aac', '-b:a', '96k'],
    ...['-f', 'hls', '-hls_segment_type', 'fmp4', ...(lowLatency ? HALF_SECONDS : TWO_SECONDS)],
    ...['-hls_fmp4_init_filename', 'init.mp4', '-hls_segment_filename', path.join(folder, 's%d.m4s')],
    path.join(folder, 'index.m3u8'),
  ]);
}

const TWO_SECONDS = [
  ...['-hls_time', '2', '-hls_list_size', '60'],
  ...['-hls_flags', 'delete_segments+program_date_time+independent_segments+temp_file'],
];
const HALF_SECONDS = [
  ...['-hls_time', '0.5', '-hls_list_size', '240'],
  ...['-hls_flags', 'delete_segments+program_date_time+split_by_time+temp_file'],
];
