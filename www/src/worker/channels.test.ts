import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { RelayedChannels, TransferredChannels, type ChannelEvents } from './channels.js';

/** As much of an RTCDataChannel as is used. */
class FakeChannel {
  readyState: RTCDataChannelState = 'connecting';
  binaryType = 'blob';
  bufferedAmount = 0;
  bufferedAmountLowThreshold = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onbufferedamountlow: (() => void) | null = null;
  onclose: (() => void) | null = null;

  send(bytes: Uint8Array): void {
    if (this.readyState !== 'open') throw new Error('InvalidStateError');
    this.bufferedAmount += bytes.length;
  }

  close(): void {
    this.readyState = 'closed';
    this.onclose?.();
  }

  open(): void {
    this.readyState = 'open';
    this.onopen?.();
  }
}

let heard: string[];
let events: ChannelEvents;

beforeEach(() => {
  heard = [];
  events = {
    opened: () => heard.push('opened'),
    message: (channel, bytes) => heard.push(`${channel}: ${bytes.join(' ')}`),
    low: () => heard.push('low'),
    closed: () => heard.push('closed'),
  };
});

test('a peer is open when both of its channels are, whichever is first', () => {
  const { control, data } = transferred();
  data.open();
  assert.deepEqual(heard, []);
  control.open();
  assert.deepEqual(heard, ['opened']);
});

test('channels that opened on their way into the worker count', () => {
  const control = new FakeChannel();
  control.readyState = 'open';
  const { data } = transferred(control);
  data.open();
  assert.deepEqual(heard, ['opened']);
});

test('messages arrive as bytes; text arrives as an empty message', () => {
  const { control, data } = transferred();
  assert.equal(data.binaryType, 'arraybuffer');
  control.onmessage?.({ data: new Uint8Array([1, 2]).buffer });
  data.onmessage?.({ data: 'hello' });
  assert.deepEqual(heard, ['0: 1 2', '1: ']);
});

test('what waits in the browser is counted over both channels', () => {
  const { control, data, channels } = transferred();
  control.open();
  data.open();
  channels.send(0, new Uint8Array(3));
  channels.send(1, new Uint8Array(40));
  assert.equal(channels.buffered(), 43);
  data.bufferedAmount = 0;
  data.onbufferedamountlow?.();
  assert.equal(channels.buffered(), 3);
  assert.equal(heard.at(-1), 'low');
});

test('sending on a closed channel throws, closing by us is not reported', () => {
  const { control, data, channels } = transferred();
  control.open();
  data.open();
  channels.close();
  assert.throws(() => {
    channels.send(0, new Uint8Array(1));
  });
  assert.deepEqual(heard, ['opened']);
});

test('closing by the other side is reported', () => {
  transferred().control.close();
  assert.deepEqual(heard, ['closed']);
});

test('a relay behaves as channels do', () => {
  const sent: [number, ArrayBuffer][] = [];
  const relay = new RelayedChannels((channel, data) => sent.push([channel, data]), events);
  relay.opened(0);
  relay.opened(0);
  assert.deepEqual(heard, []);
  relay.opened(1);
  relay.message(1, new Uint8Array([7]).buffer);
  relay.closed();
  assert.deepEqual(heard, ['opened', '1: 7', 'closed']);
});

test('a relay counts what it passed on until the page says what is left', () => {
  const relay = new RelayedChannels(() => undefined, events);
  relay.send(0, new Uint8Array(10));
  relay.send(1, new Uint8Array(20));
  assert.equal(relay.buffered(), 30);
  relay.reported(1, 5);
  assert.equal(relay.buffered(), 15);
  assert.equal(heard.at(-1), 'low');
});

test('a relay passes on a buffer of its own, as it will be transferred away', () => {
  const sent: ArrayBuffer[] = [];
  const relay = new RelayedChannels((_, data) => sent.push(data), events);
  const batch = new Uint8Array([1, 2, 3, 4]);
  relay.send(0, batch.subarray(1, 3));
  assert.deepEqual(sent, [new Uint8Array([2, 3]).buffer]);
  assert.notEqual(sent[0], batch.buffer);
});

function transferred(control = new FakeChannel(), data = new FakeChannel()) {
  const [first, second] = [control, data] as unknown as [RTCDataChannel, RTCDataChannel];
  return { control, data, channels: new TransferredChannels(first, second, events) };
}
