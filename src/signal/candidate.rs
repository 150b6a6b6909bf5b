//! ICE candidates as typed fields.

use alloc::format;
use alloc::string::String;
use core::net::{IpAddr, Ipv4Addr};
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::address::Address;
use super::ice::Foundation;
use super::limits::MAX_CANDIDATE_LINE;

/// One address at which a peer may be reached (RFC 8839 §5.1), without its related address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Groups candidates that are found in the same way.
    pub foundation: Foundation,
    /// Always 1: data channels have one component.
    pub component: u8,
    /// UDP or TCP.
    pub transport: Transport,
    /// Which to try first.
    pub priority: u32,
    /// Where.
    pub address: Address,
    /// At least 1024.
    pub port: u16,
    /// How the browser found it.
    pub kind: CandidateKind,
    /// With TCP only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp_type: Option<TcpType>,
}

/// The transport of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP (RFC 6544).
    Tcp,
}

/// How a candidate was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CandidateKind {
    /// An address of the machine, or the `.local` name for it.
    Host,
    /// Seen by a STUN server.
    Srflx,
    /// Seen by a peer.
    Prflx,
    /// On a TURN server.
    Relay,
}

/// Which end opens a TCP connection (RFC 6544 §4.5). Active ends are never signalled: they have no port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TcpType {
    /// The other end.
    Passive,
    /// Both at once.
    So,
}

/// Whether loopback addresses may be signalled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loopback {
    /// No; always outside the demo on one machine.
    #[default]
    Refuse,
    /// Yes: all peers are on this machine.
    Allow,
}

impl Candidate {
    /// Reads a candidate as the browser gives it (`RTCIceCandidate.candidate`). `None` for one that is never sent:
    /// the empty one, the second component, active TCP, and an address that [`Self::validate`] would refuse.
    ///
    /// # Errors
    /// [`InvalidCandidate`] for a text that is no candidate.
    pub fn from_line(line: &str, loopback: Loopback) -> Result<Option<Self>, InvalidCandidate> {
        if line.len() > MAX_CANDIDATE_LINE {
            return Err(InvalidCandidate::TooLong);
        }
        let line = line.trim_ascii();
        let line = line.strip_prefix("a=").unwrap_or(line);
        if line.is_empty() {
            return Ok(None);
        }
        let mut words = line
            .strip_prefix("candidate:")
            .ok_or(InvalidCandidate::Malformed)?
            .split(' ')
            .filter(|word| !word.is_empty());
        let mut word = || words.next().ok_or(InvalidCandidate::Malformed);
        let foundation = word()?.parse().map_err(|_| InvalidCandidate::BadFoundation)?;
        let component: u16 = number(word()?)?;
        let transport = word()?;
        let priority = number(word()?)?;
        let address = word()?;
        let port = number(word()?)?;
        if word()? != "typ" {
            return Err(InvalidCandidate::Malformed);
        }
        let kind = match word()? {
            "host" => CandidateKind::Host,
            "srflx" => CandidateKind::Srflx,
            "prflx" => CandidateKind::Prflx,
            "relay" => CandidateKind::Relay,
            _ => return Ok(None),
        };
        let mut tcp_type = None;
        while let (Some(name), Some(value)) = (words.next(), words.next()) {
            match (name, value) {
                ("tcptype", "active") => return Ok(None),
                ("tcptype", "passive") => tcp_type = Some(TcpType::Passive),
                ("tcptype", "so") => tcp_type = Some(TcpType::So),
                _ => {}
            }
        }
        let transport = if transport.eq_ignore_ascii_case("udp") {
            Transport::Udp
        } else if transport.eq_ignore_ascii_case("tcp") {
            Transport::Tcp
        } else {
            return Ok(None);
        };
        let (Ok(component), Ok(address)) = (u8::try_from(component), address.parse()) else {
            return Ok(None);
        };
        let candidate = Self {
            foundation,
            component,
            transport,
            priority,
            address,
            port,
            kind,
            tcp_type,
        };
        Ok(candidate.validate(loopback).is_ok().then_some(candidate))
    }

