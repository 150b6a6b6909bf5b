import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Memory } from './memory.js';
import type { RollbackMemory } from './messages.js';

const MANIFEST = new URL('https://cdn.example/film/content.seal?token=1');

function storage(): { map: Map<string, string>; getItem: Storage['getItem']; setItem: Storage['setItem'] } {
  const map = new Map<string, string>();
  return {
    map,
    getItem: (key) => map.get(key) ?? null,
    setItem: (key, value) => void map.set(key, value),
  };
}

function seen(...entries: [content: string, version: number][]): RollbackMemory {
  return { seen: entries.map(([content, version]) => ({ publisher: 'p', content, version })) };
}

describe('memory between visits', () => {
  test('the first content seen at a manifest is pinned, whatever the token', () => {
    const own = storage();
    new Memory(own).remember(MANIFEST, 'film', seen(['film', 3]));
    const later = new Memory(own);
    assert.equal(later.pinned(new URL('https://cdn.example/film/content.seal?token=2')), 'film');
    assert.equal(later.pinned(new URL('https://cdn.example/other/content.seal')), null);
    assert.deepEqual(later.seen(), seen(['film', 3]));
  });

  test('what another tab saw meanwhile is kept, and a version never goes down', () => {
    const own = storage();
    new Memory(own).rememberSeen(seen(['film', 9], ['series', 2]));
    new Memory(own).rememberSeen(seen(['film', 8]));
    const kept = new Map(new Memory(own).seen()?.seen.map(({ content, version }) => [content, version]));
    assert.deepEqual(kept, new Map([['film', 9], ['series', 2]])); // prettier-ignore
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
    const memory = new Memory(refusing);
    memory.remember(MANIFEST, 'film', seen(['film', 1]));
    assert.equal(memory.pinned(MANIFEST), null);
    assert.equal(new Memory().seen(), null);
    for (const damaged of ['{', 'null', '{"seen":1}', '[]']) {
      assert.equal(new Memory({ ...refusing, getItem: () => damaged }).seen(), null, damaged);
    }
  });
});
