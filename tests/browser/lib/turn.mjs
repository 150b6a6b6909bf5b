// A TURN server of the test's own: coturn with time-limited credentials, on the address that browsers gather on.

import { createSocket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import path from 'node:path';

import { WORK } from '../../../scripts/lib/paths.mjs';
import { start } from '../../../scripts/lib/run.mjs';
import { until } from './stage.mjs';

const REALM = 'turn.test';
// Of coturn's own range, so that nothing else is in the way.
const RELAY_PORTS = [49_152, 49_999];

export class TurnServer {
  /** Ends with the test `t`. */
  static async start(t) {
    const address = Object.values(networkInterfaces())
      .flat()
      .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
    if (address === undefined) {
      throw new Error('no interface for a TURN server');
    }
    const turn = new TurnServer(address, await freePort(address));
    t.after(() => turn.#program.stop());
    await until('coturn listening', () => turn.said(`listener opened on: ${address}`));
    return turn;
  }

  #program;
  secret = randomBytes(16).toString('hex');

  constructor(address, port) {
    this.address = address;
    this.url = `turn:${address}:${port}?transport=udp`;
    const options = {
      'listening-ip': address,
      'relay-ip': address,
      'listening-port': port,
      'min-port': RELAY_PORTS[0],
      'max-port': RELAY_PORTS[1],
      realm: REALM,
      'static-auth-secret': this.secret,
      userdb: path.join(WORK, `turn-${process.pid}.db`),
      'log-file': 'stdout',
      pidfile: path.join(WORK, `turn-${process.pid}.pid`),
    };
    const flags = [
      'use-auth-secret',
      'no-cli',
      'no-tls',
      'no-dtls',
      'no-tcp',
      'no-multicast-peers',
      'verbose',
    ];
    this.#program = start('turnserver', [
      '-n',
      ...flags.map((flag) => `--${flag}`),
      ...Object.entries(options).map(([name, value]) => `--${name}=${value}`),
    ]);
  }

  /** Whether a line that it wrote has this in it. */
  said(text) {
    return this.#program.lines.some((line) => line.includes(text));
  }

  /** Its section of the server's configuration file. */
  config() {
    return `[turn]\nurls = ["${this.url}"]\nsecret = "${this.secret}"\n`;
  }
}

async function freePort(address) {
  const socket = createSocket('udp4').bind(0, address);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}
