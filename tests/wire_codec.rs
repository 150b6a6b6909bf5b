//! What the codec does with any message and with any bytes: what it accepts has one encoding, and it never panics.

#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use swarmseal::content::{Hash, MAX_CHUNKS, ObjectId, SwarmId, TrackId};
use swarmseal::identity::{Fingerprint, Hello, MAX_TICKET, Proof, Role};
use swarmseal::wire::{
    ByeReason, DATA_HEAD, Have, InvalidMessage, MAX_DATA_CHUNKS, MAX_MESSAGE, MAX_REQUEST_CHUNKS, Message,
    Partial, Range, Ranges, RejectReason, Urgency, decode, decode_data_head, encode,
};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_message_comes_back_as_it_was(message in message()) {
        let bytes = encode(&message);
        prop_assert!(bytes.len() <= MAX_MESSAGE);
        prop_assert_eq!(read(&bytes), Ok(message));
    }

    #[test]
    fn a_message_cut_short_is_no_message(message in message(), cut in any::<prop::sample::Index>()) {
        let bytes = encode(&message);
        let short = &bytes[..cut.index(bytes.len())];
        // The length of an opaque body is that of its frame: a shorter one is another message.
        let opaque = matches!(message, Message::Statement(_) | Message::Head(_) | Message::Ticket(_)) && short.len() > 1;
        prop_assert_eq!(read(short).is_ok(), opaque);
    }

    #[test]
    fn a_byte_after_a_message_is_refused(message in message(), extra in any::<u8>()) {
        let mut bytes = encode(&message);
        bytes.push(extra);
        match message {
            Message::Ticket(ticket) if ticket.len() == MAX_TICKET => prop_assert!(decode(&bytes).is_err()),
            Message::Statement(_) | Message::Head(_) | Message::Ticket(_) => {
                prop_assert!(decode(&bytes).is_ok_and(|longer| longer != message));
            }
            Message::Data { .. } => prop_assert_eq!(decode_data_head(&bytes), Ok((message, DATA_HEAD))),
            _ => prop_assert!(decode(&bytes).is_err()),
        }
    }

    #[test]
    fn an_altered_message_is_refused_or_another_message(
        message in message(), place in any::<prop::sample::Index>(), flip in 1..=u8::MAX,
    ) {
        let mut bytes = encode(&message);
        let place = place.index(bytes.len());
        bytes[place] ^= flip;
        if let Ok(other) = read(&bytes) {
            prop_assert_ne!(&other, &message);
            prop_assert_eq!(encode(&other), bytes);
        }
    }

    #[test]
    fn accepted_bytes_are_the_encoding_of_what_they_say(kind in 0_u8..0x14, rest in vec(any::<u8>(), 0..300)) {
        let bytes = [vec![kind], rest].concat();
        if let Ok(message) = decode(&bytes) {
            prop_assert_eq!(encode(&message), bytes.clone());
        }
        if let Ok((message, head)) = decode_data_head(&bytes) {
            prop_assert_eq!(encode(&message), bytes[..head].to_vec());
        }
    }

    #[test]
    fn covering_ranges_hold_exactly_the_numbers(numbers in btree_set(0_u32..300, 0..100)) {
        let ranges = Range::cover(numbers.iter().copied());
        for number in 0..301 {
            prop_assert_eq!(ranges.iter().any(|range| range.contains(number)), numbers.contains(&number));
        }
        prop_assert!(ranges.windows(2).all(|pair| pair[0].end().is_some_and(|end| end < pair[1].first)));
    }
}

#[test]
fn a_count_that_the_message_cannot_hold_is_refused_before_it_is_believed() {
    let object = [0; 38];
    for (kind, head, count) in [(0x03, &object[..0], 1024_u16), (0x07, &object[..], 2048)] {
        let bytes = [&[kind], head, &count.to_be_bytes()].concat();
        assert_eq!(decode(&bytes), Err(InvalidMessage::Truncated));
    }
}

/// Cases that failed once are kept beside this file and tried first.
fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::with_cases(1000)
    }
}

