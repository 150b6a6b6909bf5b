//! One direction of a data channel connection: what waits in the browser, in order, and what may go out now.

use std::collections::VecDeque;

use super::{LossModel, LossState, Micros, PACKET_BYTES, Window};

/// What goes out in one piece, at most. Smaller ones would only make a run slower.
const LONGEST_BURST: u64 = 16 << 10;
/// Less than this goes out only if it is the rest of a message, or if nothing is under way.
const SHORTEST_BURST: u64 = 4 << 10;

/// One of the two channels of a connection. Each keeps its own order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Small messages.
    Control = 0,
    /// Large ones.
    Data = 1,
}

/// What leaves the browser in one piece: a part of a message, or the end of one.
#[derive(Debug)]
pub(crate) struct Burst<M> {
    pub(crate) len: u64,
    pub(crate) packets: u64,
    pub(crate) lane: Lane,
    /// The message, with its last part.
    pub(crate) message: Option<M>,
    /// Nothing was waiting behind it.
    pub(crate) tail: bool,
}

/// Messages on their way out of the browser.
#[derive(Debug)]
pub(crate) struct Flow<M> {
    waiting: [VecDeque<(u64, M)>; 2],
    /// The message that is partly out, and what of it is not.
    begun: Option<(Lane, u64, M)>,
    buffered: [u64; 2],
    pub(crate) window: Window,
    pub(crate) loss: LossModel,
    pub(crate) loss_state: LossState,
    /// Parts of control messages under way that are followed to the receiver's queue; what comes behind them is too.
    pub(crate) large_control: u32,
    /// By lane: when the last packet is before the receiver's access link, and when the last message is handed over. None
    /// overtakes another.
    arrives_at: [Micros; 2],
    handed_at: [Micros; 2],
}

impl<M> Flow<M> {
    /// Over a path that loses packets like this and holds the congestion window below `bound`.
    pub(crate) fn new(loss: LossModel, bound: u64) -> Self {
        Self {
            waiting: [VecDeque::new(), VecDeque::new()],
            begun: None,
            buffered: [0; 2],
            window: Window::new(bound),
            loss,
            loss_state: LossState::default(),
            large_control: 0,
            arrives_at: [0; 2],
            handed_at: [0; 2],
        }
    }

    /// Bytes that the browser holds, per channel.
    pub(crate) const fn buffered(&self) -> [u64; 2] {
        self.buffered
    }

    pub(crate) fn push(&mut self, lane: Lane, len: u64, message: M) {
        let [control, data] = &mut self.waiting;
        let [control_bytes, data_bytes] = &mut self.buffered;
        match lane {
            Lane::Control => {
                control.push_back((len, message));
                *control_bytes += len;
            }
            Lane::Data => {
                data.push_back((len, message));
                *data_bytes += len;
            }
        }
    }

    /// Forgets what has not gone out: the connection is closed.
    pub(crate) fn clear(&mut self) {
        self.waiting = [VecDeque::new(), VecDeque::new()];
        self.begun = None;
        self.buffered = [0; 2];
    }

    /// The next piece that may go out now. The channels take turns, message by message; small messages are never many.
    pub(crate) fn next_burst(&mut self) -> Option<Burst<M>> {
        let (lane, left) = match &self.begun {
            Some((lane, left, _)) => (*lane, *left),
            None => {
                let (lane, len) = self.next_waiting()?;
                (lane, len)
            }
        };
        let room = self.window.room();
        let len = if self.window.is_idle() {
            left.min(LONGEST_BURST).min(room.max(PACKET_BYTES))
        } else {
            if room < left.min(SHORTEST_BURST) {
                return None;
            }
            left.min(LONGEST_BURST).min(room)
        };
        let (_, _, message) = match self.begun.take() {
            Some(begun) => begun,
            None => self.take_waiting(lane)?,
        };
        let message = if len < left {
            self.begun = Some((lane, left - len, message));
            None
        } else {
            Some(message)
        };
        let [control_bytes, data_bytes] = &mut self.buffered;
        let buffered = match lane {
            Lane::Control => control_bytes,
            Lane::Data => data_bytes,
        };
        *buffered = buffered.saturating_sub(len);
        self.window.sent(len);
        Some(Burst {
            len,
            packets: len.div_ceil(PACKET_BYTES),
            lane,
            message,
            tail: self.begun.is_none() && self.next_waiting().is_none(),
        })
    }

