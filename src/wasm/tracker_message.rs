//! A tracker's message, as the browser parsed it. Reads what `serde` reads for every other user of
//! [`ServerMessage`], which the tests check message by message; bounds are [`ServerMessage::validate`]'s business.

use alloc::vec::Vec;

use wasm_bindgen::JsValue;

use super::fields::{Fields, Unreadable, number, parsed};
use crate::content::{bytes_from_base64url, from_base64url};
use crate::signal::{
    Candidate, CandidateKind, Description, EndReason, ErrorCode, Exposure, IceServer, Joined, SdpType,
    ServerMessage, Setup, TcpType, Transport,
};

/// Reads any message of the schema.
pub(super) fn read(message: &JsValue) -> Result<ServerMessage, Unreadable> {
    let mut fields = Fields::of(message, "message")?;
    let kind = fields.text("type")?;
    let message = match kind.as_str() {
        "welcome" => ServerMessage::Welcome {
            version: fields.number("version")?,
            nonce: from_base64url(&fields.text("nonce")?).map_err(|_| Unreadable("nonce"))?,
            time_unix_ms: fields.number("time_unix_ms")?,
            keepalive_s: fields.number("keepalive_s")?,
        },
        "joined" => ServerMessage::Joined(Joined {
            handle: fields.parsed("handle")?,
            ticket: bytes(&mut fields, "ticket")?,
            ticket_expires_in_s: fields.number("ticket_expires_in_s")?,
            peers: fields.list("peers", MOST, |peer| parsed(peer, "peers"))?,
            ice_servers: fields.list("ice_servers", MOST, ice_server)?,
            exposure: fields.word(
                "exposure",
                &[
                    ("direct", Exposure::Direct),
                    ("guarded", Exposure::Guarded),
                    ("relay", Exposure::Relay),
                ],
            )?,
            list_interval_s: fields.number("list_interval_s")?,
            time_unix_ms: fields.number("time_unix_ms")?,
            epoch: fields.number("epoch")?,
        }),
        "ticket" => ServerMessage::Ticket {
            ticket: bytes(&mut fields, "ticket")?,
            ticket_expires_in_s: fields.number("ticket_expires_in_s")?,
            time_unix_ms: fields.number("time_unix_ms")?,
            epoch: fields.number("epoch")?,
            ice_servers: fields.optional_list("ice_servers", MOST, ice_server)?,
        },
        "peers" => ServerMessage::Peers {
            peers: fields.list("peers", MOST, |peer| parsed(peer, "peers"))?,
        },
        "introduction" => ServerMessage::Introduction {
            introduction: fields.parsed("introduction")?,
            peer: fields.parsed("peer")?,
            role: fields.word("role", &[("offer", SdpType::Offer), ("answer", SdpType::Answer)])?,
        },
        "description" => ServerMessage::Description {
            introduction: fields.parsed("introduction")?,
            description: description(&fields.value("description"))?,
        },
        "candidate" => ServerMessage::Candidate {
            introduction: fields.parsed("introduction")?,
            candidate: candidate(&fields.value("candidate"))?,
        },
        "end_of_candidates" => ServerMessage::EndOfCandidates {
            introduction: fields.parsed("introduction")?,
        },
        "introduction_ended" => ServerMessage::IntroductionEnded {
            introduction: fields.parsed("introduction")?,
            reason: fields.word("reason", &END_REASONS.map(|reason| (reason.code(), reason)))?,
        },
        "error" => ServerMessage::Error {
            code: error_code(&fields.text("code")?),
            message: fields.text("message")?,
            retry_after_s: fields.optional("retry_after_s", |value| number(value, "retry_after_s"))?,
        },
        "challenge" => ServerMessage::Challenge {
            challenge: fields.parsed("challenge")?,
            question: bytes(&mut fields, "question")?,
        },
        "revocation" => ServerMessage::Revocation {
            statement: bytes(&mut fields, "statement")?,
        },
        _ => return Err(Unreadable("type")),
    };
    fields.end()?;
    Ok(message)
}

fn description(value: &JsValue) -> Result<Description, Unreadable> {
    let mut fields = Fields::of(value, "description")?;
    let description = Description {
        ufrag: fields.parsed("ufrag")?,
        pwd: fields.parsed("pwd")?,
        fingerprint: fields.parsed("fingerprint")?,
        setup: fields.word(
            "setup",
            &[
                ("actpass", Setup::Actpass),
                ("active", Setup::Active),
                ("passive", Setup::Passive),
            ],
        )?,
        max_message_size: fields.number("max_message_size")?,
    };
    fields.end()?;
    Ok(description)
}

fn candidate(value: &JsValue) -> Result<Candidate, Unreadable> {
    let mut fields = Fields::of(value, "candidate")?;
    let candidate = Candidate {
        foundation: fields.parsed("foundation")?,
        component: fields.number("component")?,
        transport: fields.word("transport", &[("udp", Transport::Udp), ("tcp", Transport::Tcp)])?,
        priority: fields.number("priority")?,
        address: fields.parsed("address")?,
        port: fields.number("port")?,
        kind: fields.word(
            "kind",
            &[
                ("host", CandidateKind::Host),
                ("srflx", CandidateKind::Srflx),
                ("prflx", CandidateKind::Prflx),
                ("relay", CandidateKind::Relay),
            ],
        )?,
        tcp_type: fields.optional("tcp_type", |value| match value.as_string().as_deref() {
            Some("passive") => Ok(TcpType::Passive),
            Some("so") => Ok(TcpType::So),
            _ => Err(Unreadable("tcp_type")),
        })?,
    };
    fields.end()?;
    Ok(candidate)
}

fn ice_server(value: &JsValue) -> Result<IceServer, Unreadable> {
    let text = |name: &'static str| move |value: &JsValue| value.as_string().ok_or(Unreadable(name));
    let mut fields = Fields::of(value, "ice_servers")?;
    let server = IceServer {
        urls: fields.list("urls", MOST, text("urls"))?,
        username: fields.optional("username", text("username"))?,
        credential: fields.optional("credential", text("credential"))?,
    };
    fields.end()?;
    Ok(server)
}

fn bytes(fields: &mut Fields, name: &'static str) -> Result<Vec<u8>, Unreadable> {
    bytes_from_base64url(&fields.text(name)?).map_err(|_| Unreadable(name))
}

/// A newer tracker may have reasons that this build does not know.
fn error_code(text: &str) -> ErrorCode {
    let known = ERROR_CODES.into_iter().find(|code| code.code() == text);
    known.unwrap_or(ErrorCode::Unknown)
}

const END_REASONS: [EndReason; 7] = [
    EndReason::Connected,
    EndReason::Failed,
    EndReason::Handshake,
    EndReason::Busy,
    EndReason::Refused,
    EndReason::TimedOut,
    EndReason::PeerGone,
];

const ERROR_CODES: [ErrorCode; 15] = [
    ErrorCode::Malformed,
    ErrorCode::UnsupportedVersion,
    ErrorCode::NotAdmitted,
    ErrorCode::BadSignature,
    ErrorCode::HandleInUse,
    ErrorCode::NotJoined,
    ErrorCode::AlreadyJoined,
    ErrorCode::UnknownPeer,
    ErrorCode::UnknownIntroduction,
    ErrorCode::NotSolicited,
    ErrorCode::ExposureLimit,
    ErrorCode::RateLimited,
    ErrorCode::StateLimit,
    ErrorCode::Overloaded,
    ErrorCode::ShuttingDown,
];

/// More items than any list of the schema may have; `validate` knows the limit of each.
const MOST: u32 = 1024;

#[cfg(test)]
mod tests;
