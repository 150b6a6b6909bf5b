// Tracker messages, descriptions, candidates, and what JOIN and ANNOUNCE prove.
import { base64url, concat, filled, fingerprintText, handleOf, hex, hmac, publicText, sha256, u16, u32, u64 } from './bytes.mjs';
import { challengeVectors } from './challenge.mjs';
import { alice, bob, claims, issue, swarm } from './ticket.mjs';

const secret = filled(0x5c, 32);
const nonce = filled(0x0e, 32);
const introduction = base64url(filled(0x1d, 16));
const peer = base64url(handleOf(bob.key));
const fingerprint = fingerprintText(sha256('certificate'));
const description = {
  ufrag: 'z6J7',
  pwd: 'u/RZOkJVe0TZK6vExAEAymSY',
  fingerprint,
  setup: 'actpass',
  max_message_size: 262144,
};
const candidate = {
  foundation: '1586295473',
  component: 1,
  transport: 'udp',
  priority: 2113937151,
  address: '192.0.2.2',
  port: 39241,
  kind: 'host',
};

export function announce(ranges, { seq = 1, expires_s = 600, by = alice } = {}) {
  const signed = concat(
    'swarmseal/announce/1',
    nonce,
    swarm,
    u64(seq),
    u32(expires_s),
    u16(ranges.length),
    ...ranges.flatMap(({ track, ranges: list }) => [
      u16(track),
      u16(list.length),
      ...list.flatMap(([first, count]) => [u32(first), u32(count)]),
    ]),
  );
  return { ranges, expires_s, seq, signature: base64url(by.sign(signed)) };
}

const proof = hmac(secret, 'swarmseal/join/1', nonce, alice.key);
const join = {
  type: 'join',
  version: 1,
  swarm: base64url(swarm),
  key: publicText(alice.key),
  proof: base64url(proof),
  signature: base64url(alice.sign('swarmseal/join/1', nonce, swarm, proof)),
};
const held = [
  { track: 1, ranges: [[0, 10], [12, 3]] },
  { track: 9, ranges: [[0, 1]] },
];
const ticket = issue(claims(alice));
const joined = {
  type: 'joined',
  handle: base64url(handleOf(alice.key)),
  ticket: base64url(ticket),
  ticket_expires_in_s: 600,
  peers: [peer],
  ice_servers: [
    { urls: ['stun:stun.example:3478'] },
    { urls: ['turn:turn.example:3478?transport=udp'], username: '1800000000', credential: 'secret' },
  ],
  exposure: 'direct',
  list_interval_s: 20,
  time_unix_ms: 1800000000000,
  epoch: 3000000,
};
const many = (count, item) => Array.from({ length: count }, (_, i) => item(i));

