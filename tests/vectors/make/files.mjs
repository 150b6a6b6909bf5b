// Index, rows and names files, and what is found through them.
import { concat, filled, hex, keyPair, publicText, seal, sha256, u16, u32, u64 } from './bytes.mjs';
import { emptyManifest, makeAsset, makeTrack, payload } from './manifest.mjs';
import { fill, leaf, root, row } from './tree.mjs';

const publisher = keyPair(filled(0x51, 32));
const PAGE = 256;

const pages = (items) => {
  const out = [];
  for (let at = 0; at < items.length; at += PAGE) out.push(concat(...items.slice(at, at + PAGE)));
  return out;
};

const encodeRecord = (r) =>
  concat(r.root, u32(r.length), u32(r.duration), u64(r.offset), u64(r.rowOffset), u64(r.start));

function indexFile(records) {
  const all = pages(records.map(encodeRecord));
  const hashes = all.map(leaf);
  return { file: concat(...hashes, ...all), root: root(hashes) };
}

function namesFile(names) {
  const all = pages(names.map((name) => concat(u16(Buffer.byteLength(name)), name)));
  const entries = all.map((page) => concat(u32(page.length), leaf(page)));
  return { file: concat(...entries, ...all), root: root(entries.map(leaf)) };
}

/** The tracks that the vectors describe by rules; see README.md. */
function build(track) {
  const { count, lengths, gaps = [0], duration = 0, names } = track;
  const [records, rows] = [[], []];
  let [offset, rowOffset] = [0, 0];
  for (let i = 0; i < count; i += 1) {
    const length = lengths[i % lengths.length];
    if (names && i > 0 && names[i] !== names[i - 1]) offset = 0;
    offset += i < gaps.length ? gaps[i] : 0;
    const leaves = row(fill(length, i % 251));
    const listed = track.ranged ? offset : 0;
    records.push({ root: root(leaves), length, duration, offset: listed, rowOffset, start: i * duration });
    rows.push(...leaves);
    offset += length;
    rowOffset += leaves.length * 32;
  }
  const index = indexFile(records);
  const table = names && namesFile(names);
  return { index, rows: concat(...rows), table };
}

function content(name, assets, tracks, resolve) {
  const listed = assets.map(({ path, length, offset }, at) =>
    makeAsset(path, { length, ...(offset !== null && { offset }), root: root(row(fill(length, at))) }),
  );
  const built = tracks.map(build);
  const signed = tracks.map((track, at) => {
    const names = track.names ? { table: `seal/${at + 1}.names`, root: built[at].table.root } : track.named;
    return makeTrack(at + 1, names, {
      kind: track.kind,
      timescale: 1000,
      segments: track.count,
      ranged: track.ranged,
      indexRoot: built[at].index.root,
    });
  });
  const describe = (track, at) => ({
    count: track.count,
    lengths: track.lengths,
    gaps: track.gaps ?? [0],
    duration: track.duration ?? 0,
    ranged: track.ranged,
    names: track.names ?? null,
    index_root: hex(built[at].index.root),
    index: hex(sha256(built[at].index.file)),
    rows: hex(sha256(built[at].rows)),
    names_root: track.names ? hex(built[at].table.root) : null,
    names_file: track.names ? hex(sha256(built[at].table.file)) : null,
  });
  const manifest = emptyManifest({ assets: listed, tracks: signed });
  return {
    name,
    sealed: hex(seal('swarmseal/manifest/1', publisher, payload(manifest))),
    assets: assets.map(({ length }) => length),
    tracks: tracks.map(describe),
    resolve,
  };
}

const span = (track, index, first, len) => [track, index, first, len];

