// Trackers under load: what an introduction and an idle peer cost. Peers are made by `swarmseal load`, for both protocols.

import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { TARGET } from '../../scripts/lib/paths.mjs';
import { output, run } from '../../scripts/lib/run.mjs';
import { track } from '../../scripts/lib/service.mjs';
import { startRivalTracker } from '../lib/trial.mjs';

const CONTENDERS = ['bittorrent-tracker', 'swarmseal'];
const SERVER = path.join(TARGET, 'release', 'swarmseal');

let built;

const load = (name, title, options, figures) => ({
  name,
  title,
  contenders: CONTENDERS,
  subject: 'swarmseal',
  figures,
  options,
  run: (trial) => underLoad(trial, options),
});

export const scenarios = [
  load(
    'tracker-introductions',
    '1,000 peers, each introduced to 5 others',
    { peers: 1000, first: 500, introductions: 5 },
    [
      { key: 'introductions', title: 'introductions carried through', digits: 0 },
      { key: 'introductionsPerCpuS', title: 'introductions per CPU second', digits: 0, better: 'more' },
      { key: 'introducingS', title: 's for all of them', digits: 2, better: 'less' },
      { key: 'joinCpuMs', title: 'CPU ms to admit a peer', digits: 3, better: 'less' },
    ],
  ),
  load('tracker-idle', '12,000 idle peers', { peers: 12_000, first: 2000, introductions: 0 }, [
    { key: 'kibPerPeer', title: 'KiB for each peer from 2,000 to 12,000', digits: 1, better: 'less' },
    { key: 'mib', title: 'MiB with all of them', digits: 1, better: 'less' },
    { key: 'joinCpuMs', title: 'CPU ms to admit a peer', digits: 3, better: 'less' },
  ]),
];

async function underLoad({ contender, site }, { peers, first, introductions }) {
  built ??= run('cargo', ['build', '--quiet', '--release', '--package', 'swarmseal-server']);
  await built;
  const tracker = contender === 'swarmseal' ? await ourTracker(site) : await startRivalTracker();
  try {
    const { manifest, trust } = site.contents.stream;
    const own = ['--manifest', path.join(site.root, manifest), '--key', trust];
    const outcome = JSON.parse(
      await output(
        SERVER,
        [
          'load',
          ...['--tracker', new URL(tracker.url).host, '--pid', tracker.pid],
          ...['--peers', peers, '--first', first, '--introductions', introductions],
          ...(contender === 'swarmseal' ? own : ['--protocol', 'webtorrent']),
        ].map(String),
      ),
    );
    return {
      introductions: outcome.introductions,
      introductionsPerCpuS: outcome.introductions === 0 ? undefined : outcome.introductions_per_cpu_s,
      introducingS: outcome.introducing_s,
      joinCpuMs: (outcome.joining_cpu_s * 1000) / peers,
      kibPerPeer: outcome.resident_bytes_per_peer / 1024,
      mib: outcome.resident_bytes / 2 ** 20,
    };
  } finally {
    await tracker.stop();
  }
}

/** With the limits that it ships with; the peers hold nothing that they could show. */
async function ourTracker({ root, keys }) {
  const config = path.join(root, '.tracker.toml');
  await writeFile(config, '[tracker.challenge]\nrequired = false\n');
  const own = await track({
    config,
    root,
    publicKey: keys.publisher.publicKey,
    trackerKey: keys.tracker.file,
    program: SERVER,
  });
  return { url: own.url, pid: own.service.pid, stop: () => own.stop() };
}
