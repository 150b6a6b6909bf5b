use proptest::prelude::*;

use super::*;
use crate::content::publish::HashedObject;
use crate::content::tree::{self, RootBuilder};
use crate::content::{
    Asset, ContentId, Hash, Names, PublicKey, Record, SecretKey, TrackId, TrackKind, WallTime,
};

/// The tree and its proofs written down from RFC 9162 §2.1, as slowly as they stand there.
mod reference {
    use super::*;

    pub(super) fn root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Hash::of(&[]),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(split(leaves.len()));
                tree::node(&root(left), &root(right))
            }
        }
    }

    /// SUBPROOF(m, D_n, b) of §2.1.4.1.
    pub(super) fn subproof(m: usize, leaves: &[Hash], complete: bool) -> Vec<Hash> {
        let n = leaves.len();
        if m == n {
            return if complete { Vec::new() } else { vec![root(leaves)] };
        }
        let (left, right) = leaves.split_at(split(n));
        if m <= left.len() {
            [subproof(m, left, complete), vec![root(right)]].concat()
        } else {
            [subproof(m - left.len(), right, false), vec![root(left)]].concat()
        }
    }

    fn split(n: usize) -> usize {
        (0..)
            .map(|power| 1 << power)
            .take_while(|k| *k < n)
            .last()
            .unwrap()
    }
}

fn leaves(count: usize) -> Vec<Hash> {
    (0..count as u32).map(|i| tree::leaf(&i.to_be_bytes())).collect()
}

proptest! {
    #[test]
    fn consistency_proofs_are_those_of_the_rfc(new in 1_usize..1200, share in 0.0..=1.0_f64) {
        let old = ((new as f64 * share) as usize).max(1);
        let leaves = leaves(new);
        let proof = consistency(&leaves, old).unwrap();
        prop_assert_eq!(&proof, &reference::subproof(old, &leaves, true));
        let (old_root, new_root) = (reference::root(&leaves[..old]), reference::root(&leaves));
        prop_assert!(verify_consistency((old as u32, &old_root), (new as u32, &new_root), &proof));
    }

    #[test]
    fn altered_consistency_proofs_show_nothing(
        new in 2_usize..600, old in 1_usize..600, at in any::<prop::sample::Index>(), what in 0..5,
    ) {
        prop_assume!(old < new);
        let leaves = leaves(new);
        let mut proof = consistency(&leaves, old).unwrap();
        let (mut old_root, mut new_root) = (tree::root(&leaves[..old]), tree::root(&leaves));
        match what {
            0 => { let at = at.index(proof.len()); proof[at].0[at % 32] ^= 1; }
            1 => { proof.remove(at.index(proof.len())); }
            2 => { let copy = proof[at.index(proof.len())]; proof.insert(at.index(proof.len()), copy); }
            3 => old_root.0[0] ^= 1,
            _ => new_root.0[0] ^= 1,
        }
        prop_assert!(!verify_consistency((old as u32, &old_root), (new as u32, &new_root), &proof));
    }

    #[test]
    fn a_log_goes_on_from_its_peaks(count in 0_usize..1200, more in 0_usize..600) {
        let all = leaves(count + more);
        let mut first = RootBuilder::default();
        all[..count].iter().for_each(|leaf| first.push(*leaf));
        let mut log = RootBuilder::from_peaks(count as u64, first.peaks()).unwrap();
        all[count..].iter().for_each(|leaf| log.push(*leaf));
        prop_assert_eq!(log.finish(), reference::root(&all));
    }

    #[test]
    fn pages_give_every_root_that_the_log_ever_had(size in 1_u32..1500, share in 0.0..=1.0_f64) {
        let stream = Stream::new(size);
        let track = stream.track(size, 8);
        let records = stream.records_file(size);
        let roots: Vec<u8> = records.chunks_exact(256 * 64).flat_map(|page| {
            let leaves: Vec<Hash> = page.chunks_exact(64).map(tree::leaf).collect();
            reference::root(&leaves).0
        }).collect();
        let mut pages = LogPages::of(&track);
        prop_assert_eq!(pages.roots_range(), (0, roots.len() as u64));
        // The page that is not full is shown by the head alone.
        let (first, length) = pages.page_range(size / 256);
        prop_assert_eq!(pages.check(size / 256, &records[first as usize..(first + length) as usize]), Ok(()));
        if !roots.is_empty() {
            let mut altered = roots.clone();
            altered[roots.len() / 2] ^= 1;
            prop_assert_eq!(pages.take_roots(&altered), Err(PageError::WrongRoots));
            prop_assert!(pages.check(0, &records[..256 * 64]).is_err(), "not before the roots are known");
        }
        pages.take_roots(&roots).unwrap();
        let earlier = (f64::from(size) * share) as u32;
        let (at, length) = pages.page_range(earlier / 256);
        let page = &records[at as usize..(at + length) as usize];
        let leaves: Vec<Hash> = records.chunks_exact(64).take(earlier as usize).map(tree::leaf).collect();
        prop_assert_eq!(pages.root_at(earlier, page), Ok(reference::root(&leaves)));
        if length > 0 {
            let read = pages.read(&track, earlier / 256, page, &[]).unwrap();
            prop_assert_eq!(read.len() as u64 * 64, length);
            let mut altered = page.to_vec();
            altered[63] ^= 1;
            prop_assert_eq!(
                pages.read(&track, earlier / 256, &altered, &[]).unwrap_err().code(), "wrong_page"
            );
        }
    }
}