function contents() {
  const video = { kind: 0, count: 600, lengths: [40_000, 5, 16_384], duration: 2000, ranged: false };
  const movie = {
    kind: 0,
    count: 5,
    lengths: [100, 101, 102],
    gaps: [800, 0, 0, 7],
    duration: 2000,
    ranged: true,
  };
  const pieces = ['a.bin', ...Array(300).fill('b.bin'), 'c.bin', 'c.bin'];
  const files = { kind: 3, count: pieces.length, lengths: [3], names: pieces, ranged: true };
  const small = ['clips/10.ts', 'clips/9.ts', 'clips/11.ts'];
  return [
    content(
      'named_by_number',
      [
        { path: 'master.m3u8', length: 20_000, offset: null },
        { path: 'empty.txt', length: 0, offset: null },
      ],
      [{ ...video, named: { pattern: 'v/$Number%05d$.m4s', start: 1 } }],
      [
        ['v/00001.m4s', null, [span(1, 0, 0, 40_000)]],
        ['v/00600.m4s', null, [span(1, 599, 0, 16_384)]],
        ['./v/00600.m4s?token=1#x', [16_000, 99_999], [span(1, 599, 16_000, 384)]],
        ['v/00257.m4s', [0, 0], [span(1, 256, 0, 1)]],
        ['v/00601.m4s', null, 'unlisted'],
        ['v/00000.m4s', null, 'unlisted'],
        ['v/1.m4s', null, 'unlisted'],
        ['../v/00001.m4s', null, 'unlisted'],
        ['master.m3u8', null, [span(0, 0, 0, 20_000)]],
        ['master.m3u8', [20_000, 20_000], 'range_outside'],
        ['empty.txt', null, [span(0, 1, 0, 0)]],
        ['empty.txt', [0, 0], 'range_outside'],
      ],
    ),
    content(
      'named_by_time',
      [],
      [{ ...video, named: { pattern: 'a/$Time$', start: 0 } }],
      [
        ['a/0', null, [span(1, 0, 0, 40_000)]],
        ['a/1000000', null, [span(1, 500, 0, 16_384)]],
        ['a/1000001', null, 'unlisted'],
        ['a/1200000', null, 'unlisted'],
      ],
    ),
    content(
      'ranges_of_one_resource',
      [
        { path: 'movie.mp4', length: 200, offset: 600 },
        { path: 'movie.mp4', length: 600, offset: 0 },
      ],
      [{ ...movie, named: { single: 'movie.mp4' } }],
      [
        [
          'movie.mp4',
          [590, 910],
          [span(0, 1, 590, 10), span(0, 0, 0, 200), span(1, 0, 0, 100), span(1, 1, 0, 11)],
        ],
        ['movie.mp4', [1000, 1102], [span(1, 1, 100, 1), span(1, 2, 0, 102)]],
        ['movie.mp4', [1000, 1103], 'range_outside'],
        ['movie.mp4', [1103, 1200], 'range_outside'],
        ['movie.mp4', [1110, 9999], [span(1, 3, 0, 100), span(1, 4, 0, 101)]],
        ['movie.mp4', [1311, 1311], 'range_outside'],
        ['movie.mp4', null, 'range_outside'],
      ],
    ),
    content(
      'files_in_pieces',
      [],
      [files],
      [
        ['a.bin', null, [span(1, 0, 0, 3)]],
        ['b.bin', [764, 770], [span(1, 255, 2, 1), span(1, 256, 0, 3), span(1, 257, 0, 3)]],
        ['b.bin', [899, 900], [span(1, 300, 2, 1)]],
        ['b.bin', [900, 900], 'range_outside'],
        ['c.bin', null, [span(1, 301, 0, 3), span(1, 302, 0, 3)]],
        ['b', null, 'unlisted'],
        ['d.bin', null, 'unlisted'],
      ],
    ),
    content(
      'named_by_a_table',
      [],
      [{ kind: 0, count: 3, lengths: [7], duration: 2000, names: small, ranged: false }],
      [
        ['clips/9.ts', null, [span(1, 1, 0, 7)]],
        ['clips/12.ts', null, 'unlisted'],
      ],
    ),
  ];
}

