//! Attackers of our own making against the shipped core. Each attack first proves that it took place, then that it
//! failed. An attacker shares no verification and no handshake with the defender, only the form of the messages.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]
#![allow(unreachable_pub, reason = "a test crate has no outside")]

mod arena;
mod canary;
mod dice;
mod editors_note_offline;
mod editors_note_user_made_content;
mod guest;
mod impostor;
mod party;
#[allow(dead_code, reason = "the model world needs more of it")]
#[path = "../swarm/rig/content.rs"]
mod published;
mod relay;
mod report;
mod requirement_4_1_identity_privacy;
mod requirement_4_2_eavesdropping;
mod requirement_4_3_adversarial_announcement;
mod requirement_4_4_receiver_verifies;
mod requirement_4_4_revocation;
mod requirement_4_4_tampering;
