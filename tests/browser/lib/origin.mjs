// An origin that misbehaves on demand: it alters bytes, ignores Range, wants a token, or is slow. It counts what it sends.

import { createServer } from 'node:http';
import { open, stat } from 'node:fs/promises';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import path from 'node:path';

const TYPES = {
  '.html': 'text/html',
  '.mjs': 'text/javascript',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.m4s': 'video/iso.segment',
  '.mp4': 'video/mp4',
  '.ts': 'video/mp2t',
  '.json': 'application/json',
};
const PIECE = 16 * 1024;
const CUT = 'CUT';

export class Origin {
  /** Requests so far: {path, range, status, bytes}. */
  log = [];
  #root;
  #faults;
  #server;
  #freeAt = 0;

  /**
   * Serves `root`. Faults, all but the first for paths below /content/ only: `held(path)` gives a promise to wait for, or none,
   * `alter(path, bytes, offset)` may change bytes on their way, `refuse(path)` answers 503, `ignoreRange`, `token` (a query string must carry it),
   * `bytesPerSecond` for all responses together, `stopped()` (connections are reset), `cutAfter(path, length)` (bytes after which
   * a response ends, or null), `instead(path)` (other bytes than the file's, or null, or a promise of either).
   */
  constructor(root, faults = {}) {
    this.#root = root;
    this.#faults = faults;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error) => response.destroy(error));
    });
  }

  async listen() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
    return this;
  }

  async stop() {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request, response) {
    const url = new URL(request.url, this.url);
    const faults = url.pathname.startsWith('/content/') ? this.#faults : {};
    const entry = {
      path: url.pathname,
      query: url.search,
      range: request.headers.range ?? null,
      status: 200,
      bytes: 0,
      method: request.method,
      t_ms: Date.now(),
    };
    this.log.push(entry);
    await this.#faults.held?.(url.pathname);
    response.setHeader('access-control-allow-origin', '*');
    if (faults.refuse?.(url.pathname) === true) {
      entry.status = 503;
      response.writeHead(503).end();
      return;
    }
    if (faults.stopped?.() === true) {
      entry.status = 0;
      response.destroy();
      return;
    }
    const other = (await faults.instead?.(url.pathname)) ?? null;
    if (other !== null) {
      entry.bytes = other.length;
      response.end(other);
      return;
    }
    if (faults.token !== undefined && url.searchParams.get('token') !== faults.token) {
      entry.status = 403;
      response.writeHead(403).end();
      return;
    }
    const file = path.join(this.#root, path.normalize(decodeURIComponent(url.pathname)));
    const found = await stat(file).catch(() => null);
    if (found === null || !found.isFile()) {
      entry.status = 404;
      response.writeHead(404).end();
      return;
    }
    const whole = faults.ignoreRange === true || entry.range === null;
    const [first, last] = whole ? [0, found.size - 1] : span(entry.range, found.size);
    entry.status = whole ? 200 : 206;
    response.writeHead(entry.status, {
      'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream',
      'content-length': Math.max(0, last - first + 1),
      ...(whole ? {} : { 'content-range': `bytes ${first}-${last}/${found.size}` }),
    });
    await this.#send(response, entry, { file, first, last, faults });
  }

  async #send(response, entry, { file, first, last, faults }) {
    const handle = await open(file);
    try {
      await pipeline(this.#pieces(handle, entry, { first, last, faults }), response);
    } catch (error) {
      if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE' && error.code !== CUT) {
        throw error;
      }
    } finally {
      await handle.close();
    }
  }

  async *#pieces(handle, entry, { first, last, faults }) {
    const cut = faults.cutAfter?.(entry.path, last - first + 1) ?? null;
    for (let offset = first; offset <= last; offset += PIECE) {
      if (cut !== null && offset - first >= cut) {
        throw Object.assign(new Error('cut by the test'), { code: CUT });
      }
      const piece = Buffer.alloc(Math.min(PIECE, last - offset + 1));
      await handle.read(piece, 0, piece.length, offset);
      faults.alter?.(entry.path, piece, offset);
      if (faults.bytesPerSecond !== undefined) {
        await this.#waitFor(piece.length / faults.bytesPerSecond);
      }
      entry.bytes += piece.length;
      yield piece;
    }
  }

  // One link for all: each piece takes its turn.
  async #waitFor(seconds) {
    const now = Date.now();
    this.#freeAt = Math.max(this.#freeAt, now) + seconds * 1000;
    await sleep(this.#freeAt - now);
  }
}

function span(range, size) {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range) ?? [];
  return [
    Number(first ?? 0),
    Math.min(size - 1, last === undefined || last === '' ? size - 1 : Number(last)),
  ];
}
