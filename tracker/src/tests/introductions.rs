//! Who is brought together, and what passes between the two.

use swarmseal::identity::Handle;
use swarmseal::signal::{
    ClientMessage, EndReason, ErrorCode, IntroductionId, ReportCode, SdpType, ServerMessage, Setup,
};

use super::rig::{Rig, candidate, describe, description, end, handle, introduction, refusal};
use crate::{ConnId, Input, TrackerConfig};

/// Two sources, the one with the smaller handle first.
fn pair(rig: &mut Rig) -> [(ConnId, u8); 2] {
    let (first, second) = if handle(1) < handle(2) { (1, 2) } else { (2, 1) };
    let pair = [(rig.source(first), first), (rig.source(second), second)];
    rig.inbox.clear();
    pair
}

/// Two sources with an introduction that both have heard of.
fn introduced(rig: &mut Rig) -> (ConnId, ConnId, IntroductionId) {
    let [(offerer, _), (answerer, second)] = pair(rig);
    let (id, _) = rig.introduce(offerer, second);
    rig.inbox.clear();
    (offerer, answerer, id)
}

/// The same with both descriptions passed on.
fn answered(rig: &mut Rig) -> (ConnId, ConnId, IntroductionId) {
    let (offerer, answerer, id) = introduced(rig);
    assert_eq!(rig.say(offerer, describe(id, Setup::Actpass)), []);
    assert_eq!(rig.say(answerer, describe(id, Setup::Active)), []);
    rig.inbox.clear();
    (offerer, answerer, id)
}

#[test]
fn the_smaller_handle_offers_whoever_asks() {
    for asker in 0..2 {
        let mut rig = Rig::new();
        let pair = pair(&mut rig);
        let (id, role) = rig.introduce(pair[asker].0, pair[1 - asker].1);
        assert_eq!(role, [SdpType::Offer, SdpType::Answer][asker]);
        let heard = rig.heard(pair[1 - asker].0);
        assert_eq!(
            heard,
            [ServerMessage::Introduction {
                introduction: id,
                peer: handle(pair[asker].1),
                role: [SdpType::Answer, SdpType::Offer][asker],
            }]
        );
    }
}

#[test]
fn crossing_requests_make_one_introduction() {
    let mut rig = Rig::new();
    let [(first, one), (second, two)] = pair(&mut rig);
    rig.introduce(first, two);
    rig.inbox.clear();
    assert_eq!(
        rig.say(second, ClientMessage::Introduce { peer: handle(one) }),
        []
    );
    assert_eq!(rig.say(first, ClientMessage::Introduce { peer: handle(two) }), []);
    assert_eq!(rig.tracker.introduction_count(), 1);
    assert_eq!(rig.tracker.counts().introductions_merged, 2);
}

#[test]
fn a_receiver_may_be_introduced_but_a_stranger_may_not() {
    let mut rig = Rig::new();
    let source = rig.source(1);
    let (_, _) = rig.join(2);
    rig.introduce(source, 2);
    for nobody in [handle(3), handle(1), Handle([0; 16])] {
        let heard = rig.say(source, ClientMessage::Introduce { peer: nobody });
        assert_eq!(refusal(&heard), ErrorCode::UnknownPeer);
    }
}

#[test]
fn descriptions_and_candidates_pass_between_the_two() {
    let mut rig = Rig::new();
    let (offerer, answerer, id) = introduced(&mut rig);
    rig.say(offerer, describe(id, Setup::Actpass));
    let passed = ServerMessage::Description {
        introduction: id,
        description: description(Setup::Actpass),
    };
    assert_eq!(rig.heard(answerer), [passed]);
    rig.say(answerer, describe(id, Setup::Active));
    let passed = ServerMessage::Description {
        introduction: id,
        description: description(Setup::Active),
    };
    assert_eq!(rig.heard(offerer), [passed]);
    for (from, to) in [(offerer, answerer), (answerer, offerer)] {
        let candidate = candidate("192.0.2.5 40000");
        rig.say(
            from,
            ClientMessage::Candidate {
                introduction: id,
                candidate: candidate.clone(),
            },
        );
        rig.say(from, ClientMessage::EndOfCandidates { introduction: id });
        assert_eq!(
            rig.heard(to),
            [
                ServerMessage::Candidate {
                    introduction: id,
                    candidate
                },
                ServerMessage::EndOfCandidates { introduction: id }
            ]
        );
    }
    assert_eq!(rig.tracker.counts().introductions_answered, 1);
}

