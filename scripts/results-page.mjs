// `npm run results`: docs/results/index.html, from the JSON files beside it. `--check` fails where the page is not what these
// files and this script make.

import { readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { ROOT } from './lib/paths.mjs';
import { green, red } from './lib/say.mjs';
import { resultsPage } from './lib/results/page.mjs';

const FOLDER = path.join(ROOT, 'docs', 'results');
const PAGE = path.join(FOLDER, 'index.html');

const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.json')).sort();
const files = await Promise.all(
  names.map(async (name) => ({ name, json: JSON.parse(await readFile(path.join(FOLDER, name), 'utf8')) })),
);
const page = resultsPage(files);
if (!process.argv.includes('--check')) {
  await writeFile(PAGE, page);
} else if ((await readFile(PAGE, 'utf8').catch(() => '')) === page) {
  console.log(green(`the page shows what is in ${names.length} files`));
} else {
  console.error(red('docs/results/index.html is not what its files make: npm run results'));
  process.exit(1);
}