/// A stream of one track with segments of a few chunks.
struct Stream {
    objects: Vec<HashedObject>,
}

impl Stream {
    fn new(segments: u32) -> Self {
        let object = |index: u32| HashedObject::of(&vec![index as u8; 1 + (index as usize % 3) * 16_384]);
        Self {
            objects: (0..segments).map(object).collect(),
        }
    }

    fn records(&self) -> Vec<Record> {
        let mut row_offset = 0;
        let record = |(index, object): (usize, &HashedObject)| {
            let record = Record {
                root: object.root,
                length: object.length as u32,
                duration: 2000,
                offset: 0,
                row_offset,
                media_start: index as u64 * 2000,
            };
            row_offset += record.row_len();
            record
        };
        self.objects.iter().enumerate().map(record).collect()
    }

    fn records_file(&self, size: u32) -> Vec<u8> {
        self.records()
            .iter()
            .take(size as usize)
            .flat_map(Record::encode)
            .collect()
    }

    /// The track as a head states it that carries `carried` records.
    fn track(&self, size: u32, carried: u32) -> LiveTrack {
        let base = size.saturating_sub(carried);
        let records = self.records();
        let mut log = RootBuilder::default();
        records[..base as usize]
            .iter()
            .for_each(|record| log.push(tree::leaf(&record.encode())));
        let rows = self.objects[base as usize..size as usize]
            .iter()
            .map(|object| object.row.clone());
        LiveTrack {
            id: TrackId(1),
            kind: TrackKind::Video,
            media_type: "video/mp4".into(),
            timescale: 1000,
            bitrate: Some(1_500_000),
            names: Names::Template {
                pattern: "v/s$Number$.m4s".into(),
                start_number: 1,
            },
            ranged: false,
            base,
            frontier: log.peaks().to_vec(),
            records: records[base as usize..size as usize].to_vec(),
            rows: rows.collect(),
            discontinuities: Vec::new(),
            closed: false,
            parts: None,
        }
    }

    fn head(&self, sequence: u64, size: u32, carried: u32) -> LiveHead {
        LiveHead {
            content_id: CONTENT,
            session: 7,
            log: 7,
            sequence,
            issued_ms: NOW * 1000 + sequence * 2000,
            target_ms: 2000,
            tracks: vec![self.track(size, carried)],
            assets: vec![asset("v/init.mp4", 1)],
            documents: vec![Document {
                path: "v/live.m3u8".into(),
                media_type: "application/vnd.apple.mpegurl".into(),
                digests: vec![Hash([9; 32])],
            }],
            end: false,
        }
    }
}

const NOW: u64 = 1_800_000_000;
const CONTENT: ContentId = ContentId([7; 16]);
const SECOND: u64 = 1_000_000;

fn publisher() -> SecretKey {
    SecretKey::from_seed(&[1; 32])
}

fn live_key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

fn asset(path: &str, seed: u8) -> Asset {
    Asset {
        path: path.into(),
        range: None,
        length: 10,
        root: Hash([seed; 32]),
        media_type: "video/mp4".into(),
    }
}

