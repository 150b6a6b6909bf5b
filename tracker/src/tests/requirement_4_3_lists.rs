//! Lists and news, where one attacker has a thousand handles: with admission tags its share of either is at most twice its share
//! of the admissions, however the ranking likes it. With open admission a key is an admission, and nothing of this holds.

use std::collections::{BTreeMap, BTreeSet};

use swarmseal::identity::{EphemeralKeys, Handle, PeerClass, TicketLimits};
use swarmseal::signal::{Announce, ClientMessage, Exposure, Joined, ServerMessage, TrackRanges};
use swarmseal::wire::Range;

use super::report::{Outcome, conclude, runs};
use super::rig::{Rig, SWARM};
use crate::{
    Admission, AdmissionRequest, ConnId, Grant, Input, Now, PrefixTag, Rate, Refused, TrackerConfig,
};

/// Admits as [`crate::OpenAdmission`] does, under one tag for each address prefix: as tokens would.
struct ByPrefix;

impl Admission for ByPrefix {
    fn admit(&mut self, _: Now, request: &AdmissionRequest) -> Result<Grant, Refused> {
        Ok(Grant {
            class: PeerClass::User,
            limits: TicketLimits {
                connections: 64,
                budget: 30,
            },
            tag: request.prefix.0.to_be_bytes().to_vec(),
        })
    }

    fn renew(&mut self, now: Now, request: &AdmissionRequest, _: &[u8]) -> Result<Grant, Refused> {
        self.admit(now, request)
    }
}

const ATTACKER: PrefixTag = PrefixTag(u64::MAX);

/// Handles of the attacker; a tenth has to do in every test run.
fn handles() -> u64 {
    runs(1_000)
}

/// A swarm on a tracker that asks for tags, without the limits that a thousand peers of one rig would meet.
struct Crowd {
    rig: Rig,
    keys: BTreeMap<ConnId, EphemeralKeys>,
    attackers: BTreeSet<Handle>,
    next: u64,
}

impl Crowd {
    fn new(exposure: Exposure) -> Self {
        let all = Rate {
            burst: 10_000_000,
            per_minute: 10_000_000,
        };
        let mut rig = Rig::with(TrackerConfig {
            exposure,
            joins_per_prefix: all,
            lists: all,
            announces: all,
            messages: all,
            max_connections_per_prefix: 1_000_000,
            ..TrackerConfig::default()
        });
        rig.reads_back = false;
        rig.admit(Box::new(ByPrefix));
        Self {
            rig,
            keys: BTreeMap::new(),
            attackers: BTreeSet::new(),
            next: 0,
        }
    }

    fn join(&mut self, prefix: PrefixTag) -> (ConnId, Joined) {
        self.next += 1;
        let (conn, keys, joined) = self.rig.join_from(self.next, prefix);
        if prefix == ATTACKER {
            self.attackers.insert(keys.handle());
        }
        self.keys.insert(conn, keys);
        (conn, joined)
    }

    /// Somebody with an admission of its own.
    fn honest(&mut self) -> ConnId {
        let own = PrefixTag(self.next);
        self.join(own).0
    }

    fn announce(&mut self, conn: ConnId, seq: u64, segments: u32) {
        let range = Range {
            first: 0,
            count: segments,
        };
        let ranges = TrackRanges {
            track: swarmseal::content::TrackId(1),
            ranges: vec![range],
        };
        let ranges = Vec::from_iter((segments > 0).then_some(ranges));
        let nonce = self.rig.nonces[&conn];
        let announce = Announce::sign(&self.keys[&conn], SWARM, &nonce, ranges, 120, seq);
        let heard = self.rig.say(conn, ClientMessage::Announce(announce));
        assert!(
            !heard
                .iter()
                .any(|message| matches!(message, ServerMessage::Error { .. })),
            "{heard:?}"
        );
    }

    /// So many listed with an admission of their own, and the attacker with all its handles.
    fn listed(honest: u64, exposure: Exposure) -> (Self, Vec<ConnId>) {
        let mut crowd = Self::new(exposure);
        let viewers: Vec<ConnId> = (0..honest).map(|_| crowd.honest()).collect();
        for conn in &viewers {
            crowd.announce(*conn, 1, 10);
        }
        for _ in 0..handles() {
            let (conn, _) = crowd.join(ATTACKER);
            crowd.announce(conn, 1, 10);
        }
        (crowd, viewers)
    }

    /// The honest have met each other, which makes the ranking prefer the attacker, whom nobody has met.
    fn acquaint(&mut self, viewers: &[ConnId]) {
        for (at, conn) in viewers.iter().enumerate() {
            let other = viewers[(at + 1) % viewers.len()];
            let peer = self.keys[&other].handle();
            self.rig.say(*conn, ClientMessage::Introduce { peer });
        }
    }

    fn of_attacker(&self, peers: &[Handle]) -> u64 {
        peers.iter().filter(|peer| self.attackers.contains(*peer)).count() as u64
    }
}

