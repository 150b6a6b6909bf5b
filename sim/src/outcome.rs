//! What a run gives: figures made from its [`Record`], the same for the same scenario and seed, apart from [`Cost`].
//!
//! Nothing in a run hangs on these; they may be fractions.

use serde::{Deserialize, Serialize};

use crate::record::{FromOrigin, Record, Sources, Viewer};
use crate::scenario::{Class, Misbehaving, Outage, Scenario};

/// Everything at once. Keys of the JSON are camelCase.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Name of the scenario.
    pub scenario: String,
    /// Its line for people.
    pub about: String,
    /// Seed of the run.
    pub seed: u64,
    /// Viewers that came, those that churn brought included.
    pub viewers: u32,
    /// Viewers that the scenario asked for.
    pub peers: u32,
    /// Simulated seconds.
    pub seconds: u32,
    /// Rate of the stream: of its first rendition.
    pub stream_kbps: u32,
    /// What failed, and when.
    pub outages: Vec<Outage>,
    /// Share of the bytes that came from other viewers.
    pub offload: f64,
    /// The largest share that could have: what the uplinks of those that give could carry, but not the first copy of each
    /// byte, which nobody else has.
    pub offload_bound: f64,
    /// Bytes from the origin by bytes of what at least one viewer fetched, and its parts by cause.
    pub origin_bytes_per_unique_byte: f64,
    /// Part of it: what viewers start with.
    pub startup: f64,
    /// Part of it: fetched by the viewer whose turn it was, for all others.
    pub elected: f64,
    /// Part of it: peers failed, or would have been late.
    pub rescue: f64,
    /// Share of the bytes that were rescues.
    pub rescue_share: f64,
    /// Bytes by source.
    pub bytes: Bytes,
    /// Most segments that one viewer fetched from the origin as a start, of one track.
    pub startup_segments_most: u32,
    /// Groups of viewers in which everybody can reach everybody over others.
    pub connected_components: u32,
    /// Time stalled after the first frame by time that should have been played.
    pub rebuffer_ratio: f64,
    /// From arrival to the first frame.
    pub first_frame_ms: Spread,
    /// The same viewers over HTTP alone, if that was asked for.
    pub without_peers: Option<WithoutPeers>,
    /// Bytes that were sent by what all uplinks could carry while their viewers were there.
    pub uplink_use: f64,
    /// Most bytes beyond each viewer's first segment that the origin gave in one second.
    pub origin_worst_second_bytes: u64,
    /// Who carries the load.
    pub fairness: Fairness,
    /// Pairs.
    pub connections: Connections,
    /// Live: requests for heads that reached the origin, by heads that were stated meanwhile; 0 of titles.
    pub head_requests_per_head: f64,
    /// Who was punished.
    pub misbehaviour: Punished,
    /// Addresses of others that a viewer learnt, in an hour of presence, on average.
    pub addresses_per_viewer_hour: f64,
    /// Invariants that were checked; all held, or there would be no outcome.
    pub invariant_checks: u64,
    /// SHA-256 over all events in their order, in hex.
    pub event_log_hash: String,
    /// What the run cost. Not part of the hash, and not the same twice.
    pub cost: Cost,
    /// By simulated second.
    pub series: Series,
    /// By segment, in their order.
    pub segments: Vec<SegmentOrigin>,
    /// In order of arrival.
    pub per_viewer: Vec<ViewerOutcome>,
    /// The whole scenario as a file: with it and the seed, the run can be made again.
    pub scenario_file: String,
    /// What it was made with.
    pub versions: Versions,
}

/// A viewer without a first frame counts as one that waits in vain after this long.
const PATIENCE_US: u64 = 10_000_000;