fn session(number: u64, key: PublicKey) -> Session {
    Session {
        content_id: CONTENT,
        number,
        key,
        not_before: NOW,
        not_after: NOW + MAX_SESSION_S,
        first_sequence: 1,
    }
}

fn wall() -> WallTime {
    WallTime {
        unix_s: NOW + 10,
        uncertainty_s: 5,
    }
}

fn chain() -> Chain {
    let mut chain = Chain::new(
        CONTENT,
        vec![publisher().public()],
        Vec::new(),
        LiveMemory::default(),
    );
    let sealed = session(7, live_key(2).public()).sign(&publisher()).unwrap();
    assert_eq!(chain.accept_session(&sealed, wall()), Ok(7));
    chain
}

fn sealed(head: &LiveHead) -> Vec<u8> {
    head.sign(&live_key(2), &[]).unwrap()
}

fn offer(chain: &mut Chain, head: &LiveHead) -> Result<Accepted, HeadError> {
    let before = (chain.newest().cloned(), chain.memory());
    let verdict = chain.accept(&sealed(head), 0, wall());
    if verdict.is_err() {
        assert_eq!(
            (chain.newest().cloned(), chain.memory()),
            before,
            "a refused head leaves no trace"
        );
    }
    verdict
}

#[test]
fn heads_say_the_same_after_a_round_trip() {
    let stream = Stream::new(20);
    let mut head = stream.head(3, 20, 5);
    head.tracks[0].rows.drain(..3);
    head.tracks[0].discontinuities = vec![16, 19];
    assert_eq!(LiveHead::decode(&head.encode(), &[]), Ok(head.clone()));
    let track = &head.tracks[0];
    assert_eq!(
        (track.size(), track.record(15), track.record(14)),
        (20, track.records.first(), None)
    );
    assert_eq!(track.row(18), Some(stream.objects[18].row.as_slice()));
    assert_eq!(track.row(17), None);
    let slot = LiveSlot {
        folder: "seal/live".into(),
    };
    assert_eq!(LiveSlot::decode(&slot.encode(), &[]), Ok(slot));
}

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

#[test]
fn what_a_head_may_not_say() {
    let stream = Stream::new(20);
    let refused = |change: &dyn Fn(&mut LiveHead)| {
        let mut head = stream.head(1, 12, 4);
        change(&mut head);
        let decoded = LiveHead::decode(&head.encode(), &[]).map_err(|error| error.code());
        assert_eq!(
            decoded.clone().err(),
            head.sign(&live_key(2), &[]).err().map(|error| error.code())
        );
        decoded.unwrap_err()
    };
    assert_eq!(refused(&|head| head.sequence = 0), "number_range");
    assert_eq!(refused(&|head| head.target_ms = 0), "number_range");
    assert_eq!(refused(&|head| head.log = 8), "bad_log_number");
    assert_eq!(refused(&|head| head.tracks[0].id = TrackId(0)), "track_order");
    assert_eq!(
        refused(&|head| head.tracks.push(head.tracks[0].clone())),
        "track_order"
    );
    assert_eq!(refused(&|head| head.tracks[0].base = 131_072), "log_size");
    assert_eq!(refused(&|head| _ = head.tracks[0].frontier.pop()), "bad_frontier");
    assert_eq!(
        refused(&|head| head.tracks[0].records[1].row_offset += 32),
        "bad_record"
    );
    assert_eq!(
        refused(&|head| head.tracks[0].records[1].offset = 1),
        "bad_record"
    );
    assert_eq!(
        refused(&|head| head.tracks[0].records[3].media_start = 1),
        "bad_record"
    );
    assert_eq!(refused(&|head| head.tracks[0].rows[0][0].0[0] ^= 1), "bad_row");
    assert_eq!(
        refused(&|head| head.tracks[0].rows.insert(0, vec![Hash([0; 32])])),
        "bad_row"
    );
    assert_eq!(
        refused(&|head| head.tracks[0].discontinuities = vec![7]),
        "bad_discontinuity"
    );
    assert_eq!(
        refused(&|head| head.tracks[0].discontinuities = vec![12]),
        "bad_discontinuity"
    );
    assert_eq!(refused(&|head| head.documents[0].digests.clear()), "bad_digests");
    assert_eq!(
        refused(&|head| head.documents[0].path = "v/init.mp4".into()),
        "duplicate_name"
    );
    assert_eq!(
        refused(&|head| head.assets[0].path = "v/s5000.m4s".into()),
        "duplicate_name"
    );
    assert_eq!(
        refused(&|head| head.assets[0].path = "../x".into()),
        "path_escapes_base"
    );
    assert_eq!(
        refused(&|head| head.tracks[0].media_type = "video".into()),
        "bad_media_type"
    );
    let single = Names::Single { path: "v.mp4".into() };
    assert_eq!(
        refused(&|head| head.tracks[0].names = single.clone()),
        "unsupported_feature"
    );
}

