//! Who comes and goes, what viewers do in between, and what fails.

use swarmseal::content::TrackId;
use swarmseal::swarm::{Engine, EngineConfig, Input, Sharing, Timestamp};

use super::player::Player;
use super::table::Bits;
use super::title::BEGIN_UNIX_S;
use super::tracking;
use super::viewer::{Http, Profile, Viewer, ViewerId};
use super::{Event, World};
use crate::event_log::Kind;
use crate::invariants::{SpinWatch, UploadMeter};
use crate::net::{Micros, Pipe};
use crate::random::Random;
use crate::record;
use crate::scenario::{Class, ContentKind, Failing, Misbehaving, SLOW_KBPS, Start};

pub(super) const SECOND_US: Micros = 1_000_000;
/// A device's clock is off by this much at most, as the worker assumes.
const DEVICE_CLOCK_UNCERTAINTY_MS: u64 = 2 * 86_400_000;
/// Of the viewers that leave, so many in a hundred do so without their browser closing anything: a network that is gone, a
/// device that sleeps. The browsers of the others tear down their connections. An assumption.
const SILENT_PERCENT: u64 = 20;

impl World {
    /// Draws when viewers come, and plans outages.
    pub(super) fn plan(&mut self) {
        let within = u64::from(self.scenario.arrivals.within_seconds) * SECOND_US;
        let peers = u64::from(self.scenario.peers);
        let mut random = Random::new(self.seed, "arrivals", 0);
        let mut times: Vec<Micros> = (0..peers)
            .map(|number| {
                if self.scenario.arrivals.evenly {
                    within * number / peers.saturating_sub(1).max(1)
                } else {
                    random.below(within + 1)
                }
            })
            .collect();
        times.sort_unstable();
        // Time begins with the first of them.
        let first = times.first().copied().unwrap_or(0);
        for at in times {
            self.queue.push(at - first, Event::Arrive { instead_of: None });
        }
        for (number, outage) in (0_u32..).zip(&self.scenario.outages) {
            let at = u64::from(outage.from_second) * SECOND_US;
            self.queue.push(at, Event::Outage { number });
        }
        self.queue.push(SECOND_US, Event::Second);
    }

    /// A viewer comes; its page fetches the manifest, which takes a round trip.
    pub(super) fn arrive(&mut self, instead_of: Option<ViewerId>) {
        let number = self.viewers.len();
        let profile = self.profile(number, instead_of);
        let link = self
            .scenario
            .links
            .link(profile.class, self.scenario.content.kbps);
        let is_slow = profile.misbehaves == Some(Misbehaving::Slow);
        let uplink_kbps = if is_slow {
            SLOW_KBPS.min(link.uplink_kbps)
        } else {
            link.uplink_kbps
        };
        let queue_us = u64::from(link.queue_ms) * 1_000;
        let cap_percent = u64::from(self.scenario.policy.upload_cap_percent);
        let upload_bps = (cap_percent > 0).then(|| u64::from(uplink_kbps) * 10 * cap_percent);
        let ahead_us = u64::from(self.scenario.player.buffer_seconds) * SECOND_US;
        let player = Player::new(
            self.title.segment_us(),
            self.title.segments(),
            ahead_us,
            profile.first_segment,
            self.now,
        );
        let mut record = record::Viewer::new(profile.class, uplink_kbps, self.now);
        record.misbehaving = profile.misbehaves;
        record.upload_cap_kbps = upload_bps.and_then(|bps| u32::try_from(bps / 1_000).ok());
        let latency_us = u64::from(link.latency_ms) * 1_000;
        let viewer = self.viewers.push(Viewer {
            profile,
            left: false,
            engine: None,
            player,
            up: Pipe::new(uplink_kbps.into(), queue_us),
            down: Pipe::new(link.downlink_kbps.into(), queue_us),
            latency_us,
            jitter_us: u64::from(link.jitter_ms) * 1_000,
            loss_ppm: link.loss_permille * 1_000,
            upload_bps,
            upload: upload_bps.map(UploadMeter::new),
            spins: SpinWatch::default(),
            random: Random::new(self.seed, "packets", number.into()),
            fate: Random::new(self.seed, "fate", number.into()),
            wake_at: None,
            alarm_at: None,
            player_at: 0,
            held: Bits::default(),
            held_bytes: 0,
            http: Http::default(),
            peers: Vec::new(),
            tracker: None,
            told_tracker_at: 0,
            record,
            stalled_before: 0,
            start_segments: Vec::new(),
        });
        self.log.note(
            self.now,
            viewer,
            Kind::Arrived,
            u64::from(profile.first_segment),
            u64::from(uplink_kbps),
        );
        let origin_us = u64::from(self.scenario.origin.latency_ms) * 1_000;
        self.after(2 * (latency_us + origin_us), Event::Begin { viewer });
    }

    fn profile(&self, number: ViewerId, instead_of: Option<ViewerId>) -> Profile {
        let mut random = Random::new(self.seed, "profile", number.into());
        let class = self.class(&mut random);
        let misbehaving = &self.scenario.misbehaviour;
        let is_bad = random.one_of(misbehaving.percent.into(), 100);
        let kinds = misbehaving.kinds.len() as u64;
        let kind = usize::try_from(random.below(kinds)).unwrap_or(0);
        let spread = random.below(u64::from(self.title.segments() / 2).max(1));
        let predecessor = instead_of.and_then(|viewer| self.viewers.get(viewer));
        let edge = self.scenario.content.edge_segments;
        let first_segment = match (self.scenario.content.kind, self.scenario.arrivals.start) {
            (ContentKind::Live, _) => self.newest_at(self.now).saturating_add(1).saturating_sub(edge),
            // A newcomer watches what the one that it comes for watched: viewers stay as close together as they were.
            (ContentKind::Vod, _) if predecessor.is_some() => predecessor.map_or(0, |viewer| {
                u32::try_from(viewer.player.position_us() / self.title.segment_us()).unwrap_or(0)
            }),
            (ContentKind::Vod, Start::Beginning) => 0,
            (ContentKind::Vod, Start::Spread) => u32::try_from(spread).unwrap_or(0),
        };
        let hears_after_us = match self.scenario.content.kind {
            ContentKind::Vod => 0,
            // A player asks for the playlist once per segment, whenever it happened to begin.
            ContentKind::Live => random.below(self.title.segment_us()),
        };
        Profile {
            class,
            misbehaves: misbehaving.kinds.get(kind).copied().filter(|_| is_bad),
            first_segment,
            hears_after_us,
        }
    }