impl Outcome {
    /// Makes the figures of a run, and compares with a run of the same scenario and seed over HTTP alone.
    pub fn new(scenario: &Scenario, seed: u64, record: &Record, without_peers: Option<&Record>) -> Self {
        let end_us = u64::from(scenario.seconds) * 1_000_000;
        let bytes = Bytes::of(record);
        let total = bytes.peers + bytes.startup + bytes.elected + bytes.rescue;
        let per_unique = |count: u64| ratio(count, bytes.unique);
        let series = Series::of(record, end_us);
        let could_send: u64 = series.uplink_bytes.iter().sum();
        let could_give: u64 = uplinks(record, end_us, gives).iter().sum();
        let presence_us: u64 = record
            .viewers
            .iter()
            .map(|viewer| presence_us(viewer, end_us))
            .sum();
        let learnt: u64 = record
            .viewers
            .iter()
            .map(|viewer| u64::from(viewer.addresses_learnt))
            .sum();
        Self {
            scenario: scenario.name.clone(),
            about: scenario.about.clone(),
            seed,
            viewers: u32::try_from(record.viewers.len()).unwrap_or(u32::MAX),
            peers: scenario.peers,
            seconds: scenario.seconds,
            stream_kbps: scenario.content.kbps,
            outages: scenario.outages.clone(),
            offload: ratio(bytes.peers, total),
            offload_bound: ratio(could_give.min(total.saturating_sub(bytes.unique)), total),
            origin_bytes_per_unique_byte: per_unique(bytes.startup + bytes.elected + bytes.rescue),
            startup: per_unique(bytes.startup),
            elected: per_unique(bytes.elected),
            rescue: per_unique(bytes.rescue),
            rescue_share: ratio(bytes.rescue, total),
            bytes,
            startup_segments_most: record
                .viewers
                .iter()
                .map(|viewer| viewer.startup_segments)
                .max()
                .unwrap_or(0),
            connected_components: record.connected_components,
            rebuffer_ratio: rebuffer_ratio(record),
            first_frame_ms: first_frames(record, end_us),
            without_peers: without_peers.map(|other| WithoutPeers::of(record, other, end_us)),
            uplink_use: ratio(bytes.sent, could_send),
            origin_worst_second_bytes: worst_second(record),
            fairness: Fairness::of(record, end_us),
            connections: Connections {
                created: record.pairs_introduced,
                kept: record.pairs_proved,
            },
            head_requests_per_head: ratio(
                record.head_requests * u64::from(scenario.content.segment_seconds),
                scenario.seconds.into(),
            ),
            misbehaviour: Punished::of(record),
            addresses_per_viewer_hour: ratio(learnt * 3_600_000_000, presence_us),
            invariant_checks: record.invariant_checks,
            event_log_hash: record.event_log_hash.clone(),
            cost: Cost {
                wall_ms: 0,
                engine_calls: record.engine_calls,
            },
            series,
            segments: record.segments.iter().map(SegmentOrigin::of).collect(),
            per_viewer: ViewerOutcome::all(record, without_peers),
            scenario_file: scenario.to_toml(),
            versions: Versions {
                swarmseal: env!("CARGO_PKG_VERSION").to_owned(),
            },
        }
    }
}

/// Bytes by source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bytes {
    /// From other viewers.
    pub peers: u64,
    /// From the origin, what viewers start with.
    pub startup: u64,
    /// From the origin, for all others.
    pub elected: u64,
    /// From the origin, because peers failed or would have been late.
    pub rescue: u64,
    /// Of what at least one viewer fetched, each once.
    pub unique: u64,
    /// Sent by viewers to viewers.
    pub sent: u64,
    /// Came twice or failed the check.
    pub wasted: u64,
}

/// Some values at a glance. Viewers that never had one count in `missing` only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spread {
    /// One half is below.
    pub median: f64,
    /// 95 % are below.
    pub p95: f64,
    /// The worst.
    pub max: f64,
    /// Viewers that should have one and have none: they were there for ten seconds.
    pub missing: u32,
}

/// A run over HTTP alone: the same viewers, links and times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WithoutPeers {
    /// Time stalled after the first frame by time that should have been played.
    pub rebuffer_ratio: f64,
    /// From arrival to the first frame.
    pub first_frame_ms: Spread,
    /// By how much first frames were later with peers, of viewers that had one in both runs; earlier ones count as 0.
    pub first_frame_later_ms: Spread,
}

/// Who carries the load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fairness {
    /// Share of the bytes sent that the busiest tenth of viewers sent.
    pub top_tenth_share: f64,
    /// The most that a viewer sent, by what its uplink or its cap allowed in all its time there.
    pub most_of_allowed: f64,
}

