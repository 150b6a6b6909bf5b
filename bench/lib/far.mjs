// A server as it is over a long way: every connection takes a round trip to open, and every byte half of one, each way. Rates
// and loss are as they were.

import { connect, createServer } from 'node:net';
import { once } from 'node:events';

/** {url, stop()}: what answers at `url`, so far away. */
export async function farAway(url, roundTripMs) {
  const { port, hostname } = new URL(url);
  const sockets = new Set();
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    // The system has opened it at once.
    const openAt = performance.now() + roundTripMs;
    carry(near, far, (now) => Math.max(now, openAt) + roundTripMs / 2);
    carry(far, near, (now) => now + roundTripMs / 2);
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const here = new URL(url);
  here.port = server.address().port;
  return {
    url: here.href.replace(/\/$/, ''),
    async stop() {
      for (const socket of sockets) {
        socket.destroy();
      }
      server.close();
      await once(server, 'close');
    },
  };
}

/** What comes out of `from` goes into `to` when `due` says, in order, and so does its end. */
function carry(from, to, due) {
  const waiting = [];
  let timer = null;
  const next = () => {
    timer = null;
    while (waiting.length > 0 && waiting[0].at <= performance.now()) {
      waiting.shift().deliver();
    }
    if (waiting.length > 0) {
      timer = setTimeout(next, waiting[0].at - performance.now());
    }
  };
  const later = (deliver) => {
    waiting.push({ at: due(performance.now()), deliver });
    timer ??= setTimeout(next, waiting[0].at - performance.now());
  };
  from.on('data', (data) => later(() => to.write(data)));
  from.on('end', () => later(() => to.end()));
  from.on('error', () => later(() => to.destroy()));
}
