// A recorder on the path: tcpdump on the loopback interface, over which everything goes that browsers and servers of one
// machine (or of a test's own network namespace) say to each other, addresses of other interfaces included.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import { start } from '../../../scripts/lib/run.mjs';
import { until } from './stage.mjs';

const ETHERNET = 1;
const [TCP, UDP] = [6, 17];

export class Recorder {
  #program;
  #file;
  #port;

  /** Writes what goes over these TCP ports, and all UDP, into `file` (….pcap), until `stop()` or the end of the test `t`. */
  static async start(t, file, ...tcpPorts) {
    const recorder = new Recorder();
    recorder.#file = file;
    recorder.#port = tcpPorts[0];
    const filter = ['udp', ...tcpPorts.map((port) => `tcp port ${port}`)].join(' or ');
    recorder.#program = start('tcpdump', [
      ...['-i', 'lo', '-n', '-s', '0', '-B', '65536', '-U', '-w', file],
      // As root it would become a user who may not write here.
      ...(process.getuid() === 0 ? ['-Z', 'root'] : []),
      filter,
    ]);
    t.after(() => recorder.#program.stop());
    await recorder.#sees();
    return recorder;
  }

  /** Ends the recording, when all that happened before is in it: {raw, packets, streams}. */
  async stop() {
    await this.#sees();
    await this.#program.stop('SIGINT');
    // A program's last words are read some time after it has ended.
    const counted = await until('tcpdump counting what it missed', () =>
      this.#program.lines.find((line) => line.includes('dropped by kernel')),
    );
    if (counted !== '0 packets dropped by kernel') {
      throw new Error(`the recording has holes: ${this.#program.lines.join('; ')}`);
    }
    const raw = await readFile(this.#file);
    const all = [...packets(raw)];
    return { raw, packets: all, streams: streams(all) };
  }

  // A packet of its own that turns up in the recording: what came before it is there as well.
  async #sees() {
    const mark = randomBytes(24);
    const socket = createSocket('udp4');
    try {
      await until(
        'the recorder seeing a packet',
        async () => {
          socket.send(mark, this.#port, '127.0.0.1');
          return readFile(this.#file).catch(() => Buffer.alloc(0));
        },
        (raw) => raw.includes(mark) || this.#ended(),
      );
    } finally {
      socket.close();
      await once(socket, 'close');
    }
  }

  #ended() {
    const failed = this.#program.lines.find((line) => /permission|No such device|syntax error/i.test(line));
    if (failed !== undefined) {
      throw new Error(`tcpdump: ${failed}`);
    }
    return false;
  }
}

/** Every packet: {protocol, from, to, sequence, payload}; ports only, as all of them are on one machine. */
function* packets(raw) {
  if (raw.readUInt32LE(0) !== 0xa1b2c3d4 || raw.readUInt32LE(20) !== ETHERNET) {
    throw new Error('this is not a recording of Ethernet frames');
  }
  for (let at = 24; at + 16 <= raw.length;) {
    const length = raw.readUInt32LE(at + 8);
    const packet = transported(raw.subarray(at + 16, at + 16 + length));
    if (packet !== null) yield packet;
    at += 16 + length;
  }
}

function transported(frame) {
  const ip = frame.subarray(14);
  const four = ip[0] >> 4 === 4;
  const protocol = four ? ip[9] : ip[6];
  // Not the frame's end: short ones are padded.
  const segment = four
    ? ip.subarray((ip[0] & 15) * 4, ip.readUInt16BE(2))
    : ip.subarray(40, 40 + ip.readUInt16BE(4));
  if (protocol !== TCP && protocol !== UDP) return null;
  const payload = protocol === UDP ? segment.subarray(8) : segment.subarray((segment[12] >> 4) * 4);
  return {
    protocol: protocol === UDP ? 'udp' : 'tcp',
    from: segment.readUInt16BE(0),
    to: segment.readUInt16BE(2),
    sequence: protocol === TCP ? segment.readUInt32BE(4) : 0,
    payload,
  };
}

/** What each end of each TCP connection said, without the seams between packets. */
function streams(all) {
  const said = new Map();
  for (const { protocol, from, to, sequence, payload } of all) {
    if (protocol !== 'tcp' || payload.length === 0) continue;
    const key = `${from}-${to}`;
    const stream = said.get(key) ?? { next: sequence, parts: [] };
    said.set(key, stream);
    // What is sent again has been seen.
    if (((sequence - stream.next) | 0) >= 0) {
      stream.parts.push(payload);
      stream.next = (sequence + payload.length) >>> 0;
    }
  }
  return [...said.values()].map(({ parts }) => Buffer.concat(parts));
}
