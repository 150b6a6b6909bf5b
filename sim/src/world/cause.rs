//! Why bytes came from the origin.

use swarmseal::swarm::HttpReason;

use crate::record::FromOrigin;

/// The three causes that a run tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// What a viewer starts with.
    Startup,
    /// Somebody had to be the first.
    Elected,
    /// Peers had it, and failed or would have been late.
    Rescue,
}

impl Cause {
    /// Of an object that belongs to the viewer's start, or of another that the engine fetched for this reason.
    pub(super) const fn of(is_start: bool, reason: Option<HttpReason>) -> Self {
        match reason {
            _ if is_start => Self::Startup,
            Some(HttpReason::Elected | HttpReason::NobodyHas) => Self::Elected,
            _ => Self::Rescue,
        }
    }

    pub(super) const fn add(self, to: &mut FromOrigin, bytes: u64) {
        match self {
            Self::Startup => to.startup += bytes,
            Self::Elected => to.elected += bytes,
            Self::Rescue => to.rescue += bytes,
        }
    }
}
