import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Memory } from './memory.js';
import type { RollbackMemory } from './messages.js';

function storage(): Pick<Storage, 'getItem' | 'setItem'> {
  const map = new Map<string, string>();
  return {
    getItem: (key) => map.get(key) ?? null,
    setItem: (key, value) => void map.set(key, value),
  };
}

function memory(seen: Record<string, number>, pins: Record<string, string> = {}): RollbackMemory {
  return {
    seen: Object.entries(seen).map(([content, version]) => ({ publisher: 'p', content, version })),
    pins: Object.entries(pins).map(([source, content]) => ({ source, content })),
  };
}

describe('memory between visits', () => {
  test('gives back what it was given', () => {
    const own = storage();
    assert.equal(new Memory(own).recall(), null);
    new Memory(own).remember(memory({ film: 3 }, { here: 'film' }));
    assert.deepEqual(new Memory(own).recall(), memory({ film: 3 }, { here: 'film' }));
  });

  test('keeps the newest head of each live content', () => {
    const own = storage();
    new Memory(own).remember(memory({ film: 9 }));
    new Memory(own).keepHead('news', { sequence: 6 });
    new Memory(own).keepHead('sport', { sequence: 1 });
    new Memory(own).keepHead('news', { sequence: 7 });
    assert.deepEqual(
      ['news', 'sport', 'film', null].map((content) => new Memory(own).head(content)),
      [{ sequence: 7 }, { sequence: 1 }, null, null],
    );
    assert.deepEqual(new Memory(own).recall(), memory({ film: 9 }));
  });

  test('keeps what another tab saw meanwhile, and no version goes down', () => {
    const own = storage();
    new Memory(own).remember(memory({ film: 9, series: 2 }, { here: 'film', there: 'series' }));
    new Memory(own).remember(memory({ film: 8, news: 1 }, { here: 'film' }));
    new Memory(own).remember(memory({ series: 3 }, { there: 'other' }));
    assert.deepEqual(
      new Memory(own).recall(),
      memory({ film: 9, series: 3, news: 1 }, { here: 'film', there: 'other' }),
    );
  });

  test('without storage, or with a full or damaged one, each visit is a first one', () => {
    const refusing = {
      getItem: (): never => {
        throw new Error('denied');
      },
      setItem: (): never => {
        throw new Error('full');
      },
    };
    new Memory(refusing).remember(memory({ film: 1 }));
    assert.equal(new Memory(refusing).recall(), null);
    assert.equal(new Memory().recall(), null);
    for (const damaged of ['{', 'null', '{"seen":1,"pins":[]}', '{"seen":[]}', '[]']) {
      assert.equal(new Memory({ ...refusing, getItem: () => damaged }).recall(), null, damaged);
    }
  });
});
