//! Which session and head is taken after which.

use super::*;

#[test]
fn heads_that_follow_each_other_are_taken_and_linked() {
    let (stream, mut chain) = (Stream::new(40), chain());
    let first = offer(&mut chain, &stream.head(1, 10, 5)).unwrap();
    assert_eq!(
        first,
        Accepted {
            sequence: 1,
            began: true,
            linked: true,
            expired: false
        }
    );
    let next = offer(&mut chain, &stream.head(2, 12, 5)).unwrap();
    assert_eq!(
        next,
        Accepted {
            sequence: 2,
            began: false,
            linked: true,
            expired: false
        }
    );
    // A sleeper: the records between are not carried any more.
    let late = offer(&mut chain, &stream.head(9, 30, 5)).unwrap();
    assert_eq!((late.linked, chain.unlinked().len()), (false, 1));
    offer(&mut chain, &stream.head(10, 40, 5)).unwrap();
    assert_eq!(
        chain.unlinked().len(),
        2,
        "each head that was taken is to be shown a beginning of the newest"
    );
    let leaves: Vec<Hash> = stream.records_file(40).chunks_exact(64).map(tree::leaf).collect();
    let wrong = consistency(&leaves, 13).unwrap();
    assert_eq!(chain.link(TrackId(1), &wrong), Err(HeadError::Inconsistent));
    assert_eq!(chain.link(TrackId(1), &consistency(&leaves, 12).unwrap()), Ok(()));
    assert_eq!(
        chain.link_by_pages(TrackId(1), &tree::root(&leaves[..30])),
        Ok(())
    );
    assert!(chain.unlinked().is_empty() && chain.evidence().is_empty());
}

#[test]
fn a_gap_that_hides_a_fork_is_evidence() {
    let (stream, mut chain) = (Stream::new(40), chain());
    let mut other = Stream::new(40);
    other.objects[3] = HashedObject::of(b"another third segment");
    offer(&mut chain, &stream.head(1, 10, 5)).unwrap();
    offer(&mut chain, &other.head(2, 30, 5)).unwrap();
    let leaves: Vec<Hash> = other.records_file(40).chunks_exact(64).map(tree::leaf).collect();
    let shown = chain.link_by_pages(TrackId(1), &tree::root(&leaves[..10]));
    assert_eq!(shown, Err(HeadError::Inconsistent));
    let [evidence] = chain.evidence() else {
        panic!("one piece of evidence")
    };
    assert_eq!(evidence.first, sealed(&stream.head(1, 10, 5)));
    assert_eq!(evidence.second, sealed(&other.head(2, 30, 5)));
}

#[test]
fn every_way_of_not_being_next_has_its_own_reason() {
    let (stream, mut chain) = (Stream::new(40), chain());
    for sequence in [1, 2, 5] {
        offer(&mut chain, &stream.head(sequence, 10 + sequence as u32, 5)).unwrap();
    }
    let mut refused = |head: &LiveHead| offer(&mut chain, head).unwrap_err().code();
    assert_eq!(refused(&stream.head(5, 15, 5)), "replayed");
    assert_eq!(refused(&stream.head(2, 12, 5)), "replayed");
    assert_eq!(refused(&stream.head(4, 14, 5)), "stale");
    assert_eq!(refused(&stream.head(5, 14, 5)), "forked");
    let jump = LiveHead {
        sequence: 6 + (1 << 20),
        ..stream.head(6, 15, 5)
    };
    assert_eq!(refused(&jump), "sequence_jump");
    assert_eq!(refused(&stream.head(6, 14, 5)), "inconsistent");
    let change = |change: fn(&mut LiveHead)| {
        let mut head = stream.head(6, 16, 5);
        change(&mut head);
        head
    };
    assert_eq!(
        refused(&change(|head| head.issued_ms -= 10_000)),
        "issued_backwards"
    );
    assert_eq!(refused(&change(|head| head.issued_ms += 100_000)), "future");
    assert_eq!(refused(&change(|head| head.content_id.0[0] ^= 1)), "foreign");
    assert_eq!(refused(&change(|head| head.session = 8)), "wrong_session");
    assert_eq!(refused(&change(|head| head.tracks[0].timescale = 999)), "changed");
    assert_eq!(refused(&change(|head| head.assets[0].root.0[0] ^= 1)), "changed");
    assert_eq!(refused(&change(|head| head.tracks.clear())), "track_lost");
    let mut other = Stream::new(40);
    other.objects[12] = HashedObject::of(b"another segment");
    assert_eq!(refused(&other.head(6, 16, 5)), "inconsistent");
    assert_eq!(
        refused(&other.head(3, 13, 5)),
        "forked",
        "an older head may contradict a newer one"
    );
    let kinds: Vec<EvidenceKind> = chain.evidence().iter().map(|evidence| evidence.kind).collect();
    let (sequence, log) = (EvidenceKind::Sequence, EvidenceKind::Log);
    assert_eq!(
        kinds,
        [sequence, log, log, log],
        "at most {MAX_EVIDENCE} are kept"
    );
    offer(&mut chain, &change(|head| head.end = true)).unwrap();
    assert_eq!(
        offer(&mut chain, &stream.head(7, 17, 5)),
        Err(HeadError::AfterEnd)
    );
    assert_eq!(chain.pulse(u64::MAX), Pulse::Ended);
}

