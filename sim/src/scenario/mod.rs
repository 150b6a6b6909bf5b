//! What is simulated: a TOML file, checked, with a documented default for every field.
//!
//! [`DEFAULT_TOML`] is the documented default file: every field with its unit, its default, and the source of the figure
//! where there is one. A field that is not known is an error that names it.

mod built_in;
mod check;
mod class_or_value;
mod links;
mod read;

use serde::{Deserialize, Serialize};

pub use built_in::{BUILT_IN, BuiltIn, built_in};
pub use links::{Class, Link, Links, Mix};
pub use read::{Change, ScenarioError};

/// The documented default file.
pub const DEFAULT_TOML: &str = include_str!("default.toml");

/// One set-up of a world. Everything else that a run hangs on is its seed.
///
/// Made by [`Scenario::read`] or changed by hand; [`crate::run`] checks it in either case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// The name that it was found under: a built-in one or the path of a file.
    #[serde(skip)]
    pub name: String,
    /// One line for people.
    pub about: String,
    /// Simulated seconds after the first arrival.
    pub seconds: u32,
    /// Viewers that come, those that churn brings apart.
    pub peers: u32,
    /// Exposure mode of the tracker.
    pub exposure: Exposure,
    /// Whether the tracker lists a viewer as a source only once it has shown chunks of what it announced, of a title…
    pub challenges: bool,
    /// … and of a live content.
    pub live_challenges: bool,
    /// What is watched.
    pub content: Content,
    /// When viewers come.
    pub arrivals: Arrivals,
    /// How they leave.
    pub churn: Churn,
    /// How they are connected.
    pub links: Links,
    /// What their players do.
    pub player: Player,
    /// What their pages allow.
    pub policy: Policy,
    /// Who does not keep to the protocol.
    pub misbehaviour: Misbehaviour,
    /// What is behind HTTP.
    pub origin: Origin,
    /// What fails, and when.
    #[serde(rename = "outage")]
    pub outages: Vec<Outage>,
}

/// Exposure mode of the tracker: how many introductions a viewer may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exposure {
    /// 30 at first, then 3 a minute.
    #[default]
    Direct,
    /// 8 at first, then 5 an hour, whoever asked.
    Guarded,
    /// As direct, and all goes through relays: no address is learnt.
    Relay,
}

/// What is watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Content {
    /// On demand or live.
    pub kind: ContentKind,
    /// Segments of each rendition.
    pub segments: u32,
    /// Duration of a segment.
    pub segment_seconds: u32,
    /// Rate of the first rendition; each further one has half the rate of the one before.
    pub kbps: u32,
    /// Video tracks.
    pub renditions: u32,
    /// Live: segments behind the newest complete one at which a viewer starts.
    pub edge_segments: u32,
}

/// On demand or live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentKind {
    /// All of it is at the origin from the start.
    #[default]
    Vod,
    /// A segment is at the origin once its time has come.
    Live,
}

/// When viewers come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Arrivals {
    /// The last one comes this long after the first.
    pub within_seconds: u32,
    /// At equal distances instead of drawn ones.
    pub evenly: bool,
    /// Where in a title they start; a live stream is joined at its edge.
    pub start: Start,
}

/// Where in a title viewers start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// With its first segment.
    #[default]
    Beginning,
    /// Anywhere in its first half.
    Spread,
}

/// How viewers leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Churn {
    /// Percent of those present that leave in a minute.
    pub per_minute_percent: u32,
    /// Whether a newcomer takes the place of each.
    pub replace: bool,
}

/// What players do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Player {
    /// What is kept buffered ahead.
    pub buffer_seconds: u32,
    /// Percent of viewers that seek in a minute.
    pub seeks_per_minute_percent: u32,
    /// Percent of viewers that change the rendition in a minute.
    pub switches_per_minute_percent: u32,
}

/// What pages allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Upload cap in percent of the uplink; 0 for none.
    pub upload_cap_percent: u32,
    /// What is kept of the title, in MiB.
    pub store_mib: u32,
}

/// Who does not keep to the protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Misbehaviour {
    /// Percent of viewers.
    pub percent: u32,
    /// Each of them does one of these, in turn.
    pub kinds: Vec<Misbehaving>,
}

/// A way not to keep to the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Misbehaving {
    /// Sends other bytes than were asked for.
    Corrupts,
    /// Takes requests and never answers.
    Silent,
    /// Answers, but at [`SLOW_KBPS`].
    Slow,
    /// Says that it holds everything.
    AnnouncesWhatItLacks,
    /// Takes and gives nothing.
    FreeRider,
}

/// Uplink of a viewer that is [`Misbehaving::Slow`].
pub const SLOW_KBPS: u32 = 64;

/// What is behind HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Origin {
    /// One way, from the middle of the network.
    pub latency_ms: u32,
    /// To one viewer at most.
    pub kbps: u32,
}

/// Something fails for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// What.
    pub what: Failing,
    /// Simulated time of its begin.
    pub from_second: u32,
    /// How long.
    pub seconds: u32,
}

/// What can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failing {
    /// Connections to the tracker end and no new ones are made.
    Tracker,
    /// Requests over HTTP fail.
    Origin,
    /// The viewers are in two halves that do not reach each other.
    Partition,
}

impl Scenario {
    /// Rate of a rendition, from 0 on, in kbit/s.
    pub fn rendition_kbps(&self, rendition: u32) -> u32 {
        (self.content.kbps >> rendition.min(31)).max(1)
    }

    /// Duration of the title in seconds.
    pub fn title_seconds(&self) -> u32 {
        self.content.segments * self.content.segment_seconds
    }
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            name: String::new(),
            about: String::new(),
            seconds: 180,
            peers: 60,
            exposure: Exposure::default(),
            challenges: true,
            live_challenges: false,
            content: Content::default(),
            arrivals: Arrivals::default(),
            churn: Churn::default(),
            links: Links::default(),
            player: Player::default(),
            policy: Policy::default(),
            misbehaviour: Misbehaviour::default(),
            origin: Origin::default(),
            outages: Vec::new(),
        }
    }
}

impl Default for Content {
    fn default() -> Self {
        Self {
            kind: ContentKind::Vod,
            segments: 150,
            segment_seconds: 2,
            kbps: 1_500,
            renditions: 1,
            edge_segments: 3,
        }
    }
}

impl Default for Arrivals {
    fn default() -> Self {
        Self {
            within_seconds: 60,
            evenly: false,
            start: Start::Beginning,
        }
    }
}

impl Default for Churn {
    fn default() -> Self {
        Self {
            per_minute_percent: 0,
            replace: true,
        }
    }
}

impl Default for Player {
    fn default() -> Self {
        Self {
            buffer_seconds: 12,
            seeks_per_minute_percent: 0,
            switches_per_minute_percent: 0,
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            upload_cap_percent: 0,
            store_mib: 64,
        }
    }
}

impl Default for Misbehaviour {
    fn default() -> Self {
        Self {
            percent: 0,
            kinds: vec![Misbehaving::Corrupts],
        }
    }
}

impl Default for Origin {
    fn default() -> Self {
        Self {
            latency_ms: 20,
            kbps: 20_000,
        }
    }
}

#[cfg(test)]
mod tests;
