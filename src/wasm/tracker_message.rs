//! A tracker's message, as the browser parsed it. Reads what `serde` reads for every other user of
//! [`ServerMessage`], which the tests check message by message; bounds are [`ServerMessage::validate`]'s business.

use alloc::vec::Vec;

use wasm_bindgen::JsValue;

use super::fields::{Fields, Unreadable, Wrong, array, text};
use crate::content::bytes_from_base64url;
use crate::identity::Handle;
use crate::signal::{
    Candidate, CandidateKind, Description, EndReason, ErrorCode, Exposure, IceServer, IntroductionId, Joined,
    SdpType, ServerMessage, Setup, TcpType, Transport,
};

/// Reads any message of the schema.
pub(super) fn read(message: &JsValue) -> Result<ServerMessage, Unreadable> {
    let mut wrong = None;
    let read = of_any_type(message, &mut wrong);
    match (read, wrong) {
        (Some(message), None) => Ok(message),
        (_, wrong) => Err(wrong.unwrap_or(Unreadable("message"))),
    }
}

fn of_any_type(message: &JsValue, wrong: &mut Wrong) -> Option<ServerMessage> {
    let mut fields = Fields::of(message, "message", wrong);
    let kind = fields.text("type");
    let message = match kind.as_str() {
        "welcome" => ServerMessage::Welcome {
            version: fields.number("version"),
            nonce: fields.array("nonce"),
            time_unix_ms: fields.number("time_unix_ms"),
            keepalive_s: fields.number("keepalive_s"),
        },
        "joined" => ServerMessage::Joined(Joined {
            handle: Handle(fields.array("handle")),
            ticket: bytes(&mut fields, "ticket"),
            ticket_expires_in_s: fields.number("ticket_expires_in_s"),
            peers: peers(&mut fields),
            ice_servers: fields.list("ice_servers", MOST, ice_server),
            exposure: match fields.word("exposure", &["direct", "guarded", "relay"]) {
                0 => Exposure::Direct,
                1 => Exposure::Guarded,
                _ => Exposure::Relay,
            },
            list_interval_s: fields.number("list_interval_s"),
            time_unix_ms: fields.number("time_unix_ms"),
            epoch: fields.number("epoch"),
        }),
        "ticket" => ServerMessage::Ticket {
            ticket: bytes(&mut fields, "ticket"),
            ticket_expires_in_s: fields.number("ticket_expires_in_s"),
            time_unix_ms: fields.number("time_unix_ms"),
            epoch: fields.number("epoch"),
            ice_servers: fields.optional_list("ice_servers", MOST, ice_server),
        },
        "peers" => ServerMessage::Peers {
            peers: peers(&mut fields),
        },
        "introduction" => ServerMessage::Introduction {
            introduction: introduction(&mut fields),
            peer: Handle(fields.array("peer")),
            role: match fields.word("role", &["offer", "answer"]) {
                0 => SdpType::Offer,
                _ => SdpType::Answer,
            },
        },
        "description" => ServerMessage::Description {
            introduction: introduction(&mut fields),
            description: fields.within_object("description", description)?,
        },
        "candidate" => ServerMessage::Candidate {
            introduction: introduction(&mut fields),
            candidate: fields.within_object("candidate", candidate)?,
        },
        "end_of_candidates" => ServerMessage::EndOfCandidates {
            introduction: introduction(&mut fields),
        },
        "introduction_ended" => ServerMessage::IntroductionEnded {
            introduction: introduction(&mut fields),
            reason: {
                let at = fields.word("reason", &END_REASONS.map(EndReason::code));
                END_REASONS.into_iter().nth(at)?
            },
        },
        "error" => ServerMessage::Error {
            code: error_code(&fields.text("code")),
            message: fields.text("message"),
            retry_after_s: fields.optional_number("retry_after_s"),
        },
        "challenge" => ServerMessage::Challenge {
            challenge: IntroductionId(fields.array("challenge")),
            question: bytes(&mut fields, "question"),
        },
        "revocation" => ServerMessage::Revocation {
            statement: bytes(&mut fields, "statement"),
        },
        _ => {
            fields.fault("type");
            return None;
        }
    };
    fields.end();
    Some(message)
}

fn introduction(fields: &mut Fields<'_>) -> IntroductionId {
    IntroductionId(fields.array("introduction"))
}

fn peers(fields: &mut Fields<'_>) -> Vec<Handle> {
    fields.list("peers", MOST, |peer, wrong| {
        Some(Handle(array(peer, "peers", wrong)))
    })
}

fn description(value: &JsValue, wrong: &mut Wrong) -> Option<Description> {
    let mut fields = Fields::of(value, "description", wrong);
    let description = Description {
        ufrag: fields.parsed("ufrag")?,
        pwd: fields.parsed("pwd")?,
        fingerprint: fields.parsed("fingerprint")?,
        setup: match fields.word("setup", &["actpass", "active", "passive"]) {
            0 => Setup::Actpass,
            1 => Setup::Active,
            _ => Setup::Passive,
        },
        max_message_size: fields.number("max_message_size"),
    };
    fields.end();
    Some(description)
}

fn candidate(value: &JsValue, wrong: &mut Wrong) -> Option<Candidate> {
    let mut fields = Fields::of(value, "candidate", wrong);
    let candidate = Candidate {
        foundation: fields.parsed("foundation")?,
        component: fields.number("component"),
        transport: match fields.word("transport", &["udp", "tcp"]) {
            0 => Transport::Udp,
            _ => Transport::Tcp,
        },
        priority: fields.number("priority"),
        address: fields.parsed("address")?,
        port: fields.number("port"),
        kind: match fields.word("kind", &["host", "srflx", "prflx", "relay"]) {
            0 => CandidateKind::Host,
            1 => CandidateKind::Srflx,
            2 => CandidateKind::Prflx,
            _ => CandidateKind::Relay,
        },
        tcp_type: match fields.optional_text("tcp_type").as_deref() {
            None => None,
            Some("passive") => Some(TcpType::Passive),
            Some("so") => Some(TcpType::So),
            Some(_) => {
                fields.fault("tcp_type");
                None
            }
        },
    };
    fields.end();
    Some(candidate)
}

fn ice_server(value: &JsValue, wrong: &mut Wrong) -> Option<IceServer> {
    let mut fields = Fields::of(value, "ice_servers", wrong);
    let server = IceServer {
        urls: fields.list("urls", MOST, |url, wrong| Some(text(url, "urls", wrong))),
        username: fields.optional_text("username"),
        credential: fields.optional_text("credential"),
    };
    fields.end();
    Some(server)
}

fn bytes(fields: &mut Fields<'_>, name: &'static str) -> Vec<u8> {
    bytes_from_base64url(&fields.text(name)).unwrap_or_else(|_| {
        fields.fault(name);
        Vec::new()
    })
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
