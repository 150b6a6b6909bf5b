// Trust: sequences of manifests as one receiver sees them.
import { base64url, filled, hex, keyPair, publicText, seal, sha256 } from './bytes.mjs';
import { emptyManifest, payload } from './manifest.mjs';

const NOW = 1_750_000_000;
const publisher = keyPair(filled(0x51, 32));
const second = keyPair(filled(0x52, 32));
const stranger = keyPair(filled(0x53, 32));
const OTHER = filled(0xd1, 16);

const manifest = (version, changes = {}) =>
  emptyManifest({ version, issued: NOW - 1000, expires: NOW + 1000, ...changes });
const sealed = (m, pair = publisher, role = 'manifest') => seal(`swarmseal/${role}/1`, pair, payload(m));

const step = (verdict, m, { by, role, at = NOW, off = 0 } = {}) => ({
  verdict,
  unix_s: at,
  uncertainty_s: off,
  sealed: hex(Buffer.isBuffer(m) ? m : sealed(m, by, role)),
});
const ok = 'accepted';

export function trustVectors() {
  const first = sealed(manifest(5));
  const cases = [
    [
      'again_and_newer',
      {},
      step(ok, manifest(5)),
      step(ok, manifest(5)),
      step(ok, manifest(6)),
      step(ok, manifest(9)),
    ],
    ['chain', {}, step(ok, first), step(ok, manifest(6, { previous: sha256(first) }))],
    ['broken_chain', {}, step(ok, first), step('broken_chain', manifest(6, { previous: sha256('other') }))],
    [
      'gap_in_the_chain',
      {},
      step(ok, first),
      step(ok, manifest(7, { previous: sha256('version 6, not seen') })),
    ],
    ['rollback', {}, step(ok, manifest(5)), step('rollback', manifest(4)), step(ok, manifest(5))],
    ['equivocation', {}, step(ok, manifest(5)), step('equivocation', manifest(5, { expires: NOW + 2000 }))],
    [
      'version_jump',
      {},
      step(ok, manifest(5)),
      step('version_jump', manifest(6 + 2 ** 20)),
      step(ok, manifest(5 + 2 ** 20)),
    ],
    ['no_jump_without_memory', {}, step(ok, manifest(2 ** 40))],
    [
      'rollback_by_another_pinned_key',
      { keys: [publisher, second] },
      step(ok, manifest(5)),
      step('rollback', manifest(4), { by: second }),
      step(ok, manifest(6), { by: second }),
      step('rollback', manifest(5)),
    ],
    ['key_not_pinned', {}, step('untrusted_key', manifest(1), { by: stranger })],
    ['role_live', {}, step('bad_signature', manifest(1), { role: 'live' })],
    ['role_tracker', {}, step('bad_signature', manifest(1), { role: 'tracker' })],
    [
      'expected_content',
      { content: emptyManifest().contentId },
      step('wrong_content', manifest(1, { contentId: OTHER })),
      step(ok, manifest(1)),
    ],
    [
      'first_content_is_pinned',
      {},
      step(ok, manifest(1)),
      step('wrong_content', manifest(2, { contentId: OTHER })),
    ],
    [
      'expired',
      {},
      step('expired', manifest(1), { at: NOW + 1061 }),
      step(ok, manifest(1), { at: NOW + 1060 }),
    ],
    [
      'expired_on_an_uncertain_clock',
      {},
      step(ok, manifest(1), { at: NOW + 1160, off: 100 }),
      step('expired', manifest(1), { at: NOW + 1161, off: 100 }),
    ],
    [
      'not_yet_valid',
      {},
      step('not_yet_valid', manifest(1), { at: NOW - 1061 }),
      step(ok, manifest(1), { at: NOW - 1060 }),
    ],
    [
      'not_yet_valid_on_an_uncertain_clock',
      {},
      step('not_yet_valid', manifest(1), { at: NOW - 1161, off: 100 }),
      step(ok, manifest(1), { at: NOW - 1160, off: 100 }),
    ],
    [
      'clock_set_back',
      {},
      step(ok, manifest(2, { issued: NOW + 5000, expires: NOW + 9000 }), { at: NOW + 5000 }),
      step('expired', manifest(3), { at: 0, off: 4_294_967_295 }),
    ],
    ['signed_time_helps_a_slow_clock', {}, step(ok, manifest(2)), step(ok, manifest(3), { at: 1000 })],
    ['user_made', {}, step('user_made_unendorsed', manifest(1, { class: 1 }))],
    [
      'reserved_endorsement',
      {},
      step('user_made_unendorsed', manifest(1, { class: 1, endorsement: filled(1, 8) })),
    ],
    ['reserved_live', {}, step('live_content', manifest(1, { live: filled(1, 8) }))],
    ['reserved_freshness', {}, step('unsupported_feature', manifest(1, { freshness: filled(1, 8) }))],
    ['reserved_root_document', {}, step('unsupported_feature', manifest(1, { rootDocument: filled(1, 32) }))],
    [
      'tombstone',
      {},
      step(ok, manifest(1)),
      step('tombstone', manifest(2, { tombstone: 1 })),
      step('rollback', manifest(1)),
      step('tombstone', manifest(2, { tombstone: 1 })),
    ],
    [
      'a_refused_one_is_not_remembered',
      {},
      step('expired', manifest(9, { expires: NOW - 100 })),
      step('user_made_unendorsed', manifest(8, { class: 1 })),
      step(ok, manifest(5)),
    ],
  ].map(([name, { keys = [publisher], content }, ...steps]) => ({
    name,
    keys: keys.map((pair) => publicText(pair.key)),
    content: content ? base64url(content) : null,
    steps,
  }));
  return {
    about:
      'Trust (docs/PROTOCOL.md §7): each case is one receiver that pins `keys` (and `content`, if not null) and is shown sealed manifests one after the other. It must persist its memory between steps.',
    cases,
  };
}