/// Pairs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connections {
    /// Pairs that were introduced.
    pub created: u64,
    /// Pairs that proved themselves to each other.
    pub kept: u64,
}

/// Who was punished: blamed, cut off, not dialled again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Punished {
    /// Viewers that misbehaved.
    pub misbehaving: u32,
    /// Of those, how many were punished by somebody.
    pub punished_misbehaving: u32,
    /// Viewers that did not and were punished all the same. More than none is a broken invariant.
    pub punished_honest: u32,
}

/// What the run cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// Time that it took. The simulator has no clock: who runs it fills this in.
    pub wall_ms: u64,
    /// Inputs that engines were given and outputs that they were asked for.
    pub engine_calls: u64,
}

/// By simulated second: each list has one number a second.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Series {
    /// Viewers present at its end.
    pub viewers: Vec<u32>,
    /// Viewers that stalled in it.
    pub stalled: Vec<u32>,
    /// Bytes from other viewers.
    pub peer_bytes: Vec<u64>,
    /// Bytes from the origin, what viewers start with.
    pub startup_bytes: Vec<u64>,
    /// Bytes from the origin, for all others.
    pub elected_bytes: Vec<u64>,
    /// Bytes from the origin, because peers failed or would have been late.
    pub rescue_bytes: Vec<u64>,
    /// Bytes sent by viewers.
    pub sent_bytes: Vec<u64>,
    /// Bytes that all uplinks could have carried.
    pub uplink_bytes: Vec<u64>,
}

/// What the origin gave of one segment, all renditions together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SegmentOrigin {
    /// Bytes of it that somebody fetched, each once.
    pub unique_bytes: u64,
    /// What viewers start with.
    pub startup_bytes: u64,
    /// For all others.
    pub elected_bytes: u64,
    /// Because peers failed or would have been late.
    pub rescue_bytes: u64,
}

/// One viewer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ViewerOutcome {
    /// When it came.
    pub arrived_ms: u64,
    /// When it left, if it did.
    pub left_ms: Option<u64>,
    /// Its access link.
    pub class: Class,
    /// How it misbehaves, if it does.
    pub misbehaves: Option<Misbehaving>,
    /// From arrival to the first frame.
    pub first_frame_ms: Option<f64>,
    /// The same without peers, if that was asked for.
    pub first_frame_without_peers_ms: Option<f64>,
    /// Time played.
    pub played_ms: u64,
    /// Time stalled after the first frame.
    pub stalled_ms: u64,
    /// How often.
    pub stalls: u32,
    /// Bytes from other viewers.
    pub peer_bytes: u64,
    /// Bytes from the origin, what it started with.
    pub startup_bytes: u64,
    /// Bytes from the origin, for all others.
    pub elected_bytes: u64,
    /// Bytes from the origin, because peers failed or would have been late.
    pub rescue_bytes: u64,
    /// Bytes sent to other viewers.
    pub sent_bytes: u64,
    /// Its uplink.
    pub uplink_kbps: u32,
    /// Connections that proved themselves.
    pub connections: u32,
    /// One character a segment: `.` for none of it, else the origin's part in ninths: `0` is all from viewers, `9` all
    /// from the origin. Segments after the last one that it got are left out.
    pub sources: String,
}

/// What a run was made with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Versions {
    /// Of the simulator and the engine in it.
    pub swarmseal: String,
}

impl Bytes {
    fn of(record: &Record) -> Self {
        let mut bytes = Self {
            unique: record.segments.iter().map(|segment| segment.unique).sum(),
            ..Self::default()
        };
        for viewer in &record.viewers {
            let FromOrigin {
                startup,
                elected,
                rescue,
            } = viewer.from_origin;
            bytes.peers += viewer.from_peers;
            bytes.startup += startup;
            bytes.elected += elected;
            bytes.rescue += rescue;
            bytes.sent += viewer.sent;
            bytes.wasted += viewer.wasted;
        }
        bytes
    }
}

