//! The engine itself: its state, the drain contract, and where each input goes.

use alloc::borrow::ToOwned;
use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::ordered::{OrderedMap, OrderedSet};

use super::claims::Claims;
use super::demands::{ActiveTrack, Demand};
use super::fetch::{Fetch, HttpMeter};
use super::limits::MAX_BANNED;
use super::live::Live;
use super::object::Object;
use super::peer::Peer;
use super::schedule::Want;
use super::serve::UploadBudget;
use super::session::Session;
use super::sheets::SheetState;
use super::timer::{Timer, TimerTable};
use super::{
    ApiMisuse, DemandId, EngineConfig, Event, FetchId, HttpReason, Input, Output, PeerId, PeerStats,
    SegmentStats, Sharing, Stats, Timestamp, TrackStats, Traffic,
};
use crate::content::{Catalog, ObjectId, Sheet, TrackId, TrackKind, WallTime};
use crate::identity::{Drbg, EphemeralKeys, Handle};

/// Where the player is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Player {
    pub(super) position_us: u64,
    pub(super) rate_milli: u32,
    pub(super) buffered_end_us: u64,
    pub(super) paused: bool,
    pub(super) seeking: bool,
    pub(super) at: Timestamp,
}

/// The engine of one content. See the [module documentation](super) for its contract.
pub struct Engine {
    pub(super) config: EngineConfig,
    pub(super) catalog: Catalog,
    pub(super) keys: EphemeralKeys,
    pub(super) rng: Drbg,
    /// What this viewer begins with where others should begin with something else.
    pub(super) draw: u32,
    pub(super) now: Timestamp,
    pub(super) wall: WallTime,
    /// When `wall` was right.
    pub(super) wall_at: Timestamp,
    pub(super) outputs: VecDeque<Output>,
    drained: bool,
    pub(super) timers: TimerTable,
    /// Something changed that may change what to fetch.
    pub(super) dirty: bool,
    pub(super) player: Option<Player>,
    pub(super) demands: OrderedMap<DemandId, Demand>,
    /// What was wanted when that was looked at last, most needed first.
    pub(super) wants: Vec<Want>,
    pub(super) active: OrderedMap<TrackId, ActiveTrack>,
    pub(super) objects: OrderedMap<ObjectId, Object>,
    pub(super) store_bytes: u64,
    pub(super) fetches: OrderedMap<FetchId, Fetch>,
    pub(super) sheets: OrderedMap<Sheet, SheetState>,
    pub(super) http: HttpMeter,
    pub(super) peers: OrderedMap<PeerId, Peer>,
    pub(super) banned: VecDeque<Handle>,
    pub(super) session: Session,
    pub(super) claims: Claims,
    /// Of a live content.
    pub(super) live: Option<Live>,
    /// What has to be added to the player's times to give media time, microseconds.
    #[cfg(feature = "live")]
    pub(super) timeline_offset_us: i64,
    pub(super) budget: UploadBudget,
    pub(super) changed: OrderedSet<ObjectId>,
    next_fetch: u32,
    next_peer: u32,
    pub(super) next_request: u32,
    pub(super) traffic: Traffic,
    pub(super) media: Traffic,
    pub(super) connections_made: u32,
    pub(super) connections_proved: u32,
    pub(super) failures: OrderedMap<String, u32>,
    pub(super) http_reasons: OrderedMap<HttpReason, u32>,
    pub(super) blamed: u32,
}

impl Engine {
    /// An engine for what `catalog` describes. Nothing happens before the first input.
    pub fn new(config: EngineConfig, catalog: Catalog, now: Timestamp) -> Self {
        let mut rng = Drbg::new(config.seed);
        let mut key_seed = [0; 32];
        rng.fill(&mut key_seed);
        let mut draw = [0; 4];
        rng.fill(&mut draw);
        let budget = UploadBudget::new(config.upload_bps, config.upload_bytes, now);
        let mut timers = TimerTable::default();
        #[cfg(feature = "live")]
        let live = Live::of(&catalog, config.live_memory);
        #[cfg(not(feature = "live"))]
        let live = Live::of(&catalog);
        if live.is_some() {
            // The tracker is joined with the first head.
            timers.set(Timer::Live, now);
        } else if config.tracker && config.sharing != Sharing::Off {
            timers.set(Timer::Session, now);
        }
        Self {
            keys: EphemeralKeys::from_seed(key_seed),
            session: Session::new(config.tracker),
            claims: Claims::default(),
            live,
            #[cfg(feature = "live")]
            timeline_offset_us: 0,
            config,
            catalog,
            rng,
            draw: u32::from_le_bytes(draw),
            now,
            wall: WallTime {
                unix_s: 0,
                uncertainty_s: u32::MAX,
            },
            wall_at: now,
            outputs: VecDeque::new(),
            drained: true,
            timers,
            dirty: false,
            player: None,
            demands: OrderedMap::new(),
            wants: Vec::new(),
            active: OrderedMap::new(),
            objects: OrderedMap::new(),
            store_bytes: 0,
            fetches: OrderedMap::new(),
            sheets: OrderedMap::new(),
            http: HttpMeter::default(),
            peers: OrderedMap::new(),
            banned: VecDeque::new(),
            budget,
            changed: OrderedSet::new(),
            next_fetch: 0,
            next_peer: 0,
            next_request: 0,
            traffic: Traffic::default(),
            media: Traffic::default(),
            connections_made: 0,
            connections_proved: 0,
            failures: OrderedMap::new(),
            http_reasons: OrderedMap::new(),
            blamed: 0,
        }
    }

