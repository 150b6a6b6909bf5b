// Manifests: what they say, and one refusal for each rule about them.
import { base64url, cbor, concat, filled, hex, hmac, keyPair, sha256, u8 } from './bytes.mjs';
import { leaf } from './tree.mjs';

const bool = (value) => u8(value ? 0xf5 : 0xf4);
const texts = (list) => cbor.array(...list.map(cbor.text));

/** A map from number keys to encoded items; undefined ones are left out. */
const record = (entries) =>
  cbor.map(
    ...Object.entries(entries)
      .filter(([, item]) => item !== undefined)
      .sort(([a], [b]) => a - b)
      .map(([key, item]) => [cbor.int(Number(key)), item]),
  );

const optional = (value, encode) => (value === undefined ? undefined : encode(value));

const asset = (a) =>
  record({
    1: cbor.text(a.path),
    2: cbor.int(a.length),
    3: cbor.bytes(a.root),
    4: cbor.text(a.type),
    5: optional(a.offset, cbor.int),
    ...a.more,
  });

const names = ({ pattern, start, table, root, single, raw }) => {
  if (raw) return raw;
  if (pattern !== undefined) return cbor.array(cbor.int(0), cbor.text(pattern), cbor.int(start));
  if (table !== undefined) return cbor.array(cbor.int(1), cbor.text(table), cbor.bytes(root));
  return cbor.array(cbor.int(2), cbor.text(single));
};

const track = (t) =>
  record({
    1: cbor.int(t.id),
    2: cbor.int(t.kind),
    3: cbor.text(t.type),
    4: cbor.int(t.timescale),
    5: cbor.int(t.segments),
    6: optional(t.bitrate, cbor.int),
    7: cbor.text(t.index),
    8: cbor.bytes(t.indexRoot),
    9: cbor.text(t.rows),
    10: names(t.names),
    11: bool(t.ranged),
    ...t.more,
  });

export const payload = (m) =>
  record({
    1: cbor.int(1),
    2: cbor.bytes(m.contentId),
    3: cbor.bytes(m.secret),
    4: cbor.int(m.version),
    5: optional(m.previous, cbor.bytes),
    6: cbor.int(m.issued),
    7: cbor.int(m.expires),
    8: cbor.int(m.class),
    9: optional(m.endorsement, cbor.bytes),
    10: texts(m.query),
    11: cbor.array(...m.assets.map(asset)),
    12: cbor.array(...m.tracks.map(track)),
    13: cbor.array(...m.trackerKeys.map(cbor.bytes)),
    14: optional(m.tombstone, (reason) => record({ 1: cbor.int(reason) })),
    15: optional(m.live, cbor.bytes),
    16: optional(m.freshness, cbor.bytes),
    17: optional(m.rootDocument, cbor.bytes),
    ...m.more,
  });

export const emptyManifest = (changes = {}) => ({
  contentId: filled(0xc1, 16),
  secret: filled(0xc2, 32),
  version: 1,
  issued: 1_700_000_000,
  expires: 1_800_000_000,
  class: 0,
  query: [],
  assets: [],
  tracks: [],
  trackerKeys: [],
  ...changes,
});

export const makeAsset = (path, changes = {}) => ({
  path,
  length: 100,
  root: filled(0xa1, 32),
  type: 'text/plain',
  ...changes,
});

export const makeTrack = (id, name, changes = {}) => ({
  id,
  kind: 0,
  type: 'video/mp4',
  timescale: 90_000,
  segments: 300,
  index: `seal/${id}.index`,
  indexRoot: filled(0xb1, 32),
  rows: `seal/${id}.rows`,
  names: name,
  ranged: false,
  ...changes,
});

const numbers = (pattern, start = 1) => ({ pattern, start });
const swarmId = (m) => base64url(hmac(m.secret, 'swarmseal/swarm/1', m.contentId));
const assetsRoot = (m) => hex(leaf(cbor.array(...m.assets.map(asset))));
const tracker = keyPair(filled(0x61, 32));

const full = (changes = {}) =>
  emptyManifest({
    version: 3,
    previous: sha256('the one before'),
    query: ['id', 'part'],
    assets: [
      makeAsset('master.m3u8'),
      makeAsset('movie.mp4', { offset: 0, length: 800 }),
      makeAsset('d?id=1'),
    ],
    tracks: [
      makeTrack(1, numbers('v/$Number%05d$.m4s'), { bitrate: 1_500_000 }),
      makeTrack(2, { single: 'movie.mp4' }, { ranged: true, kind: 1 }),
      makeTrack(9, { table: 'seal/9.names', root: filled(0xb2, 32) }, { kind: 3 }),
      makeTrack(1023, numbers('a/$Time$.m4s', 0), { kind: 2 }),
    ],
    trackerKeys: [tracker.key],
    ...changes,
  });