function client() {
  const valid = [
    ['join', join],
    ['join_with_announce', { ...join, announce: announce(held) }],
    ['announce', { type: 'announce', ...announce(held) }],
    ['announce_nothing', { type: 'announce', ...announce([]) }],
    ['announce_most', { type: 'announce', ...announce(many(64, (t) => ({ track: t, ranges: many(16, (i) => [2 * i, 1]) }))) }],
    ['renew', { type: 'renew' }],
    ['list', { type: 'list', want: 30 }],
    ['introduce', { type: 'introduce', peer }],
    ['description', { type: 'description', introduction, description }],
    ['candidate', { type: 'candidate', introduction, candidate }],
    ['end_of_candidates', { type: 'end_of_candidates', introduction }],
    ...['connected', 'failed', 'handshake', 'busy', 'refused', 'timed_out', 'peer_gone'].map((reason) => [
      `end_introduction_${reason}`,
      { type: 'end_introduction', introduction, reason },
    ]),
    ['report', { type: 'report', peer, code: 'bad_chunk', object: { track: 1, index: 2 } }],
    ['report_without_object', { type: 'report', peer, code: 'handshake' }],
    ['leave', { type: 'leave' }],
    ['challenge_answer', { type: 'challenge_answer', challenge: introduction, answer: base64url(filled(7, 64 + 16 * 32)) }],
    ['tampering', { type: 'tampering', proof: base64url(filled(7, 2048)) }],
  ];
  const changed = (changes) => ({ type: 'announce', ...announce(held), ...changes });
  const described = (changes) => ({ type: 'description', introduction, description: { ...description, ...changes } });
  const offered = (changes) => ({ type: 'candidate', introduction, candidate: { ...candidate, ...changes } });
  const tracks = (ranges) => changed({ ranges });
  const invalid = [
    ['no_type', {}, 'malformed'],
    ['unknown_type', { type: 'offer' }, 'malformed'],
    ['not_an_object', [], 'malformed'],
    ['unknown_field', { type: 'leave', why: 'x' }, 'malformed'],
    ['unknown_field_in_join', { ...join, account: 'x' }, 'malformed'],
    ['field_missing', { type: 'introduce' }, 'malformed'],
    ['sdp_instead_of_fields', { type: 'description', introduction, sdp: 'v=0' }, 'malformed'],
    ['join_of_version_2', { ...join, version: 2 }, 'unsupported_version'],
    ['join_with_short_proof', { ...join, proof: base64url(filled(0, 31)) }, 'malformed'],
    ['join_with_padded_proof', { ...join, proof: `${join.proof}=` }, 'malformed'],
    ['join_with_weak_key', { ...join, key: publicText(filled(0, 32)) }, 'malformed'],
    ['handle_of_15_bytes', { type: 'introduce', peer: base64url(filled(0, 15)) }, 'malformed'],
    ['announce_65_tracks', tracks(many(65, (track) => ({ track, ranges: [[0, 1]] }))), 'too_many_tracks'],
    ['announce_tracks_descend', tracks([held[1], held[0]]), 'tracks_out_of_order'],
    ['announce_track_twice', tracks([held[0], held[0]]), 'tracks_out_of_order'],
    ['announce_track_1024', tracks([{ track: 1024, ranges: [[0, 1]] }]), 'bad_track'],
    ['announce_track_without_ranges', tracks([{ track: 1, ranges: [] }]), 'bad_range_count'],
    ['announce_17_ranges', tracks([{ track: 1, ranges: many(17, (i) => [2 * i, 1]) }]), 'bad_range_count'],
    ['announce_empty_range', tracks([{ track: 1, ranges: [[0, 0]] }]), 'bad_range'],
    ['announce_ranges_overlap', tracks([{ track: 1, ranges: [[0, 2], [1, 1]] }]), 'bad_range'],
    ['announce_range_overflows', tracks([{ track: 1, ranges: [[1, 4294967295]] }]), 'bad_range'],
    ['announce_expired', changed({ expires_s: 0 }), 'bad_expiry'],
    ['announce_for_601_s', changed({ expires_s: 601 }), 'bad_expiry'],
    ['announce_bad_in_join', { ...join, announce: { ...announce(held), expires_s: 0 } }, 'bad_expiry'],
    ['list_none', { type: 'list', want: 0 }, 'bad_list_length'],
    ['list_31', { type: 'list', want: 31 }, 'bad_list_length'],
    ['list_minus_1', { type: 'list', want: -1 }, 'malformed'],
    ['ufrag_of_3', described({ ufrag: 'abc' }), 'malformed'],
    ['ufrag_ends_a_line', described({ ufrag: 'abcd\r\na=x' }), 'malformed'],
    ['pwd_of_21', described({ pwd: 'a'.repeat(21) }), 'malformed'],
    ['pwd_of_257', described({ pwd: 'a'.repeat(257) }), 'malformed'],
    ['pwd_with_a_space', described({ pwd: `${'a'.repeat(22)} ` }), 'malformed'],
    ['fingerprint_of_sha_1', described({ fingerprint: fingerprint.slice(0, 59) }), 'malformed'],
    ['fingerprints_two', described({ fingerprint: [fingerprint, fingerprint] }), 'malformed'],
    ['setup_holdconn', described({ setup: 'holdconn' }), 'malformed'],
    ['max_message_size_under_a_chunk', described({ max_message_size: 16384 }), 'description_message_size'],
    ['max_message_size_over_the_limit', described({ max_message_size: 0x40000000 }), 'description_message_size'],
    ['candidate_component_2', offered({ component: 2 }), 'candidate_component'],
    ['candidate_port_1023', offered({ port: 1023 }), 'candidate_port'],
    ['candidate_port_65536', offered({ port: 65536 }), 'malformed'],
    ['candidate_host_name', offered({ address: 'example.com' }), 'malformed'],
    ['candidate_local_name_of_two_labels', offered({ address: 'a.b.local' }), 'malformed'],
    ['candidate_local_name_for_srflx', offered({ address: 'a.local', kind: 'srflx' }), 'candidate_local_name'],
    ['candidate_loopback', offered({ address: '127.0.0.1' }), 'candidate_loopback'],
    ['candidate_loopback_v6', offered({ address: '::1' }), 'candidate_loopback'],
    ['candidate_loopback_mapped', offered({ address: '::ffff:127.0.0.1' }), 'candidate_loopback'],
    ['candidate_unspecified', offered({ address: '0.0.0.0' }), 'candidate_not_unicast'],
    ['candidate_this_network', offered({ address: '0.1.2.3' }), 'candidate_not_unicast'],
    ['candidate_multicast', offered({ address: '239.1.2.3' }), 'candidate_not_unicast'],
    ['candidate_multicast_v6', offered({ address: 'ff02::fb' }), 'candidate_not_unicast'],
    ['candidate_broadcast', offered({ address: '255.255.255.255' }), 'candidate_not_unicast'],
    ['candidate_related_address', offered({ related_address: '10.0.0.1' }), 'malformed'],
    ['candidate_sctp', offered({ transport: 'sctp' }), 'malformed'],
    ['candidate_tcp_active', offered({ transport: 'tcp', tcp_type: 'active' }), 'malformed'],
    ['candidate_tcp_without_type', offered({ transport: 'tcp' }), 'candidate_tcp_type'],
    ['candidate_udp_with_tcp_type', offered({ tcp_type: 'passive' }), 'candidate_tcp_type'],
    ['candidate_foundation_of_33', offered({ foundation: 'a'.repeat(33) }), 'malformed'],
    ['report_unknown_code', { type: 'report', peer, code: 'ugly' }, 'malformed'],
    ['challenge_answer_of_4097_bytes', { type: 'challenge_answer', challenge: introduction, answer: base64url(filled(0, 4097)) }, 'opaque_too_long'],
    ['tampering_of_2049_bytes', { type: 'tampering', proof: base64url(filled(0, 2049)) }, 'opaque_too_long'],
  ];
  return { valid, invalid };
}