#[test]
fn lost_state_begins_other_logs_under_a_later_session() {
    let (stream, mut chain) = (Stream::new(40), chain());
    offer(&mut chain, &stream.head(9, 10, 5)).unwrap();
    let later = session(8, live_key(3).public()).sign(&publisher()).unwrap();
    let anew = LiveHead {
        session: 8,
        log: 8,
        ..stream.head(1, 2, 2)
    };
    let anew = LiveHead {
        issued_ms: anew.issued_ms + 60_000,
        ..anew
    };
    let resealed = anew.sign(&live_key(3), &[]).unwrap();
    assert_eq!(chain.accept(&resealed, 0, wall()), Err(HeadError::UnknownSession));
    assert_eq!(Chain::session_wanted(&resealed), Some(8));
    chain.accept_session(&later, wall()).unwrap();
    let accepted = chain.accept(&resealed, 0, wall()).unwrap();
    assert!(accepted.began && accepted.linked);
    assert_eq!(offer(&mut chain, &stream.head(10, 11, 5)), Err(HeadError::Stale));
    let memory = chain.memory();
    let stored: LiveMemory = serde_json::from_str(&serde_json::to_string(&memory).unwrap()).unwrap();
    let mut visitor = Chain::new(CONTENT, vec![publisher().public()], Vec::new(), stored);
    let old = session(7, live_key(2).public()).sign(&publisher()).unwrap();
    assert_eq!(visitor.accept_session(&old, wall()), Err(SessionError::Stale));
}

#[test]
fn sessions_are_of_one_publisher_one_content_and_one_day() {
    let mut chain = chain();
    let mut judge = |session: &Session, key: &SecretKey| {
        let sealed = session.sign(key).map_err(|error| error.code())?;
        chain
            .accept_session(&sealed, wall())
            .map_err(|error| error.code())
    };
    let good = session(7, live_key(2).public());
    assert_eq!(judge(&good, &publisher()), Ok(7));
    assert_eq!(judge(&good, &live_key(2)), Err("untrusted_key"));
    assert_eq!(
        judge(
            &Session {
                content_id: ContentId([8; 16]),
                ..good.clone()
            },
            &publisher()
        ),
        Err("foreign_session")
    );
    assert_eq!(
        judge(
            &Session {
                not_after: NOW + MAX_SESSION_S + 1,
                ..good.clone()
            },
            &publisher()
        ),
        Err("bad_validity")
    );
    assert_eq!(
        judge(
            &Session {
                key: live_key(4).public(),
                ..good.clone()
            },
            &publisher()
        ),
        Err("forked_session")
    );
    let other = Session { number: 9, ..good };
    assert_eq!(
        judge(
            &Session {
                not_before: NOW + 76,
                ..other.clone()
            },
            &publisher()
        ),
        Err("session_not_yet_valid")
    );
    assert_eq!(
        judge(
            &Session {
                not_before: 1,
                not_after: 2,
                ..other
            },
            &publisher()
        ),
        Err("session_expired")
    );
    assert_eq!(chain.evidence()[0].kind, EvidenceKind::Session);
}

#[test]
fn a_wrong_device_clock_fails_no_play() {
    let stream = Stream::new(20);
    for off_by in [-600_i64, 600] {
        let clock = WallTime::from_device((NOW as i64 + off_by) as u64);
        let mut chain = Chain::new(
            CONTENT,
            vec![publisher().public()],
            Vec::new(),
            LiveMemory::default(),
        );
        let session = session(7, live_key(2).public()).sign(&publisher()).unwrap();
        chain.accept_session(&session, clock).unwrap();
        assert!(chain.accept(&sealed(&stream.head(1, 5, 5)), 0, clock).is_ok());
    }
}

#[test]
fn a_stream_that_does_not_go_on_is_frozen_after_three_target_durations() {
    let (stream, mut chain) = (Stream::new(20), chain());
    assert_eq!(chain.pulse(0), Pulse::Waiting);
    chain
        .accept(&sealed(&stream.head(1, 5, 5)), SECOND, wall())
        .unwrap();
    // A head without new media is no progress.
    chain
        .accept(&sealed(&stream.head(2, 5, 5)), 5 * SECOND, wall())
        .unwrap();
    assert_eq!(chain.pulse(7 * SECOND - 1), Pulse::Live { until_us: 7 * SECOND });
    assert_eq!(chain.pulse(7 * SECOND), Pulse::Frozen { since_us: SECOND });
    chain
        .accept(&sealed(&stream.head(3, 6, 5)), 8 * SECOND, wall())
        .unwrap();
    assert_eq!(
        chain.pulse(9 * SECOND),
        Pulse::Live {
            until_us: 14 * SECOND
        }
    );
    let expired = WallTime {
        unix_s: NOW + 80,
        uncertainty_s: 0,
    };
    let later = chain
        .accept(&sealed(&stream.head(4, 7, 5)), 9 * SECOND, expired)
        .unwrap();
    assert!(
        later.expired,
        "a head from the past is not the live edge, even if it is news"
    );
}
