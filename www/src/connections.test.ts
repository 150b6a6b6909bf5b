import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';

import { Connections, type Incoming, type Outgoing } from './connections.js';

class FakeChannel {
  readyState: RTCDataChannelState = 'connecting';
  binaryType = 'blob';
  bufferedAmountLowThreshold = 0;
  bufferedAmount = 0;
  sent: ArrayBuffer[] = [];
  full = false;
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onbufferedamountlow: (() => void) | null = null;

  constructor(
    readonly label: string,
    readonly options: RTCDataChannelInit,
  ) {}

  send(data: ArrayBuffer): void {
    if (this.full) throw new DOMException('send queue is full', 'OperationError');
    this.sent.push(data);
    this.bufferedAmount += data.byteLength;
  }
}

class FakeConnection {
  static made: FakeConnection[] = [];
  readonly calls: string[] = [];
  readonly channels: FakeChannel[] = [];
  connectionState: RTCPeerConnectionState = 'new';
  iceConnectionState: RTCIceConnectionState = 'new';
  localDescription: { sdp: string } | null = null;
  onicecandidate: ((event: { candidate: { candidate: string } | null }) => void) | null = null;
  onconnectionstatechange: (() => void) | null = null;
  refuse = '';

  constructor(readonly configuration: RTCConfiguration) {
    FakeConnection.made.push(this);
  }

  createDataChannel(label: string, options: RTCDataChannelInit): FakeChannel {
    const channel = new FakeChannel(label, options);
    this.channels.push(channel);
    return channel;
  }

  setLocalDescription(): Promise<void> {
    this.localDescription = { sdp: 'local' };
    return this.#call('local');
  }

  setRemoteDescription({ type, sdp }: { type: string; sdp: string }): Promise<void> {
    return this.#call(`remote ${type} ${sdp}`);
  }

  addIceCandidate({ candidate, sdpMid }: { candidate: string; sdpMid: string }): Promise<void> {
    return this.#call(`candidate ${candidate} ${sdpMid}`);
  }

  getStats(): Promise<Map<string, object>> {
    const entries = [
      { id: 'p', type: 'candidate-pair', nominated: true, localCandidateId: 'l', remoteCandidateId: 'r' },
      { id: 'l', type: 'local-candidate', candidateType: 'host', protocol: 'udp' },
      { id: 'r', type: 'remote-candidate', candidateType: 'srflx', protocol: 'udp' },
    ];
    return Promise.resolve(new Map(entries.map((entry) => [entry.id, entry])));
  }

  close(): void {
    this.calls.push('close');
  }

  state(connection: RTCPeerConnectionState, ice: RTCIceConnectionState): void {
    this.connectionState = connection;
    this.iceConnectionState = ice;
    this.onconnectionstatechange?.();
  }

  #call(what: string): Promise<void> {
    this.calls.push(what);
    return what.startsWith(this.refuse) && this.refuse !== ''
      ? Promise.reject(new Error(what))
      : Promise.resolve();
  }
}

let posted: Outgoing[] = [];
let transferable = true;

beforeEach(() => {
  posted = [];
  transferable = true;
  FakeConnection.made = [];
  Object.assign(globalThis, { RTCPeerConnection: FakeConnection });
});

function connections(rtc: RTCConfiguration = {}): Connections {
  return new Connections(rtc, (message) => {
    if (message.type === 'channels' && !transferable) throw new DOMException('no', 'DataCloneError');
    posted.push(message);
  });
}

function dial(to: Connections, change: Partial<Extract<Incoming, { type: 'dial' }>> = {}): FakeConnection {
  to.handle({ type: 'dial', peer: 7, offer: true, iceServers: [], relayOnly: false, ...change });
  const made = FakeConnection.made.at(-1);
  assert.ok(made);
  return made;
}

function types(): string[] {
  return posted.map(({ type }) => type);
}

async function settled(): Promise<void> {
  await new Promise(setImmediate);
}