function server() {
  const welcome = { type: 'welcome', version: 1, nonce: base64url(nonce), time_unix_ms: 1800000000000, keepalive_s: 30 };
  const renewed = { type: 'ticket', ticket: base64url(ticket), ticket_expires_in_s: 600, time_unix_ms: 0, epoch: 0 };
  const codes = [
    'malformed',
    'unsupported_version',
    'not_admitted',
    'bad_signature',
    'handle_in_use',
    'not_joined',
    'already_joined',
    'unknown_peer',
    'unknown_introduction',
    'not_solicited',
    'exposure_limit',
    'rate_limited',
    'state_limit',
    'overloaded',
    'shutting_down',
  ];
  const valid = [
    ['welcome', welcome],
    ['joined', joined],
    ['joined_guarded_without_ice_servers', { ...joined, ice_servers: [], peers: [], exposure: 'guarded' }],
    ['joined_relay', { ...joined, exposure: 'relay' }],
    ['ticket', renewed],
    ['ticket_with_credentials_for_turn', { ...renewed, ice_servers: [{ urls: ['turn:a'], username: '1800000000:x', credential: 'y' }] }],
    ['peers', { type: 'peers', peers: many(30, () => peer) }],
    ['introduction_offer', { type: 'introduction', introduction, peer, role: 'offer' }],
    ['introduction_answer', { type: 'introduction', introduction, peer, role: 'answer' }],
    ['description', { type: 'description', introduction, description: { ...description, setup: 'active' } }],
    ['candidate_local', { type: 'candidate', introduction, candidate: { ...candidate, address: '0a0e5a8c-5f1a-4a3b-9a0b-1c2d3e4f5a6b.local' } }],
    ['candidate_relay_tcp', { type: 'candidate', introduction, candidate: { ...candidate, kind: 'relay', transport: 'tcp', tcp_type: 'passive', address: '2001:db8::7' } }],
    ['end_of_candidates', { type: 'end_of_candidates', introduction }],
    ['introduction_ended', { type: 'introduction_ended', introduction, reason: 'timed_out' }],
    ...codes.map((code) => [`error_${code}`, { type: 'error', code, message: 'for people' }]),
    ['error_to_retry', { type: 'error', code: 'overloaded', message: '', retry_after_s: 3600 }],
    ['challenge', { type: 'challenge', challenge: introduction, question: base64url(filled(0, 16 * 8)) }],
    ['revocation', { type: 'revocation', statement: 'AAEC' }],
  ];
  const iced = (server) => ({ ...joined, ice_servers: [server] });
  const invalid = [
    ['welcome_of_version_2', { ...welcome, version: 2 }, 'unsupported_version'],
    ['welcome_with_keepalive_0', { ...welcome, keepalive_s: 0 }, 'bad_interval'],
    ['welcome_with_short_nonce', { ...welcome, nonce: base64url(filled(0, 16)) }, 'malformed'],
    ['joined_with_31_peers', { ...joined, peers: many(31, () => peer) }, 'bad_list_length'],
    ['joined_with_empty_ticket', { ...joined, ticket: '' }, 'bad_ticket_length'],
    ['joined_with_ticket_of_513_bytes', { ...joined, ticket: base64url(filled(0, 513)) }, 'bad_ticket_length'],
    ['joined_with_ticket_for_601_s', { ...joined, ticket_expires_in_s: 601 }, 'bad_expiry'],
    ['joined_with_list_interval_0', { ...joined, list_interval_s: 0 }, 'bad_interval'],
    ['joined_with_list_interval_3601', { ...joined, list_interval_s: 3601 }, 'bad_interval'],
    ['joined_with_unknown_exposure', { ...joined, exposure: 'open' }, 'malformed'],
    ['joined_with_address', { ...joined, address: '192.0.2.2' }, 'malformed'],
    ['joined_with_9_ice_servers', { ...joined, ice_servers: many(9, () => ({ urls: ['stun:a'] })) }, 'too_many_ice_servers'],
    ['ice_server_without_url', iced({ urls: [] }), 'bad_ice_server'],
    ['ice_server_with_5_urls', iced({ urls: many(5, () => 'stun:a') }), 'bad_ice_server'],
    ['ice_server_over_http', iced({ urls: ['https://a'] }), 'bad_ice_server'],
    ['ice_server_with_long_credential', iced({ urls: ['turn:a'], credential: 'a'.repeat(513) }), 'bad_ice_server'],
    ['ticket_with_9_ice_servers', { ...renewed, ice_servers: many(9, () => ({ urls: ['stun:a'] })) }, 'too_many_ice_servers'],
    ['ticket_empty', { ...renewed, ticket: '' }, 'bad_ticket_length'],
    ['peers_31', { type: 'peers', peers: many(31, () => peer) }, 'bad_list_length'],
    ['introduction_with_unknown_role', { type: 'introduction', introduction, peer, role: 'host' }, 'malformed'],
    ['candidate_port_0', { type: 'candidate', introduction, candidate: { ...candidate, port: 0 } }, 'candidate_port'],
    ['error_with_long_text', { type: 'error', code: 'malformed', message: 'a'.repeat(257) }, 'text_too_long'],
    ['error_to_retry_in_a_day', { type: 'error', code: 'overloaded', message: '', retry_after_s: 86400 }, 'bad_interval'],
    ['challenge_of_4097_bytes', { type: 'challenge', challenge: introduction, question: base64url(filled(0, 4097)) }, 'opaque_too_long'],
    ['revocation_of_4097_bytes', { type: 'revocation', statement: base64url(filled(0, 4097)) }, 'opaque_too_long'],
  ];
  return { valid, invalid };
}