#[test]
fn only_solicited_descriptions_pass() {
    let mut rig = Rig::new();
    let (offerer, answerer, id) = introduced(&mut rig);
    let early = rig.say(answerer, describe(id, Setup::Active));
    assert_eq!(
        refusal(&early),
        ErrorCode::NotSolicited,
        "the answer before the offer"
    );
    let wrong_role = rig.say(offerer, describe(id, Setup::Active));
    assert_eq!(
        refusal(&wrong_role),
        ErrorCode::Malformed,
        "an offer leaves the role open"
    );
    rig.say(offerer, describe(id, Setup::Actpass));
    let again = rig.say(offerer, describe(id, Setup::Actpass));
    assert_eq!(refusal(&again), ErrorCode::NotSolicited, "a second offer");
    let wrong_role = rig.say(answerer, describe(id, Setup::Actpass));
    assert_eq!(refusal(&wrong_role), ErrorCode::Malformed, "an answer chooses");
    rig.say(answerer, describe(id, Setup::Passive));
    let again = rig.say(answerer, describe(id, Setup::Passive));
    assert_eq!(refusal(&again), ErrorCode::NotSolicited, "a second answer");
    assert_eq!(rig.tracker.counts().relayed_descriptions, 2);
}

#[test]
fn a_candidate_before_its_description_is_refused() {
    let mut rig = Rig::new();
    let (offerer, _, id) = introduced(&mut rig);
    let message = ClientMessage::Candidate {
        introduction: id,
        candidate: candidate("192.0.2.5 40000"),
    };
    assert_eq!(refusal(&rig.say(offerer, message)), ErrorCode::NotSolicited);
}

#[test]
fn six_candidates_pass_each_way() {
    let mut rig = Rig::new();
    let (offerer, answerer, id) = answered(&mut rig);
    let message = |port| ClientMessage::Candidate {
        introduction: id,
        candidate: candidate(&format!("192.0.2.5 {port}")),
    };
    for (from, to) in [(offerer, answerer), (answerer, offerer)] {
        for port in 40_000..40_006 {
            assert_eq!(rig.say(from, message(port)), []);
        }
        assert_eq!(refusal(&rig.say(from, message(40_006))), ErrorCode::StateLimit);
        assert_eq!(rig.heard(to).len(), 6);
    }
    assert_eq!(
        rig.say(offerer, ClientMessage::EndOfCandidates { introduction: id }),
        []
    );
    assert_eq!(
        refusal(&rig.say(offerer, message(40_007))),
        ErrorCode::NotSolicited
    );
}

#[test]
fn candidates_that_could_hurt_do_not_pass() {
    let mut rig = Rig::new();
    let (offerer, answerer, id) = answered(&mut rig);
    let mut bad = Vec::new();
    for address in ["127.0.0.1", "::1", "224.0.0.1", "0.0.0.0", "255.255.255.255"] {
        let mut one = candidate("192.0.2.5 40000");
        one.address = swarmseal::signal::Address::Ip(address.parse().unwrap());
        bad.push(one);
    }
    let mut low_port = candidate("192.0.2.5 40000");
    low_port.port = 53;
    bad.push(low_port);
    for candidate in bad {
        let message = ClientMessage::Candidate {
            introduction: id,
            candidate,
        };
        assert_eq!(refusal(&rig.say(offerer, message)), ErrorCode::Malformed);
    }
    assert_eq!(rig.heard(answerer), []);
}

#[test]
fn loopback_passes_only_where_it_is_allowed() {
    let mut rig = Rig::with(TrackerConfig {
        loopback: true,
        ..TrackerConfig::default()
    });
    let (offerer, answerer, id) = answered(&mut rig);
    let message = ClientMessage::Candidate {
        introduction: id,
        candidate: candidate("127.0.0.1 40000"),
    };
    assert_eq!(rig.say(offerer, message), []);
    assert_eq!(rig.heard(answerer).len(), 1);
}

#[test]
fn a_third_peer_has_no_part_in_it() {
    let mut rig = Rig::new();
    let (_, _, id) = introduced(&mut rig);
    let stranger = rig.source(3);
    for message in [
        describe(id, Setup::Actpass),
        ClientMessage::Candidate {
            introduction: id,
            candidate: candidate("192.0.2.5 40000"),
        },
        ClientMessage::EndOfCandidates { introduction: id },
        end(id, EndReason::Failed),
        end(IntroductionId([0; 16]), EndReason::Failed),
    ] {
        assert_eq!(
            refusal(&rig.say(stranger, message)),
            ErrorCode::UnknownIntroduction
        );
    }
    assert_eq!(rig.tracker.introduction_count(), 1);
}

