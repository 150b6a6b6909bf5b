//! What the vectors cannot show: that nothing a tracker sends can break out of the template.

use proptest::prelude::*;

use super::*;
use crate::identity::Fingerprint;

proptest! {
    #[test]
    fn a_description_can_only_fill_in_the_template(
        ufrag in "[a-zA-Z0-9+/]{4,256}", pwd in "[a-zA-Z0-9+/]{22,256}", digest in any::<[u8; 32]>(), size in MIN_MESSAGE_SIZE..=MAX_MESSAGE_SIZE,
    ) {
        let description = Description {
            ufrag: ufrag.parse().expect("allowed"),
            pwd: pwd.parse().expect("allowed"),
            fingerprint: Fingerprint(digest),
            setup: Setup::Actpass,
            max_message_size: size,
        };
        let sdp = description.to_sdp(SdpType::Offer);
        prop_assert_eq!(sdp.lines().count(), 15);
        prop_assert_eq!(sdp.matches("a=fingerprint:").count(), 1);
        prop_assert_eq!(Description::from_sdp(&sdp), Ok(description));
    }

    #[test]
    fn any_text_is_an_ice_text_or_is_refused(text in "\\PC{0,40}|[ -~\\r\\n]{0,40}") {
        if let Ok(ufrag) = text.parse::<Ufrag>() {
            prop_assert_eq!(ufrag.as_str(), &text);
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte)));
        }
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in "[ -~\\r\\n]{0,200}") {
        let _ = Description::from_sdp(&text);
        let _ = Candidate::from_line(&text, Loopback::Refuse);
        let _ = Candidate::from_line(&format!("candidate:{text}"), Loopback::Allow);
    }

    #[test]
    fn a_candidate_that_is_sent_is_valid_where_it_arrives(
        address in any::<std::net::IpAddr>(), port in any::<u16>(), priority in any::<u32>(), kind in "host|srflx|prflx|relay",
    ) {
        let line = format!("candidate:1 1 udp {priority} {address} {port} typ {kind} raddr 10.0.0.1 rport 9");
        if let Some(candidate) = Candidate::from_line(&line, Loopback::Refuse).expect("well-formed") {
            prop_assert_eq!(candidate.validate(Loopback::Refuse), Ok(()));
            prop_assert!(!candidate.to_line().contains("10.0.0.1") || address.to_string() == "10.0.0.1");
            prop_assert_eq!(candidate.to_line().lines().count(), 1);
        }
    }
}

#[test]
fn loopback_is_for_the_local_demo() {
    for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
        let line = format!("candidate:1 1 udp 5 {address} 4000 typ host");
        assert_eq!(
            Candidate::from_line(&line, Loopback::Refuse),
            Ok(None),
            "{address}"
        );
        let candidate = Candidate::from_line(&line, Loopback::Allow)
            .expect("well-formed")
            .expect("allowed");
        assert_eq!(
            candidate.validate(Loopback::Refuse),
            Err(InvalidCandidate::LoopbackAddress)
        );
    }
}

#[test]
fn a_description_must_fit_its_place_in_the_exchange() {
    let description = |setup| Description {
        ufrag: "abcd".parse().expect("allowed"),
        pwd: "a".repeat(22).parse().expect("allowed"),
        fingerprint: Fingerprint([1; 32]),
        setup,
        max_message_size: MAX_MESSAGE_SIZE,
    };
    for (setup, offer, answer) in [
        (Setup::Actpass, true, false),
        (Setup::Active, false, true),
        (Setup::Passive, false, true),
    ] {
        assert_eq!(description(setup).validate_as(SdpType::Offer).is_ok(), offer);
        assert_eq!(description(setup).validate_as(SdpType::Answer).is_ok(), answer);
    }
}

#[test]
fn the_largest_valid_announce_fits_into_a_message() {
    let ranges = (0..MAX_ANNOUNCE_TRACKS)
        .map(|track| TrackRanges {
            track: crate::content::TrackId(1000 - 64 + u16::try_from(track).expect("small")),
            ranges: vec![crate::wire::Range::new(1_000_000_000, 1_000_000_000); MAX_ANNOUNCE_RANGES],
        })
        .collect();
    let announce = Announce {
        ranges,
        expires_s: MAX_ANNOUNCE_S,
        seq: u64::MAX,
        signature: [0; 64],
    };
    let text = serde_json::to_string(&ClientMessage::Announce(announce)).expect("JSON");
    assert!(text.len() * 2 < MAX_SIGNAL_TEXT, "{}", text.len());
}

#[test]
fn an_error_of_a_later_tracker_is_still_an_error() {
    let message = serde_json::from_str(r#"{"type":"error","code":"from_the_future","message":""}"#);
    let expected = ServerMessage::Error {
        code: ErrorCode::Unknown,
        message: String::new(),
        retry_after_s: None,
    };
    assert_eq!(message.ok(), Some(expected));
}

#[test]
fn credentials_are_not_printed() {
    let server = IceServer {
        urls: vec!["turn:a".to_owned()],
        username: Some("someone".to_owned()),
        credential: Some("hidden".to_owned()),
    };
    let printed = format!("{server:?}");
    assert!(printed.contains("turn:a") && !printed.contains("someone") && !printed.contains("hidden"));
}