#[test]
fn gaps_keep_numbers_in_step() {
    let mut stream = Stream::new(12);
    stream.objects[10] = HashedObject::of(b"");
    let head = stream.head(1, 12, 4);
    assert_eq!(LiveHead::decode(&head.encode(), &[]), Ok(head.clone()));
    let mut filled = head.clone();
    filled.tracks[0].records[2].root = Hash([1; 32]);
    assert_eq!(LiveHead::decode(&filled.encode(), &[]), Err(HeadError::Gap));
}

/// Segments of 6000 ticks in three parts each; the fourth segment has two parts so far.
#[test]
fn parts_make_up_their_parents() {
    let (mut segments, mut parts) = (Stream::new(3).track(3, 3), Stream::new(11).track(11, 11));
    parts.id = TrackId(2);
    parts.names = Names::Template {
        pattern: "v/p$Number$.m4s".into(),
        start_number: 1,
    };
    let parent = |segment: u32, count| Parent {
        segment,
        first: segment * 3,
        count,
    };
    let mut row_offset = 0;
    for (index, record) in segments.records.iter_mut().enumerate() {
        let lengths = parts.records[index * 3..index * 3 + 3]
            .iter()
            .map(|part| part.length);
        record.length = lengths.sum();
        record.row_offset = row_offset;
        row_offset += record.row_len();
    }
    segments.rows.clear();
    parts.parts = Some(Parts {
        of: TrackId(1),
        parents: vec![parent(0, 3), parent(1, 3), parent(2, 3), parent(3, 2)],
    });
    let head = LiveHead {
        tracks: vec![segments, parts],
        ..Stream::new(1).head(1, 1, 1)
    };
    assert_eq!(LiveHead::decode(&head.encode(), &[]), Ok(head.clone()));
    let refused = |change: &dyn Fn(&mut LiveHead, &mut Vec<Parent>)| {
        let mut head = head.clone();
        let mut parents = head.tracks[1].parts.clone().unwrap().parents;
        change(&mut head, &mut parents);
        for parts in head.tracks.iter_mut().filter_map(|track| track.parts.as_mut()) {
            parts.parents.clone_from(&parents);
        }
        LiveHead::decode(&head.encode(), &[]).unwrap_err().code()
    };
    assert_eq!(refused(&|_, parents| parents[3].count = 3), "bad_parents");
    assert_eq!(refused(&|_, parents| parents[1].first = 2), "bad_parents");
    assert_eq!(refused(&|_, parents| _ = parents.remove(1)), "bad_parents");
    assert_eq!(refused(&|_, parents| parents[3].segment = 4), "bad_parents");
    assert_eq!(
        refused(&|head, _| head.tracks[0].records[2].length += 1),
        "part_lengths"
    );
    assert_eq!(refused(&|head, _| _ = head.tracks.remove(0)), "parts_of_nothing");
    let of_itself = |head: &mut LiveHead, _: &mut Vec<Parent>| {
        head.tracks[1].parts.as_mut().unwrap().of = TrackId(2);
    };
    assert_eq!(refused(&of_itself), "parts_of_nothing");
}

#[test]
fn a_head_fits_one_message() {
    let stream = Stream::new(400);
    let head = stream.head(1, 400, 400);
    assert_eq!(head.sign(&live_key(2), &[]), Err(HeadError::TooLarge));
    let mut chain = chain();
    assert_eq!(
        chain.accept(&vec![0; MAX_HEAD + 1], 0, wall()),
        Err(HeadError::TooLarge)
    );
}
