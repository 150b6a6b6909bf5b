//! How viewers are connected: classes of access links and who reaches whom.

use serde::{Deserialize, Serialize};

use super::class_or_value;

/// How viewers are connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Links {
    /// Loss of all classes.
    #[serde(with = "class_or_value")]
    pub loss_permille: Option<u32>,
    /// Latency of all classes.
    #[serde(with = "class_or_value")]
    pub latency_ms: Option<u32>,
    /// Jitter of all classes.
    #[serde(with = "class_or_value")]
    pub jitter_ms: Option<u32>,
    /// All uplinks are scaled alike so that their mean is this many percent of the stream's rate.
    #[serde(with = "class_or_value")]
    pub mean_uplink_percent: Option<u32>,
    /// Mean length of a burst of losses, in packets.
    pub loss_burst_packets: u32,
    /// Percent of viewers by class.
    pub mix: Mix,
    /// Full fibre.
    #[serde(deserialize_with = "partial::fibre")]
    pub fibre: Link,
    /// Copper, VDSL.
    #[serde(deserialize_with = "partial::dsl")]
    pub dsl: Link,
    /// 4G.
    #[serde(deserialize_with = "partial::mobile")]
    pub mobile: Link,
    /// An office's NAT.
    #[serde(deserialize_with = "partial::office")]
    pub office: Link,
    /// Nothing but a relay gets through.
    #[serde(deserialize_with = "partial::relay_only")]
    pub relay_only: Link,
    /// All on one machine.
    #[serde(deserialize_with = "partial::local")]
    pub local: Link,
}

/// Percent of viewers by class; 100 in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mix {
    /// Full fibre.
    #[serde(default)]
    pub fibre: u32,
    /// Copper, VDSL.
    #[serde(default)]
    pub dsl: u32,
    /// 4G.
    #[serde(default)]
    pub mobile: u32,
    /// An office's NAT.
    #[serde(default)]
    pub office: u32,
    /// Nothing but a relay gets through.
    #[serde(default)]
    pub relay_only: u32,
    /// All on one machine.
    #[serde(default)]
    pub local: u32,
}

/// One access link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// To the viewer.
    pub downlink_kbps: u32,
    /// From the viewer.
    pub uplink_kbps: u32,
    /// One way, to the middle of the network.
    pub latency_ms: u32,
    /// Added to the latency, drawn between nothing and this.
    pub jitter_ms: u32,
    /// Of packets.
    pub loss_permille: u32,
    /// How long a full queue of the uplink lasts.
    pub queue_ms: u32,
}

/// Kind of access link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Full fibre.
    Fibre,
    /// Copper, VDSL.
    Dsl,
    /// 4G.
    Mobile,
    /// An office's NAT: reaches others, but not its like.
    Office,
    /// Nothing but a relay gets through, and there is none in the model.
    RelayOnly,
    /// All on one machine.
    Local,
}

impl Class {
    /// All of them, in the order of [`Mix`].
    pub const ALL: [Self; 6] = [
        Self::Fibre,
        Self::Dsl,
        Self::Mobile,
        Self::Office,
        Self::RelayOnly,
        Self::Local,
    ];

    /// Whether a pair of these can connect.
    pub fn reaches(self, other: Self) -> bool {
        let apart = matches!((self, other), (Self::Office, Self::Office));
        self != Self::RelayOnly && other != Self::RelayOnly && !apart
    }

    /// As it is written in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fibre => "fibre",
            Self::Dsl => "dsl",
            Self::Mobile => "mobile",
            Self::Office => "office",
            Self::RelayOnly => "relay_only",
            Self::Local => "local",
        }
    }
}

impl Mix {
    /// Percent of viewers in a class.
    pub fn percent(&self, class: Class) -> u32 {
        match class {
            Class::Fibre => self.fibre,
            Class::Dsl => self.dsl,
            Class::Mobile => self.mobile,
            Class::Office => self.office,
            Class::RelayOnly => self.relay_only,
            Class::Local => self.local,
        }
    }
}

impl Links {
    /// The link of a class with what holds for all classes, for a stream of this rate.
    pub fn link(&self, class: Class, stream_kbps: u32) -> Link {
        let own = self.own(class);
        Link {
            downlink_kbps: own.downlink_kbps,
            uplink_kbps: self.scaled_uplink(own.uplink_kbps, stream_kbps),
            latency_ms: self.latency_ms.unwrap_or(own.latency_ms),
            jitter_ms: self.jitter_ms.unwrap_or(own.jitter_ms),
            loss_permille: self.loss_permille.unwrap_or(own.loss_permille),
            queue_ms: own.queue_ms,
        }
    }

