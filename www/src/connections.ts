import type { ChannelId, PeerFailureCode, ToPage, ToWorker } from './messages.js';

/** How a connection goes, for `stats()`. */
export interface ConnectionState {
  peer: number;
  state: RTCPeerConnectionState;
  /** Candidate types of the pair in use: `host`, `srflx`, `prflx`, `relay`; null until connected. */
  path: { local: string; remote: string; protocol: string } | null;
}

/** Messages of one join, which its owner adds the number of. */
export type Outgoing = WithoutJoin<ToWorker>;
export type Incoming = WithoutJoin<ToPage>;
type WithoutJoin<Message> = Message extends { join: number } ? Omit<Message, 'join'> : never;

/**
 * The RTCPeerConnections of one join: made when the engine dials and not before. Descriptions and candidates are
 * carried between browser and engine as they are; the channels go to the worker as soon as they exist.
 */
export class Connections {
  readonly #rtc: RTCConfiguration;
  readonly #post: (message: Outgoing, transfer?: Transferable[]) => void;
  readonly #peers = new Map<number, Connection>();

  constructor(rtc: RTCConfiguration, post: (message: Outgoing, transfer?: Transferable[]) => void) {
    this.#rtc = rtc;
    this.#post = post;
  }

  handle(message: Incoming): void {
    // None for what is not about a connection.
    const connection = this.#peers.get((message as { peer: number }).peer);
    switch (message.type) {
      case 'dial':
        this.#dial(message);
        break;
      case 'remote-description':
        connection?.describe(message.offer, message.sdp);
        break;
      case 'remote-candidate':
        connection?.candidate(message.line);
        break;
      case 'relay-send':
        connection?.relay(message.channel, message.data);
        break;
      case 'close':
        connection?.close();
        this.#peers.delete(message.peer);
        break;
      default:
    }
  }

  states(): ConnectionState[] {
    return [...this.#peers.values()].map((connection) => connection.state());
  }

  closeAll(): void {
    for (const connection of this.#peers.values()) connection.close();
    this.#peers.clear();
  }

  #dial({ peer, offer, iceServers, relayOnly }: Extract<Incoming, { type: 'dial' }>): void {
    const post = this.#post;
    try {
      const configuration: RTCConfiguration = { iceServers, ...this.#rtc };
      if (relayOnly) configuration.iceTransportPolicy = 'relay';
      const connection = new Connection(peer, new RTCPeerConnection(configuration), post);
      this.#peers.set(peer, connection);
      if (offer) connection.offer();
    } catch {
      post({ type: 'peer-failed', peer, code: 'no_webrtc' });
    }
  }
}

class Connection {
  readonly #peer: number;
  readonly #browser: RTCPeerConnection;
  readonly #post: (message: Outgoing, transfer?: Transferable[]) => void;
  /** Only where the worker cannot have them. */
  #relayed: RTCDataChannel[] = [];
  /** Operations in their order: a candidate waits for the description before it. */
  #queue = Promise.resolve();
  #path: ConnectionState['path'] = null;
  #closed = false;

  constructor(
    peer: number,
    browser: RTCPeerConnection,
    post: (message: Outgoing, transfer?: Transferable[]) => void,
  ) {
    this.#peer = peer;
    this.#browser = browser;
    this.#post = post;
    this.#handOverChannels();
    browser.onicecandidate = ({ candidate }) => {
      if (candidate === null) post({ type: 'local-candidates-end', peer });
      else if (candidate.candidate !== '') post({ type: 'local-candidate', peer, line: candidate.candidate });
    };
    browser.onconnectionstatechange = () => {
      this.#follow();
    };
  }

  offer(): void {
    this.#then('description_refused', () => this.#describeLocal());
  }

  describe(offer: boolean, sdp: string): void {
    this.#then('description_refused', async () => {
      await this.#browser.setRemoteDescription({ type: offer ? 'offer' : 'answer', sdp });
      if (offer) await this.#describeLocal();
    });
  }

  candidate(line: string): void {
    this.#then('candidate_refused', () => this.#browser.addIceCandidate({ candidate: line, sdpMid: '0' }));
  }