const template = (d, setup) =>
  [
    'v=0',
    'o=- 1 1 IN IP4 0.0.0.0',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'a=ice-options:trickle',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    `a=ice-ufrag:${d.ufrag}`,
    `a=ice-pwd:${d.pwd}`,
    `a=fingerprint:sha-256 ${d.fingerprint}`,
    `a=setup:${setup}`,
    'a=sctp-port:5000',
    `a=max-message-size:${d.max_message_size}`,
    '',
  ].join('\r\n');

/** Local descriptions as Chromium 156 and Firefox 153 write them. */
function descriptions() {
  const chromium = (setup, candidates = []) => [
    'v=0',
    'o=- 4103427258198894077 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'a=extmap-allow-mixed',
    'a=msid-semantic: WMS',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    ...candidates,
    'a=ice-ufrag:z6J7',
    'a=ice-pwd:u/RZOkJVe0TZK6vExAEAymSY',
    'a=ice-options:trickle',
    `a=fingerprint:sha-256 ${fingerprint}`,
    `a=setup:${setup}`,
    'a=mid:0',
    'a=sctp-port:5000',
    'a=max-message-size:262144',
    '',
  ];
  const firefox = (setup) => [
    'v=0',
    'o=mozilla...THIS_IS_SDPARTA-99.0 385157413677768900 0 IN IP4 0.0.0.0',
    's=-',
    't=0 0',
    'a=sendrecv',
    `a=fingerprint:sha-256 ${fingerprint}`,
    'a=group:BUNDLE 0',
    'a=ice-options:trickle',
    'a=msid-semantic:WMS *',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    'a=sendrecv',
    'a=ice-pwd:9aefcd11ca30cb72cee37258b1c20e19',
    'a=ice-ufrag:33f0b889',
    'a=mid:0',
    `a=setup:${setup}`,
    'a=sctp-port:5000',
    'a=max-message-size:1073741823',
    '',
  ];
  const fox = { ufrag: '33f0b889', pwd: '9aefcd11ca30cb72cee37258b1c20e19', fingerprint, max_message_size: 1073741823 };
  const gathered = ['a=candidate:1340603878 1 udp 2113937151 192.0.2.2 41334 typ host generation 0 network-cost 999'];
  const plain = chromium('actpass');
  const without = (start) => plain.filter((line) => !line.startsWith(start));
  const instead = (start, ...lines) => plain.flatMap((line) => (line.startsWith(start) ? lines : [line]));
  const sized = (size) => ({ ...description, max_message_size: size });
  const text = (lines) => lines.join('\r\n');
  const valid = [
    ['chromium_offer', 'offer', plain, description],
    ['chromium_answer', 'answer', chromium('active', gathered), { ...description, setup: 'active' }],
    ['chromium_answer_passive', 'answer', chromium('passive'), { ...description, setup: 'passive' }],
    ['firefox_offer', 'offer', firefox('actpass'), { ...fox, setup: 'actpass' }],
    ['firefox_answer', 'answer', firefox('active'), { ...fox, setup: 'active' }],
    ['fingerprint_in_lower_case', 'offer', plain.map((line) => (line.startsWith('a=fingerprint') ? `a=fingerprint:SHA-256 ${fingerprint.toLowerCase()}` : line)), description],
    ['message_size_unstated', 'offer', without('a=max-message-size'), sized(65536)],
    ['message_size_unlimited', 'offer', instead('a=max-message-size', 'a=max-message-size:0'), sized(0x3fffffff)],
    ['message_size_beyond_32_bits', 'offer', instead('a=max-message-size', 'a=max-message-size:9007199254740991'), sized(0x3fffffff)],
  ].map(([name, kind, lines, fields]) => ({ name, kind, local: text(lines), description: fields, remote: template(fields, fields.setup) }));
  const invalid = [
    ['empty', [], 'description_media'],
    ['too_long', [...plain, `a=x:${'y'.repeat(16384)}`], 'description_too_long'],
    ['audio', instead('m=', 'm=audio 9 UDP/TLS/RTP/SAVPF 111'), 'description_media'],
    ['two_media_sections', instead('m=', plain[7], plain[7]), 'description_media'],
    ['another_mid', instead('a=mid', 'a=mid:data'), 'description_mid'],
    ['no_mid', without('a=mid'), 'description_mid'],
    ['no_ufrag', without('a=ice-ufrag'), 'description_ufrag'],
    ['two_ufrags', instead('a=ice-ufrag', 'a=ice-ufrag:abcd', 'a=ice-ufrag:efgh'), 'description_ufrag'],
    ['no_pwd', without('a=ice-pwd'), 'description_pwd'],
    ['no_fingerprint', without('a=fingerprint'), 'description_fingerprint_count'],
    ['two_fingerprints', instead('a=fingerprint', plain[12], plain[12]), 'description_fingerprint_count'],
    ['sha_1_fingerprint', instead('a=fingerprint', `a=fingerprint:sha-1 ${fingerprint.slice(0, 59)}`), 'description_fingerprint'],
    ['fingerprint_too_short', instead('a=fingerprint', `a=fingerprint:sha-256 ${fingerprint.slice(0, 92)}`), 'description_fingerprint'],
    ['no_setup', without('a=setup'), 'description_setup'],
    ['unknown_setup', instead('a=setup', 'a=setup:holdconn'), 'description_setup'],
    ['message_size_under_a_chunk', instead('a=max-message-size', 'a=max-message-size:1024'), 'description_message_size'],
    ['message_size_no_number', instead('a=max-message-size', 'a=max-message-size:x'), 'description_message_size'],
  ].map(([name, lines, error]) => ({ name, local: text(lines), error }));
  return { valid, invalid };
}