    fn class(&self, random: &mut Random) -> Class {
        let mut drawn = random.below(100);
        for class in Class::ALL {
            let percent = u64::from(self.scenario.links.mix.percent(class));
            if drawn < percent {
                return class;
            }
            drawn -= percent;
        }
        Class::Local
    }

    /// The manifest is here: the engine starts.
    pub(super) fn begin(&mut self, viewer: ViewerId) {
        let tracker = self.with_peers;
        let Some(owner) = self.viewers.get_mut(viewer).filter(|owner| owner.is_here()) else {
            return;
        };
        if owner.engine.is_some() {
            // The playlist was refused: the page asks again.
            self.ask_for_playlist(viewer);
            return;
        }
        let mut config = EngineConfig::new(Random::new(self.seed, "engine", viewer.into()).bytes());
        // Whoever tampers here is told by a verdict; a signature for each request would only take time.
        config.statements = false;
        config.tracker = tracker;
        config.tracker_keys = vec![tracking::key().public()];
        config.sharing = match owner.profile.misbehaves {
            _ if !tracker => Sharing::Off,
            Some(Misbehaving::FreeRider) => Sharing::Receive,
            _ => Sharing::On,
        };
        config.upload_bps = owner.upload_bps;
        config.store_bytes = u64::from(self.scenario.policy.store_mib) << 20;
        let engine = Engine::new(config, self.title.catalog(), Timestamp(self.now));
        owner.engine = Some(Box::new(engine));
        let wall = Input::WallTime {
            unix_ms: BEGIN_UNIX_S * 1_000 + self.now / 1_000,
            uncertainty_ms: DEVICE_CLOCK_UNCERTAINTY_MS,
        };
        self.feed(viewer, wall, None);
        self.ask_for_playlist(viewer);
    }

    /// A second is over: who leaves, seeks or switches, and what the second was like.
    pub(super) fn second(&mut self) {
        self.close_second();
        self.scan();
        let churn = u64::from(self.scenario.churn.per_minute_percent);
        let seeks = u64::from(self.scenario.player.seeks_per_minute_percent);
        let switches = u64::from(self.scenario.player.switches_per_minute_percent);
        for viewer in 0..self.viewers.len() {
            let segments = u64::from(self.title.segments());
            let renditions = u64::from(self.title.renditions());
            let Some(owner) = self.viewers.get_mut(viewer).filter(|owner| owner.is_here()) else {
                continue;
            };
            // Percent in a minute is so many in 6,000 in a second. All three are drawn, so that one does not change another.
            let fate = &mut owner.fate;
            let [leaves, seeks, switches] = [churn, seeks, switches].map(|rate| fate.one_of(rate, 6_000));
            let [after, silent, segment, track] =
                [SECOND_US, 100, segments, renditions].map(|bound| fate.below(bound));
            if leaves {
                let silently = silent < SILENT_PERCENT;
                self.after(after, Event::Leave { viewer, silently });
            } else if seeks {
                self.seek(viewer, u32::try_from(segment).unwrap_or(0));
            } else if switches {
                let track = u16::try_from(track + 1).unwrap_or(1);
                self.switch(viewer, TrackId(track));
            }
        }
        self.queue.push(self.now + SECOND_US, Event::Second);
    }

    /// A viewer is gone in the middle of whatever it did.
    pub(super) fn leave(&mut self, viewer: ViewerId, silently: bool) {
        let now = self.now;
        let Some(owner) = self.viewers.get_mut(viewer).filter(|owner| owner.is_here()) else {
            return;
        };
        owner.player.advance(now);
        owner.left = true;
        owner.record.left_us = Some(now);
        self.log.note(now, viewer, Kind::Left, u64::from(silently), 0);
        self.settle(viewer);
        self.abandon_links(viewer, silently);
        if silently {
            // The tracker hears nothing more of it.
            if let Some(owner) = self.viewers.get_mut(viewer) {
                owner.tracker = None;
            }
        } else {
            self.hang_up(viewer);
        }
        if let Some(owner) = self.viewers.get_mut(viewer) {
            owner.engine = None;
            owner.http = Http::default();
            owner.held = Bits::default();
        }
        if self.scenario.churn.replace {
            self.queue.push(
                now,
                Event::Arrive {
                    instead_of: Some(viewer),
                },
            );
        }
    }

    pub(super) fn outage(&mut self, number: u32) {
        let Some(outage) = self.scenario.outages.get(number as usize).cloned() else {
            return;
        };
        let until = self.now + u64::from(outage.seconds) * SECOND_US;
        self.log
            .note(self.now, 0, Kind::OutageBegun, u64::from(number), until);
        match outage.what {
            Failing::Tracker => self.fail_tracker(until),
            Failing::Origin => {
                self.origin_down_until = until;
                self.break_off_fetches();
            }
            Failing::Partition => {
                self.parted_until = until;
                self.cut_links(until);
            }
        }
    }
}
