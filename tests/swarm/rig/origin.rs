//! The model origin: what is published, at a rate, with the faults that a test asks for.

use std::collections::BTreeMap;

use swarmseal::content::{CHUNK, ObjectId};
use swarmseal::swarm::{FetchId, FetchKind, FetchOutcome};

use super::world::{Item, World};

/// The model origin.
pub struct Origin {
    pub latency_us: u64,
    pub bytes_per_s: u64,
    pub down: bool,
    /// Byte of this path that is altered.
    pub altered: Option<(String, usize)>,
    /// The next answer for this path stops after so many pieces.
    pub stalls: Option<(String, usize)>,
    /// Requests by path.
    pub requests: BTreeMap<String, u32>,
    pub bytes: BTreeMap<String, u64>,
}

impl World {
    pub(super) fn origin_serves(
        &mut self,
        viewer: usize,
        fetch: FetchId,
        path: &str,
        range: Option<(u64, u64)>,
        kind: FetchKind,
    ) {
        self.viewers[viewer].open_fetches.insert(fetch);
        *self.origin.requests.entry(path.to_owned()).or_default() += 1;
        let latency = self.origin.latency_us;
        let mut body = match self.published.files.get(path) {
            Some(body) if !self.origin.down => body.to_vec(),
            Some(_) => {
                return self.at(
                    latency,
                    Item::End {
                        viewer,
                        fetch,
                        outcome: FetchOutcome::Network,
                    },
                );
            }
            None => {
                return self.at(
                    latency,
                    Item::End {
                        viewer,
                        fetch,
                        outcome: FetchOutcome::Status(404),
                    },
                );
            }
        };
        if let Some((_, at)) = self
            .origin
            .altered
            .as_ref()
            .filter(|(altered, _)| altered == path)
        {
            body[*at] ^= 0x40;
        }
        if let Some((first, last)) = range {
            body = body[usize::try_from(first).unwrap()..=usize::try_from(last).unwrap()].to_vec();
        }
        *self.origin.bytes.entry(path.to_owned()).or_default() += body.len() as u64;
        let mut stalled = false;
        let free = self
            .origin_free
            .get(&viewer)
            .copied()
            .unwrap_or_default()
            .max(self.now + latency);
        let done = free + body.len() as u64 * 1_000_000 / self.origin.bytes_per_s;
        self.origin_free.insert(viewer, done);
        match kind {
            FetchKind::Sheet { .. } | FetchKind::Whole { .. } => {
                if let FetchKind::Sheet { len } = kind {
                    assert_eq!(body.len() as u64, len);
                }
                self.at(
                    done.since(self.now),
                    Item::Sheet {
                        viewer,
                        fetch,
                        bytes: body,
                    },
                );
            }
            FetchKind::Object { chunks, len, .. } => {
                assert_eq!(body.len() as u64, len);
                let pieces: Vec<&[u8]> = body.chunks(CHUNK as usize).collect();
                assert_eq!(pieces.len(), chunks as usize);
                let stall = self
                    .origin
                    .stalls
                    .take_if(|(stalled, _)| stalled == path)
                    .map(|(_, after)| after);
                stalled = stall.is_some();
                let mut sent = 0_u64;
                for (piece, bytes) in (0_u32..).zip(pieces).take(stall.unwrap_or(usize::MAX)) {
                    sent += bytes.len() as u64;
                    let at = free + sent * 1_000_000 / self.origin.bytes_per_s;
                    self.at(
                        at.since(self.now),
                        Item::Piece {
                            viewer,
                            fetch,
                            piece,
                            bytes: bytes.to_vec(),
                        },
                    );
                }
            }
        }
        if stalled {
            return;
        }
        self.at(
            done.since(self.now) + 1,
            Item::End {
                viewer,
                fetch,
                outcome: FetchOutcome::Complete,
            },
        );
    }

    /// Whatever is kept must be what was published: checked against the files, not against the engine's rows.
    pub(super) fn check_kept(&self, object: ObjectId, chunk: u32, bytes: &[u8]) {
        let file = self.published.object(object);
        let from = chunk as usize * CHUNK as usize;
        assert_eq!(
            bytes,
            &file[from..(from + CHUNK as usize).min(file.len())],
            "unverified bytes kept"
        );
    }
}
