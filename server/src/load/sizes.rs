//! What one side of an introduction has to say, in the sizes that Chromium makes: a description and four candidates.

use swarmseal::identity::Fingerprint;
use swarmseal::signal::{Candidate, Description, Loopback, SdpType, Setup};

/// Two addresses of the machine, and what a STUN server sees of them.
const CANDIDATES: [&str; 4] = [
    "candidate:1052353102 1 udp 2122260223 192.0.2.17 51472 typ host generation 0 ufrag zT4k network-id 1 network-cost 10",
    "candidate:2999745851 1 udp 2122194687 198.51.100.23 51473 typ host generation 0 ufrag zT4k network-id 2",
    "candidate:842163049 1 udp 1686052607 203.0.113.77 51472 typ srflx raddr 0.0.0.0 rport 0 generation 0 ufrag zT4k",
    "candidate:4233069003 1 udp 1685987071 203.0.113.78 51473 typ srflx raddr 0.0.0.0 rport 0 generation 0 ufrag zT4k",
];

/// One side's description.
pub(super) fn description(kind: SdpType) -> Option<Description> {
    Some(Description {
        ufrag: "zT4k".parse().ok()?,
        pwd: "mC0yXqEzV4kT8bJ1sRw6uN3d".parse().ok()?,
        fingerprint: Fingerprint([0xa5; 32]),
        setup: match kind {
            SdpType::Offer => Setup::Actpass,
            SdpType::Answer => Setup::Active,
        },
        max_message_size: 262_144,
    })
}

/// One side's candidates.
pub(super) fn candidates() -> Vec<Candidate> {
    CANDIDATES
        .iter()
        .filter_map(|line| Candidate::from_line(line, Loopback::Refuse).ok().flatten())
        .collect()
}

/// The same as one text, as clients that do not trickle send it.
pub(super) fn whole_sdp(kind: SdpType) -> String {
    let mut text = description(kind).map(|own| own.to_sdp(kind)).unwrap_or_default();
    for line in CANDIDATES {
        text.push_str("a=");
        text.push_str(line);
        text.push_str("\r\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_it_is_refused_and_it_has_the_size_that_browsers_make() {
        assert_eq!(candidates().len(), 4);
        for kind in [SdpType::Offer, SdpType::Answer] {
            assert_eq!(description(kind).unwrap().validate_as(kind), Ok(()));
            assert!(
                (800..1_500).contains(&whole_sdp(kind).len()),
                "{}",
                whole_sdp(kind).len()
            );
        }
    }
}
