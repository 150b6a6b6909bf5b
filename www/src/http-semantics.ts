import { SwarmsealError } from './errors.js';
import type { ByteRange } from './messages.js';

/** What a Range header asks for: a closed range, or a rest that needs the length to be known. */
export type AskedRange = ByteRange | { first: number; last: null } | { suffix: number };

/** Reads one `bytes=` range (RFC 9110 §14.1.2). Without a header: null. */
export function parseRange(header: string | null): AskedRange | null {
  if (header === null) return null;
  const [, first = '', last = ''] = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/.exec(header) ?? [];
  if (first === '' && last === '') throw badRange(header);
  if (first === '') return { suffix: Number(last) };
  if (last === '') return { first: Number(first), last: null };
  return checkRange({ first: Number(first), last: Number(last) });
}

export function checkRange(range: ByteRange): ByteRange {
  const { first, last } = range;
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last) || first < 0 || last < first) {
    throw badRange(`${first}-${last}`);
  }
  return range;
}

/**
 * A response as a server would give it, from verified bytes. Nothing in it comes from a server: the type is the
 * signed one.
 */
export function verifiedResponse(
  url: string,
  body: ArrayBuffer,
  mediaType: string,
  asked: AskedRange | null,
): Response {
  const headers = new Headers({ 'Content-Type': mediaType, 'X-Content-Type-Options': 'nosniff' });
  let part = body;
  if (asked !== null) {
    let first: number;
    let total = '*';
    if ('suffix' in asked || asked.last === null) {
      first = 'suffix' in asked ? Math.max(0, body.byteLength - asked.suffix) : asked.first;
      total = String(body.byteLength);
      part = body.slice(first);
      if (part.byteLength === 0) throw badRange(`${first}-`);
    } else {
      first = asked.first;
    }
    headers.set('Content-Range', `bytes ${first}-${first + part.byteLength - 1}/${total}`);
  }
  headers.set('Content-Length', String(part.byteLength));
  const response = new Response(part, { status: asked === null ? 200 : 206, headers });
  return Object.defineProperty(response, 'url', { value: url });
}

function badRange(what: string): SwarmsealError {
  return new SwarmsealError('bad_range', `${what} is not one range of bytes, first-last, both included.`);
}