describe('connections', () => {
  test('are made when the engine dials, and their channels go to the worker at once', () => {
    const own = connections();
    own.handle({ type: 'remote-description', peer: 7, offer: true, sdp: 'x' });
    assert.equal(FakeConnection.made.length, 0);
    const { channels } = dial(own);
    assert.deepEqual(types(), ['channels']);
    assert.deepEqual(
      channels.map(({ label, options }) => [label, options]),
      [
        ['control', { negotiated: true, id: 0 }],
        ['data', { negotiated: true, id: 1 }],
      ],
    );
  });

  test('offer and answer are carried as they are, candidates after what they belong to', async () => {
    const offering = dial(connections());
    await settled();
    assert.deepEqual(posted.at(-1), { type: 'local-description', peer: 7, sdp: 'local' });
    offering.onicecandidate?.({ candidate: { candidate: 'candidate:1' } });
    offering.onicecandidate?.({ candidate: { candidate: '' } });
    offering.onicecandidate?.({ candidate: null });
    assert.deepEqual(types().slice(2), ['local-candidate', 'local-candidates-end']);

    const own = connections();
    const answering = dial(own, { offer: false });
    own.handle({ type: 'remote-description', peer: 7, offer: true, sdp: 'theirs' });
    own.handle({ type: 'remote-candidate', peer: 7, line: 'candidate:2' });
    await settled();
    assert.deepEqual(answering.calls, ['remote offer theirs', 'local', 'candidate candidate:2 0']);
  });

  test('the page’s rtc goes over the tracker’s servers, but not over relayed only', () => {
    const iceServers = [{ urls: 'stun:page.example' }];
    const { configuration } = dial(connections({ iceServers, iceTransportPolicy: 'all' }), {
      iceServers: [{ urls: 'stun:tracker.example' }],
      relayOnly: true,
    });
    assert.deepEqual(configuration, { iceServers, iceTransportPolicy: 'relay' });
  });

  test('a failure says what the browser says', async () => {
    const failing = async (break_: (made: FakeConnection, own: Connections) => void): Promise<unknown> => {
      const own = connections();
      const made = dial(own);
      await settled();
      break_(made, own);
      await settled();
      const last = posted.at(-1);
      assert.equal(last?.type, 'peer-failed');
      return last.code;
    };
    assert.equal(await failing((made) => { made.state('failed', 'failed'); }), 'ice_failed'); // prettier-ignore
    assert.equal(await failing((made) => { made.state('failed', 'connected'); }), 'dtls_failed'); // prettier-ignore
    const refused = await failing((made, own) => {
      made.refuse = 'remote';
      own.handle({ type: 'remote-description', peer: 7, offer: false, sdp: 'bad' });
    });
    assert.equal(refused, 'description_refused');
  });

  test('a connection that was up is lost, not failed, and its path is told while it is', async () => {
    const own = connections();
    const made = dial(own);
    made.state('connected', 'connected');
    await settled();
    assert.deepEqual(own.states(), [
      { peer: 7, state: 'connected', path: { local: 'host', remote: 'srflx', protocol: 'udp' } },
    ]);
    made.state('failed', 'failed');
    assert.deepEqual(posted.at(-1), { type: 'peer-failed', peer: 7, code: 'connection_lost' });
  });

  test('without WebRTC a dial fails and nothing else does', () => {
    Object.assign(globalThis, { RTCPeerConnection: undefined });
    const own = connections();
    own.handle({ type: 'dial', peer: 7, offer: true, iceServers: [], relayOnly: false });
    assert.deepEqual(posted, [{ type: 'peer-failed', peer: 7, code: 'no_webrtc' }]);
    assert.deepEqual(own.states(), []);
  });

  test('what is closed stays silent', async () => {
    const own = connections();
    const made = dial(own);
    own.handle({ type: 'close', peer: 7 });
    made.state('failed', 'failed');
    own.handle({ type: 'remote-candidate', peer: 7, line: 'candidate:1' });
    await settled();
    assert.deepEqual([made.calls, types()], [['close'], ['channels']]);
  });
});

describe('the relay, where a channel cannot be transferred', () => {
  test('carries messages both ways and tells what is buffered', () => {
    transferable = false;
    const own = connections();
    const { channels } = dial(own);
    const [control, data] = channels;
    assert.ok(control && data);
    assert.equal(data.binaryType, 'arraybuffer');
    data.readyState = 'open';
    data.onopen?.();
    const message = new ArrayBuffer(3);
    data.onmessage?.({ data: message });
    data.onmessage?.({ data: 'text' });
    own.handle({ type: 'relay-send', peer: 7, channel: 1, data: new ArrayBuffer(5) });
    own.handle({ type: 'relay-send', peer: 7, channel: 0, data: new ArrayBuffer(5) });
    assert.deepEqual([data.sent.length, control.sent.length], [1, 0]);
    data.bufferedAmount = 0;
    data.onbufferedamountlow?.();
    control.onclose?.();
    assert.deepEqual(posted, [
      { type: 'relay-opened', peer: 7, channel: 1 },
      { type: 'relay-message', peer: 7, channel: 1, data: message },
      { type: 'relay-message', peer: 7, channel: 1, data: new ArrayBuffer(0) },
      { type: 'relay-buffered', peer: 7, channel: 1, amount: 5 },
      { type: 'relay-buffered', peer: 7, channel: 1, amount: 0 },
      { type: 'relay-closed', peer: 7, channel: 0 },
    ]);
  });

  test('a full send queue ends the connection', () => {
    transferable = false;
    const own = connections();
    const data = dial(own).channels[1];
    assert.ok(data);
    data.readyState = 'open';
    data.full = true;
    own.handle({ type: 'relay-send', peer: 7, channel: 1, data: new ArrayBuffer(5) });
    assert.deepEqual(posted[0], { type: 'peer-failed', peer: 7, code: 'connection_lost' });
  });
});
