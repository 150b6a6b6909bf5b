// Passes on what two pages say to each other, at once and unread: the signalling of the bare data channel.

import { once } from 'node:events';
import { WebSocketServer } from 'ws';

/** {url, stop()}: every text goes to everyone else who is connected. */
export async function startRelay() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (socket) => {
    socket.on('message', (data) => {
      for (const other of server.clients) {
        if (other !== socket) {
          other.send(String(data));
        }
      }
    });
  });
  await once(server, 'listening');
  return {
    url: `ws://127.0.0.1:${server.address().port}`,
    async stop() {
      for (const socket of server.clients) {
        socket.terminate();
      }
      server.close();
      await once(server, 'close');
    },
  };
}
