// The tracker of the rivals, as its documentation starts it, for WebSocket peers alone. A program of its own, so that what it
// costs can be read from outside.

import Server from 'bittorrent-tracker/server';

const server = new Server({ udp: false, http: false, ws: true, stats: false });
server.on('error', (error) => {
  throw error;
});
server.on('warning', (warning) => console.error(String(warning)));
server.listen(0, '127.0.0.1', () => {
  console.log(`listening on ws://127.0.0.1:${server.ws.address().port}`);
});
