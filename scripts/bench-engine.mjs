// `npm run bench:engine`: what one pass of the engine costs at 10,000 segments and 50 peers, natively and in Chromium.

import { run } from './lib/run.mjs';
import { setup } from './setup.mjs';

await setup('test');
await run('cargo', ['bench', '--quiet', '--package', 'swarmseal-bench', '--bench', 'engine_tick']);
await run(
  'cargo',
  [
    'test',
    '--profile',
    'wasm',
    '--target',
    'wasm32-unknown-unknown',
    '--test',
    'engine_cost',
    '--',
    '--nocapture',
  ],
  { env: { CHROMEDRIVER: 'chromedriver', WASM_BINDGEN_TEST_TIMEOUT: '120' } },
);
