//! One engine, and a world that does to it whatever it likes, in any order.

mod bench;
mod puppet;

use proptest::prelude::*;
use swarmseal::content::{CHUNK, ObjectId, TrackId};
use swarmseal::swarm::{DemandId, FetchOutcome, Input, PeerId, Sharing};
use swarmseal::wire::{self, Have, Message, Partial, Range, Ranges, RejectReason, Urgency};

use self::bench::{Bench, SEGMENTS};
use self::puppet::Asked;

/// One thing that is done to the engine. Numbers are taken modulo what there is.
#[derive(Clone, Debug)]
enum Step {
    /// A puppet is introduced and goes so far towards being ready.
    Open {
        steps: u8,
    },
    /// The transport of one ends.
    Close {
        puppet: usize,
        failed: bool,
    },
    /// One says that it holds this.
    Have {
        puppet: usize,
        first: u32,
        count: u32,
        partly: bool,
    },
    Unhave {
        puppet: usize,
        first: u32,
        count: u32,
    },
    /// One answers its oldest request.
    Answer {
        puppet: usize,
        chunks: u32,
        how: Answer,
    },
    /// One answers the oldest question for rows.
    Rows {
        puppet: usize,
        honest: bool,
    },
    /// One refuses its oldest request.
    Reject {
        puppet: usize,
        reason: u8,
    },
    /// One asks for chunks, or for a row.
    Ask {
        puppet: usize,
        segment: u32,
        first: u32,
        count: u8,
        urgency: u8,
    },
    AskRow {
        puppet: usize,
        segment: u32,
    },
    Cancel {
        puppet: usize,
    },
    Choke {
        puppet: usize,
        choke: bool,
    },
    Claim {
        puppet: usize,
        segment: u32,
        rank: u64,
    },
    /// One sends bytes that are no message.
    Malformed {
        puppet: usize,
        bytes: Vec<u8>,
        data: bool,
    },
    /// The browser holds this much for one.
    Buffered {
        puppet: usize,
        bytes: u64,
    },
    Demand {
        segment: u32,
        part: Option<(u64, u64)>,
    },
    Abandon {
        back: u32,
    },
    Seek {
        second: u64,
        ahead: u64,
        paused: bool,
        seeking: bool,
    },
    Policy {
        sharing: u8,
        bps: Option<u64>,
        bytes: Option<u64>,
    },
    /// The origin sends pieces of the oldest request.
    Serve {
        pieces: u32,
        altered: bool,
    },
    /// The oldest request fails.
    Fail {
        how: u8,
    },
    Tracker {
        there: bool,
    },
    Wait {
        ms: u64,
    },
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Honest,
    /// To a request that was cancelled in the meantime.
    Late,
    Altered,
    /// Less than its head says.
    Short,
    /// Chunks that were not asked for.
    Beyond,
}

