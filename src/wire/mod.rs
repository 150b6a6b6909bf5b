//! Messages between peers and their codec; every limit a named constant.
//!
//! One data-channel message is one [`Message`]: a type byte, then big-endian fields. Decoding consumes a
//! message exactly, checks every number before it sizes anything, and names the rule that a message breaks;
//! it never looks at who sent it and never decides what to do about it.

mod decode;
mod encode;
mod error;
mod limits;
mod message;
mod range;

pub use decode::{decode, decode_data_head};
pub use encode::encode;
pub use error::InvalidMessage;
pub use limits::*;
pub use message::{ByeReason, Channel, Have, Message, Partial, Ranges, RejectReason, Urgency};
pub use range::Range;
