//! A content whose chunks are names, and announcers who hold all of it, some of it or none.

use std::collections::BTreeMap;
use std::ops::Range as Span;
use std::sync::Arc;

use swarmseal::content::{
    Catalog, ContentId, Hash, IndexFile, Manifest, Names, ObjectId, Record, RollbackMemory, RowsFile,
    SecretKey, Sheet, Track, TrackId, TrackKind, Trust, WallTime,
    publish::{IndexBuilder, NewSegment},
    tree,
};
use swarmseal::identity::{EphemeralKeys, Handle};
use swarmseal::signal::{
    Announce, ClientMessage, IntroductionId, NOT_HELD, PICK, Pick, ServerMessage, Shown, TrackRanges,
    sign_answer,
};
use swarmseal::wire::Range;

use super::rig::{Rig, SWARM, keys, secret};
use crate::{ConnId, Content, Input, Roots, TrackerConfig};

/// Segments of a film; each has 4 chunks or a few more.
const SEGMENTS: u32 = 400;

/// Whether a message is a challenge.
pub(super) const KIND_ASKS: fn(&ServerMessage) -> bool =
    |message| matches!(message, ServerMessage::Challenge { .. });

/// One version of a content: the leaf hashes of each segment.
pub(super) struct Film {
    rows: Vec<Vec<Hash>>,
    roots: Arc<Roots>,
}

/// A tracker that knows so many versions of one film, the newest first.
pub(super) fn films(versions: u8) -> (Rig, Vec<Film>) {
    let mut config = TrackerConfig::default();
    // So that what is late is so after three seconds.
    config.challenge.least_uplink_kbps = 1_000;
    films_with(config, versions)
}

pub(super) fn films_with(config: TrackerConfig, versions: u8) -> (Rig, Vec<Film>) {
    let mut rig = Rig::with(config);
    let films: Vec<Film> = (0..versions).map(Film::new).collect();
    let content = Content {
        swarm: SWARM,
        secret: secret(),
        roots: films.iter().map(|film| Arc::clone(&film.roots)).collect(),
        is_followed: false,
    };
    rig.tracker.set_contents(rig.now, [content]);
    (rig, films)
}

/// A tracker that follows a broadcast of a film, and has read none of its heads.
pub(super) fn broadcast(config: TrackerConfig) -> (Rig, Film) {
    let mut rig = Rig::with(config);
    let content = Content {
        swarm: SWARM,
        secret: secret(),
        roots: Vec::new(),
        is_followed: true,
    };
    rig.tracker.set_contents(rig.now, [content]);
    (rig, Film::new(0))
}

impl Film {
    fn new(version: u8) -> Self {
        let mut index = IndexBuilder::default();
        let mut rows = Vec::new();
        for segment in 0..SEGMENTS {
            let chunks = 4 + (segment * 7 + u32::from(version)) % 5;
            let chunks = if segment == 0 { 4 } else { chunks };
            let leaf = |chunk: u32| {
                Hash::of(&[
                    b"a chunk by name",
                    &[version],
                    &segment.to_be_bytes(),
                    &chunk.to_be_bytes(),
                ])
            };
            let row: Vec<Hash> = (0..chunks).map(leaf).collect();
            let new = NewSegment {
                root: tree::root(&row),
                length: u64::from(chunks) * 16_384 - 1,
                offset: 0,
                media_start: u64::from(segment) * 2_000,
                duration: 2_000,
            };
            index.push(&new).unwrap();
            rows.push(row);
        }
        let index = index.finish();
        let catalog = catalog(&index.bytes, index.root);
        let roots = Arc::new(Roots::of(&catalog));
        assert_eq!(roots.segments(), SEGMENTS as usize);
        Self { rows, roots }
    }

    pub(super) fn roots(&self) -> Vec<Arc<Roots>> {
        vec![Arc::clone(&self.roots)]
    }

    /// What heads tell that have stated these segments.
    pub(super) fn stated(&self, segments: Span<u32>) -> Arc<Roots> {
        let (first, mut records) = (segments.start, Vec::new());
        for row in segments.map(|index| &self.rows[index as usize]) {
            records.push(Record {
                root: tree::root(row),
                length: row.len() as u32 * 16_384 - 1,
                duration: 2_000,
                offset: 0,
                row_offset: 0,
                media_start: 0,
            });
        }
        Arc::new(Roots::of_logs(
            [(TrackId(1), first, records.as_slice())].into_iter(),
        ))
    }

