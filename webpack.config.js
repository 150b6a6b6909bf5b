// Four outputs from one source tree: the ES modules, the classic script, the worker, and the demo page.

import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('.', import.meta.url));
const SOURCE = path.join(ROOT, 'www', 'src');
const PKG = path.join(ROOT, 'pkg');

/** Where the demo page is built: a folder that can be served as it is. */
export const DEMO = path.join(ROOT, '.work', 'demo');

function bundle(name, entry, output, more = {}) {
  return {
    name,
    mode: 'production',
    devtool: 'source-map',
    context: ROOT,
    entry,
    output: {
      path: PKG,
      filename: '[name].js',
      devtoolNamespace: 'swarmseal',
      devtoolModuleFilenameTemplate: 'swarmseal:///[resource-path]',
      ...output,
    },
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    module: {
      // Worker and core are found beside the script at run time; `new URL(…, import.meta.url)` stays as it is written.
      parser: { javascript: { url: false, importMeta: false } },
      rules: [
        { test: /\.ts$/, loader: 'esbuild-loader', options: { target: 'es2022', minifyIdentifiers: true } },
      ],
    },
    performance: { hints: false },
    ...more,
  };
}

const asModule = { module: true, library: { type: 'module' } };
const moduleOutput = { experiments: { outputModule: true } };

/** The npm package. */
export const packageBundles = [
  bundle(
    'modules',
    { index: path.join(SOURCE, 'index.ts'), hls: path.join(SOURCE, 'players', 'hls.ts') },
    asModule,
    moduleOutput,
  ),
  bundle('script', { 'swarmseal.global': path.join(SOURCE, 'global.ts') }, {}),
  bundle('worker', { worker: path.join(SOURCE, 'worker', 'worker.ts') }, {}, { target: 'webworker' }),
];

/** The page that people see first. */
export const demoBundle = bundle(
  'demo',
  { demo: path.join(ROOT, 'www', 'demo', 'main.ts') },
  { ...asModule, path: DEMO },
  moduleOutput,
);

export default [...packageBundles, demoBundle];
