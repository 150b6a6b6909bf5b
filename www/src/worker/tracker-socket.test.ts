import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { TrackerSocket } from './tracker-socket.js';

/** As much of a WebSocket as is used. */
class FakeSocket {
  static readonly OPEN = 1;
  static made: FakeSocket[] = [];
  readyState = 0;
  sent: string[] = [];
  closed = false;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.made.push(this);
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.closed = true;
  }

  open(): void {
    this.readyState = FakeSocket.OPEN;
    this.onopen?.();
  }
}

let heard: string[];
let tracker: TrackerSocket;

beforeEach(() => {
  globalThis.WebSocket = FakeSocket as unknown as typeof WebSocket;
  FakeSocket.made = [];
  heard = [];
  tracker = new TrackerSocket('wss://tracker.example/', 40, {
    opened: () => heard.push('opened'),
    message: (message) => heard.push(JSON.stringify(message)),
    closed: () => heard.push('closed'),
    warn: (code) => heard.push(code),
  });
});

test('messages go both ways as JSON', () => {
  const socket = opened();
  tracker.send('{"type":"leave"}');
  socket.onmessage?.({ data: '{"type":"peers","peers":[]}' });
  assert.deepEqual(socket.sent, ['{"type":"leave"}']);
  assert.deepEqual(heard, ['opened', '{"type":"peers","peers":[]}']);
});

test('nothing is sent before it is open', () => {
  tracker.open();
  tracker.send('{"type":"leave"}');
  assert.deepEqual(FakeSocket.made[0]?.sent, []);
});

for (const [what, data] of [
  ['binary', new ArrayBuffer(2)],
  ['too long', ' '.repeat(41)],
  ['no JSON', '{"type"'],
  ['nested too deeply', '[[[[[[[[[[1]]]]]]]]]]'],
] as const) {
  test(`a message that is ${what} ends the connection`, () => {
    const socket = opened();
    socket.onmessage?.({ data });
    assert.deepEqual(heard, ['opened', 'invalid_tracker_message', 'closed']);
    assert.equal(socket.closed, true);
  });
}

test('closing by the engine is not reported back to it, closing by the tracker is', () => {
  const first = opened();
  tracker.close();
  first.onclose?.();
  assert.deepEqual(heard, ['opened']);
  const second = opened();
  second.onclose?.();
  assert.deepEqual(heard, ['opened', 'opened', 'closed']);
});

function opened(): FakeSocket {
  tracker.open();
  const socket = FakeSocket.made.at(-1);
  assert(socket !== undefined);
  socket.open();
  return socket;
}