const describe = (m) => ({
  content_id: base64url(m.contentId),
  version: m.version,
  previous: m.previous ? hex(m.previous) : null,
  issued: m.issued,
  expires: m.expires,
  class: m.class === 0 ? 'publisher' : 'user_made',
  assets: m.assets.map((a) => [a.path, a.offset ?? null, a.length]),
  tracks: m.tracks.map((t) => [t.id, t.segments, t.ranged]),
  tombstone: m.tombstone ?? null,
  reserved: [m.endorsement, m.live, m.freshness, m.rootDocument].map((bytes) => (bytes ? hex(bytes) : null)),
  swarm_id: swarmId(m),
  assets_root: assetsRoot(m),
});

export function manifestVectors() {
  const valid = [
    ['empty', emptyManifest()],
    ['full', full()],
    ['tombstone', emptyManifest({ version: 9, tombstone: 2 })],
    [
      'numbers_at_their_ends',
      emptyManifest({ version: 2 ** 53 - 1, issued: 2 ** 53 - 2, expires: 2 ** 53 - 1 }),
    ],
    ['longest_asset', emptyManifest({ assets: [makeAsset('a', { length: 33_554_432 })] })],
    ['empty_asset', emptyManifest({ assets: [makeAsset('a', { length: 0, root: sha256('') })] })],
    ['most_segments', emptyManifest({ tracks: [makeTrack(1, numbers('$Number$'), { segments: 131_072 })] })],
    ['one_whole_segment', emptyManifest({ tracks: [makeTrack(1, { single: 'a.vtt' }, { segments: 1 })] })],
    ['optional_key_is_skipped', emptyManifest({ more: { 64: cbor.array(cbor.int(1), cbor.text('x')) } })],
    [
      'series_that_continue',
      emptyManifest({
        tracks: [makeTrack(1, numbers('$Number$', 0)), makeTrack(2, numbers('$Number$', 300))],
      }),
    ],
    ['reserved_endorsement', emptyManifest({ class: 1, endorsement: filled(1, 8) })],
    ['reserved_live', emptyManifest({ live: filled(2, 8) })],
    ['reserved_freshness', emptyManifest({ freshness: filled(3, 8) })],
    ['reserved_root_document', emptyManifest({ rootDocument: filled(4, 32) })],
  ].map(([name, m]) => ({ name, says: describe(m), payload: hex(payload(m)) }));

  const changed = (name, error, changes) => [name, error, payload(full(changes))];
  const withAsset = (name, error, ...assets) => [
    name,
    error,
    payload(full({ assets: [...full().assets, ...assets] })),
  ];
  const oneAsset = (name, error, path, changes) => [
    name,
    error,
    payload(emptyManifest({ assets: [makeAsset(path, changes)] })),
  ];
  const oneTrack = (name, error, names, changes) => [
    name,
    error,
    payload(emptyManifest({ tracks: [makeTrack(1, names, changes)] })),
  ];
  const two = (name, error, a, b) => [
    name,
    error,
    payload(emptyManifest({ tracks: [makeTrack(1, ...a), makeTrack(2, ...b)] })),
  ];
  const series = numbers('$Number$');
  const without = (key) => {
    const m = emptyManifest({ more: { [key]: undefined } });
    return payload(m);
  };
  const invalid = [
    ['no_map', 'malformed', cbor.array()],
    ['nothing', 'malformed', cbor.map()],
    ['no_format', 'malformed', without(1)],
    ['format_2', 'unsupported_version', payload(emptyManifest({ more: { 1: cbor.int(2) } }))],
    ['format_2_and_nothing_else', 'unsupported_version', cbor.map([cbor.int(1), cbor.int(2)])],
    ...[2, 3, 4, 6, 7, 8, 10, 11, 12, 13].map((key) => [`without_key_${key}`, 'malformed', without(key)]),
    ['content_id_short', 'malformed', payload(emptyManifest({ contentId: filled(1, 15) }))],
    ['version_as_text', 'malformed', payload(emptyManifest({ more: { 4: cbor.text('1') } }))],
    ['not_deterministic', 'not_deterministic', concat(Buffer.from('a1011801', 'hex'))],
    ['too_deep', 'too_deep', payload(emptyManifest({ more: { 64: concat(filled(0x81, 8), u8(0)) } }))],
    ['unknown_key_63', 'unsupported_feature', payload(emptyManifest({ more: { 63: cbor.int(0) } }))],
    ['unknown_class', 'unsupported_feature', payload(emptyManifest({ class: 2 }))],
    oneAsset('unknown_asset_key', 'unsupported_feature', 'a', { more: { 6: cbor.int(0) } }),
    oneTrack('unknown_track_key', 'unsupported_feature', series, { more: { 12: cbor.int(0) } }),
    oneTrack('unknown_kind', 'unsupported_feature', series, { kind: 4 }),
    oneTrack('unknown_names', 'unsupported_feature', { raw: cbor.array(cbor.int(3), cbor.text('a')) }),
    oneTrack('names_with_too_much', 'malformed', {
      raw: cbor.array(cbor.int(2), cbor.text('a'), cbor.int(0)),
    }),
    changed('too_many_tracker_keys', 'too_many', { trackerKeys: Array(17).fill(tracker.key) }),
    changed('too_many_parameters', 'too_many', {
      query: Array.from({ length: 17 }, (_, i) => String.fromCharCode(97 + i)),
    }),
    changed('reserved_too_long', 'too_many', { live: filled(0, 4097) }),
    changed('version_0', 'number_range', { version: 0 }),
    changed('version_2_to_the_53', 'number_range', { version: 2 ** 53 }),
    changed('expires_when_issued', 'bad_validity', { expires: 1_700_000_000 }),
    changed('parameters_not_sorted', 'bad_query_parameter', { query: ['part', 'id'] }),
    changed('parameter_twice', 'bad_query_parameter', { query: ['id', 'id'] }),
    changed('parameter_empty', 'bad_query_parameter', { query: [''] }),
    changed('parameter_with_equals', 'bad_query_parameter', { query: ['id=1'] }),
    changed('parameter_not_normal', 'bad_query_parameter', { query: ['%69d'] }),
    changed('tracker_key_of_small_order', 'bad_tracker_key', { trackerKeys: [concat(u8(1), filled(0, 31))] }),
    changed('tracker_key_not_on_the_curve', 'bad_tracker_key', {
      trackerKeys: [concat(u8(2), filled(0, 31))],
    }),
    oneTrack('track_0', 'track_order', series, { id: 0 }),
    oneTrack('track_1024', 'track_order', series, { id: 1024 }),
    changed('tracks_not_sorted', 'track_order', { tracks: [...full().tracks].reverse() }),
    oneTrack('no_segments', 'segment_count', series, { segments: 0 }),
    oneTrack('too_many_segments', 'segment_count', series, { segments: 131_073 }),
    oneTrack('timescale_0', 'number_range', series, { timescale: 0 }),
    oneTrack('timescale_over_32_bits', 'number_range', series, { timescale: 2 ** 32 }),
    oneTrack('numbers_past_2_to_the_53', 'number_range', numbers('$Number$', 2 ** 53 - 100)),
    oneAsset('asset_over_32_mib', 'object_length', 'a', { length: 33_554_433 }),
    oneAsset('empty_range', 'object_length', 'a', { length: 0, offset: 0 }),
    oneAsset('range_past_2_to_the_53', 'object_length', 'a', { offset: 2 ** 53 - 99 }),
    oneAsset('media_type_without_subtype', 'bad_media_type', 'a', { type: 'video' }),
    oneAsset('media_type_with_line_break', 'bad_media_type', 'a', { type: 'video/mp4;\r\n' }),
    oneAsset('media_type_too_long', 'bad_media_type', 'a', { type: `video/${'m'.repeat(123)}` }),
    oneAsset('path_absolute', 'path_not_relative', '/a'),
    oneAsset('path_out_of_the_base', 'path_escapes_base', '../a'),
    oneAsset('path_empty', 'path_empty', ''),
    oneAsset('path_not_normal', 'path_not_normal', 'a/./b'),
    oneAsset('path_with_token', 'path_not_normal', 'a?token=1'),
    oneTrack('index_path_not_normal', 'path_not_normal', series, { index: './i' }),
    oneTrack('rows_path_not_normal', 'path_not_normal', series, { rows: 'a/../r' }),
    oneTrack('pattern_not_normal', 'path_not_normal', numbers('./$Number$')),
    oneTrack('pattern_without_variable', 'bad_template', numbers('a')),
    oneTrack('pattern_with_two_variables', 'bad_template', numbers('$Number$$Time$')),
    oneTrack('many_segments_of_one_resource', 'duplicate_name', { single: 'a' }),
    withAsset('asset_twice', 'duplicate_name', makeAsset('master.m3u8')),
    withAsset('whole_and_range', 'duplicate_name', makeAsset('master.m3u8', { offset: 0 })),
    withAsset('whole_of_a_ranged_resource', 'duplicate_name', makeAsset('movie.mp4')),
    withAsset('asset_named_like_a_segment', 'duplicate_name', makeAsset('v/00300.m4s')),
    withAsset('asset_named_like_a_time', 'duplicate_name', makeAsset('a/5.m4s')),
    withAsset('ranges_that_overlap', 'overlapping_assets', makeAsset('movie.mp4', { offset: 799 })),
    two('series_that_meet', 'duplicate_name', [numbers('$Number$', 0)], [numbers('$Number$', 299)]),
    two('number_and_time', 'duplicate_name', [numbers('$Number$')], [numbers('$Time$')]),
    two('affixes_that_may_meet', 'duplicate_name', [numbers('v$Number$')], [numbers('v1$Number$')]),
    two(
      'one_resource_in_two_tracks',
      'duplicate_name',
      [{ single: 'a' }, { segments: 1 }],
      [{ single: 'a' }, { segments: 1 }],
    ),
  ].map(([name, error, bytes]) => ({ name, error, payload: hex(bytes) }));
  return {
    about:
      'Payloads of manifests (docs/PROTOCOL.md §4), in hexadecimal. `says` is what a reader must find in them.',
    valid,
    invalid,
  };
}