    /// When something that would be before the receiver's access link at `at` is there, behind what was sent before.
    pub(crate) fn arrives(&mut self, lane: Lane, at: Micros) -> Micros {
        behind(&mut self.arrives_at, lane, at)
    }

    /// When a message that would be handed over at `at` is, behind those before it.
    pub(crate) fn handed(&mut self, lane: Lane, at: Micros) -> Micros {
        behind(&mut self.handed_at, lane, at)
    }

    fn next_waiting(&self) -> Option<(Lane, u64)> {
        let [control, data] = &self.waiting;
        let of = |lane, waiting: &VecDeque<(u64, M)>| waiting.front().map(|(len, _)| (lane, *len));
        of(Lane::Control, control).or_else(|| of(Lane::Data, data))
    }

    fn take_waiting(&mut self, lane: Lane) -> Option<(Lane, u64, M)> {
        let [control, data] = &mut self.waiting;
        let waiting = match lane {
            Lane::Control => control,
            Lane::Data => data,
        };
        waiting.pop_front().map(|(len, message)| (lane, len, message))
    }
}

fn behind([control, data]: &mut [Micros; 2], lane: Lane, at: Micros) -> Micros {
    let last = match lane {
        Lane::Control => control,
        Lane::Data => data,
    };
    *last = (*last).max(at);
    *last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow() -> Flow<&'static str> {
        Flow::new(LossModel::default(), 256 << 10)
    }

    #[test]
    fn a_long_message_goes_out_in_parts_and_a_small_one_follows_it() {
        let mut flow = flow();
        flow.push(Lane::Data, 40_000, "chunks");
        flow.push(Lane::Data, 20_000, "more");
        let mut sent = Vec::new();
        for step in 0..20 {
            if step == 1 {
                flow.push(Lane::Control, 60, "news");
            }
            if let Some(burst) = flow.next_burst() {
                sent.push((burst.lane, burst.len, burst.message, burst.tail));
                flow.window.acknowledged(burst.len);
            }
        }
        let whole: Vec<&str> = sent.iter().filter_map(|(_, _, message, _)| *message).collect();
        assert_eq!(whole, ["chunks", "news", "more"]);
        assert_eq!(sent.iter().map(|(_, len, ..)| len).sum::<u64>(), 60_060);
        assert_eq!(flow.buffered(), [0, 0]);
        assert!(sent.last().is_some_and(|(.., tail)| *tail));
    }

    #[test]
    fn what_the_window_does_not_take_stays_in_the_browser() {
        let mut flow = flow();
        flow.push(Lane::Data, 60_000, "chunks");
        assert_eq!(flow.buffered(), [0, 60_000]);
        let first = flow.next_burst().unwrap();
        assert!(first.len <= 10 * PACKET_BYTES && first.message.is_none());
        assert!(flow.next_burst().is_none());
        assert_eq!(flow.buffered(), [0, 60_000 - first.len]);
        flow.window.acknowledged(first.len);
        assert!(flow.next_burst().is_some());
    }

    #[test]
    fn nothing_overtakes_what_was_sent_before() {
        let mut flow = flow();
        let arrives = [500, 400, 600].map(|at| flow.arrives(Lane::Data, at));
        assert_eq!(arrives, [500, 500, 600]);
        assert_eq!(flow.arrives(Lane::Control, 300), 300);
        assert_eq!(flow.handed(Lane::Data, 900), 900);
        assert_eq!(flow.handed(Lane::Data, 700), 900);
        assert_eq!(flow.handed(Lane::Control, 700), 700);
    }
}