    /// As the file says, before what holds for all classes.
    pub(super) fn own(&self, class: Class) -> Link {
        match class {
            Class::Fibre => self.fibre,
            Class::Dsl => self.dsl,
            Class::Mobile => self.mobile,
            Class::Office => self.office,
            Class::RelayOnly => self.relay_only,
            Class::Local => self.local,
        }
    }

    fn scaled_uplink(&self, own_kbps: u32, stream_kbps: u32) -> u32 {
        let Some(percent) = self.mean_uplink_percent else {
            return own_kbps;
        };
        let total: u64 = Class::ALL
            .iter()
            .map(|class| u64::from(self.mix.percent(*class)) * u64::from(self.own(*class).uplink_kbps))
            .sum();
        // The mean is total / 100, the target stream × percent / 100.
        let target = u64::from(stream_kbps) * u64::from(percent);
        let scaled = u64::from(own_kbps) * target / total.max(1);
        u32::try_from(scaled).unwrap_or(u32::MAX).max(1)
    }
}

impl Default for Links {
    fn default() -> Self {
        Self {
            loss_permille: None,
            latency_ms: None,
            jitter_ms: None,
            mean_uplink_percent: None,
            loss_burst_packets: 4,
            mix: Mix::default(),
            fibre: FIBRE,
            dsl: DSL,
            mobile: MOBILE,
            office: OFFICE,
            relay_only: RELAY_ONLY,
            local: LOCAL,
        }
    }
}

impl Default for Mix {
    fn default() -> Self {
        Self {
            fibre: 30,
            dsl: 40,
            mobile: 20,
            office: 10,
            relay_only: 0,
            local: 0,
        }
    }
}

/// A file names only what it wants otherwise than the class has it.
mod partial {
    use serde::{Deserialize, Deserializer};

    use super::{DSL, FIBRE, LOCAL, Link, MOBILE, OFFICE, RELAY_ONLY};

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Partial {
        downlink_kbps: Option<u32>,
        uplink_kbps: Option<u32>,
        latency_ms: Option<u32>,
        jitter_ms: Option<u32>,
        loss_permille: Option<u32>,
        queue_ms: Option<u32>,
    }

    fn over<'de, D: Deserializer<'de>>(own: Link, deserializer: D) -> Result<Link, D::Error> {
        let named = Partial::deserialize(deserializer)?;
        Ok(Link {
            downlink_kbps: named.downlink_kbps.unwrap_or(own.downlink_kbps),
            uplink_kbps: named.uplink_kbps.unwrap_or(own.uplink_kbps),
            latency_ms: named.latency_ms.unwrap_or(own.latency_ms),
            jitter_ms: named.jitter_ms.unwrap_or(own.jitter_ms),
            loss_permille: named.loss_permille.unwrap_or(own.loss_permille),
            queue_ms: named.queue_ms.unwrap_or(own.queue_ms),
        })
    }

    pub(super) fn fibre<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Link, D::Error> {
        over(FIBRE, deserializer)
    }

    pub(super) fn dsl<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Link, D::Error> {
        over(DSL, deserializer)
    }

    pub(super) fn mobile<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Link, D::Error> {
        over(MOBILE, deserializer)
    }

    pub(super) fn office<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Link, D::Error> {
        over(OFFICE, deserializer)
    }

    pub(super) fn relay_only<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Link, D::Error> {
        over(RELAY_ONLY, deserializer)
    }

    pub(super) fn local<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Link, D::Error> {
        over(LOCAL, deserializer)
    }
}

// Where these figures come from is said in the documented default file.

const FIBRE: Link = Link {
    downlink_kbps: 150_000,
    uplink_kbps: 30_000,
    latency_ms: 4,
    jitter_ms: 1,
    loss_permille: 1,
    queue_ms: 100,
};

const DSL: Link = Link {
    downlink_kbps: 40_000,
    uplink_kbps: 10_000,
    latency_ms: 8,
    jitter_ms: 3,
    loss_permille: 2,
    queue_ms: 200,
};

const MOBILE: Link = Link {
    downlink_kbps: 29_500,
    uplink_kbps: 7_600,
    latency_ms: 16,
    jitter_ms: 10,
    loss_permille: 4,
    queue_ms: 300,
};

const OFFICE: Link = Link {
    downlink_kbps: 100_000,
    uplink_kbps: 20_000,
    latency_ms: 6,
    jitter_ms: 2,
    loss_permille: 1,
    queue_ms: 100,
};

const RELAY_ONLY: Link = Link {
    downlink_kbps: 40_000,
    uplink_kbps: 10_000,
    latency_ms: 8,
    jitter_ms: 3,
    loss_permille: 2,
    queue_ms: 200,
};

const LOCAL: Link = Link {
    downlink_kbps: 1_000_000,
    uplink_kbps: 1_000_000,
    latency_ms: 0,
    jitter_ms: 0,
    loss_permille: 0,
    queue_ms: 100,
};