function candidates() {
  const line = (changes) => {
    const c = { ...candidate, ...changes };
    const related = c.kind === 'host' ? '' : ' raddr 0.0.0.0 rport 0';
    const tcp = c.tcp_type ? ` tcptype ${c.tcp_type}` : '';
    return `candidate:${c.foundation} ${c.component} ${c.transport} ${c.priority} ${c.address} ${c.port} typ ${c.kind}${related}${tcp}`;
  };
  const sent = [
    ['chromium_host', 'candidate:1586295473 1 udp 2113937151 192.0.2.2 39241 typ host generation 0 ufrag z6J7 network-cost 999', {}],
    ['firefox_host', 'candidate:0 1 UDP 2122187007 192.0.2.2 45240 typ host', { foundation: '0', priority: 2122187007, port: 45240 }],
    ['with_attribute_prefix', `a=${line({})}`, {}],
    ['multicast_dns', line({ address: '0A0E5A8C-5f1a-4a3b-9a0b-1c2d3e4f5a6b.local' }), { address: '0a0e5a8c-5f1a-4a3b-9a0b-1c2d3e4f5a6b.local' }],
    ['ipv6', line({ address: 'fd00::2' }), { address: 'fd00::2' }],
    ['srflx_loses_related_address', 'candidate:1 1 udp 1677729535 198.51.100.7 40000 typ srflx raddr 10.0.0.1 rport 5000 generation 0', { foundation: '1', priority: 1677729535, address: '198.51.100.7', port: 40000, kind: 'srflx' }],
    ['relay_loses_related_address', 'candidate:2 1 udp 41885439 203.0.113.5 50001 typ relay raddr 198.51.100.7 rport 40000', { foundation: '2', priority: 41885439, address: '203.0.113.5', port: 50001, kind: 'relay' }],
    ['tcp_passive', 'candidate:3 1 tcp 1518280447 192.0.2.2 40001 typ host tcptype passive', { foundation: '3', priority: 1518280447, transport: 'tcp', port: 40001, tcp_type: 'passive' }],
  ].map(([name, local, changes]) => ({ name, local, candidate: { ...candidate, ...changes }, remote: line(changes) }));
  const kept = [
    ['end', ''],
    ['tcp_active', 'candidate:2 1 TCP 2105458943 192.0.2.2 9 typ host tcptype active'],
    ['second_component', line({ component: 2 })],
    ['component_256', line({ component: 256 })],
    ['loopback', line({ address: '127.0.0.1' })],
    ['loopback_v6', line({ address: '::1' })],
    ['multicast', line({ address: '224.0.0.1' })],
    ['low_port', line({ port: 53 })],
    ['host_name', line({ address: 'example.com' })],
    ['unknown_kind', line({}).replace('host', 'nomad')],
    ['unknown_transport', line({}).replace(' udp ', ' sctp ')],
  ].map(([name, local]) => ({ name, local }));
  const invalid = [
    ['not_a_candidate', 'hello', 'candidate_malformed'],
    ['cut_short', 'candidate:1 1 udp 5 192.0.2.2 4000', 'candidate_malformed'],
    ['port_not_a_number', line({ port: 'x' }), 'candidate_malformed'],
    ['port_65536', line({ port: 65536 }), 'candidate_malformed'],
    ['priority_negative', line({ priority: -1 }), 'candidate_malformed'],
    ['priority_with_plus', line({ priority: '+1' }), 'candidate_malformed'],
    ['foundation_of_33', line({ foundation: 'a'.repeat(33) }), 'candidate_foundation'],
    ['foundation_with_a_dash', line({ foundation: 'a-b' }), 'candidate_foundation'],
    ['too_long', `${line({})} ${'x'.repeat(512)}`, 'candidate_too_long'],
  ].map(([name, local, error]) => ({ name, local, error }));
  return { sent, kept, invalid };
}

export function signalVectors() {
  const named = ({ valid, invalid }) => ({
    valid: valid.map(([name, message]) => ({ name, message })),
    invalid: invalid.map(([name, message, error]) => ({ name, message, error })),
  });
  return {
    about:
      'Tracker messages (docs/PROTOCOL.md, "Tracker messages" and "Introduction"). `malformed` stands for what the schema refuses; other errors are those of the limits. Loopback is refused.',
    registration: {
      seed: hex(alice.seed),
      swarm_secret: hex(secret),
      swarm: base64url(swarm),
      nonce: hex(nonce),
      join,
      announce: announce(held),
    },
    challenges: challengeVectors(),
    client: named(client()),
    server: named(server()),
    descriptions: descriptions(),
    candidates: candidates(),
  };
}
