// Peer messages: one of each kind, every limit from both sides, every rule broken once.
import { concat, filled, hex, sha256, u16, u32, u8 } from './bytes.mjs';
import { answerer, hello, offerer, proof } from './handshake.mjs';

const root = sha256('a root');
const object = (track, index) => concat(u16(track), u32(index), root);
const named = (track, index) => ({ track, index, root: hex(root) });
const ranges = (list) => concat(u8(list.length), ...list.flatMap(([first, count]) => [u32(first), u32(count)]));
const chunkRanges = (list) => concat(u8(list.length), ...list.flatMap(([first, count]) => [u16(first), u16(count)]));
const have = (track, complete, partial) =>
  concat(
    u8(4),
    u16(track),
    ranges(complete),
    u8(partial.length),
    ...partial.flatMap(([index, chunks]) => [u32(index), chunkRanges(chunks)]),
  );
const request = (first, count, urgency = 1) =>
  concat(u8(8), u32(7), object(1, 2), u32(first), u8(count), filled(0x99, 16), u8(urgency));
const data = (first, count) => concat(u8(0x0b), u32(7), object(1, 2), u32(first), u8(count));
const tracks = (list) => concat(u8(3), u16(list.length), ...list.flatMap((track) => [u16(track), root]));
const rows = (count) => concat(u8(7), object(1, 2), u16(count), filled(0xab, 32 * count));
const every = (count, item) => Array.from({ length: count }, (_, i) => item(i));

/** Long runs of one byte are written `[byte, times]`, so that the file stays readable. */
function packed(bytes) {
  const parts = [];
  let plain = 0;
  for (let at = 0; at < bytes.length; ) {
    let end = at + 1;
    while (end < bytes.length && bytes[end] === bytes[at]) end += 1;
    if (end - at >= 64) {
      if (plain < at) parts.push(hex(bytes.subarray(plain, at)));
      parts.push([hex(bytes.subarray(at, at + 1)), end - at]);
      plain = end;
    }
    at = end;
  }
  if (plain < bytes.length) parts.push(hex(bytes.subarray(plain)));
  return parts;
}

