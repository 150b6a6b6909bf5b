// Live sessions, heads and logs: what they say, one refusal for each rule, sequences before one receiver, proofs.
import { cbor, concat, filled, hex, keyPair, publicText, seal, sha256, u32, u64 } from './bytes.mjs';
import { fill, leaf, root, row } from './tree.mjs';

const publisher = keyPair(filled(0x61, 32));
const live = keyPair(filled(0x62, 32));
const second = keyPair(filled(0x63, 32));
const CONTENT = filled(0x64, 16);
const CONTEXT = 'swarmseal/live/1';
const NOW = 1_800_000_000;
const int = cbor.int;
const entries = (fields) =>
  cbor.map(
    ...Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [int(Number(key)), value]),
  );

const sessionFields = (change = {}) => ({
  1: int(1),
  2: int(1),
  3: cbor.bytes(CONTENT),
  4: int(NOW),
  5: cbor.bytes(live.key),
  6: int(NOW),
  7: int(NOW + 86_400),
  8: int(1),
  ...change,
});
const session = (change, pair = publisher) => seal(CONTEXT, pair, entries(sessionFields(change)));

/** Segment i has 1000 + 9000 i bytes (mod 40000) of seed i, lasts 2000 ticks and is named by number. */
const object = (index, seed = index) => fill(1000 + ((9000 * index) % 40_000), seed % 251);
function records(count, other) {
  let rowOffset = 0;
  return Array.from({ length: count }, (_, i) => {
    const data = object(i, i === other ? i + 100 : i);
    const leaves = row(data);
    const record = concat(
      ...[root(leaves), u32(data.length), u32(2000), u64(0), u64(rowOffset), u64(2000 * i)],
    );
    rowOffset += 32 * leaves.length;
    return { record, leaves };
  });
}
const peaks = (leaves) => {
  const out = [];
  let at = 0;
  for (let bit = 30; bit >= 0; bit -= 1) {
    if ((leaves.length & (1 << bit)) !== 0) {
      out.push(root(leaves.slice(at, at + (1 << bit))));
      at += 1 << bit;
    }
  }
  return out;
};
const names = cbor.array(int(0), cbor.text('v/s$Number$.m4s'), int(1));

function track(size, { carried = 4, rows = 2, other, change = {} } = {}) {
  const all = records(size, other);
  const base = Math.max(0, size - carried);
  return entries({
    1: int(1),
    2: int(0),
    3: cbor.text('video/mp4'),
    4: int(1000),
    6: int(1_500_000),
    10: names,
    11: concat(Buffer.from([0xf4])),
    12: int(base),
    13: cbor.bytes(concat(...peaks(all.slice(0, base).map(({ record }) => leaf(record))))),
    14: cbor.bytes(concat(...all.slice(base).map(({ record }) => record))),
    15: cbor.bytes(concat(...all.slice(size - Math.min(rows, size - base)).flatMap(({ leaves }) => leaves))),
    ...change,
  });
}

const asset = (path) =>
  entries({ 1: cbor.text(path), 2: int(10), 3: cbor.bytes(filled(1, 32)), 4: cbor.text('video/mp4') });
const documents = (digests = filled(2, 32), path = 'v/live.m3u8') =>
  cbor.array(
    cbor.array(cbor.text(path), cbor.text('application/vnd.apple.mpegurl'), cbor.bytes(digests)),
  );
const headFields = (sequence, size, options = {}) => ({
  1: int(1),
  2: int(2),
  3: cbor.bytes(CONTENT),
  4: int(NOW),
  5: int(NOW),
  6: int(sequence),
  7: int(NOW * 1000 + 2000 * sequence),
  8: int(2000),
  9: cbor.array(track(size, options)),
  10: cbor.array(asset('v/init.mp4')),
  11: documents(),
  12: Buffer.from([0xf4]),
  ...options.head,
});
const head = (sequence, size, options, pair = live) =>
  seal(CONTEXT, pair, entries(headFields(sequence, size, options)));

/** PROOF(m, D_n) of RFC 9162 §2.1.4.1, as it stands there. */
function subproof(m, leaves, complete) {
  if (m === leaves.length) return complete ? [] : [root(leaves)];
  const k = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return m <= k
    ? [...subproof(m, leaves.slice(0, k), complete), root(leaves.slice(k))]
    : [...subproof(m - k, leaves.slice(k), false), root(leaves.slice(0, k))];
}

