/** What there is to say of a live stream: how far behind its edge this page plays, and who fetched what is new. */

import { element, setText } from './element.js';
import type { Live, Scene } from './scene.js';
import { count } from './words.js';

export class LiveView {
  readonly #host = element('live', HTMLElement);
  readonly #state = element('live-state', HTMLElement);
  readonly #latency = element('live-latency', HTMLElement);
  readonly #fetched = element('live-fetched', HTMLElement);
  readonly #back = element('live-edge', HTMLButtonElement);

  constructor(toEdge: () => void) {
    this.#back.addEventListener('click', toEdge);
  }

  update({ live }: Scene): void {
    this.#host.hidden = !live;
    if (!live) return;
    setText(this.#state, STATES[live.state]);
    this.#state.dataset['state'] = live.state;
    setText(this.#latency, latency(live));
    setText(this.#fetched, fetched(live));
    this.#back.hidden = live.state === 'ended' || live.latencyS === null || live.latencyS < FAR_S;
  }
}

function latency({ state, latencyS }: Live): string {
  if (latencyS === null) return '';
  return `${latencyS.toFixed(1)}\u00a0s behind the ${state === 'ended' ? 'end' : 'live edge'}`;
}

function fetched({ fetchedHere, fetchedByOthers, headsFromPeers, headsFromHttp }: Live): string {
  const all = fetchedHere + fetchedByOthers;
  if (all === 0) return '';
  const segments = `Of the last ${count(all, 'segment')}, this viewer fetched ${fetchedHere} from the origin`;
  const others = `${fetchedByOthers} came from viewers who did`;
  const heads = `News of them came ${count(headsFromPeers, 'time')} from viewers, ${count(headsFromHttp, 'time')} from the origin`;
  return `${segments}; ${others}. ${heads}.`;
}

const STATES = { waiting: 'Waiting', live: 'Live', frozen: 'Standing still', ended: 'Ended' } as const;
/** Behind this, a player has been paused or sent back. */
const FAR_S = 15;