    /// Takes one input. Drain [`Engine::poll_output`] before the next.
    ///
    /// # Errors
    ///
    /// Only for wrong use by the caller; what a peer, a server or the tracker did wrong is an output.
    pub fn handle_input(&mut self, now: Timestamp, input: Input<'_>) -> Result<(), ApiMisuse> {
        if !self.drained {
            return Err(ApiMisuse::UndrainedOutput);
        }
        if now < self.now {
            return Err(ApiMisuse::TimeWentBackwards);
        }
        if let Input::Demand { id, .. } = &input
            && self.demands.contains_key(id)
        {
            return Err(ApiMisuse::DemandIdInUse);
        }
        self.now = now;
        self.drained = false;
        match input {
            Input::Tick => {}
            Input::Demand {
                id,
                path,
                range,
                deadline,
                plays_at_us,
            } => self.demand(id, path, range, deadline, plays_at_us),
            Input::CancelDemand { id } => self.cancel_demand(id),
            Input::Player {
                position_us,
                rate_milli,
                buffered_end_us,
                paused,
                seeking,
            } => {
                self.player = Some(Player {
                    position_us,
                    rate_milli,
                    buffered_end_us,
                    paused,
                    seeking,
                    at: now,
                });
                self.dirty = true;
            }
            Input::Policy {
                sharing,
                upload_bps,
                upload_bytes,
            } => self.set_policy(sharing, upload_bps, upload_bytes),
            Input::WallTime {
                unix_ms,
                uncertainty_ms,
            } => self.set_wall_time(unix_ms, uncertainty_ms),
            Input::FetchPiece {
                fetch,
                piece,
                payload,
            } => self.fetch_piece(fetch, piece, payload),
            Input::FetchSheet { fetch, bytes } => self.fetch_sheet(fetch, bytes),
            Input::FetchEnded { fetch, outcome } => self.fetch_ended(fetch, outcome),
            Input::TrackerOpened => self.tracker_opened(),
            Input::TrackerClosed => self.tracker_closed("connection_closed"),
            Input::Tracker(message) => self.tracker_message(message),
            Input::LocalDescription { peer, sdp } => self.local_description(peer, sdp),
            Input::LocalCandidate { peer, line } => self.local_candidate(peer, line),
            Input::LocalCandidatesEnd { peer } => self.local_candidates_end(peer),
            Input::PeerFailed { peer, reason } => self.peer_failed(peer, reason),
            Input::PeerOpened { peer } => self.peer_opened(peer),
            Input::PeerClosed { peer } => self.peer_gone(peer),
            Input::Message { peer, bytes } => self.peer_message(peer, bytes),
            Input::Data { peer, head, payload } => self.peer_data(peer, head, payload),
            Input::Writable { peer, buffered } => self.peer_writable(peer, buffered),
        }
        self.run_timers();
        if self.dirty {
            self.dirty = false;
            self.schedule();
        }
        Ok(())
    }

    /// The next thing to do. Call it until it says [`Output::Idle`].
    pub fn poll_output(&mut self) -> Output {
        match self.outputs.pop_front() {
            Some(output) => output,
            None => {
                self.drained = true;
                Output::Idle {
                    wake_at: self.timers.next(),
                }
            }
        }
    }

    /// Who this peer is to others, in this swarm and for this stay.
    pub fn handle(&self) -> Handle {
        self.keys.handle()
    }

