//! The bounds of every field. A scenario that passes can be run.

use std::ops::RangeInclusive;

use super::{Class, Content, ContentKind, Link, Links, Scenario, ScenarioError, Start};

const PERCENT: RangeInclusive<u32> = 0..=100;

impl Scenario {
    /// Checks every bound.
    ///
    /// # Errors
    /// [`ScenarioError::OutOfBounds`] names the field and says what holds of it.
    pub fn check(&self) -> Result<(), ScenarioError> {
        within("seconds", self.seconds, 1..=86_400)?;
        within("peers", self.peers, 1..=100_000)?;
        self.content.check()?;
        within(
            "arrivals.within_seconds",
            self.arrivals.within_seconds,
            0..=86_400,
        )?;
        holds(
            self.content.kind == ContentKind::Vod || self.arrivals.start == Start::Beginning,
            "arrivals.start",
            "is for vod: a live stream is joined at its edge",
        )?;
        within(
            "churn.per_minute_percent",
            self.churn.per_minute_percent,
            0..=1_000,
        )?;
        self.links.check()?;
        within("player.buffer_seconds", self.player.buffer_seconds, 1..=120)?;
        within(
            "player.seeks_per_minute_percent",
            self.player.seeks_per_minute_percent,
            0..=1_000,
        )?;
        within(
            "player.switches_per_minute_percent",
            self.player.switches_per_minute_percent,
            0..=1_000,
        )?;
        holds(
            self.player.switches_per_minute_percent == 0 || self.content.renditions > 1,
            "player.switches_per_minute_percent",
            "needs content.renditions of at least 2",
        )?;
        holds(
            self.player.seeks_per_minute_percent == 0 || self.content.kind == ContentKind::Vod,
            "player.seeks_per_minute_percent",
            "is for vod: there is nowhere to seek to in a live stream",
        )?;
        within(
            "policy.upload_cap_percent",
            self.policy.upload_cap_percent,
            PERCENT,
        )?;
        within("policy.store_mib", self.policy.store_mib, 1..=4_096)?;
        within("misbehaviour.percent", self.misbehaviour.percent, PERCENT)?;
        holds(
            self.misbehaviour.percent == 0 || !self.misbehaviour.kinds.is_empty(),
            "misbehaviour.kinds",
            "must name one, or misbehaviour.percent be 0",
        )?;
        within("origin.latency_ms", self.origin.latency_ms, 0..=10_000)?;
        within("origin.kbps", self.origin.kbps, 1..=100_000_000)?;
        for outage in &self.outages {
            holds(
                outage.from_second < self.seconds,
                "outage.from_second",
                "must be before the run's end",
            )?;
            within("outage.seconds", outage.seconds, 1..=86_400)?;
        }
        Ok(())
    }
}

impl Content {
    fn check(&self) -> Result<(), ScenarioError> {
        within("content.segments", self.segments, 1..=10_000)?;
        within("content.segment_seconds", self.segment_seconds, 1..=30)?;
        within("content.kbps", self.kbps, 16..=100_000)?;
        within("content.renditions", self.renditions, 1..=6)?;
        within("content.edge_segments", self.edge_segments, 1..=100)?;
        holds(
            self.kind == ContentKind::Vod || self.edge_segments < self.segments,
            "content.edge_segments",
            "must be less than content.segments",
        )
    }
}

impl Links {
    fn check(&self) -> Result<(), ScenarioError> {
        within("links.loss_permille", self.loss_permille.unwrap_or(0), 0..=500)?;
        within("links.latency_ms", self.latency_ms.unwrap_or(0), 0..=5_000)?;
        within("links.jitter_ms", self.jitter_ms.unwrap_or(0), 0..=5_000)?;
        within(
            "links.mean_uplink_percent",
            self.mean_uplink_percent.unwrap_or(1),
            1..=100_000,
        )?;
        within("links.loss_burst_packets", self.loss_burst_packets, 1..=100)?;
        let sum: u64 = Class::ALL
            .iter()
            .map(|class| u64::from(self.mix.percent(*class)))
            .sum();
        holds(
            sum == 100,
            "links.mix",
            &format!("must sum to 100; it sums to {sum}"),
        )?;
        for class in Class::ALL {
            let Link {
                downlink_kbps,
                uplink_kbps,
                latency_ms,
                jitter_ms,
                loss_permille,
                queue_ms,
            } = self.own(class);
            let field = |name: &str| format!("links.{}.{name}", class.name());
            within(&field("downlink_kbps"), downlink_kbps, 1..=100_000_000)?;
            within(&field("uplink_kbps"), uplink_kbps, 1..=100_000_000)?;
            within(&field("latency_ms"), latency_ms, 0..=5_000)?;
            within(&field("jitter_ms"), jitter_ms, 0..=5_000)?;
            within(&field("loss_permille"), loss_permille, 0..=500)?;
            within(&field("queue_ms"), queue_ms, 1..=10_000)?;
        }
        Ok(())
    }
}

fn within(field: &str, value: u32, bounds: RangeInclusive<u32>) -> Result<(), ScenarioError> {
    let rule = format!(
        "must be between {} and {}; it is {value}",
        bounds.start(),
        bounds.end()
    );
    holds(bounds.contains(&value), field, &rule)
}

fn holds(holds: bool, field: &str, rule: &str) -> Result<(), ScenarioError> {
    if holds {
        return Ok(());
    }
    Err(ScenarioError::OutOfBounds {
        field: field.to_owned(),
        rule: rule.to_owned(),
    })
}
