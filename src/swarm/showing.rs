//! Challenges: the tracker asks to see chunks of what was announced, before it tells others of this peer as a source.

use alloc::vec::Vec;

use super::engine::Engine;
use super::{Output, PeerId, Sharing};
use crate::content::{CHUNK, tree};
use crate::signal::{
    ClientMessage, IntroductionId, MAX_PICKS, NOT_HELD, PICK, Pick, shown_head, sign_answer,
};

impl Engine {
    /// Shows the chunks that are asked for, and signs for them: at once, as the tracker waits and others do not yet; what
    /// that takes of the upload cap is missing afterwards. What was announced and is gone is withdrawn first: only then is
    /// it honest to say so.
    // Apart from the large function that calls it, it is 160 bytes less after compression.
    #[inline(never)]
    pub(super) fn challenged(&mut self, challenge: IntroductionId, question: &[u8]) {
        let received = self.traffic.from_peers + self.traffic.from_http;
        let may = self.config.sharing == Sharing::On
            && self.traffic.to_tracker < FREE_BYTES + received / SHOWN_SHARE
            && !self.budget.is_exhausted(self.now);
        if !may {
            return;
        }
        if self.session.announce_due.is_some() {
            self.announce_to_tracker();
        }
        let mut leaves: Vec<u8> = Vec::new();
        for (number, pick) in (0..).zip(question.as_chunks::<PICK>().0).take(MAX_PICKS) {
            let Pick { object, chunk } = Pick::decode(pick);
            let mut leaf = NOT_HELD;
            if self.objects.get(&object).is_some_and(|held| held.has(chunk))
                && let Some(row) = self.catalog.row(object)
                && let Some(path) = tree::path(row, chunk as usize)
                && let Some(known) = row.get(chunk as usize)
            {
                leaf = *known;
                self.traffic.to_tracker += u64::from(CHUNK);
                self.budget.spend(u64::from(CHUNK));
                self.outputs.push_back(Output::SendData {
                    peer: PeerId::TRACKER,
                    head: shown_head(challenge, number, &path),
                    object,
                    first: chunk,
                    count: 1,
                });
            }
            leaves.extend_from_slice(&leaf.0);
        }
        let answer = sign_answer(&self.keys, challenge, question, leaves);
        self.outputs
            .push_back(Output::TrackerSend(ClientMessage::ChallengeAnswer {
                challenge,
                answer,
            }));
    }
}

/// Bytes that a tracker may ask to see in any visit: six times ten chunks.
const FREE_BYTES: u64 = 1 << 20;
/// Beyond that one byte in so many of what was received: twice what an honest tracker asks for, and nothing that a viewer
/// would feel.
const SHOWN_SHARE: u64 = 64;