#[test]
fn a_thousand_handles_of_one_admission_are_listed_at_most_twice_as_often_as_one() {
    let (mut attempts, mut beyond) = (0, 0);
    let (mut worst, mut figures) = (0.0_f64, Vec::new());
    let direct = [1, 2, 5, 10, 29, 60, 100, 1_000].map(|honest| (honest, Exposure::Direct));
    let guarded = [10, 100].map(|honest| (honest, Exposure::Guarded));
    for (honest, exposure) in direct.into_iter().chain(guarded) {
        let (mut crowd, viewers) = Crowd::listed(honest, exposure);
        crowd.acquaint(&viewers);
        for want in [30, 8] {
            let (mut theirs, mut all) = (0, 0);
            for round in 0..runs(10_000) {
                let conn = viewers[round as usize % viewers.len()];
                let list = crowd.rig.list(conn, want);
                theirs += crowd.of_attacker(&list);
                all += list.len() as u64;
            }
            attempts += all;
            let share = theirs as f64 / all as f64;
            let fair = 1.0 / (honest + 1) as f64;
            // A list is a sample: beyond the bound, chance is allowed four standard deviations.
            let chance = 4.0 * (2.0 * fair * (1.0 - fair) / all as f64).sqrt();
            assert!(theirs > 0, "it is listed at all");
            beyond += u64::from(share > 2.0 * fair + chance);
            worst = worst.max(share / fair);
            if want == 30 && exposure == Exposure::Direct {
                figures.push(format!("{:.2} among {honest}", share / fair));
            }
        }
    }
    conclude(&Outcome {
        threat: "31",
        attack: "one attacker with many handles of one admission tag, and a ranking that prefers whom nobody knows: lists",
        attempts,
        successes: beyond,
        figure: &format!(
            "{} handles: share of lists at most {worst:.2} times its share of tags ({} with tags of their own)",
            handles(),
            figures.join(", ")
        ),
        target: "at most 2 times its share of admission tags",
    });
}

#[test]
fn who_comes_and_goes_under_a_thousand_handles_is_no_more_news_than_others() {
    const HONEST: u64 = 100;
    let mut crowd = Crowd::new(Exposure::Direct);
    let mut waiting: Vec<ConnId> = (0..40).map(|_| crowd.honest()).collect();
    let hostile: Vec<ConnId> = (0..handles()).map(|_| crowd.join(ATTACKER).0).collect();
    waiting.extend(&hostile);
    let (mut announced, mut theirs, mut all) = (0, 0, 0);
    let mut seq = 1;
    // Half an hour, in which each of a hundred viewers comes once.
    for _ in 0..HONEST {
        let viewer = crowd.honest();
        crowd.announce(viewer, 1, 10);
        for conn in hostile.iter().skip(seq as usize % 10).step_by(10) {
            crowd.announce(*conn, seq, 10);
            crowd.announce(*conn, seq + 1, 0);
            announced += 1;
        }
        seq += 2;
        for _ in 0..18 {
            crowd.rig.leap_ms(1_000);
            for conn in &waiting {
                crowd.rig.input(Input::Alive { conn: *conn });
            }
        }
        for conn in waiting.iter().take(40) {
            for message in crowd.rig.heard(*conn) {
                if let ServerMessage::Peers { peers } = message {
                    theirs += crowd.of_attacker(&peers);
                    all += peers.len() as u64;
                }
            }
        }
    }
    assert!(all > HONEST, "news is told: {all}");
    let (share, fair) = (theirs as f64 / all as f64, 1.0 / (HONEST + 1) as f64);
    conclude(&Outcome {
        threat: "31",
        attack: "one attacker with many handles of one admission tag announces and withdraws in turns: news of sources",
        attempts: announced,
        successes: u64::from(share > 2.0 * fair),
        figure: &format!(
            "{theirs} of {all} pieces of news in half an hour: {:.2} times its share of tags",
            share / fair
        ),
        target: "at most 2 times its share of admission tags",
    });
}

#[test]
fn where_all_have_one_admission_lists_are_as_long_as_ever() {
    let mut crowd = Crowd::new(Exposure::Direct);
    let members: Vec<ConnId> = (0..50).map(|_| crowd.join(PrefixTag(7)).0).collect();
    for conn in &members {
        crowd.announce(*conn, 1, 10);
    }
    let list = crowd.rig.list(members[0], 30);
    assert_eq!(list.iter().collect::<BTreeSet<_>>().len(), 30, "no handle twice");
    assert!(!list.contains(&crowd.keys[&members[0]].handle()), "not itself");
    // Those who leave are not listed, and the last of them is the end of it.
    for conn in &members[1..] {
        crowd.rig.input(Input::Closed { conn: *conn });
    }
    assert_eq!(crowd.rig.list(members[0], 30), []);
}

#[test]
fn an_admission_that_changes_its_tag_is_drawn_under_the_new_one() {
    /// A tag of its own first, the attacker's from the first renewal on.
    struct Turncoat;
    impl Admission for Turncoat {
        fn admit(&mut self, now: Now, request: &AdmissionRequest) -> Result<Grant, Refused> {
            ByPrefix.admit(now, request)
        }

        fn renew(&mut self, now: Now, request: &AdmissionRequest, _: &[u8]) -> Result<Grant, Refused> {
            let prefix = ATTACKER;
            ByPrefix.admit(now, &AdmissionRequest { prefix, ..*request })
        }
    }
    let mut crowd = Crowd::new(Exposure::Direct);
    crowd.rig.admit(Box::new(Turncoat));
    let viewers: Vec<ConnId> = (0..100).map(|_| crowd.honest()).collect();
    for conn in &viewers {
        crowd.announce(*conn, 1, 10);
    }
    assert_eq!(crowd.rig.list(viewers[0], 30).len(), 30);
    for conn in &viewers[40..] {
        crowd.rig.say(*conn, ClientMessage::Renew {});
        crowd.attackers.insert(crowd.keys[conn].handle());
    }
    for _ in 0..100 {
        let list = crowd.rig.list(viewers[0], 30);
        assert_eq!(list.len(), 30);
        assert!(crowd.of_attacker(&list) <= 1, "sixty of one tag are drawn as one");
    }
}
