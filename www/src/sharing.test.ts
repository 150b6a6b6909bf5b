import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';

import type { Policy } from './options.js';
import { SharingPolicy } from './sharing.js';

interface Surroundings {
  connection?: EventTarget & { saveData?: boolean; type?: string };
  getBattery?: () => Promise<EventTarget & { level: number; charging: boolean }>;
}

let surroundings: Surroundings = {};
let changes = 0;

beforeEach(() => {
  changes = 0;
  surround({});
});

function surround(given: Surroundings): void {
  surroundings = given;
  Object.defineProperty(globalThis, 'navigator', { value: surroundings, configurable: true });
}

function connection(state: { saveData?: boolean; type?: string }): NonNullable<Surroundings['connection']> {
  return Object.assign(new EventTarget(), state);
}

function sharing(policy: Policy, signal = new AbortController().signal): SharingPolicy {
  return new SharingPolicy(policy, () => (changes += 1), signal);
}

describe('sharing', () => {
  test("'ask' is off until consent, and off again without it", () => {
    const policy = sharing({ share: 'ask' });
    assert.deepEqual([policy.state().effective, policy.state().limits], ['off', ['consent']]);
    policy.consent(true);
    assert.equal(policy.effective().sharing, 'on');
    policy.consent(false);
    assert.equal(policy.effective().sharing, 'off');
    assert.equal(changes, 2);
  });

  test('no upload on a metered connection unless the page says so', () => {
    for (const state of [{ saveData: true }, { type: 'cellular' }]) {
      surround({ connection: connection(state) });
      assert.equal(sharing({ share: 'on' }).effective().sharing, 'receive');
      assert.equal(sharing({ share: 'on', onMetered: 'off' }).effective().sharing, 'off');
      assert.equal(sharing({ share: 'on', onMetered: 'on' }).effective().sharing, 'on');
      assert.equal(sharing({ share: 'off', onMetered: 'on' }).effective().sharing, 'off');
    }
  });

  test('a connection that becomes metered limits at once', () => {
    const wifi = connection({ saveData: false, type: 'wifi' });
    surround({ connection: wifi });
    const ending = new AbortController();
    const policy = sharing({ share: 'on' }, ending.signal);
    assert.deepEqual([policy.state().metered, policy.state().effective], ['no', 'on']);
    wifi.type = 'cellular';
    wifi.dispatchEvent(new Event('change'));
    assert.deepEqual([policy.state().metered, policy.state().effective, changes], ['yes', 'receive', 1]);
    ending.abort();
    wifi.dispatchEvent(new Event('change'));
    assert.equal(changes, 1);
  });

  test('no upload on a low battery', async () => {
    const battery = Object.assign(new EventTarget(), { level: 0.1, charging: false });
    surround({ getBattery: () => Promise.resolve(battery) });
    const policy = sharing({ share: 'on' });
    assert.equal(policy.state().battery, 'unknown');
    await new Promise(setImmediate);
    assert.deepEqual([policy.state().battery, policy.state().effective, changes], ['low', 'receive', 1]);
    battery.charging = true;
    battery.dispatchEvent(new Event('chargingchange'));
    assert.deepEqual([policy.state().battery, policy.state().effective, changes], ['ok', 'on', 2]);
  });

  test('what the browser hides is unknown and limits nothing', () => {
    const state = sharing({ share: 'on' }).state();
    assert.deepEqual([state.metered, state.battery, state.effective], ['unknown', 'unknown', 'on']);
  });

  test('a hidden page shares nothing', () => {
    const policy = sharing({ share: 'on' });
    policy.hide(true);
    assert.deepEqual(policy.state().limits, ['hidden_page']);
    policy.hide(false);
    assert.equal(policy.effective().sharing, 'on');
  });

  test('a change names only what it changes, and a wrong one changes nothing', () => {
    const policy = sharing({ share: 'on', uploadKbps: 800 });
    assert.deepEqual(policy.effective(), { sharing: 'on', uploadBps: 800_000, uploadBytes: null });
    policy.set({ uploadBytes: 5 });
    assert.deepEqual(policy.effective(), { sharing: 'on', uploadBps: 800_000, uploadBytes: 5 });
    assert.throws(() => {
      policy.set({ uploadKbps: -1 });
    });
    assert.deepEqual(policy.effective(), { sharing: 'on', uploadBps: 800_000, uploadBytes: 5 });
    policy.set({ uploadKbps: null });
    assert.equal(policy.effective().uploadBps, null);
  });
});