fn read(bytes: &[u8]) -> Result<Message, InvalidMessage> {
    match decode(bytes) {
        Err(InvalidMessage::DataOnControl) => decode_data_head(bytes).map(|(message, _)| message),
        other => other,
    }
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        hello().prop_map(Message::Hello),
        any::<[u8; 32]>().prop_map(|half| {
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(&half);
            Message::Proof(Proof { signature })
        }),
        vec(any::<[u8; 32]>(), 0..40).prop_map(|roots| {
            Message::Tracks(
                (0..)
                    .step_by(3)
                    .map(TrackId)
                    .zip(roots.into_iter().map(Hash))
                    .collect(),
            )
        }),
        have().prop_map(Message::Have),
        (any::<u16>(), ranges(64, u32::MAX - 1)).prop_filter_map("nothing named", |(track, segments)| {
            (!segments.is_empty()).then_some(Message::Unhave(Ranges {
                track: TrackId(track),
                segments,
            }))
        }),
        (object(), hash()).prop_map(|(object, root)| Message::WantRows { object, root }),
        (object(), hash(), vec(hash(), 1..50)).prop_map(|(object, root, hashes)| Message::Rows {
            object,
            root,
            hashes
        }),
        (
            any::<u32>(),
            object(),
            hash(),
            chunks(MAX_REQUEST_CHUNKS),
            any::<[u8; 16]>(),
            urgency()
        )
            .prop_map(|(id, object, root, (first, count), nonce, urgency)| {
                Message::Request {
                    id,
                    object,
                    root,
                    first,
                    count,
                    nonce,
                    urgency,
                }
            }),
        any::<u32>().prop_map(|id| Message::Cancel { id }),
        (any::<u32>(), reject()).prop_map(|(id, reason)| Message::Reject { id, reason }),
        (any::<u32>(), object(), hash(), chunks(MAX_DATA_CHUNKS)).prop_map(
            |(id, object, root, (first, count))| Message::Data {
                id,
                object,
                root,
                first,
                count
            }
        ),
        vec(any::<u8>(), 1..1000).prop_map(Message::Statement),
        vec(any::<u8>(), 1..3000).prop_map(Message::Head),
        Just(Message::Choke),
        Just(Message::Unchoke),
        bye().prop_map(|reason| Message::Bye { reason }),
        (object(), any::<u64>()).prop_map(|(object, rank)| Message::Claim { object, rank }),
        vec(any::<u8>(), 1..=MAX_TICKET).prop_map(Message::Ticket),
    ]
}

fn hello() -> impl Strategy<Value = Hello> {
    (
        btree_set(any::<u8>(), 1..=8),
        any::<u32>(),
        any::<bool>(),
        any::<[[u8; 32]; 5]>(),
        any::<[u8; 16]>(),
        vec(any::<u8>(), 0..=MAX_TICKET),
    )
        .prop_map(
            |(versions, capabilities, offers, [swarm, own, peer, roots, nonce], introduction, ticket)| {
                Hello {
                    versions: versions.into_iter().collect(),
                    capabilities,
                    role: if offers { Role::Offerer } else { Role::Answerer },
                    swarm: SwarmId(swarm),
                    introduction,
                    own_fingerprint: Fingerprint(own),
                    peer_fingerprint: Fingerprint(peer),
                    roots_digest: Hash(roots),
                    nonce,
                    ticket,
                }
            },
        )
}

fn have() -> impl Strategy<Value = Have> {
    let partial = vec(ranges(16, MAX_CHUNKS), 0..16).prop_map(|lists| {
        let held = lists.into_iter().filter(|chunks| !chunks.is_empty());
        (0..)
            .step_by(7)
            .zip(held)
            .map(|(index, chunks)| Partial { index, chunks })
            .collect::<Vec<_>>()
    });
    (any::<u16>(), ranges(64, u32::MAX - 1), partial).prop_filter_map(
        "nothing named",
        |(track, complete, partial)| {
            let named = !complete.is_empty() || !partial.is_empty();
            named.then_some(Have {
                track: TrackId(track),
                complete,
                partial,
            })
        },
    )
}

/// Ascending, disjoint ranges that end at `limit` at the latest.
fn ranges(most: usize, limit: u32) -> impl Strategy<Value = Vec<Range>> {
    vec((0_u32..limit / 128, 1_u32..=limit / 128), 0..=most).prop_map(move |steps| {
        let mut free = 0;
        let mut ranges = Vec::new();
        for (gap, count) in steps {
            let range = Range::new(free + gap, count);
            match range.end() {
                Some(end) if end <= limit => free = end,
                _ => break,
            }
            ranges.push(range);
        }
        ranges
    })
}

fn chunks(most: u8) -> impl Strategy<Value = (u32, u8)> {
    (1..=most).prop_flat_map(|count| (0..=MAX_CHUNKS - u32::from(count), Just(count)))
}

fn object() -> impl Strategy<Value = ObjectId> {
    (any::<u16>(), any::<u32>()).prop_map(|(track, index)| ObjectId {
        track: TrackId(track),
        index,
    })
}

fn hash() -> impl Strategy<Value = Hash> {
    any::<[u8; 32]>().prop_map(Hash)
}

fn urgency() -> impl Strategy<Value = Urgency> {
    prop::sample::select(vec![Urgency::Prefetch, Urgency::Soon, Urgency::Urgent])
}

fn reject() -> impl Strategy<Value = RejectReason> {
    use RejectReason::{Busy, NotHeld, Policy, Unknown};
    prop::sample::select(vec![NotHeld, Busy, Policy, Unknown])
}

fn bye() -> impl Strategy<Value = ByeReason> {
    use ByeReason::{
        BadData, Duplicate, Handshake, Idle, Leaving, Policy, Protocol, Replaced, TicketExpired,
    };
    let all = vec![
        Leaving,
        Idle,
        Replaced,
        Duplicate,
        Policy,
        TicketExpired,
        Handshake,
        Protocol,
        BadData,
    ];
    prop::sample::select(all)
}