fn step() -> impl Strategy<Value = Step> {
    let puppet = || 0..6_usize;
    let segment = || 0..SEGMENTS;
    let how = prop_oneof![
        12 => Just(Answer::Honest),
        4 => Just(Answer::Late),
        1 => Just(Answer::Altered),
        1 => Just(Answer::Short),
        1 => Just(Answer::Beyond),
    ];
    let talk = prop_oneof![
        4 => (puppet(), segment(), 1..6_u32, any::<bool>())
            .prop_map(|(puppet, first, count, partly)| Step::Have { puppet, first, count, partly }),
        1 => (puppet(), segment(), 1..6_u32).prop_map(|(puppet, first, count)| Step::Unhave { puppet, first, count }),
        12 => (puppet(), 1..5_u32, how).prop_map(|(puppet, chunks, how)| Step::Answer { puppet, chunks, how }),
        6 => (puppet(), prop::bool::weighted(0.9)).prop_map(|(puppet, honest)| Step::Rows { puppet, honest }),
        2 => (puppet(), 0..4_u8).prop_map(|(puppet, reason)| Step::Reject { puppet, reason }),
        8 => (puppet(), prop_oneof![3 => 0..4_u32, 1 => segment()], 0..5_u32, 1..6_u8, 0..3_u8)
            .prop_map(|(puppet, segment, first, count, urgency)| Step::Ask { puppet, segment, first, count, urgency }),
        2 => (puppet(), segment()).prop_map(|(puppet, segment)| Step::AskRow { puppet, segment }),
        2 => puppet().prop_map(|puppet| Step::Cancel { puppet }),
        2 => (puppet(), any::<bool>()).prop_map(|(puppet, choke)| Step::Choke { puppet, choke }),
        2 => (puppet(), segment(), prop_oneof![Just(0), any::<u64>()])
            .prop_map(|(puppet, segment, rank)| Step::Claim { puppet, segment, rank }),
        2 => (puppet(), 0..2_000_000_u64).prop_map(|(puppet, bytes)| Step::Buffered { puppet, bytes }),
    ];
    let page = prop_oneof![
        8 => (segment(), prop::option::weighted(0.2, (0..60_000_u64, 1..40_000_u64)))
            .prop_map(|(segment, part)| Step::Demand { segment, part }),
        2 => (0..4_u32).prop_map(|back| Step::Abandon { back }),
        4 => (0..24_u64, 0..12_u64, any::<bool>(), any::<bool>())
            .prop_map(|(second, ahead, paused, seeking)| Step::Seek { second, ahead, paused, seeking }),
        1 => (0..3_u8, prop::option::of(1_000..4_000_000_u64), prop::option::weighted(0.2, 0..400_000_u64))
            .prop_map(|(sharing, bps, bytes)| Step::Policy { sharing, bps, bytes }),
        4 => (1..12_u32, prop::bool::weighted(0.05)).prop_map(|(pieces, altered)| Step::Serve { pieces, altered }),
        1 => (0..4_u8).prop_map(|how| Step::Fail { how }),
        1 => any::<bool>().prop_map(|there| Step::Tracker { there }),
    ];
    let malformed = (puppet(), prop::collection::vec(any::<u8>(), 0..80), any::<bool>())
        .prop_map(|(puppet, bytes, data)| Step::Malformed { puppet, bytes, data });
    prop_oneof![
        40 => prop_oneof![3 => Just(3_u8), 1 => 0..3_u8].prop_map(|steps| Step::Open { steps }),
        10 => (puppet(), any::<bool>()).prop_map(|(puppet, failed)| Step::Close { puppet, failed }),
        4 => malformed,
        200 => talk,
        100 => page,
        70 => prop_oneof![9 => 0..200_u64, 1 => 0..12_000_u64].prop_map(|ms| Step::Wait { ms }),
    ]
}

fn segment(index: u32) -> ObjectId {
    ObjectId {
        track: TrackId(1),
        index,
    }
}

/// A ready puppet, if there is any.
fn ready(bench: &Bench, number: usize) -> Option<PeerId> {
    let ready: Vec<PeerId> = bench
        .puppets
        .iter()
        .filter(|puppet| puppet.ready && !puppet.closed)
        .map(|puppet| puppet.peer)
        .collect();
    (!ready.is_empty()).then(|| ready[number % ready.len()])
}

/// Any puppet that is not closed.
fn open(bench: &Bench, number: usize) -> Option<PeerId> {
    let open: Vec<PeerId> = bench
        .puppets
        .iter()
        .filter(|puppet| !puppet.closed)
        .map(|puppet| puppet.peer)
        .collect();
    (!open.is_empty()).then(|| open[number % open.len()])
}

fn clipped(first: u32, count: u32) -> Range {
    Range::new(first, count.min(SEGMENTS - first))
}

fn take(bench: &mut Bench, step: &Step) {
    match step {
        Step::Open { steps } => bench.introduce(*steps),
        Step::Wait { ms } => {
            bench.wait(ms * 1_000);
        }
        Step::Demand { segment, part } => {
            let range = part.map(|(first, len)| (first, (first + len - 1).min(69_999)));
            bench.demand(&format!("v/{segment}.m4s"), range);
        }
        Step::Abandon { back } => {
            let id = DemandId(bench.next_demand.saturating_sub(1 + back));
            bench.demands.remove(&id);
            bench.input(Input::CancelDemand { id });
        }
        Step::Seek {
            second,
            ahead,
            paused,
            seeking,
        } => bench.input(Input::Player {
            position_us: second * 1_000_000,
            rate_milli: 1_000,
            buffered_end_us: (second + ahead) * 1_000_000,
            paused: *paused,
            seeking: *seeking,
        }),
        Step::Policy { sharing, bps, bytes } => {
            let sharing = [Sharing::On, Sharing::Receive, Sharing::Off][usize::from(*sharing)];
            bench.input(Input::Policy {
                sharing,
                upload_bps: *bps,
                upload_bytes: *bytes,
            });
        }
        Step::Serve { pieces, altered } => bench.serve(*pieces, *altered),
        Step::Fail { how } => bench.end_oldest(
            [
                FetchOutcome::Network,
                FetchOutcome::Status(503),
                FetchOutcome::WrongLength,
                FetchOutcome::Aborted,
            ][usize::from(*how)],
        ),
        Step::Tracker { there: true } => bench.join(),
        Step::Tracker { there: false } => bench.input(Input::TrackerClosed),
        Step::Close { puppet, failed } => {
            if let Some(peer) = open(bench, *puppet) {
                if let Some(puppet) = bench.puppet_of(peer) {
                    puppet.closed = true;
                }
                let reason = "connection_lost";
                bench.input(if *failed {
                    Input::PeerFailed { peer, reason }
                } else {
                    Input::PeerClosed { peer }
                });
            }
        }
        Step::Malformed { puppet, bytes, data } => {
            if let Some(peer) = open(bench, *puppet) {
                bench.puppet_of(peer).unwrap().guilty = true;
                if *data {
                    let (head, rest) = bytes.split_at(bytes.len().min(wire::DATA_HEAD));
                    bench.data(peer, head, rest);
                } else {
                    bench.input(Input::Message { peer, bytes });
                }
            }
        }
        _ => talk(bench, step),
    }
}