impl Series {
    fn of(record: &Record, end_us: u64) -> Self {
        let seconds = &record.seconds;
        Self {
            viewers: seconds.iter().map(|second| second.viewers).collect(),
            stalled: seconds.iter().map(|second| second.stalled).collect(),
            peer_bytes: seconds.iter().map(|second| second.from_peers).collect(),
            startup_bytes: seconds.iter().map(|second| second.from_origin.startup).collect(),
            elected_bytes: seconds.iter().map(|second| second.from_origin.elected).collect(),
            rescue_bytes: seconds.iter().map(|second| second.from_origin.rescue).collect(),
            sent_bytes: seconds.iter().map(|second| second.sent).collect(),
            uplink_bytes: uplinks(record, end_us, |_| true),
        }
    }
}

impl Spread {
    /// Of these values, in any order.
    fn of(mut values: Vec<f64>, missing: u32) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |percent: usize| {
            values
                .get((values.len() * percent).div_ceil(100).max(1) - 1)
                .copied()
        };
        Self {
            median: at(50).unwrap_or(0.0),
            p95: at(95).unwrap_or(0.0),
            max: at(100).unwrap_or(0.0),
            missing,
        }
    }
}

impl WithoutPeers {
    fn of(record: &Record, other: &Record, end_us: u64) -> Self {
        let pairs = record.viewers.iter().zip(&other.viewers);
        let later =
            pairs.filter_map(|(with, without)| Some(wait_us(with)?.saturating_sub(wait_us(without)?)));
        Self {
            rebuffer_ratio: rebuffer_ratio(other),
            first_frame_ms: first_frames(other, end_us),
            first_frame_later_ms: Spread::of(later.map(millis).collect(), 0),
        }
    }
}

impl Fairness {
    fn of(record: &Record, end_us: u64) -> Self {
        let mut sent: Vec<u64> = record.viewers.iter().map(|viewer| viewer.sent).collect();
        sent.sort_unstable_by(|a, b| b.cmp(a));
        let top: u64 = sent.iter().take(sent.len().div_ceil(10)).sum();
        let of_allowed = |viewer: &Viewer| {
            let bits = u128::from(allowed_kbps(viewer)) * u128::from(presence_us(viewer, end_us)) / 1_000;
            ratio(viewer.sent, u64::try_from(bits / 8).unwrap_or(u64::MAX))
        };
        Self {
            top_tenth_share: ratio(top, sent.iter().sum()),
            most_of_allowed: record.viewers.iter().map(of_allowed).fold(0.0, f64::max),
        }
    }
}

impl Punished {
    fn of(record: &Record) -> Self {
        let count = |test: fn(&Viewer) -> bool| {
            u32::try_from(record.viewers.iter().filter(|viewer| test(viewer)).count()).unwrap_or(u32::MAX)
        };
        Self {
            misbehaving: count(|viewer| viewer.misbehaving.is_some()),
            punished_misbehaving: count(|viewer| viewer.misbehaving.is_some() && viewer.blamed_by > 0),
            punished_honest: count(|viewer| viewer.misbehaving.is_none() && viewer.blamed_by > 0),
        }
    }
}

impl SegmentOrigin {
    fn of(segment: &crate::record::Segment) -> Self {
        Self {
            unique_bytes: segment.unique,
            startup_bytes: segment.from_origin.startup,
            elected_bytes: segment.from_origin.elected,
            rescue_bytes: segment.from_origin.rescue,
        }
    }
}

impl ViewerOutcome {
    fn all(record: &Record, without_peers: Option<&Record>) -> Vec<Self> {
        let other = |index: usize| without_peers.and_then(|other| other.viewers.get(index));
        let viewers = record.viewers.iter().enumerate();
        viewers
            .map(|(index, viewer)| Self::of(viewer, other(index)))
            .collect()
    }

