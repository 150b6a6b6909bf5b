// The vectors of tests/vectors, those that others have published among them, as the tests in Rust run them natively and in
// Chromium (suite `wasm`): compiled to WebAssembly, in Firefox. ChromeDriver has no like in Debian for Firefox, so the
// runner of wasm-bindgen only serves the page, and Firefox is started as for all other tests.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';

import { launchBrowser } from '../../../scripts/lib/browsers.mjs';
import { start } from '../../../scripts/lib/run.mjs';

const FILES = ['published_vectors', 'content_vectors', 'live_vectors', 'peer_vectors'];
/** Compiling is part of it, where the suite `wasm` has not done it. */
const SERVED_WITHIN_MS = 600_000;
const DONE_WITHIN_MS = 120_000;

for (const file of FILES) {
  test(`Firefox: ${file}`, async (t) => {
    const address = `127.0.0.1:${await freePort()}`;
    const args = ['test', '--package', 'swarmseal', '--test', file, '--target', 'wasm32-unknown-unknown'];
    const env = { NO_HEADLESS: '1', WASM_BINDGEN_TEST_ADDRESS: address };
    const runner = start('cargo', args, { env });
    t.after(() => runner.stop());
    await within(SERVED_WITHIN_MS, `serving ${file}`, async () => {
      const ended = runner.lines.join('\n');
      assert.ok(!/error(\[|:)/.test(ended), ended);
      return isServed(`http://${address}/`);
    });

    const browser = await launchBrowser('firefox');
    t.after(() => browser.close());
    const page = await browser.open(`http://${address}/`);
    const said = await within(DONE_WITHIN_MS, `the tests of ${file}`, async () => {
      const text = await page.evaluate(() => document.body.innerText);
      return /test result: .*/.test(text) ? text : null;
    });
    const { passed, failed } =
      /test result: ok\. (?<passed>\d+) passed; (?<failed>\d+) failed/.exec(said)?.groups ?? {};
    assert.ok(Number(passed) > 0, said);
    assert.equal(Number(failed), 0, said);
    t.diagnostic(`${browser.version}: ${passed} tests of ${file}`);
  });
}

async function within(limitMs, what, attempt) {
  const until = Date.now() + limitMs;
  while (Date.now() < until) {
    const got = await attempt();
    if (got) {
      return got;
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`${what} took longer than ${limitMs / 1_000} s`);
}

async function isServed(url) {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