export function liveVectors() {
  const logOf = (count) => records(count).map(({ record }) => leaf(record));
  const valid = [
    [1, 1, {}],
    [2, 4, {}],
    [3, 13, { carried: 5, rows: 5 }],
    [4, 13, { carried: 0 }],
    [5, 13, { change: { 16: cbor.array(int(9), int(12)), 17: Buffer.from([0xf5]) } }],
    [6, 13, { head: { 12: Buffer.from([0xf5]) } }],
    [7, 13, { head: { 64: cbor.text('skipped') } }],
  ].map(([sequence, size, options]) => ({
    sequence,
    size,
    carried: Math.min(size, options.carried ?? 4),
    root: hex(root(logOf(size))),
    sealed: hex(head(sequence, size, options)),
  }));
  const parts = cbor.array(int(1), cbor.array());
  const gap = concat(filled(9, 32), u32(0), u32(0), filled(0, 8), filled(0, 8), filled(0, 8));
  const of = (change, options = {}) => head(1, 13, { ...options, change });
  const on = (fields, options = {}) => head(1, 13, { ...options, head: fields });
  const cut = (length) => cbor.bytes(filled(3, length));
  const last = records(13).at(-1).record;
  const invalid = [
    ['format_2', 'unsupported_version', on({ 1: int(2) })],
    ['a_session', 'wrong_type', on({ 2: int(1) })],
    ['a_field_missing', 'malformed', on({ 8: undefined })],
    ['an_unknown_key', 'unsupported_feature', on({ 13: int(0) })],
    ['sequence_0', 'number_range', on({ 6: int(0) })],
    ['log_0', 'number_range', on({ 5: int(0) })],
    ['target_0', 'number_range', on({ 8: int(0) })],
    ['log_after_session', 'bad_log_number', on({ 5: int(NOW + 1) })],
    ['65_tracks', 'too_many', on({ 9: cbor.array(...Array.from({ length: 65 }, () => cbor.map())) })],
    ['one_track_twice', 'track_order', on({ 9: cbor.array(track(3), track(3)) })],
    ['track_0', 'track_order', of({ 1: int(0) })],
    ['timescale_0', 'number_range', of({ 4: int(0) })],
    ['media_type', 'bad_media_type', of({ 3: cbor.text('video') })],
    ['a_table_of_names', 'unsupported_feature', of({ 10: cbor.array(int(1), cbor.text('n'), cut(32)) })],
    ['one_name_for_all', 'unsupported_feature', of({ 10: cbor.array(int(2), cbor.text('v.mp4')) })],
    ['a_pattern_without_variable', 'bad_template', of({ 10: cbor.array(int(0), cbor.text('v'), int(1)) })],
    ['log_too_long', 'log_size', of({ 12: int(131_070), 13: cut(32 * 16) })],
    ['frontier_short', 'bad_frontier', of({ 13: cut(32) })],
    ['records_cut', 'malformed', of({ 14: cut(65) })],
    ['record_twice', 'bad_record', of({ 14: cbor.bytes(concat(last, last)), 15: cut(0) })],
    ['record_with_offset', 'bad_record', of({ 14: cbor.bytes(concat(last.subarray(0, 40), u64(1), last.subarray(48))), 15: cut(0) })],
    ['gap_with_a_root', 'bad_gap', of({ 14: cbor.bytes(gap), 15: cut(0) })],
    ['row_of_other_bytes', 'bad_row', of({ 15: cut(32 * records(13).at(-1).leaves.length) })],
    ['more_rows_than_records', 'bad_row', of({ 14: cut(0), 15: cut(32) })],
    ['discontinuity_before_base', 'bad_discontinuity', of({ 16: cbor.array(int(8)) })],
    ['discontinuity_after_end', 'bad_discontinuity', of({ 16: cbor.array(int(13)) })],
    ['discontinuities_not_ascending', 'bad_discontinuity', of({ 16: cbor.array(int(12), int(11)) })],
    ['parts_of_itself', 'parts_of_nothing', of({ 18: parts })],
    ['parts_of_another', 'parts_of_nothing', of({ 18: cbor.array(int(2), cbor.array()) })],
    ['no_digest', 'bad_digests', on({ 11: documents(filled(0, 0)) })],
    ['nine_digests', 'bad_digests', on({ 11: documents(filled(0, 288)) })],
    ['digest_cut', 'malformed', on({ 11: documents(filled(0, 31)) })],
    ['document_like_an_asset', 'duplicate_name', on({ 11: documents(filled(2, 32), 'v/init.mp4') })],
    ['asset_like_a_later_segment', 'duplicate_name', on({ 10: cbor.array(asset('v/s99.m4s')) })],
    ['path_above_the_base', 'path_escapes_base', on({ 10: cbor.array(asset('../x')) })],
  ].map(([name, error, sealed]) => ({ name, error, sealed: hex(sealed) }));
  const sessions = [
    ['good', 'ok', session()],
    ['by_another_key', 'untrusted_key', session({}, second)],
    ['a_head', 'wrong_type', session({ 2: int(2) })],
    ['an_unknown_key', 'unsupported_feature', session({ 9: int(1) })],
    ['number_0', 'number_range', session({ 4: int(0) })],
    ['first_sequence_0', 'number_range', session({ 8: int(0) })],
    ['longer_than_a_day', 'bad_validity', session({ 7: int(NOW + 86_401) })],
    ['without_duration', 'bad_validity', session({ 7: int(NOW) })],
    ['key_of_small_order', 'bad_key', session({ 5: cbor.bytes(concat(Buffer.from([1]), filled(0, 31))) })],
    ['another_content', 'foreign_session', session({ 3: cbor.bytes(filled(0, 16)) })],
    ['in_the_future', 'session_not_yet_valid', session({ 4: int(NOW + 9), 6: int(NOW + 86), 7: int(NOW + 99) })],
    ['another_with_its_number', 'forked_session', session({ 8: int(2) })],
    ['in_the_past', 'session_expired', session({ 4: int(NOW + 9), 6: int(1), 7: int(2) })],
    ['again', 'ok', session()],
  ].map(([name, verdict, sealed]) => ({ name, verdict, sealed: hex(sealed) }));
  const later = session({ 4: int(NOW + 5), 5: cbor.bytes(second.key) });
  const anew = (sequence, size) =>
    head(sequence, size, { head: { 4: int(NOW + 5), 5: int(NOW + 5), 7: int(NOW * 1000 + 30_000) } }, second);
  const chain = [
    ['a head before its session', 'unknown_session', head(1, 1)],
    ['the session', 'ok', session()],
    ['the first head', 'linked', head(1, 5)],
    ['the next', 'linked', head(2, 6)],
    ['it again', 'replayed', head(2, 6)],
    ['after a sleep', 'unlinked', head(9, 20)],
    ['one that was missed', 'stale', head(5, 10)],
    ['another ninth', 'forked', head(9, 19)],
    ['a shorter log', 'inconsistent', head(10, 19)],
    ['another segment in the log', 'inconsistent', head(10, 21, { other: 18 })],
    ['a missed one of another log', 'forked', head(6, 18, { other: 17 })],
    ['another content', 'foreign', head(10, 21, { head: { 3: cbor.bytes(filled(0, 16)) } })],
    ['another session than the signer', 'wrong_session', head(10, 21, { head: { 4: int(NOW + 1) } })],
    ['altered', 'bad_signature', concat(head(10, 21).subarray(0, -1), Buffer.from([7]))],
    ['issued before', 'issued_backwards', head(10, 21, { head: { 7: int(NOW * 1000) } })],
    ['issued in the future', 'future', head(10, 21, { head: { 7: int((NOW + 100) * 1000) } })],
    ['outside of its session', 'outside_session', head(10, 21, { head: { 7: int((NOW - 61) * 1000) } })],
    ['too far ahead', 'sequence_jump', head(10 + 2 ** 20, 21, { head: { 7: int((NOW + 20) * 1000) } })],
    ['another timescale', 'changed', head(10, 21, { change: { 4: int(999) } })],
    ['no track', 'track_lost', head(10, 21, { head: { 9: cbor.array() } })],
    ['the end', 'linked', head(10, 21, { head: { 12: Buffer.from([0xf5]) } })],
    ['more', 'after_end', head(11, 22)],
    ['a later session', 'ok', later],
    ['other logs', 'began', anew(1, 2)],
    ['the old ones', 'stale', head(12, 23)],
    ['the old session', 'stale_session', session({ 4: int(NOW - 1) })],
  ].map(([name, verdict, sealed]) => ({ name, verdict, sealed: hex(sealed) }));
  const leaves = logOf(20);
  const proofs = [
    [1, 1],
    [1, 2],
    [3, 7],
    [4, 7],
    [6, 8],
    [8, 20],
    [13, 20],
    [20, 20],
  ].map(([old, size]) => ({
    old,
    size,
    proof: hex(concat(...subproof(old, leaves.slice(0, size), true))),
  }));
  return {
    about:
      'Live contents (docs/PROTOCOL.md §15), at `now` with 5 s of uncertainty. Segment i of the track has 1000 + 9000 i mod 40000 bytes, byte j being (j * 31 + i) mod 251. Sessions and `chain` are offered to one receiver each, in order: a verdict is `ok` for a session, `linked`, `unlinked` or `began` for a head, or a code. `proofs` are over the log of 20 segments.',
    now: NOW + 20,
    content: hex(CONTENT),
    publisher: publicText(publisher.key),
    live_seed: hex(live.seed),
    slot: { folder: 'seal/live', bytes: hex(entries({ 1: cbor.text('seal/live') })) },
    records: hex(sha256(...records(20).map(({ record }) => record))),
    sessions,
    valid,
    invalid,
    chain,
    log_root: hex(root(leaves)),
    proofs,
  };
}