/// What a proved puppet says.
fn talk(bench: &mut Bench, step: &Step) {
    let (Step::Have { puppet, .. }
    | Step::Unhave { puppet, .. }
    | Step::Answer { puppet, .. }
    | Step::Rows { puppet, .. }
    | Step::Reject { puppet, .. }
    | Step::Ask { puppet, .. }
    | Step::AskRow { puppet, .. }
    | Step::Cancel { puppet }
    | Step::Choke { puppet, .. }
    | Step::Claim { puppet, .. }
    | Step::Buffered { puppet, .. }) = step
    else {
        unreachable!("all other steps are taken elsewhere")
    };
    let Some(peer) = ready(bench, *puppet) else {
        return;
    };
    let track = TrackId(1);
    match step {
        Step::Have {
            first, count, partly, ..
        } => {
            let (complete, partial) = if *partly {
                let part = Partial {
                    index: *first,
                    chunks: vec![Range::new(0, (*count).min(5))],
                };
                (Vec::new(), vec![part])
            } else {
                (vec![clipped(*first, *count)], Vec::new())
            };
            bench.tell(
                peer,
                &Message::Have(Have {
                    track,
                    complete,
                    partial,
                }),
            );
        }
        Step::Unhave { first, count, .. } => {
            let segments = vec![clipped(*first, *count)];
            bench.tell(peer, &Message::Unhave(Ranges { track, segments }));
        }
        Step::Answer { chunks, how, .. } => answer(bench, peer, *chunks, *how),
        Step::Rows { honest, .. } => {
            let puppet = bench.puppet_of(peer).unwrap();
            if puppet.rows_asked.is_empty() {
                return;
            }
            let (object, root) = puppet.rows_asked.remove(0);
            puppet.guilty |= !honest;
            let mut hashes: Vec<_> = bench
                .file(object)
                .chunks(CHUNK as usize)
                .map(swarmseal::content::tree::leaf)
                .collect();
            if !honest {
                hashes[0].0[0] ^= 1;
            }
            bench.tell(peer, &Message::Rows { object, root, hashes });
        }
        Step::Reject { reason, .. } => {
            let puppet = bench.puppet_of(peer).unwrap();
            if puppet.asked.is_empty() {
                return;
            }
            let id = puppet.asked.remove(0).id;
            let reason = [
                RejectReason::NotHeld,
                RejectReason::Busy,
                RejectReason::Policy,
                RejectReason::Unknown,
            ][usize::from(*reason)];
            bench.tell(peer, &Message::Reject { id, reason });
        }
        Step::Ask {
            segment: index,
            first,
            count,
            urgency,
            ..
        } => {
            let object = segment(*index);
            let Some(info) = bench.engine.catalog().object(object) else {
                return;
            };
            let (root, end) = (info.root, first + u32::from(*count));
            let puppet = bench.puppet_of(peer).unwrap();
            puppet.next_request += 1;
            let id = puppet.next_request;
            puppet.wants.push(Asked {
                id,
                object,
                root,
                next: *first,
                end,
            });
            let request = Message::Request {
                id,
                object,
                root,
                first: *first,
                count: *count,
                nonce: [0; 16],
                urgency: [Urgency::Prefetch, Urgency::Soon, Urgency::Urgent][usize::from(*urgency)],
            };
            bench.tell(peer, &request);
        }
        Step::AskRow { segment: index, .. } => {
            let object = segment(*index);
            if let Some(root) = bench.engine.catalog().object(object).map(|info| info.root) {
                bench.tell(peer, &Message::WantRows { object, root });
            }
        }
        Step::Cancel { .. } => {
            let puppet = bench.puppet_of(peer).unwrap();
            if !puppet.wants.is_empty() {
                let id = puppet.wants.remove(0).id;
                bench.tell(peer, &Message::Cancel { id });
            }
        }
        Step::Choke { choke, .. } => {
            let puppet = bench.puppet_of(peer).unwrap();
            if *choke {
                puppet.asked.clear();
            }
            bench.tell(
                peer,
                if *choke {
                    &Message::Choke
                } else {
                    &Message::Unchoke
                },
            );
        }
        Step::Claim {
            segment: index, rank, ..
        } => {
            let object = segment(*index);
            bench.tell(peer, &Message::Claim { object, rank: *rank });
        }
        Step::Buffered { bytes, .. } => bench.input(Input::Writable {
            peer,
            buffered: *bytes,
        }),
        _ => {}
    }
}

