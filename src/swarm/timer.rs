//! The engine's timers: one slot each, so that the next wake-up is a scan of a small array.

use super::Timestamp;

/// What can be due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// Look again at what to fetch: a deadline, a retry or a request's time-out comes near.
    Schedule,
    /// Tell peers what has arrived since the last time.
    Announce,
    /// Serve more: the token bucket has filled.
    Upload,
    /// Look after connections: dial and proof time-outs, ticket expiry.
    Peers,
    /// Tracker session: reconnect, refresh the list, announce, renew.
    Session,
    /// Live heads: ask for the next one, stop waiting, notice that the stream stands still.
    Live,
}

impl Timer {
    pub(super) const ALL: [Self; 6] = [
        Self::Schedule,
        Self::Announce,
        Self::Upload,
        Self::Peers,
        Self::Session,
        Self::Live,
    ];
}

/// When each timer is due.
#[derive(Clone, Debug, Default)]
pub(super) struct TimerTable {
    due: [Option<Timestamp>; Timer::ALL.len()],
}

impl TimerTable {
    /// Sets a timer, whether it was set or not.
    pub(super) fn set(&mut self, timer: Timer, at: Timestamp) {
        if let Some(slot) = self.due.get_mut(timer as usize) {
            *slot = Some(at);
        }
    }

    /// Sets a timer unless it is due earlier.
    pub(super) fn set_earlier(&mut self, timer: Timer, at: Timestamp) {
        if let Some(slot) = self.due.get_mut(timer as usize) {
            *slot = Some(slot.map_or(at, |old| old.min(at)));
        }
    }

    /// Stops a timer.
    pub(super) fn stop(&mut self, timer: Timer) {
        if let Some(slot) = self.due.get_mut(timer as usize) {
            *slot = None;
        }
    }

    /// Takes a timer if it is due.
    pub(super) fn take_due(&mut self, timer: Timer, now: Timestamp) -> bool {
        match self.due.get_mut(timer as usize) {
            Some(slot) if slot.is_some_and(|at| at <= now) => {
                *slot = None;
                true
            }
            _ => false,
        }
    }

    /// The earliest due time.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.due.iter().flatten().min().copied()
    }
}
