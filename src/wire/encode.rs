//! Messages to bytes.

use alloc::vec::Vec;

use super::message::{Message, kind};
use super::range::Range;
use crate::content::{Hash, ObjectId};

/// The bytes of `message`; for DATA its head, which the chunks must follow.
///
/// The caller keeps the limits: a list that is longer than its length field can say makes bytes that no peer
/// accepts, and debug builds stop there.
pub fn encode(message: &Message) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    match message {
        Message::Hello(hello) => out = hello.encode(),
        Message::Proof(proof) => out = proof.encode(),
        Message::Tracks(tracks) => {
            out.push(kind::TRACKS);
            put_length16(&mut out, tracks.len());
            for (track, root) in tracks {
                out.extend_from_slice(&track.0.to_be_bytes());
                out.extend_from_slice(&root.0);
            }
        }
        Message::Have(have) => {
            out.push(kind::HAVE);
            out.extend_from_slice(&have.track.0.to_be_bytes());
            put_segments(&mut out, &have.complete);
            put_length8(&mut out, have.partial.len());
            for partial in &have.partial {
                out.extend_from_slice(&partial.index.to_be_bytes());
                put_chunks(&mut out, &partial.chunks);
            }
        }
        Message::Unhave(ranges) => {
            out.push(kind::UNHAVE);
            out.extend_from_slice(&ranges.track.0.to_be_bytes());
            put_segments(&mut out, &ranges.segments);
        }
        Message::WantRows { object, root } => {
            out.push(kind::WANT_ROWS);
            put_object(&mut out, *object, root);
        }
        Message::Rows { object, root, hashes } => {
            out.push(kind::ROWS);
            put_object(&mut out, *object, root);
            put_length16(&mut out, hashes.len());
            for hash in hashes {
                out.extend_from_slice(&hash.0);
            }
        }
        Message::Request {
            id,
            object,
            root,
            first,
            count,
            nonce,
            urgency,
        } => {
            out.push(kind::REQUEST);
            out.extend_from_slice(&id.to_be_bytes());
            put_object(&mut out, *object, root);
            out.extend_from_slice(&first.to_be_bytes());
            out.push(*count);
            out.extend_from_slice(nonce);
            out.push(*urgency as u8);
        }
        Message::Cancel { id } => {
            out.push(kind::CANCEL);
            out.extend_from_slice(&id.to_be_bytes());
        }
        Message::Reject { id, reason } => {
            out.push(kind::REJECT);
            out.extend_from_slice(&id.to_be_bytes());
            out.push(*reason as u8);
        }
        Message::Data {
            id,
            object,
            root,
            first,
            count,
        } => {
            out.push(kind::DATA);
            out.extend_from_slice(&id.to_be_bytes());
            put_object(&mut out, *object, root);
            out.extend_from_slice(&first.to_be_bytes());
            out.push(*count);
        }
        Message::Statement(bytes) => {
            out.push(kind::STATEMENT);
            out.extend_from_slice(bytes);
        }
        Message::Choke => out.push(kind::CHOKE),
        Message::Unchoke => out.push(kind::UNCHOKE),
        Message::Head(bytes) => {
            out.push(kind::HEAD);
            out.extend_from_slice(bytes);
        }
        Message::Bye { reason } => {
            out.push(kind::BYE);
            out.push(*reason as u8);
        }
        Message::Claim { object, rank } => {
            out.push(kind::CLAIM);
            out.extend_from_slice(&object.track.0.to_be_bytes());
            out.extend_from_slice(&object.index.to_be_bytes());
            out.extend_from_slice(&rank.to_be_bytes());
        }
        Message::Ticket(bytes) => {
            out.push(kind::TICKET);
            out.extend_from_slice(bytes);
        }
    }
    debug_assert!(
        match message {
            Message::Data { .. } => super::decode_data_head(&out).is_ok(),
            _ => super::decode(&out).is_ok(),
        },
        "a message beyond its limits: {message:?}"
    );
    out
}

fn put_object(out: &mut Vec<u8>, object: ObjectId, root: &Hash) {
    out.extend_from_slice(&object.track.0.to_be_bytes());
    out.extend_from_slice(&object.index.to_be_bytes());
    out.extend_from_slice(&root.0);
}

fn put_segments(out: &mut Vec<u8>, ranges: &[Range]) {
    put_length8(out, ranges.len());
    for range in ranges {
        out.extend_from_slice(&range.first.to_be_bytes());
        out.extend_from_slice(&range.count.to_be_bytes());
    }
}

fn put_chunks(out: &mut Vec<u8>, ranges: &[Range]) {
    put_length8(out, ranges.len());
    for range in ranges {
        for number in [range.first, range.count] {
            out.extend_from_slice(&u16::try_from(number).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
}

fn put_length8(out: &mut Vec<u8>, length: usize) {
    out.push(u8::try_from(length).unwrap_or(u8::MAX));
}

fn put_length16(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
}
