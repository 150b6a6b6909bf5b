/** Joins the swarm, plays, and keeps the page informed. */

import Hls from 'hls.js';
import { join, type Peer, SwarmsealError } from '../src/index.js';
import { hlsConfig } from '../src/players/hls.js';
import { loadConfig, readOptions } from './config.js';
import { element } from './element.js';
import { narrate } from './narrate.js';
import { Page } from './page.js';
import type { Controls } from './scene.js';
import { Tracks } from './tracks.js';
import { plain } from './words.js';
import { Watch } from './watch.js';

declare global {
  interface Window {
    /** For looking around in the console, and for tests. */
    swarmsealDemo?: { peer: Peer; hls: Hls };
  }
}

const video = element('video', HTMLVideoElement);
const options = readOptions(new URLSearchParams(location.search));

/** What the buttons do; nothing, until there is a peer. */
class PeerControls implements Controls {
  peer: Peer | null = null;
  watch: Watch | null = null;
  #page: Page | null = null;

  serve(page: Page, peer: Peer, watch: Watch): void {
    this.#page = page;
    this.peer = peer;
    this.watch = watch;
  }

  setSharing(on: boolean): void {
    if (!this.peer) return;
    this.peer.setPolicy({ share: on ? 'on' : 'off' });
    void this.#tell(on);
  }

  setUplinkCap(bps: number | null): void {
    this.peer?.setPolicy({ uploadKbps: bps === null ? null : bps / 1000 });
  }

  consent(share: boolean): void {
    if (!this.peer) return;
    if (share) this.peer.consent();
    else this.peer.setPolicy({ share: 'off' });
    void this.#tell(share);
  }

  seek(seconds: number): void {
    video.currentTime = seconds + (this.watch?.aheadS ?? 0);
  }

  toLiveEdge(): void {
    const edge = window.swarmsealDemo?.hls.liveSyncPosition;
    if (edge != null) video.currentTime = edge;
    void video.play();
  }

  /** Shows the change at once and says how long the last connection took to close. */
  async #tell(on: boolean): Promise<void> {
    const { watch } = this;
    const page = this.#page;
    if (!watch || !page) return;
    const askedMs = performance.now();
    for (;;) {
      const scene = await watch.look();
      page.update(scene);
      if (on) {
        page.journal.write('note', 'Sharing is on.');
        return;
      }
      if (scene.viewers.length === 0) {
        const tookMs = Math.round(scene.atMs - askedMs);
        page.journal.write('note', `Sharing is off. Nothing goes in or out any more, after ${tookMs} ms.`);
        return;
      }
      if (scene.sharing.state !== 'off') return;
    }
  }
}

async function start(): Promise<void> {
  const controls = new PeerControls();
  const page = new Page(controls, options.uplinkCap);
  try {
    await play(page, controls);
  } catch (error) {
    page.notice(explain(error));
  }
}

async function play(page: Page, controls: PeerControls): Promise<void> {
  const config = await loadConfig();
  page.title(config.title);
  const peer = await join({
    manifest: config.manifest,
    trust: config.trust,
    trackerKeys: config.trackerKeys,
    live: config.live,
    ...(config.content === null ? {} : { content: config.content }),
    ...(config.tracker === null ? {} : { tracker: config.tracker }),
    policy: {
      share: options.share,
      uploadKbps: options.uplinkCap === null ? null : options.uplinkCap / 1000,
    },
  });
  page.version(`Content version ${peer.version}`);
  page.journal.write('note', 'The manifest is genuine: signed by the publisher that this page trusts.');
  peer.on('error', (error) => {
    page.notice(explain(error));
  });
  const hls = new Hls({
    ...hlsConfig(peer),
    startLevel: options.rendition,
    maxBufferLength: options.bufferS,
    maxMaxBufferLength: options.bufferS,
    backBufferLength: BACK_BUFFER_S,
  });
  window.swarmsealDemo = { peer, hls };
  const tracks = new Tracks(hls);
  const watch = new Watch(peer, hls, video, tracks);
  controls.serve(page, peer, watch);
  narrate(peer, page.journal, tracks);
  offerRenditions(hls);
  hls.on(Hls.Events.ERROR, (_, { fatal, details, error }) => {
    if (fatal) page.notice(`The player stopped (${details}): ${error.message}`);
  });
  peer.attach(hls);
  hls.loadSource(config.playlist);
  hls.attachMedia(video);
  video.play().catch(() => {
    page.journal.write('note', 'The browser waits for you to press play.');
  });
  await watch.run((scene) => {
    page.update(scene);
  });
}

function offerRenditions(hls: Hls): void {
  const select = element('rendition', HTMLSelectElement);
  hls.on(Hls.Events.MANIFEST_PARSED, (_, { levels }) => {
    for (const [index, level] of levels.entries()) {
      const name = level.height > 0 ? `${level.height}p` : `${Math.round(level.bitrate / 1000)} kbit/s`;
      select.add(new Option(name, String(index)));
    }
    select.value = String(options.rendition);
    if (options.rendition >= 0) hls.loadLevel = options.rendition;
  });
  select.addEventListener('change', () => {
    hls.nextLevel = Number(select.value);
  });
}

function explain(error: unknown): string {
  if (error instanceof SwarmsealError) return `${error.message} (${plain(error.code)})`;
  return error instanceof Error ? error.message : String(error);
}

// Seeking back further than this asks again, and shows what is still held.
const BACK_BUFFER_S = 10;

void start();
