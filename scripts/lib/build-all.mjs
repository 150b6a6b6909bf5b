// Builds what a run needs: the server, and the package with the demo page.

import { run } from './run.mjs';
import { seconds, step } from './say.mjs';

export async function build() {
  const from = Date.now();
  step('building the server and the package');
  // One after the other: each of them uses all cores.
  await run('cargo', ['build', '--quiet', '--package', 'swarmseal-server']);
  await run('npm', ['run', '--silent', 'build']);
  step(`built in ${seconds(Date.now() - from)}`);
}