/** One page that has its hash and breaks a rule, or has not. */
function sheets() {
  const good = (i, changes = {}) => ({
    root: filled(0xe1, 32),
    length: 5,
    duration: 10,
    offset: 0,
    rowOffset: 32 * i,
    start: 10 * i,
    ...changes,
  });
  const index = (
    name,
    error,
    records,
    { ranged = false, named = { pattern: '$Number$', start: 0 }, mend } = {},
  ) => {
    const { file, root: indexRoot } = indexFile(records);
    const track = makeTrack(1, named, { segments: records.length, ranged, indexRoot, kind: 0 });
    return sheet(name, error, [track], 'index_head', mend ? mend(file) : file);
  };
  const sheet = (name, error, tracks, kind, bytes, assets = []) => ({
    name,
    error,
    sheet: kind,
    bytes: hex(bytes),
    sealed: hex(seal('swarmseal/manifest/1', publisher, payload(emptyManifest({ tracks, assets })))),
  });
  const names = (
    name,
    error,
    list,
    { ranged = false, kind = 0, sheet: which = 'names_page', mend, assets } = {},
  ) => {
    const raw = list.map((item) =>
      Buffer.isBuffer(item) ? item : concat(u16(Buffer.byteLength(item)), item),
    );
    const page = concat(...raw);
    const entry = concat(u32(page.length), leaf(page));
    const table = { table: 'seal/1.names', root: root([leaf(entry)]) };
    const track = makeTrack(1, table, { segments: list.length, ranged, kind });
    const bytes = which === 'names_head' ? entry : page;
    return { ...sheet(name, error, [track], which, mend ? mend(bytes) : bytes, assets), head: hex(entry) };
  };
  const flip = (at) => (bytes) => {
    const out = Buffer.from(bytes);
    out[at < 0 ? out.length + at : at] ^= 1;
    return out;
  };
  const single = { single: 'm' };
  const time = { pattern: '$Time$', start: 0 };
  const whole = [makeAsset('b')];
  return [
    index('good', null, [good(0), good(1)]),
    index('page_hash_altered', 'sheet_wrong_head', [good(0)], { mend: flip(0) }),
    index('page_altered', 'sheet_wrong_page', [good(0)], { mend: flip(-1) }),
    index('page_cut', 'sheet_wrong_length', [good(0)], { mend: (bytes) => bytes.subarray(1) }),
    index('segment_over_32_mib', 'sheet_bad_record', [good(0, { length: 33_554_433 })]),
    index('start_past_2_to_the_53', 'sheet_bad_record', [good(0, { start: 2 ** 53 - 9 })]),
    index('offset_of_a_whole_resource', 'sheet_bad_record', [good(0, { offset: 1 })]),
    index('empty_range', 'sheet_bad_record', [good(0, { length: 0 })], { ranged: true }),
    index('first_row_not_at_0', 'sheet_bad_record', [good(0, { rowOffset: 32 })]),
    index('gap_between_rows', 'sheet_bad_record', [good(0), good(1, { rowOffset: 64 })]),
    index('time_backwards', 'sheet_bad_record', [good(0, { start: 5 }), good(1, { start: 4 })]),
    index('time_standing_still', null, [good(0, { start: 5 }), good(1, { start: 5 })]),
    index('time_that_names_standing_still', 'sheet_bad_record', [good(0), good(1, { start: 0 })], {
      named: time,
    }),
    index('ranges_that_overlap', 'sheet_bad_record', [good(0), good(1, { offset: 4 })], {
      ranged: true,
      named: single,
    }),
    index('ranges_that_touch', null, [good(0), good(1, { offset: 5 })], { ranged: true, named: single }),
    names('names', null, ['b', 'a']),
    names('names_head', null, ['a'], { sheet: 'names_head' }),
    names('names_head_altered', 'sheet_wrong_head', ['a'], { sheet: 'names_head', mend: flip(3) }),
    names('names_page_altered', 'sheet_wrong_page', ['a'], { mend: flip(-1) }),
    names('name_not_normal', 'sheet_bad_name', ['a', './b']),
    names('name_not_utf8', 'sheet_bad_name', [Buffer.from('0001ff', 'hex')]),
    names('name_cut', 'sheet_bad_name', [Buffer.from('000561', 'hex')]),
    names('name_too_many', 'sheet_bad_name', [Buffer.from('000161000162', 'hex')]),
    names('name_twice', 'sheet_duplicate_name', ['a', 'b', 'a']),
    names('name_twice_in_a_row', 'sheet_duplicate_name', ['a', 'a']),
    names('name_in_two_runs', 'sheet_duplicate_name', ['a', 'b', 'a'], { ranged: true }),
    names('name_for_two_ranges', null, ['a', 'a', 'b'], { ranged: true }),
    names('files_not_sorted', 'sheet_bad_name', ['b', 'a'], { kind: 3 }),
    names('name_of_an_asset', 'sheet_duplicate_name', ['a', 'b'], { assets: whole }),
    names('name_of_a_ranged_asset', null, ['a', 'b'], {
      ranged: true,
      assets: [makeAsset('b', { offset: 9 })],
    }),
  ];
}

export function fileVectors() {
  return {
    about:
      'Index, rows and names files (docs/PROTOCOL.md §5) and what is found through them (§6.3). README.md says how tracks and assets are made from their description. `index`, `rows` and `names_file` are SHA-256 over the whole files. resolve: [path, [first, last] or null, spans [track, index, first, length] or a code].',
    key: publicText(publisher.key),
    contents: contents(),
    sheets: sheets(),
  };
}