    pub(super) fn row(&self, object: ObjectId) -> &[Hash] {
        &self.rows[object.index as usize]
    }

    pub(super) fn leaf(&self, pick: &Pick) -> Hash {
        self.row(pick.object)[pick.chunk as usize]
    }

    /// Chunks of these segments.
    pub(super) fn chunks(&self, segments: Span<u32>) -> u64 {
        segments.map(|index| self.rows[index as usize].len() as u64).sum()
    }
}

fn catalog(index: &[u8], root: Hash) -> Catalog {
    let track = Track {
        id: TrackId(1),
        kind: TrackKind::Video,
        media_type: "video/mp4".to_owned(),
        timescale: 1_000,
        segments: SEGMENTS,
        bitrate: None,
        index: IndexFile {
            path: "v.index".to_owned(),
            root,
        },
        rows: RowsFile {
            path: "v.rows".to_owned(),
        },
        names: Names::Template {
            pattern: "v/$Number$.m4s".to_owned(),
            start_number: 0,
        },
        ranged: false,
    };
    let manifest = Manifest {
        tracks: vec![track],
        ..Manifest::new(ContentId([1; 16]), secret(), 1_700_000_000..1_900_000_000)
    };
    let publisher = SecretKey::from_seed(&[3; 32]);
    let sealed = manifest.sign(&publisher).unwrap();
    let mut trust = Trust::new(vec![publisher.public()], None, "film", RollbackMemory::default());
    let wall = WallTime {
        unix_s: 1_800_000_000,
        uncertainty_s: 0,
    };
    let mut catalog = Catalog::new(trust.verify(&sealed, wall).unwrap());
    for index_of in [0, 256] {
        let sheet = catalog.sheet_for(ObjectId::new(TrackId(1), index_of)).unwrap();
        assert!(matches!(sheet, Sheet::IndexHead(_) | Sheet::IndexPage(..)));
        let (first, length) = catalog.sheet_location(&sheet).unwrap().range.unwrap();
        let bytes = &index[first as usize..(first + length) as usize];
        catalog.accept_sheet(&sheet, bytes).unwrap();
    }
    catalog
}

/// One that announces.
pub(super) struct Announcer {
    pub(super) conn: ConnId,
    keys: EphemeralKeys,
    /// Leaf hashes and rows of what it holds; a chunk is shown by its name.
    held: BTreeMap<ObjectId, Vec<Hash>>,
    seq: u64,
}

/// A challenge as it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) id: IntroductionId,
    pub(super) question: Vec<u8>,
    pub(super) picks: Vec<Pick>,
}

impl Announcer {
    pub(super) fn holding_all(rig: &mut Rig, seed: u8, film: &Film) -> Self {
        Self::holding(rig, seed, film, 0..SEGMENTS)
    }

    /// Joins, and holds these segments.
    pub(super) fn holding(rig: &mut Rig, seed: u8, film: &Film, segments: Span<u32>) -> Self {
        let (conn, _) = rig.join(seed);
        let held = segments
            .map(|index| {
                (
                    ObjectId::new(TrackId(1), index),
                    film.rows[index as usize].clone(),
                )
            })
            .collect();
        Self {
            held,
            ..Self::on(conn, keys(seed))
        }
    }

    /// One that has joined, and holds nothing.
    pub(super) fn on(conn: ConnId, keys: EphemeralKeys) -> Self {
        Self {
            conn,
            keys,
            held: BTreeMap::new(),
            seq: 0,
        }
    }

    pub(super) fn keys(&self) -> EphemeralKeys {
        self.keys.clone()
    }

    pub(super) fn handle(&self) -> Handle {
        self.keys.handle()
    }

    pub(super) fn forget_all(&mut self) {
        self.held.clear();
    }

