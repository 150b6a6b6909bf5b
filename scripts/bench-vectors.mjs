// `npm run bench:vectors`: what an operation on wasm's 128-bit vectors costs beside the same one on numbers of 32 bits, in workers of
// Chromium and of Firefox. Vectors that cost about as much as numbers are four times as fast. In Firefox they may be a
// hundred times as slow (docs/PERFORMANCE.md, "Hashing four chunks at once"), so it is measured without its use of AVX as well.

import { createServer } from 'node:http';
import binaryen from 'binaryen';

import { launchBrowser } from './lib/browsers.mjs';

const ROUNDS = 5;
const AVX = 'javascript.options.wasm_simd_avx';

// As in a hash: some results replace an operand, some do not.
const STEP = (add, xor, or, shl, shr) => `
  (local.set $a (${add} (local.get $a) (local.get $b)))
  (local.set $c (${xor} (local.get $a) (local.get $b)))
  (local.set $b (${or} (${shl} (local.get $c) (i32.const 7)) (${shr} (local.get $c) (i32.const 25))))
  (local.set $a (${add} (local.get $a) (local.get $c)))`;
const OPERATIONS = 6;
const loop = (name, type, operations) => `
  (func (export "${name}") (param $n i32) (result i32) (local $a ${type}) (local $b ${type}) (local $c ${type})
    (local.set $a ${type === 'v128' ? '(i32x4.splat (local.get $n))' : '(local.get $n)'})
    (loop $again
      ${STEP(...operations)}
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $again (local.get $n)))
    ${type === 'v128' ? '(i32x4.extract_lane 0 (local.get $a))' : '(local.get $a)'})`;
const MODULE = binaryen.parseText(`(module
  ${loop('numbers', 'i32', ['i32.add', 'i32.xor', 'i32.or', 'i32.shl', 'i32.shr_u'])}
  ${loop('vectors', 'v128', ['i32x4.add', 'v128.xor', 'v128.or', 'i32x4.shl', 'i32x4.shr_u'])})`);
MODULE.setFeatures(binaryen.Features.SIMD128);

const WORKER = `
  onmessage = async () => {
    const { instance } = await WebAssembly.instantiateStreaming(fetch('/vectors.wasm'));
    const ns = (run) => {
      // Until it is compiled for speed.
      for (let n = 0; n < 2000; n += 1) run(100);
      const from = performance.now();
      let passes = 0;
      do run((passes += 20000, 20000)); while (performance.now() - from < 100);
      return ((performance.now() - from) * 1e6) / passes / ${OPERATIONS};
    };
    const { numbers, vectors } = instance.exports;
    postMessage({ numbers: ns(numbers), vectors: ns(vectors) });
  };`;

const files = new Map([
  ['/', ['text/html', '<title>vectors</title>']],
  ['/worker.js', ['text/javascript', WORKER]],
  ['/vectors.wasm', ['application/wasm', MODULE.emitBinary()]],
]);
const server = createServer((request, response) => {
  const [type, body] = files.get(request.url) ?? [];
  response.writeHead(body === undefined ? 404 : 200, { 'content-type': type ?? 'text/plain' }).end(body);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

const middle = (values) => values.toSorted((one, other) => one - other)[values.length >> 1].toFixed(2);
for (const [name, preferences] of [['chromium'], ['firefox'], ['firefox', { [AVX]: false }]]) {
  const browser = await launchBrowser(name, { preferences });
  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const page = await browser.open(`http://127.0.0.1:${server.address().port}/`);
    rounds.push(await page.evaluate(inWorker));
    await page.close();
  }
  await browser.close();
  const ns = (kind) => middle(rounds.map((round) => round[kind]));
  const how = preferences === undefined ? '' : ', without AVX';
  console.log(`${browser.version}${how}: ${ns('numbers')} ns on numbers, ${ns('vectors')} ns on vectors`);
}
server.close();

/** In the page. */
function inWorker() {
  return new Promise((resolve, reject) => {
    const worker = new Worker('/worker.js');
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(null);
  });
}
