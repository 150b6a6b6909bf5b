// A page that many others send a file to. It does nothing besides: what its main thread runs is swarmseal's, and the browser's.

import { join } from 'swarmseal';

/** So long that the origin is not needed as long as peers deliver. */
const PATIENCE_MS = 600_000;

const parameters = new URL(location.href).searchParams;
const text = (name) => parameters.get(name);

const source = new URL(text('source'), location.href).href;

const joining = join({
  manifest: text('manifest'),
  content: text('content'),
  trust: [text('trust')],
  tracker: text('tracker'),
  trackerKeys: [text('trackerKey')],
  policy: { share: 'on' },
  store: { maxBytes: 2 * Number(text('bytes')) },
});

window.__bench = {
  stats: async () => (await joining).stats(),
  loadFirst: async () => void (await (await joining).load(new URL('first.bin', source).href)),
  /** {ms, fromHttp} once every byte is here and verified. */
  async load() {
    const peer = await joining;
    const from = performance.now();
    const { fromHttp } = await peer.load(source, { deadline: PATIENCE_MS });
    return { ms: performance.now() - from, fromHttp };
  },
};