    /// Says that it holds these segments, whatever it holds.
    pub(super) fn announce(&mut self, rig: &mut Rig, segments: Span<u32>) {
        self.seq += 1;
        let range = Range {
            first: segments.start,
            count: segments.end - segments.start,
        };
        let ranges = vec![TrackRanges {
            track: TrackId(1),
            ranges: vec![range],
        }];
        let announce = Announce::sign(&self.keys, SWARM, &rig.nonces[&self.conn], ranges, 600, self.seq);
        let message = ClientMessage::Announce(announce);
        rig.input(Input::Message {
            conn: self.conn,
            message,
        });
    }

    /// The newest challenge that it was sent and has not seen yet.
    pub(super) fn open(&mut self, rig: &mut Rig) -> Option<Asked> {
        let heard = rig.heard(self.conn);
        heard.into_iter().rev().find_map(|message| match message {
            ServerMessage::Challenge { challenge, question } => Some(Asked {
                id: challenge,
                picks: question.as_chunks::<PICK>().0.iter().map(Pick::decode).collect(),
                question,
            }),
            _ => None,
        })
    }

    pub(super) fn asked(&mut self, rig: &mut Rig) -> Asked {
        self.open(rig).expect("a challenge is open")
    }

    /// Answers whatever it is asked.
    pub(super) fn comply(&mut self, rig: &mut Rig) {
        let asked = self.asked(rig);
        self.answer(rig, &asked);
    }

    pub(super) fn answer(&mut self, rig: &mut Rig, asked: &Asked) -> Vec<ServerMessage> {
        let mut heard = Vec::new();
        for (number, pick) in asked.picks.iter().enumerate() {
            if self.leaf(pick) != NOT_HELD {
                heard.extend(self.show(rig, asked, number as u8));
            }
        }
        heard.extend(self.sign(rig, asked));
        heard.retain(|message| !KIND_ASKS(message));
        heard
    }

    pub(super) fn leaf(&self, pick: &Pick) -> Hash {
        let row = self.held.get(&pick.object);
        row.and_then(|row| row.get(pick.chunk as usize))
            .copied()
            .unwrap_or(NOT_HELD)
    }

    /// Sends the signed end of its answer.
    pub(super) fn sign(&mut self, rig: &mut Rig, asked: &Asked) -> Vec<ServerMessage> {
        let leaves: Vec<u8> = asked.picks.iter().flat_map(|pick| self.leaf(pick).0).collect();
        let answer = sign_answer(&self.keys, asked.id, &asked.question, leaves);
        self.say_answer(rig, asked.id, answer)
    }

    pub(super) fn say_answer(
        &self,
        rig: &mut Rig,
        challenge: IntroductionId,
        answer: Vec<u8>,
    ) -> Vec<ServerMessage> {
        rig.input(Input::Message {
            conn: self.conn,
            message: ClientMessage::ChallengeAnswer { challenge, answer },
        });
        without_challenges(rig, self.conn)
    }

    /// Shows one chunk.
    pub(super) fn show(&mut self, rig: &mut Rig, asked: &Asked, number: u8) -> Vec<ServerMessage> {
        let shown = self.shown(asked, number);
        self.say_shown(rig, shown)
    }

    pub(super) fn shown(&self, asked: &Asked, number: u8) -> Shown {
        let pick = asked
            .picks
            .get(usize::from(number))
            .copied()
            .unwrap_or(asked.picks[0]);
        let row = self.held.get(&pick.object).cloned().unwrap_or_default();
        Shown {
            challenge: asked.id,
            number,
            path: tree::path(&row, pick.chunk as usize).unwrap_or_default(),
            leaf: self.leaf(&pick),
        }
    }

    pub(super) fn say_shown(&self, rig: &mut Rig, shown: Shown) -> Vec<ServerMessage> {
        rig.input(Input::Shown {
            conn: self.conn,
            shown,
        });
        without_challenges(rig, self.conn)
    }

    /// Is not silent.
    pub(super) fn stay(&mut self, rig: &mut Rig) {
        rig.input(Input::Alive { conn: self.conn });
    }
}

/// What was said in answer, leaving challenges for [`Announcer::open`].
fn without_challenges(rig: &mut Rig, conn: ConnId) -> Vec<ServerMessage> {
    let (asks, others): (Vec<_>, Vec<_>) = rig.heard(conn).into_iter().partition(KIND_ASKS);
    if !asks.is_empty() {
        rig.inbox.insert(conn, asks);
    }
    others
}