    /// What is verified so far.
    pub const fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Counters and connections, for a page.
    pub fn stats(&self) -> Stats {
        Stats {
            traffic: self.traffic,
            media: self.media,
            peers: self
                .peers
                .values()
                .map(|peer| PeerStats {
                    peer: peer.id.0,
                    handle: peer.handle.to_string(),
                    state: match peer.stage {
                        super::peer::Stage::Dialling => "connecting",
                        super::peer::Stage::Proving(_) => "proving",
                        super::peer::Stage::Ready(_) => "ready",
                    },
                    received: peer.received,
                    sent: peer.sent,
                    rate: peer.download.rate(),
                    rtt_us: peer.rtt_us,
                    segments: peer.holdings.segments(),
                })
                .collect(),
            connections_made: self.connections_made,
            connections_proved: self.connections_proved,
            failures: self
                .failures
                .iter()
                .map(|(code, count)| (code.clone(), *count))
                .collect(),
            http_reasons: self
                .http_reasons
                .iter()
                .map(|(reason, count)| (*reason, *count))
                .collect(),
            blamed: self.blamed,
            tracker: self.session.state_name(),
            handle: self.session.is_joined().then(|| self.keys.handle().to_string()),
            store_bytes: self.store_bytes,
            store_limit: self.config.store_bytes,
            upload_bps: self.config.upload_bps,
            upload_bytes_left: self.budget.bytes_left(),
            http_rate: self.http.rate(),
            demands: u32::try_from(self.demands.len()).unwrap_or(u32::MAX),
            #[cfg(feature = "live")]
            live: self.live_stats(),
            tracks: self
                .catalog
                .tracks()
                .map(|track| TrackStats {
                    id: track.id.0,
                    kind: match track.kind {
                        TrackKind::Video => "video",
                        TrackKind::Audio => "audio",
                        TrackKind::Text => "text",
                        TrackKind::Files => "files",
                    },
                    media_type: track.media_type.clone(),
                    bitrate: track.bitrate,
                    segments: track.segments,
                })
                .collect(),
        }
    }

    /// Every object that is wanted, arriving or held; the store's limit bounds the list.
    pub fn segments(&self) -> Vec<SegmentStats> {
        self.objects
            .iter()
            .map(|(id, object)| SegmentStats {
                track: id.track.0,
                index: id.index,
                start_us: object.info.start_us,
                duration_us: object.info.duration_us,
                chunks: object.info.chunks,
                verified: object.verified_chunks(),
                from_peers: object.from_peers,
                from_http: object.from_http,
                http_reason: object.http_reason,
            })
            .collect()
    }

    fn run_timers(&mut self) {
        for timer in Timer::ALL {
            if !self.timers.take_due(timer, self.now) {
                continue;
            }
            match timer {
                Timer::Schedule => self.dirty = true,
                Timer::Announce => self.announce_to_peers(),
                Timer::Upload => self.pump_uploads(),
                Timer::Peers => self.check_peers(),
                Timer::Session => self.session_tick(),
                Timer::Live => self.live_tick(),
            }
        }
    }

    fn set_policy(&mut self, sharing: Sharing, upload_bps: Option<u64>, upload_bytes: Option<u64>) {
        self.config.upload_bps = upload_bps;
        self.config.upload_bytes = upload_bytes;
        self.budget.set_cap(upload_bps, upload_bytes, self.now);
        let before = core::mem::replace(&mut self.config.sharing, sharing);
        match sharing {
            Sharing::Off => self.leave_swarm(),
            Sharing::On | Sharing::Receive => {
                if before == Sharing::Off && self.config.tracker {
                    self.timers.set(Timer::Session, self.now);
                }
                self.set_choking(sharing != Sharing::On || self.budget.is_exhausted(self.now));
                if before != sharing {
                    self.sharing_changed();
                }
            }
        }
        self.pump_uploads();
        self.dirty = true;
    }

    fn set_wall_time(&mut self, unix_ms: u64, uncertainty_ms: u64) {
        self.wall = WallTime {
            unix_s: unix_ms / 1_000,
            uncertainty_s: u32::try_from(uncertainty_ms.div_ceil(1_000)).unwrap_or(u32::MAX),
        };
        self.wall_at = self.now;
    }

    /// Wall time now, carried on by the monotonic clock.
    pub(super) fn wall_now(&self) -> WallTime {
        WallTime {
            unix_s: self
                .wall
                .unix_s
                .saturating_add(self.now.since(self.wall_at) / 1_000_000),
            uncertainty_s: self.wall.uncertainty_s,
        }
    }

    pub(super) fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(super) fn fresh_fetch_id(&mut self) -> FetchId {
        self.next_fetch = self.next_fetch.wrapping_add(1);
        FetchId(self.next_fetch)
    }

    pub(super) fn fresh_peer_id(&mut self) -> PeerId {
        self.next_peer = self.next_peer.wrapping_add(1);
        PeerId(self.next_peer)
    }

    pub(super) fn ban(&mut self, handle: Handle) {
        if self.banned.len() >= MAX_BANNED {
            self.banned.pop_front();
        }
        self.banned.push_back(handle);
    }

    pub(super) fn count_failure(&mut self, code: &str) {
        // Codes are our own constants and the transport's short list; the bound is for safety.
        if self.failures.len() < 64 || self.failures.contains_key(code) {
            *self.failures.entry(code.to_owned()).or_default() += 1;
        }
    }

    /// Counts bytes for all objects and, apart, for media tracks.
    pub(super) fn count_traffic(&mut self, object: ObjectId, count: impl Fn(&mut Traffic)) {
        count(&mut self.traffic);
        if object.track.0 != 0 {
            count(&mut self.media);
        }
    }
}