    fn of(viewer: &Viewer, without_peers: Option<&Viewer>) -> Self {
        let sources: String = viewer.segments.iter().map(source).collect();
        Self {
            arrived_ms: viewer.arrived_us / 1_000,
            left_ms: viewer.left_us.map(|left| left / 1_000),
            class: viewer.class,
            misbehaves: viewer.misbehaving,
            first_frame_ms: wait_us(viewer).map(millis),
            first_frame_without_peers_ms: without_peers.and_then(wait_us).map(millis),
            played_ms: viewer.played_us / 1_000,
            stalled_ms: viewer.stalled_us / 1_000,
            stalls: viewer.stalls,
            peer_bytes: viewer.from_peers,
            startup_bytes: viewer.from_origin.startup,
            elected_bytes: viewer.from_origin.elected,
            rescue_bytes: viewer.from_origin.rescue,
            sent_bytes: viewer.sent,
            uplink_kbps: viewer.uplink_kbps,
            connections: viewer.connections,
            sources: sources.trim_end_matches('.').to_owned(),
        }
    }
}

/// As [`ViewerOutcome::sources`] says.
fn source(segment: &Sources) -> char {
    let total = u64::from(segment.from_peers) + u64::from(segment.from_origin);
    if total == 0 {
        return '.';
    }
    let ninths = (u64::from(segment.from_origin) * 9 + total / 2) / total;
    u32::try_from(ninths)
        .ok()
        .and_then(|ninths| char::from_digit(ninths, 10))
        .unwrap_or('9')
}

/// Bytes that the uplinks of these viewers could have carried, by second.
fn uplinks(record: &Record, end_us: u64, of: fn(&Viewer) -> bool) -> Vec<u64> {
    let mut uplink_bytes = vec![0; record.seconds.len()];
    for viewer in record.viewers.iter().filter(|viewer| of(viewer)) {
        let bytes = allowed_kbps(viewer) * 1_000 / 8;
        let until_us = viewer.left_us.unwrap_or(end_us).min(end_us);
        let mut at_us = viewer.arrived_us;
        while at_us < until_us {
            let second = at_us / 1_000_000;
            let next_us = ((second + 1) * 1_000_000).min(until_us);
            let slot = usize::try_from(second)
                .ok()
                .and_then(|second| uplink_bytes.get_mut(second));
            if let Some(slot) = slot {
                *slot += bytes * (next_us - at_us) / 1_000_000;
            }
            at_us = next_us;
        }
    }
    uplink_bytes
}

/// Whether others can get anything from it.
fn gives(viewer: &Viewer) -> bool {
    let takes_only = matches!(
        viewer.misbehaving,
        Some(
            Misbehaving::Silent
                | Misbehaving::FreeRider
                | Misbehaving::Corrupts
                | Misbehaving::AnnouncesWhatItLacks
        )
    );
    viewer.class != Class::RelayOnly && !takes_only
}

fn allowed_kbps(viewer: &Viewer) -> u64 {
    let uplink = viewer.uplink_kbps;
    u64::from(viewer.upload_cap_kbps.unwrap_or(uplink).min(uplink))
}

fn presence_us(viewer: &Viewer, end_us: u64) -> u64 {
    viewer.left_us.unwrap_or(end_us).saturating_sub(viewer.arrived_us)
}

fn wait_us(viewer: &Viewer) -> Option<u64> {
    Some(viewer.first_frame_us?.saturating_sub(viewer.arrived_us))
}

fn first_frames(record: &Record, end_us: u64) -> Spread {
    let waits = record.viewers.iter().filter_map(wait_us).map(millis).collect();
    let in_vain =
        |viewer: &&Viewer| viewer.first_frame_us.is_none() && presence_us(viewer, end_us) >= PATIENCE_US;
    let missing = record.viewers.iter().filter(in_vain).count();
    Spread::of(waits, u32::try_from(missing).unwrap_or(u32::MAX))
}

fn rebuffer_ratio(record: &Record) -> f64 {
    let stalled: u64 = record.viewers.iter().map(|viewer| viewer.stalled_us).sum();
    let played: u64 = record.viewers.iter().map(|viewer| viewer.played_us).sum();
    ratio(stalled, stalled + played)
}

fn worst_second(record: &Record) -> u64 {
    let beyond_first = record
        .seconds
        .iter()
        .map(|second| second.from_origin.total().saturating_sub(second.first_segments));
    beyond_first.max().unwrap_or(0)
}

/// Nothing of nothing is nothing.
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

fn millis(us: u64) -> f64 {
    us as f64 / 1_000.0
}

#[cfg(test)]
mod tests;