  relay(id: ChannelId, data: ArrayBuffer): void {
    const channel = this.#relayed[id];
    if (channel?.readyState !== 'open') return;
    try {
      channel.send(data);
    } catch {
      // The send queue is full. The engine keeps far below that, so this connection is beyond repair.
      this.#fail('connection_lost');
    }
    this.#reportBuffered(id, channel);
  }

  state(): ConnectionState {
    return { peer: this.#peer, state: this.#browser.connectionState, path: this.#path };
  }

  close(): void {
    this.#closed = true;
    this.#browser.onicecandidate = this.#browser.onconnectionstatechange = null;
    this.#browser.close();
  }

  #handOverChannels(): void {
    const [control, data] = CHANNELS.map((label, id) =>
      this.#browser.createDataChannel(label, { negotiated: true, id }),
    ) as [RTCDataChannel, RTCDataChannel];
    const message: Outgoing = { type: 'channels', peer: this.#peer, control, data };
    try {
      // TypeScript's DOM does not know yet that a channel is transferable.
      this.#post(message, [control, data]);
    } catch {
      this.#relayed = [control, data];
      this.#relayed.forEach((channel, id) => {
        this.#relayChannel(channel, id as ChannelId);
      });
    }
  }

  #relayChannel(channel: RTCDataChannel, id: ChannelId): void {
    const peer = this.#peer;
    channel.binaryType = 'arraybuffer';
    channel.bufferedAmountLowThreshold = RELAY_LOW_BYTES;
    channel.onopen = () => {
      this.#post({ type: 'relay-opened', peer, channel: id });
    };
    channel.onclose = () => {
      this.#post({ type: 'relay-closed', peer, channel: id });
    };
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      // Text is no message of ours; the engine is told by an empty one, which breaks its rules.
      const buffer = data instanceof ArrayBuffer ? data : new ArrayBuffer(0);
      this.#post({ type: 'relay-message', peer, channel: id, data: buffer }, [buffer]);
    };
    channel.onbufferedamountlow = () => {
      this.#reportBuffered(id, channel);
    };
  }

  #reportBuffered(id: ChannelId, channel: RTCDataChannel): void {
    this.#post({ type: 'relay-buffered', peer: this.#peer, channel: id, amount: channel.bufferedAmount });
  }

  async #describeLocal(): Promise<void> {
    await this.#browser.setLocalDescription();
    const sdp = this.#browser.localDescription?.sdp ?? '';
    this.#post({ type: 'local-description', peer: this.#peer, sdp });
  }

  #then(code: PeerFailureCode, operation: () => Promise<void>): void {
    this.#queue = this.#queue.then(async () => {
      if (this.#closed) return;
      await operation().catch(() => {
        this.#fail(code);
      });
    });
  }

  #follow(): void {
    const { connectionState, iceConnectionState } = this.#browser;
    if (connectionState === 'connected') {
      this.#then('connection_lost', async () => {
        this.#path = selectedPath(await this.#browser.getStats());
      });
    } else if (connectionState === 'failed') {
      if (this.#path !== null) this.#fail('connection_lost');
      else this.#fail(iceConnectionState === 'failed' ? 'ice_failed' : 'dtls_failed');
    }
  }

  #fail(code: PeerFailureCode): void {
    if (!this.#closed) this.#post({ type: 'peer-failed', peer: this.#peer, code });
  }
}

function selectedPath(report: RTCStatsReport): ConnectionState['path'] {
  const entries = new Map<string, Partial<Record<string, unknown>>>();
  report.forEach((entry: { id: string }) => entries.set(entry.id, entry));
  for (const pair of entries.values()) {
    if (pair['type'] !== 'candidate-pair' || pair['nominated'] !== true) continue;
    const local = entries.get(String(pair['localCandidateId']));
    const remote = entries.get(String(pair['remoteCandidateId']));
    return {
      local: String(local?.['candidateType']),
      remote: String(remote?.['candidateType']),
      protocol: String(local?.['protocol']),
    };
  }
  return null;
}

/** Negotiated channels by id, as both sides make them. */
const CHANNELS = ['control', 'data'];
/** Below this the engine may send more: enough to keep a fast link busy for one turn of the event loop. */
const RELAY_LOW_BYTES = 8 * 1024;
