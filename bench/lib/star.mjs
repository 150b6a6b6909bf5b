// Between some peers and their tracker: of all that are in the swarm, it lets them know one alone.

import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';

/** {url, stop()}: `tracker` with nobody in its lists but the one whose handle is `centre`. */
export async function startStar(tracker, centre) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (socket) => {
    const upstream = new WebSocket(tracker);
    const waiting = [];
    upstream.on('open', () => waiting.splice(0).forEach((text) => upstream.send(text)));
    socket.on('message', (data) => {
      if (upstream.readyState === WebSocket.CONNECTING) {
        waiting.push(String(data));
      } else {
        upstream.send(String(data));
      }
    });
    upstream.on('message', (data) => socket.send(withNobodyElse(String(data), centre)));
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ]) {
      one.on('close', () => other.close());
      one.on('error', () => other.terminate());
    }
  });
  await once(server, 'listening');
  return {
    url: `ws://127.0.0.1:${server.address().port}/tracker`,
    async stop() {
      for (const socket of server.clients) {
        socket.terminate();
      }
      server.close();
      await once(server, 'close');
    },
  };
}

function withNobodyElse(text, centre) {
  const message = JSON.parse(text);
  if (!Array.isArray(message.peers)) {
    return text;
  }
  return JSON.stringify({ ...message, peers: message.peers.filter((peer) => peer === centre) });
}
