//! Loss in bursts, as Gilbert's model has it: in the bad state every packet is lost, in the good one none.

use super::Micros;
use crate::random::Random;

/// dcSCTP's shortest time-out. What is lost with nothing behind it that would tell is sent again after this.
const SHORTEST_TIMEOUT_US: Micros = 400_000;
/// After so many losses of the same packet in a row the connection would be closed.
const MOST_RETRANSMISSIONS: u32 = 8;

/// Probabilities in 2³².
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LossModel {
    begins: u32,
    ends: u32,
    ppm: u32,
}

/// Where a sequence of packets is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LossState {
    bad: bool,
}

/// Loss over two links, one after the other, in parts per million.
pub(crate) fn ppm_of_both(a: u32, b: u32) -> u32 {
    let both = u64::from(a) * u64::from(b) / 1_000_000;
    u32::try_from(u64::from(a) + u64::from(b) - both).unwrap_or(1_000_000)
}

impl LossModel {
    /// Loses `ppm` of the packets, on average `burst` in a row.
    pub(crate) fn new(ppm: u32, burst: u32) -> Self {
        let all = u64::from(u32::MAX);
        let (lost, kept) = (u64::from(ppm), u64::from(1_000_000_u32.saturating_sub(ppm)));
        // A burst cannot be shorter than what so much loss makes of it.
        let ends = (all / u64::from(burst.max(1))).min(all * kept / 1_000_000);
        let begins = (ends * lost)
            .checked_div(kept)
            .map_or(all, |begins| begins.min(all));
        Self {
            begins: u32::try_from(begins).unwrap_or(u32::MAX),
            ends: u32::try_from(ends).unwrap_or(u32::MAX),
            ppm,
        }
    }

    /// How many of the next `packets` are lost.
    pub(crate) fn lost(&self, state: &mut LossState, packets: u64, random: &mut Random) -> u64 {
        if self.ppm == 0 {
            return 0;
        }
        let mut lost = 0;
        for _ in 0..packets {
            if state.bad {
                state.bad = !random.happens(self.ends);
            } else {
                state.bad = random.happens(self.begins);
            }
            lost += u64::from(state.bad);
        }
        lost
    }

    /// How much later the last of something arrives of which a packet was lost: each time that it is sent again it may
    /// be lost again. `tail`: nothing follows it that would tell of the loss.
    pub(crate) fn delay_us(&self, rtt_us: Micros, tail: bool, random: &mut Random) -> Micros {
        let chance = u64::from(self.ppm) << 32;
        let again = u32::try_from(chance / 1_000_000).unwrap_or(u32::MAX);
        let mut delay = if tail { timeout_us(rtt_us) } else { rtt_us };
        let mut wait = timeout_us(rtt_us);
        for _ in 1..MOST_RETRANSMISSIONS {
            if !random.happens(again) {
                break;
            }
            // What was sent again and lost again is found out by time-out only, doubled each time.
            delay += wait;
            wait *= 2;
        }
        delay
    }
}

const fn timeout_us(rtt_us: Micros) -> Micros {
    let doubled = rtt_us * 2;
    if doubled > SHORTEST_TIMEOUT_US {
        doubled
    } else {
        SHORTEST_TIMEOUT_US
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_and_the_length_of_bursts_are_as_asked_for() {
        let model = LossModel::new(50_000, 4);
        let (mut state, mut random) = (LossState::default(), Random::new(3, "loss", 0));
        let (mut lost, mut bursts, mut before) = (0_u64, 0_u64, false);
        for _ in 0..400_000 {
            let now = model.lost(&mut state, 1, &mut random) == 1;
            lost += u64::from(now);
            bursts += u64::from(now && !before);
            before = now;
        }
        assert!((18_500..21_500).contains(&lost), "{lost}");
        let tenths = lost * 10 / bursts;
        assert!((38..42).contains(&tenths), "{tenths}");
    }

    #[test]
    fn nothing_is_lost_without_loss_and_everything_with_all() {
        let mut random = Random::new(3, "loss", 0);
        assert_eq!(
            LossModel::new(0, 4).lost(&mut LossState::default(), 1_000, &mut random),
            0
        );
        assert_eq!(
            LossModel::new(1_000_000, 1).lost(&mut LossState::default(), 1_000, &mut random),
            1_000
        );
    }

    #[test]
    fn losses_of_two_links_add_up() {
        assert_eq!(ppm_of_both(0, 0), 0);
        assert_eq!(ppm_of_both(10_000, 0), 10_000);
        assert_eq!(ppm_of_both(100_000, 100_000), 190_000);
        assert_eq!(ppm_of_both(1_000_000, 500_000), 1_000_000);
    }

    #[test]
    fn a_lost_tail_waits_for_the_time_out() {
        let mut random = Random::new(3, "loss", 0);
        let model = LossModel::new(0, 1);
        assert_eq!(model.delay_us(50_000, false, &mut random), 50_000);
        assert_eq!(model.delay_us(50_000, true, &mut random), 400_000);
        assert_eq!(model.delay_us(300_000, true, &mut random), 600_000);
    }
}
