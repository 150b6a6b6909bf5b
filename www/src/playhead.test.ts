import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';

import type { PlayerState } from './messages.js';
import { followPlayhead, type Player } from './playhead.js';

class FakeMedia extends EventTarget {
  currentTime = 0;
  playbackRate = 1;
  paused = true;
  seeking = false;
  spans: [number, number][] = [];
  buffered = {
    owner: this,
    get length(): number {
      return this.owner.spans.length;
    },
    start: (n: number): number => this.spans[n]?.[0] ?? Number.NaN,
    end: (n: number): number => this.spans[n]?.[1] ?? Number.NaN,
  };
}

let told: PlayerState[] = [];

function follow(player: object): () => void {
  return followPlayhead(player as Player, (state) => told.push(state));
}

describe('the play head', () => {
  beforeEach(() => {
    told = [];
    mock.timers.enable({ apis: ['setInterval'] });
  });
  afterEach(() => {
    mock.timers.reset();
  });

  test('is told on events, and every 250 ms while it plays', () => {
    const media = new FakeMedia();
    const stop = follow({ media });
    assert.equal(told.length, 1);
    mock.timers.tick(1000);
    assert.equal(told.length, 1, 'a paused player moves nowhere');
    media.paused = false;
    media.dispatchEvent(new Event('play'));
    mock.timers.tick(1000);
    assert.equal(told.length, 6);
    stop();
    media.dispatchEvent(new Event('play'));
    mock.timers.tick(1000);
    assert.equal(told.length, 6);
  });

  test('is told as soon as the player has been given its element, before a tick', async () => {
    const player: { media: FakeMedia | null } = { media: null };
    const stop = follow(player);
    assert.equal(told.length, 0);
    player.media = new FakeMedia();
    await Promise.resolve();
    assert.equal(told.length, 1);
    stop();
  });

  test('stays stopped when it is stopped in the task that began it', async () => {
    const player: { media: FakeMedia | null } = { media: null };
    const stop = follow(player);
    const media = (player.media = new FakeMedia());
    stop();
    await Promise.resolve();
    media.dispatchEvent(new Event('play'));
    assert.deepEqual(told, []);
  });

  test('says where the buffer ends that it is in', () => {
    const media = new FakeMedia();
    media.spans = [
      [0.05, 10],
      [30, 40],
    ];
    for (const [currentTime, bufferedEnd] of [
      [0, 10],
      [5, 10],
      [20, 20],
      [35, 40],
    ] as const) {
      media.currentTime = currentTime;
      follow(media)();
      assert.equal(told.at(-1)?.bufferedEnd, bufferedEnd, `at ${currentTime} s`);
    }
  });

  test('follows a player to the media element it gets later', () => {
    const player: { media: FakeMedia | null } = { media: null };
    const stop = follow(player);
    mock.timers.tick(250);
    assert.deepEqual(told, []);
    const first = (player.media = new FakeMedia());
    mock.timers.tick(250);
    const second = (player.media = new FakeMedia());
    second.currentTime = 7;
    mock.timers.tick(250);
    assert.deepEqual(
      told.map(({ position }) => position),
      [0, 7],
    );
    first.dispatchEvent(new Event('seeking'));
    assert.equal(told.length, 2);
    stop();
  });
});
