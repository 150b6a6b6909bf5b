//! The Tracker AS: introduces peers of one swarm to each other under pseudonyms.
//!
//! The crate `swarmseal-tracker` holds every rule and knows no socket, no clock and no generator: it can run inside a
//! simulator. The files here carry it: a task that owns it, WebSockets, the contents it serves, its figures. A list, a
//! log line, a metric and an error text of this room never name an address, an account, a header, a handle or a swarm.

mod actor;
mod asked;
mod contents;
mod following;
mod index;
mod metrics;
mod outbox;
mod prefix;
pub(crate) mod revocations;
mod routes;
mod socket;

pub use actor::{Figures, TrackerHandle};
pub use contents::{Contents, ContentsError, Refreshed};
pub(crate) use following::Following;
pub use metrics::render;
pub use prefix::PrefixHasher;
pub use revocations::RevocationsError;
pub(crate) use routes::operator_routes;
pub use routes::{Access, routes};
