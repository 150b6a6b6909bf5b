//! The chunks that a peer was asked to show: nothing else that it sends is hashed.

use swarmseal::content::CHUNK;
use swarmseal::signal::{IntroductionId, MAX_PICKS, PICK, ServerMessage, Shown};

/// What the last challenge on a connection asked for, and has not been shown yet. A tracker has one open at a time.
#[derive(Debug, Default)]
pub(super) struct Asked {
    challenge: Option<IntroductionId>,
    missing: [bool; MAX_PICKS],
}

impl Asked {
    /// This is about to be sent.
    pub(super) fn note(&mut self, message: &ServerMessage) {
        if let ServerMessage::Challenge { challenge, question } = message {
            let picks = question.len() / PICK;
            self.challenge = Some(*challenge);
            self.missing = core::array::from_fn(|number| number < picks);
        }
    }

    /// Reads a binary message, and hashes its chunk the first time that it is one that was asked for: others come without
    /// a hash, and the tracker refuses them before it would look at one. `None` if it is no such message.
    pub(super) fn read(&mut self, message: &[u8]) -> Option<Shown> {
        let (shown, chunk) = Shown::split(message)?;
        let place = self.missing.get_mut(usize::from(shown.number));
        let is_asked_for = self.challenge == Some(shown.challenge);
        if is_asked_for && place.is_some_and(core::mem::take) {
            return Shown::read(message);
        }
        let fits = !chunk.is_empty() && chunk.len() <= CHUNK as usize;
        fits.then_some(shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use swarmseal::content::tree;
    use swarmseal::signal::{NOT_HELD, shown_head};

    const OURS: IntroductionId = IntroductionId([1; 16]);

    fn message(challenge: IntroductionId, number: u8, chunk: &[u8]) -> Vec<u8> {
        [shown_head(challenge, number, &[]), chunk.to_vec()].concat()
    }

    fn asked(challenge: IntroductionId, picks: usize) -> ServerMessage {
        ServerMessage::Challenge {
            challenge,
            question: vec![0; picks * PICK],
        }
    }

    #[test]
    fn a_chunk_is_hashed_once_and_only_if_it_was_asked_for() {
        let mut connection = Asked::default();
        let leaf = |connection: &mut Asked, challenge, number, chunk: &[u8]| {
            connection.read(&message(challenge, number, chunk)).unwrap().leaf
        };
        let hash = tree::leaf(b"chunk");
        assert_eq!(
            leaf(&mut connection, OURS, 0, b"chunk"),
            NOT_HELD,
            "nothing was asked for"
        );
        connection.note(&asked(OURS, 10));
        let other = IntroductionId([2; 16]);
        assert_eq!(leaf(&mut connection, other, 0, b"chunk"), NOT_HELD);
        assert_eq!(leaf(&mut connection, OURS, 0, b"chunk"), hash);
        assert_eq!(leaf(&mut connection, OURS, 0, b"chunk"), NOT_HELD, "once");
        assert_eq!(leaf(&mut connection, OURS, 9, b"chunk"), hash);
        assert_eq!(leaf(&mut connection, OURS, 10, b"chunk"), NOT_HELD);
        assert_eq!(leaf(&mut connection, OURS, 255, b"chunk"), NOT_HELD);
        connection.note(&asked(other, 16));
        assert_eq!(leaf(&mut connection, OURS, 1, b"chunk"), NOT_HELD, "it is over");
        assert_eq!(leaf(&mut connection, other, 15, b"chunk"), hash);
    }

    #[test]
    fn what_is_no_such_message_is_none_whether_asked_for_or_not() {
        let mut connection = Asked::default();
        connection.note(&asked(OURS, 10));
        for challenge in [OURS, IntroductionId([2; 16])] {
            assert_eq!(connection.read(&message(challenge, 1, b"")), None);
            let long = vec![7; CHUNK as usize + 1];
            assert_eq!(connection.read(&message(challenge, 2, &long)), None);
            assert_eq!(connection.read(&challenge.0), None);
        }
    }
}
