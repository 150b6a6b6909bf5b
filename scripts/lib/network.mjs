// Browsers gather no WebRTC candidate without an interface that has a default route (not even on loopback). On a machine
// without one, such programs run in a network namespace of their own, with a veth pair that has.

import { readFile } from 'node:fs/promises';

import { CommandFailed, output } from './run.mjs';

// Whoever is not root stays who they are, but may do with the new network what root may: make links, and record packets.
const UNSHARE = [
  '--net',
  ...(process.getuid?.() === 0 ? [] : ['--user', '--map-current-user', '--keep-caps']),
];

/**
 * `[command, args]` to run `command` where WebRTC works. `apart` prefers a network of its own even where there is a route,
 * so that nobody else's packets are counted.
 */
export async function whereWebRtcWorks(command, args, { apart = false } = {}) {
  const routed = await hasDefaultRoute();
  if (routed && !(apart && (await mayMakeNamespaces()))) {
    return [command, args];
  }
  if ((await output('ip', ['-V'])) === null) {
    throw new Error(
      'no interface has a default route, and `ip` is missing to make one: apt-get install iproute2',
    );
  }
  return ['unshare', [...UNSHARE, '--', 'sh', '-c', NAMESPACE, 'sh', command, ...args]];
}

async function mayMakeNamespaces() {
  try {
    return (await output('unshare', [...UNSHARE, '--', 'sh', '-c', NAMESPACE, 'sh', 'true'])) !== null;
  } catch (error) {
    if (error instanceof CommandFailed) {
      return false;
    }
    throw error;
  }
}

export async function hasDefaultRoute() {
  const [v4, v6] = await Promise.all([table('/proc/net/route'), table('/proc/net/ipv6_route')]);
  return (
    v4
      .slice(1)
      .some(([, destination, , , , , , mask]) => destination === '00000000' && mask === '00000000') ||
    v6.some((row) => /^0{32}$/.test(row[0] ?? '') && row[1] === '00' && row.at(-1) !== 'lo')
  );
}

async function table(file) {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.trim().split(/\s+/));
}

// The namespace lives as long as the program in it, so there is nothing to clean up.
const NAMESPACE = `set -e
ip link set lo up
ip link add viewers0 type veth peer name viewers1
ip address add 10.99.0.1/24 dev viewers0
ip link set viewers0 up
ip link set viewers1 up
ip route add default via 10.99.0.2 dev viewers0
exec "$@"`;
