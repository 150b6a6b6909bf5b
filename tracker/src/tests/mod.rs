//! One file per behaviour; the rig is a handful of peers on simulated time.

mod admission;
mod announcer;
mod challenges;
mod introductions;
mod limits;
mod lists;
#[allow(
    dead_code,
    unreachable_pub,
    reason = "shared with the attacks on the peer core"
)]
#[path = "../../../tests/hostile/report.rs"]
mod report;
mod requirement_4_1_exposure;
mod requirement_4_3_adversarial_announcement;
mod requirement_4_3_lists;
mod requirement_4_3_live;
mod requirement_4_4_auditors;
mod requirement_4_4_network_verifies;
mod requirement_4_4_tampering;
mod revocation;
mod rig;
mod silence;