    /// The text for the other browser's `addIceCandidate`. Where the syntax wants a related address it gets zeros.
    pub fn to_line(&self) -> String {
        let transport = match self.transport {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        };
        let kind = match self.kind {
            CandidateKind::Host => "host",
            CandidateKind::Srflx => "srflx raddr 0.0.0.0 rport 0",
            CandidateKind::Prflx => "prflx raddr 0.0.0.0 rport 0",
            CandidateKind::Relay => "relay raddr 0.0.0.0 rport 0",
        };
        let tcp_type = match self.tcp_type {
            None => "",
            Some(TcpType::Passive) => " tcptype passive",
            Some(TcpType::So) => " tcptype so",
        };
        let Self {
            foundation,
            component,
            priority,
            address,
            port,
            ..
        } = self;
        format!(
            "candidate:{foundation} {component} {transport} {priority} {address} {port} typ {kind}{tcp_type}"
        )
    }

    /// Checks what the types do not.
    pub fn validate(&self, loopback: Loopback) -> Result<(), InvalidCandidate> {
        if self.component != 1 {
            return Err(InvalidCandidate::BadComponent);
        }
        if self.port < LOWEST_PORT {
            return Err(InvalidCandidate::PortTooLow);
        }
        if (self.transport == Transport::Tcp) != self.tcp_type.is_some() {
            return Err(InvalidCandidate::BadTcpType);
        }
        match &self.address {
            Address::Ip(address) => check_address(address.to_canonical(), loopback),
            Address::Local(_) if self.kind == CandidateKind::Host => Ok(()),
            Address::Local(_) => Err(InvalidCandidate::LocalNameNotHost),
        }
    }
}

/// What is wrong with a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidCandidate {
    /// Longer than any real one.
    #[error("the candidate is too long")]
    TooLong,
    /// Not the syntax of a candidate.
    #[error("not the syntax of a candidate")]
    Malformed,
    /// The foundation has a wrong length or character.
    #[error("the foundation is malformed")]
    BadFoundation,
    /// A component other than 1.
    #[error("the component is not 1")]
    BadComponent,
    /// Neither an IP literal nor a `.local` name.
    #[error("neither an IP literal nor a .local name")]
    BadAddress,
    /// A `.local` name stands for the machine's own address only.
    #[error("a .local name for something else than a host candidate")]
    LocalNameNotHost,
    /// A loopback address outside the local demo.
    #[error("a loopback address")]
    LoopbackAddress,
    /// A multicast, broadcast or unspecified address.
    #[error("an address that names no single machine")]
    NotUnicast,
    /// A port that belongs to a system service.
    #[error("a port under 1024")]
    PortTooLow,
    /// A TCP type without TCP, or TCP without one.
    #[error("the TCP type does not fit the transport")]
    BadTcpType,
}

impl InvalidCandidate {
    /// The stable name of the rule.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLong => "candidate_too_long",
            Self::Malformed => "candidate_malformed",
            Self::BadFoundation => "candidate_foundation",
            Self::BadComponent => "candidate_component",
            Self::BadAddress => "candidate_address",
            Self::LocalNameNotHost => "candidate_local_name",
            Self::LoopbackAddress => "candidate_loopback",
            Self::NotUnicast => "candidate_not_unicast",
            Self::PortTooLow => "candidate_port",
            Self::BadTcpType => "candidate_tcp_type",
        }
    }
}

fn check_address(address: IpAddr, loopback: Loopback) -> Result<(), InvalidCandidate> {
    if address.is_loopback() {
        return match loopback {
            Loopback::Allow => Ok(()),
            Loopback::Refuse => Err(InvalidCandidate::LoopbackAddress),
        };
    }
    // 0.0.0.0/8 is "this network"; browsers and kernels take parts of it for loopback.
    let this_network = matches!(address, IpAddr::V4(v4) if v4.octets().first() == Some(&0));
    let broadcast = address == IpAddr::V4(Ipv4Addr::BROADCAST);
    if address.is_unspecified() || address.is_multicast() || this_network || broadcast {
        return Err(InvalidCandidate::NotUnicast);
    }
    Ok(())
}

fn number<T: FromStr>(word: &str) -> Result<T, InvalidCandidate> {
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        word.parse().map_err(|_| InvalidCandidate::Malformed)
    } else {
        Err(InvalidCandidate::Malformed)
    }
}

/// Ports below belong to system services, which a peer must not be made to speak to.
const LOWEST_PORT: u16 = 1024;
