// What the origin really sent, read from its access log.

import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';

/** Every request of the log: {t_ms, method, path, range, status, bytes}. */
export async function readLog(file) {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/**
 * Counts the requests below `prefix` (an URL path), whose files lie in `folder`.
 * A byte is unique once, however often it was sent; a segment is a media file, or a byte range of one.
 */
export async function countOrigin(log, prefix, folder) {
  const sent = new Map();
  let [requests, bytes, segmentRequests] = [0, 0, 0];
  const segments = new Set();
  for (const entry of log) {
    const name = within(entry.path, prefix);
    if (name === null || entry.method !== 'GET' || (entry.status !== 200 && entry.status !== 206)) {
      continue;
    }
    requests += 1;
    bytes += entry.bytes;
    const { size } = await stat(path.join(folder, name));
    const first = firstByte(entry.range, size);
    const spans = sent.get(name) ?? [];
    spans.push([first, first + entry.bytes]);
    sent.set(name, spans);
    if (isMedia(name)) {
      segmentRequests += 1;
      segments.add(name);
    }
  }
  const unique = [...sent.values()].reduce((sum, spans) => sum + covered(spans), 0);
  return {
    requests,
    bytes,
    uniqueBytes: unique,
    segmentRequests,
    uniqueSegments: segments.size,
    requestsPerUniqueSegment: ratio(segmentRequests, segments.size),
    bytesPerUniqueByte: ratio(bytes, unique),
  };
}

/** Whether a file of a content is media, and not one of the lists and statements about it. */
export function isMedia(name) {
  return !/\.(m3u8|mpd|seal)$/.test(name) && !/(^|\/)seal\//.test(name);
}

function within(requested, prefix) {
  const { pathname } = new URL(requested, 'http://origin');
  return pathname.startsWith(prefix) ? decodeURIComponent(pathname.slice(prefix.length)) : null;
}

function firstByte(range, size) {
  const [, first, last] = /^(?:bytes[= ])?(\d*)-(\d*)/.exec(range ?? '') ?? [];
  if (first === undefined) {
    return 0;
  }
  return first === '' ? Math.max(0, size - Number(last)) : Number(first);
}

function covered(spans) {
  let [total, until] = [0, 0];
  for (const [from, to] of spans.sort(([a], [b]) => a - b)) {
    total += Math.max(0, to - Math.max(from, until));
    until = Math.max(until, to);
  }
  return total;
}

function ratio(a, b) {
  return b === 0 ? null : a / b;
}