#[test]
fn an_unanswered_introduction_ends_after_ten_seconds() {
    let mut rig = Rig::new();
    let (offerer, answerer, id) = introduced(&mut rig);
    rig.say(offerer, describe(id, Setup::Actpass));
    rig.inbox.clear();
    rig.sleep_ms(9_900);
    assert_eq!(rig.tracker.introduction_count(), 1);
    rig.sleep_ms(200);
    let ended = [ServerMessage::IntroductionEnded {
        introduction: id,
        reason: EndReason::TimedOut,
    }];
    assert_eq!(
        (rig.heard(offerer), rig.heard(answerer)),
        (ended.to_vec(), ended.to_vec())
    );
    assert_eq!(
        refusal(&rig.say(answerer, describe(id, Setup::Active))),
        ErrorCode::UnknownIntroduction
    );
    assert_eq!(rig.tracker.introduction_count(), 0);
}

#[test]
fn an_answered_introduction_is_not_ended_but_falls_silent() {
    let mut rig = Rig::new();
    let (offerer, answerer, id) = answered(&mut rig);
    rig.sleep_ms(31_000);
    assert_eq!((rig.heard(offerer), rig.heard(answerer)), (vec![], vec![]));
    let late = ClientMessage::Candidate {
        introduction: id,
        candidate: candidate("192.0.2.5 40000"),
    };
    assert_eq!(refusal(&rig.say(offerer, late)), ErrorCode::UnknownIntroduction);
    assert_eq!(rig.heard(answerer), []);
}

#[test]
fn the_other_side_hears_of_a_refusal() {
    let mut rig = Rig::new();
    let (offerer, answerer, id) = introduced(&mut rig);
    rig.say(answerer, end(id, EndReason::Busy));
    let ended = ServerMessage::IntroductionEnded {
        introduction: id,
        reason: EndReason::Busy,
    };
    assert_eq!(rig.heard(offerer), [ended]);
}

#[test]
fn a_connected_side_is_not_disturbed() {
    let mut rig = Rig::new();
    let (offerer, answerer, id) = answered(&mut rig);
    rig.say(offerer, end(id, EndReason::Connected));
    assert_eq!(rig.heard(answerer), [], "it finds out by itself");
    rig.say(answerer, end(id, EndReason::Connected));
    rig.say(answerer, end(id, EndReason::Failed));
    assert_eq!(rig.heard(offerer), []);
    assert_eq!(rig.tracker.introduction_count(), 0);
}

#[test]
fn a_peer_that_goes_ends_what_waits_for_it() {
    let mut rig = Rig::new();
    let (offerer, answerer, id) = introduced(&mut rig);
    rig.input(Input::Closed { conn: answerer });
    let ended = ServerMessage::IntroductionEnded {
        introduction: id,
        reason: EndReason::PeerGone,
    };
    assert_eq!(rig.heard(offerer), [ended]);
    assert_eq!(rig.tracker.introduction_count(), 0);
}

#[test]
fn a_peer_that_was_lost_can_be_asked_for_again() {
    let mut rig = Rig::new();
    let (offerer, answerer, first) = answered(&mut rig);
    rig.sleep_ms(31_000);
    let peer = if handle(1) < handle(2) { 2 } else { 1 };
    let (second, _) = rig.introduce(offerer, peer);
    assert_ne!(first, second);
    assert_eq!(introduction(&rig.heard(answerer)).0, second);
    assert_eq!(rig.tracker.introduction_count(), 1);
}

#[test]
fn reports_count_only_about_peers_one_has_met() {
    let mut rig = Rig::new();
    let (offerer, _, id) = introduced(&mut rig);
    let peer = handle(if handle(1) < handle(2) { 2 } else { 1 });
    let report = |peer| ClientMessage::Report {
        peer,
        code: ReportCode::BadChunk,
        object: None,
    };
    assert_eq!(rig.say(offerer, report(peer)), []);
    rig.say(offerer, end(id, EndReason::Handshake));
    assert_eq!(
        rig.say(offerer, report(peer)),
        [],
        "a report may come after the end"
    );
    assert_eq!(rig.say(offerer, report(handle(9))), []);
    assert_eq!(rig.tracker.counts().reports["bad_chunk"], 2);
    assert_eq!(rig.tracker.counts().reports_ignored, 1);
}

#[test]
fn an_answer_to_no_challenge_is_refused() {
    let mut rig = Rig::new();
    let (conn, _) = rig.join(1);
    let message = ClientMessage::ChallengeAnswer {
        challenge: IntroductionId([0; 16]),
        answer: vec![1],
    };
    assert_eq!(refusal(&rig.say(conn, message)), ErrorCode::NotSolicited);
}
