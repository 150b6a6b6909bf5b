// Runs the server: tracker and origin in one process, or a tracker alone.

import { SWARMSEAL } from './paths.mjs';
import { start } from './run.mjs';

const READY_MS = 15_000;

/**
 * `swarmseal serve`: returns {url, tracker, accessLog, stop, …} once it listens. `lowLatency` is what a packager of
 * fragments writes into: {fragments, folder}.
 */
export async function serve({
  root,
  publicKey,
  trackerKey,
  accessLog,
  config,
  lowLatency,
  listen = '127.0.0.1:0',
}) {
  const args = ['serve', '--root', root, '--listen', listen, '--publisher', publicKey, '--key', trackerKey];
  const grouped = lowLatency === undefined ? undefined : `${lowLatency.fragments}=${lowLatency.folder}`;
  const optional = Object.entries({
    '--access-log': accessLog,
    '--config': config,
    '--low-latency': grouped,
  });
  const given = optional.filter(([, value]) => value !== undefined).flat();
  return started([...args, ...given], { accessLog });
}

/** `swarmseal track`: a tracker alone; `program` is another build of it than that of the tests. */
export async function track({ root, publicKey, trackerKey, listen = '127.0.0.1:0', config, program }) {
  const own = config === undefined ? [] : ['--config', config];
  return started(
    ['track', '--root', root, '--listen', listen, '--publisher', publicKey, '--key', trackerKey, ...own],
    {},
    program,
  );
}

async function started(args, extra, program = SWARMSEAL) {
  let seen;
  const ready = new Promise((resolve) => (seen = resolve));
  const service = start(program, args, {
    onLine: (line) => {
      const url = /listening on (http:\/\/\S+)/.exec(line)?.[1];
      if (url !== undefined) {
        seen(url.replace(/\/$/, ''));
      }
    },
  });
  let late;
  const url = await Promise.race([
    ready,
    service.ended.then((status) => fail(`swarmseal ${args[0]} ended with ${status}`, service)),
    new Promise((_, reject) => {
      late = setTimeout(() => reject(new Error(`swarmseal ${args[0]} does not listen`)), READY_MS);
    }),
  ]).finally(() => clearTimeout(late));
  return {
    ...extra,
    url,
    tracker: `${url.replace('http', 'ws')}/tracker`,
    service,
    stop: (signal) => service.stop(signal),
  };
}

function fail(what, service) {
  throw new Error([what, ...service.lines.slice(-20)].join('\n'));
}