fn answer(bench: &mut Bench, peer: PeerId, chunks: u32, how: Answer) {
    let late = matches!(how, Answer::Late);
    let puppet = bench.puppet_of(peer).unwrap();
    let requests = if late { &puppet.late } else { &puppet.asked };
    let Some(object) = requests.first().map(|asked| asked.object) else {
        return;
    };
    let file = bench.file(object).to_vec();
    let puppet = bench.puppet_of(peer).unwrap();
    puppet.guilty |= !matches!(how, Answer::Honest | Answer::Late);
    let (mut head, mut bytes) = puppet.answer(late, chunks, &file).unwrap();
    match how {
        Answer::Honest | Answer::Late => {}
        Answer::Altered => *bytes.last_mut().unwrap() ^= 1,
        Answer::Short => bytes.truncate(bytes.len() / 2),
        // The first chunk's number is in bytes 43 to 46 of the head.
        Answer::Beyond => head[46] ^= 0x40,
    }
    bench.data(peer, &head, &bytes);
}

/// Whatever was done: with an origin that answers, every demand is answered, and then the engine rests.
fn comes_to_rest(bench: &mut Bench) {
    for _ in 0..600 {
        if bench.demands.is_empty() && bench.fetches.is_empty() {
            break;
        }
        bench.serve(40, false);
        bench.wait(200_000);
    }
    assert!(bench.demands.is_empty(), "a demand is never answered");
    // Everything that was asked of puppets times out.
    bench.wait(60_000_000);
    bench.serve(400, false);
    let ticks = bench.wait(10_000_000);
    assert!(ticks < 200, "{ticks} ticks in ten seconds of rest");
}

/// An engine that plays, holds four segments, and has two peers that hold everything: there is something to go wrong.
fn among_puppets() -> Bench {
    let mut bench = Bench::new();
    bench.join();
    let everything = |puppet| Step::Have {
        puppet,
        first: 0,
        count: SEGMENTS,
        partly: false,
    };
    for segment in 0..4 {
        take(&mut bench, &Step::Demand { segment, part: None });
    }
    bench.serve(40, false);
    for puppet in 0..2 {
        bench.introduce(3);
        take(&mut bench, &everything(puppet));
    }
    let playing = Step::Seek {
        second: 0,
        ahead: 9,
        paused: false,
        seeking: false,
    };
    take(&mut bench, &playing);
    bench
}

fn run(steps: &[Step]) {
    let mut bench = among_puppets();
    for step in steps {
        take(&mut bench, step);
    }
    comes_to_rest(&mut bench);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, max_shrink_iters: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn one_engine_survives_anything(steps in prop::collection::vec(step(), 1..120)) {
        run(&steps);
    }
}

/// The bench plays what it says: a puppet proves itself, gives and is given, and the origin is not needed.
#[test]
fn a_puppet_is_a_peer() {
    let mut bench = Bench::new();
    bench.join();
    bench.introduce(3);
    let peer = ready(&bench, 0).unwrap();
    bench.demand("v/3.m4s", None);
    bench.serve(10, false);
    assert_eq!(bench.answered, 1);
    let steps = [
        // There is time: nothing has to come over HTTP.
        Step::Seek {
            second: 0,
            ahead: 9,
            paused: false,
            seeking: false,
        },
        Step::Have {
            puppet: 0,
            first: 5,
            count: 1,
            partly: false,
        },
        Step::Demand {
            segment: 5,
            part: None,
        },
        Step::Wait { ms: 50 },
        Step::Rows {
            puppet: 0,
            honest: true,
        },
    ];
    steps.iter().for_each(|step| take(&mut bench, step));
    for _ in 0..8 {
        answer(&mut bench, peer, 4, Answer::Honest);
        bench.wait(50_000);
    }
    assert_eq!(bench.answered, 2);
    assert!(bench.engine.stats().media.from_peers >= 70_000);
    take(
        &mut bench,
        &Step::Ask {
            puppet: 0,
            segment: 3,
            first: 0,
            count: 5,
            urgency: 2,
        },
    );
    assert!(
        bench.puppet_of(peer).unwrap().wants.is_empty(),
        "it was given what it asked for"
    );
    comes_to_rest(&mut bench);
}