export function wireVectors() {
  const requested = (first, count, urgency) => ({
    type: 'request',
    id: 7,
    object: named(1, 2),
    first,
    count,
    nonce: hex(filled(0x99, 16)),
    urgency,
  });
  const sent = (first, count) => ({ type: 'data', id: 7, object: named(1, 2), first, count });
  const valid = [
    ['hello', hello(offerer), { type: 'hello' }],
    ['proof', proof(offerer, hello(answerer)), { type: 'proof' }],
    ['tracks_none', tracks([]), { type: 'tracks', count: 0, tracks: [] }],
    ['tracks', tracks([0, 1, 1023]), { type: 'tracks', count: 3, tracks: [0, 1, 1023].map((t) => [t, hex(root)]) }],
    ['tracks_most', tracks(every(1024, (i) => i)), { type: 'tracks', count: 1024 }],
    [
      'have',
      have(1, [[0, 10], [20, 1]], [[10, [[0, 3], [5, 2]]], [11, [[0, 2048]]]]),
      {
        type: 'have',
        track: 1,
        complete: [[0, 10], [20, 1]],
        partial: [{ index: 10, chunks: [[0, 3], [5, 2]] }, { index: 11, chunks: [[0, 2048]] }],
      },
    ],
    [
      'have_ranges_that_touch',
      have(1, [[0, 10], [10, 1]], []),
      { type: 'have', track: 1, complete: [[0, 10], [10, 1]], partial: [] },
    ],
    [
      'have_to_the_last_number',
      have(1, [[0xfffffffe, 1]], []),
      { type: 'have', track: 1, complete: [[0xfffffffe, 1]], partial: [] },
    ],
    [
      'have_most',
      have(2, every(64, (i) => [2 * i, 1]), every(16, (i) => [i, every(16, (j) => [2 * j, 1])])),
      {
        type: 'have',
        track: 2,
        complete: every(64, (i) => [2 * i, 1]),
        partial: every(16, (i) => ({ index: i, chunks: every(16, (j) => [2 * j, 1]) })),
      },
    ],
    ['unhave', concat(u8(5), u16(3), ranges([[4, 2]])), { type: 'unhave', track: 3, segments: [[4, 2]] }],
    ['want_rows', concat(u8(6), object(1, 2)), { type: 'want_rows', object: named(1, 2) }],
    ['rows_of_one', rows(1), { type: 'rows', object: named(1, 2), hashes: 1 }],
    ['rows_most', rows(2048), { type: 'rows', object: named(1, 2), hashes: 2048 }],
    ['request', request(0, 1, 0), requested(0, 1, 'prefetch')],
    ['request_soon', request(3, 16, 1), requested(3, 16, 'soon')],
    ['request_the_last_chunk_urgently', request(2047, 1, 2), requested(2047, 1, 'urgent')],
    ['cancel', concat(u8(9), u32(0xffffffff)), { type: 'cancel', id: 0xffffffff }],
    ...['not_held', 'busy', 'policy', 'unknown'].map((reason, code) => [
      `reject_${reason}`,
      concat(u8(0x0a), u32(7), u8(code)),
      { type: 'reject', id: 7, reason },
    ]),
    ['statement_of_1024_bytes', concat(u8(0x0c), filled(1, 1024)), { type: 'statement', bytes: 1024 }],
    ['choke', u8(0x0d), { type: 'choke' }],
    ['unchoke', u8(0x0e), { type: 'unchoke' }],
    ['head_reserved', concat(u8(0x0f), filled(1, 16384)), { type: 'head', bytes: 16384 }],
    ...[
      'leaving',
      'idle',
      'replaced',
      'duplicate',
      'policy',
      'ticket_expired',
      'handshake',
      'protocol',
      'bad_data',
    ].map((reason, code) => [`bye_${reason}`, concat(u8(0x10), u8(code)), { type: 'bye', reason }]),
    [
      'claim',
      concat(u8(0x11), u16(1), u32(2), filled(0xa5, 8)),
      { type: 'claim', track: 1, index: 2, rank: 'a5a5a5a5a5a5a5a5' },
    ],
    [
      'claim_of_one_who_fetches_already',
      concat(u8(0x11), u16(1), u32(2), filled(0, 8)),
      { type: 'claim', track: 1, index: 2, rank: '0000000000000000' },
    ],
    ['ticket', concat(u8(0x12), filled(1, 512)), { type: 'ticket', bytes: 512 }],
  ].map(([name, bytes, message]) => ({ name, channel: 'control', bytes: packed(bytes), message }));
  valid.push(
    { name: 'data_head', channel: 'data', bytes: packed(data(0, 1)), message: sent(0, 1) },
    { name: 'data_head_of_four', channel: 'data', bytes: packed(data(2044, 4)), message: sent(2044, 4) },
  );

  const invalid = [
    ['empty', Buffer.alloc(0), 'empty'],
    ['longer_than_any_message', concat(u8(7), filled(0, 65536 + 128)), 'too_large'],
    ['type_0', u8(0), 'unknown_type'],
    ['type_19', u8(0x13), 'unknown_type'],
    ['choke_with_a_byte_after', concat(u8(0x0d), u8(0)), 'trailing_bytes'],
    ['cancel_cut_short', concat(u8(9), u16(0)), 'truncated'],
    ['cancel_with_a_byte_after', concat(u8(9), u32(1), u8(0)), 'trailing_bytes'],
    ['data_on_control', data(0, 1), 'data_on_control'],
    ['tracks_1025', tracks(every(1025, (i) => i)), 'too_many_tracks'],
    ['tracks_twice_the_same', tracks([1, 1]), 'tracks_out_of_order'],
    ['tracks_descending', tracks([2, 1]), 'tracks_out_of_order'],
    ['tracks_fewer_than_said', concat(u8(3), u16(1024), u16(1), root), 'truncated'],
    ['have_nothing', have(1, [], []), 'nothing_named'],
    ['have_65_ranges', have(1, every(65, (i) => [2 * i, 1]), []), 'too_many_ranges'],
    ['have_17_partials', have(1, [], every(17, (i) => [i, [[0, 1]]])), 'too_many_partials'],
    ['have_17_chunk_ranges', have(1, [], [[0, every(17, (j) => [2 * j, 1])]]), 'too_many_ranges'],
    ['have_partial_without_chunks', have(1, [], [[0, []]]), 'nothing_named'],
    ['have_empty_range', have(1, [[5, 0]], []), 'empty_range'],
    ['have_empty_chunk_range', have(1, [], [[0, [[5, 0]]]]), 'empty_range'],
    ['have_range_past_the_last_number', have(1, [[0xffffffff, 1]], []), 'range_overflow'],
    ['have_range_overflows', have(1, [[1, 0xffffffff]], []), 'range_overflow'],
    ['have_ranges_overlap', have(1, [[0, 10], [9, 2]], []), 'ranges_out_of_order'],
    ['have_ranges_descend', have(1, [[20, 1], [0, 10]], []), 'ranges_out_of_order'],
    ['have_chunks_overlap', have(1, [], [[0, [[0, 3], [2, 1]]]]), 'ranges_out_of_order'],
    ['have_partials_twice_the_same', have(1, [], [[3, [[0, 1]]], [3, [[1, 1]]]]), 'ranges_out_of_order'],
    ['have_chunk_2048', have(1, [], [[0, [[2048, 1]]]]), 'chunk_out_of_range'],
    ['have_chunks_past_2048', have(1, [], [[0, [[2000, 49]]]]), 'chunk_out_of_range'],
    ['have_fewer_ranges_than_said', concat(u8(4), u16(1), u8(64), u32(0), u32(1)), 'truncated'],
    ['unhave_nothing', concat(u8(5), u16(3), u8(0)), 'nothing_named'],
    ['unhave_65_ranges', concat(u8(5), u16(3), ranges(every(65, (i) => [2 * i, 1]))), 'too_many_ranges'],
    ['unhave_ranges_overlap', concat(u8(5), u16(3), ranges([[0, 2], [1, 1]])), 'ranges_out_of_order'],
    ['want_rows_cut_short', concat(u8(6), object(1, 2)).subarray(0, -1), 'truncated'],
    ['rows_none', rows(0), 'bad_row_length'],
    ['rows_2049', concat(u8(7), object(1, 2), u16(2049)), 'bad_row_length'],
    ['rows_65535_said_none_there', concat(u8(7), object(1, 2), u16(65535)), 'bad_row_length'],
    ['rows_fewer_than_said', concat(u8(7), object(1, 2), u16(2), root), 'truncated'],
    ['rows_half_a_hash_more', concat(rows(1), filled(0, 16)), 'trailing_bytes'],
    ['request_no_chunk', request(0, 0), 'bad_chunk_count'],
    ['request_17_chunks', request(0, 17), 'bad_chunk_count'],
    ['request_past_the_last_chunk', request(2047, 2), 'chunk_out_of_range'],
    ['request_first_chunk_overflows', request(0xffffffff, 1), 'chunk_out_of_range'],
    ['request_unknown_urgency', request(0, 1, 3), 'unknown_urgency'],
    ['reject_unknown_reason', concat(u8(0x0a), u32(7), u8(4)), 'unknown_reason'],
    ['statement_empty', u8(0x0c), 'bad_opaque_length'],
    ['statement_of_1025_bytes', concat(u8(0x0c), filled(1, 1025)), 'bad_opaque_length'],
    ['head_empty', u8(0x0f), 'bad_opaque_length'],
    ['head_of_16385_bytes', concat(u8(0x0f), filled(1, 16385)), 'bad_opaque_length'],
    ['bye_without_reason', u8(0x10), 'truncated'],
    ['bye_unknown_reason', concat(u8(0x10), u8(9)), 'unknown_reason'],
    ['claim_cut_short', concat(u8(0x11), u16(1), u32(2), filled(0, 7)), 'truncated'],
    ['claim_with_a_byte_after', concat(u8(0x11), u16(1), u32(2), filled(0, 9)), 'trailing_bytes'],
    ['ticket_empty', u8(0x12), 'bad_opaque_length'],
    ['ticket_of_513_bytes', concat(u8(0x12), filled(1, 513)), 'bad_opaque_length'],
    ['hello_cut_short', hello(offerer).subarray(0, -1), 'truncated'],
    ['hello_too_large', concat(hello(offerer), filled(0, 512)), 'too_large'],
    ['proof_with_a_byte_after', concat(proof(offerer, hello(answerer)), u8(0)), 'trailing_bytes'],
  ].map(([name, bytes, error]) => ({ name, channel: 'control', bytes: packed(bytes), error }));
  invalid.push(
    ...[
      ['data_empty', Buffer.alloc(0), 'empty'],
      ['choke_on_data', u8(0x0d), 'not_data_on_data'],
      ['data_head_cut_short', data(0, 1).subarray(0, -1), 'truncated'],
      ['data_no_chunk', data(0, 0), 'bad_chunk_count'],
      ['data_five_chunks', data(0, 5), 'bad_chunk_count'],
      ['data_past_the_last_chunk', data(2045, 4), 'chunk_out_of_range'],
    ].map(([name, bytes, error]) => ({ name, channel: 'data', bytes: packed(bytes), error })),
  );
  return {
    about:
      'Peer messages (docs/PROTOCOL.md, "Peer messages"). Bytes are parts: hexadecimal, or [byte, times]. Vectors of the data channel are heads.',
    valid,
    invalid,
  };
}
