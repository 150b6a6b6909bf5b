// What is said about a manifest: how fresh it is, offline, and who has endorsed what a user made.
import { cbor, filled, hex, keyPair, publicText, seal, sha256 } from './bytes.mjs';
import { emptyManifest, makeAsset, payload } from './manifest.mjs';

const NOW = 1_750_000_000;
const DAY = 86_400;
const publisher = keyPair(filled(0x51, 32));
const user = keyPair(filled(0x52, 32));
const stranger = keyPair(filled(0x53, 32));
const operator = keyPair(filled(0x54, 32));

const manifest = (changes = {}) =>
  emptyManifest({ issued: NOW, expires: NOW + 100 * DAY, assets: [makeAsset('clip.mp4')], ...changes });
const sealed = (m, pair = publisher) => seal('swarmseal/manifest/1', pair, payload(m));
const numbered = (items) => cbor.map(...items.map((item, n) => [cbor.int(n + 1), item]));

const GOOD = sealed(manifest());

function statement({
  by = publisher,
  role = 'freshness',
  content = manifest().contentId,
  version = 1,
  of = GOOD,
  issued = NOW + DAY,
  until = NOW + 8 * DAY,
} = {}) {
  const items = [
    cbor.int(1),
    cbor.bytes(content),
    cbor.int(version),
    cbor.bytes(sha256(of)),
    cbor.int(issued),
    cbor.int(until),
  ];
  return seal(`swarmseal/${role}/1`, by, numbered(items));
}

const listing = (m) =>
  sha256(
    'swarmseal/listing/1',
    payload({ ...m, version: 1, previous: undefined, issued: 0, expires: 1, endorsement: undefined, trackerKeys: [], tombstone: undefined }),
  );

function endorsement(
  m,
  { by = operator, role = 'endorse', content = m.contentId, maker = user.key, issued = NOW, expires = NOW + 90 * DAY } = {},
) {
  const items = [
    cbor.int(1),
    cbor.bytes(content),
    cbor.bytes(maker),
    cbor.bytes(listing(m)),
    cbor.int(issued),
    cbor.int(expires),
  ];
  return seal(`swarmseal/${role}/1`, by, numbered(items));
}

export function statementVectors() {
  const until = NOW + 8 * DAY;
  const soon = NOW + 2 * DAY;
  const graded = [
    ['fresh', 'fresh', {}],
    ['fresh_to_the_last_second', 'fresh', { clock: until - 60 }],
    ['a_second_later', 'unknown', { clock: until - 59 }],
    ['nobody_answers_for_the_clock', 'unknown', { within: null }],
    ['clock_before_the_statement', 'unknown', { clock: NOW + DAY - 61 }],
    ['clock_before_the_manifest', 'unknown', { clock: 1000 }],
    ['no_statement', 'unknown', { said: null }],
    ['by_a_stranger', 'unknown', { said: statement({ by: stranger }) }],
    ['in_another_role', 'unknown', { said: statement({ role: 'endorse' }) }],
    ['of_another_content', 'unknown', { said: statement({ content: filled(1, 16) }) }],
    ['of_another_version', 'unknown', { said: statement({ version: 2 }) }],
    ['of_another_manifest', 'unknown', { said: statement({ of: sealed(manifest({ expires: NOW + 99 * DAY })) }) }],
    ['thirty_days', 'fresh', { said: statement({ until: NOW + 31 * DAY }) }],
    ['longer_than_thirty_days', 'unknown', { said: statement({ until: NOW + 31 * DAY + 1 }) }],
    ['expired', 'expired', { clock: NOW + 100 * DAY + 121 }],
    ['within_the_tolerance', 'unknown', { clock: NOW + 100 * DAY + 120 }],
    ['expired_two_days_ago_by_any_clock', 'expired', { clock: NOW + 102 * DAY + 61, within: null }],
  ].map(([name, grade, { clock = soon, within = 60, said = statement() }]) => ({
    name,
    key: publicText(publisher.key),
    sealed: hex(GOOD),
    statement: said === null ? null : hex(said),
    clock_unix_s: clock,
    within_s: within,
    grade,
  }));

  const made = manifest({ class: 1 });
  const endorsed = (changes = {}, how = {}) => ({ ...made, ...changes, endorsement: endorsement(made, how) });
  const refused = 'user_made_unendorsed';
  const judged = [
    ['endorsed', 'accepted', endorsed()],
    ['later_version_of_the_same', 'accepted', endorsed({ version: 2, issued: NOW + 9, trackerKeys: [operator.key] })],
    ['not_endorsed', refused, made],
    ['nobody_trusted_to_endorse', refused, endorsed(), { endorsers: [] }],
    ['by_a_stranger', refused, endorsed({}, { by: stranger })],
    ['by_its_maker', refused, endorsed({}, { by: user })],
    ['in_another_role', refused, endorsed({}, { role: 'freshness' })],
    ['of_another_content', refused, endorsed({}, { content: filled(1, 16) })],
    ['of_another_maker', refused, endorsed({}, { maker: stranger.key })],
    ['one_more_file', refused, endorsed({ assets: [makeAsset('clip.mp4'), makeAsset('more.mp4')] })],
    ['other_bytes', refused, endorsed({ assets: [makeAsset('clip.mp4', { root: filled(9, 32) })] })],
    ['another_media_type', refused, endorsed({ assets: [makeAsset('clip.mp4', { type: 'text/html' })] })],
    ['another_swarm', refused, endorsed({ secret: filled(9, 32) })],
    ['after_its_end', refused, endorsed({}, { expires: NOW + DAY }), { at: NOW + DAY + 61 }],
    ['within_the_tolerance', 'accepted', endorsed({}, { expires: NOW + DAY }), { at: NOW + DAY + 60 }],
    ['before_its_issue', refused, endorsed({}, { issued: NOW + 3 * DAY })],
    ['a_user_as_a_publisher', refused, manifest()],
    ['user_made_by_a_publisher', refused, made, { by: publisher }],
    ['a_publisher', 'accepted', manifest(), { by: publisher }],
  ].map(([name, verdict, m, { by = user, endorsers = [operator], at = soon } = {}]) => ({
    name,
    publishers: [publicText(publisher.key)],
    users: [publicText(user.key)],
    endorsers: endorsers.map((pair) => publicText(pair.key)),
    sealed: hex(sealed(m, by)),
    unix_s: at,
    verdict,
  }));
  return {
    about:
      'What is said about a manifest (docs/PROTOCOL.md §7.1, §7.2). `graded`: one that is shown with a statement of freshness, or none, to a receiver without a memory; `within_s` is how far off its clock is at most, null if nobody answers for it. `judged`: what a receiver takes that pins these publishers, users and endorsers; its clock is right.',
    graded,
    judged,
  };
}
