//! One join: a verified manifest and the engine that serves it.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::batch::Batch;
use super::config::{PeerConfig, Policy};
use super::error::BridgeError;
use super::fields::Unreadable;
use super::{json, poison, tracker_message};
use crate::content::{CHUNK, Catalog, RollbackMemory, normalise_path, strip_base};
use crate::signal::MAX_SIGNAL_TEXT;
use crate::swarm::{DemandId, Engine, FetchId, FetchOutcome, Input, Output, PeerId, Timestamp};
use crate::wire::DATA_HEAD;

/// Length of the head of a data-channel message; what follows is payload.
#[wasm_bindgen(js_name = dataHeadLength)]
#[must_use]
#[expect(non_snake_case, reason = "a constant: wasm-bindgen exports functions only")]
pub fn DATA_HEAD_LEN() -> u32 {
    DATA_HEAD as u32
}

/// Longest text that a tracker may send; a longer one must not be parsed.
#[wasm_bindgen(js_name = maxTrackerText)]
#[must_use]
#[expect(non_snake_case, reason = "a constant: wasm-bindgen exports functions only")]
pub fn MAX_TRACKER_TEXT() -> u32 {
    MAX_SIGNAL_TEXT as u32
}

/// The version of this build.
#[wasm_bindgen(js_name = version)]
#[must_use]
pub fn build_version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// One join. Every method that takes `now` (microseconds on a monotonic clock) is one engine input; call
/// [`Peer::drain`] after each of them and do what the batch says before the next.
#[wasm_bindgen]
pub struct Peer {
    engine: Engine,
    memory: RollbackMemory,
    manifest_url: String,
    inbox: Vec<u8>,
    batch: Batch,
}

#[wasm_bindgen]
impl Peer {
    /// Verifies a sealed manifest, as `config` says, and makes an engine for it. `seed` is 32 bytes that nobody can guess.
    ///
    /// # Errors
    /// The rule that refuses the manifest, or the field of `config` or the seed that is wrong.
    #[wasm_bindgen(constructor)]
    pub fn new(config: JsValue, seed: &[u8], sealed: &[u8], now: f64) -> Result<Self, JsValue> {
        poison::check()?;
        let seed = <[u8; 32]>::try_from(seed).map_err(|_| BridgeError::InvalidOption(Unreadable("seed")))?;
        let mut config = PeerConfig::read(&config)?;
        let mut trust = config.trust();
        #[cfg(feature = "live")]
        let verified = trust.verify_live(sealed, config.wall_time());
        #[cfg(not(feature = "live"))]
        let verified = trust.verify(sealed, config.wall_time());
        let verified = verified.map_err(BridgeError::from)?;
        let engine_config = config.engine(seed, verified.manifest());
        // Claimed at once and given back to the heap: the module's memory grows now, when it can be counted, and no more.
        let when_full = usize::try_from(engine_config.store_bytes).unwrap_or(usize::MAX) / STORE_PER_HEAP;
        let mut inbox = Vec::with_capacity(INBOX_RESERVED + ROWS_CLAIMED + when_full.min(MAX_CLAIMED));
        inbox.shrink_to(INBOX_RESERVED);
        Ok(Self {
            engine: Engine::new(engine_config, Catalog::new(verified), micros(now)),
            memory: trust.memory().clone(),
            manifest_url: config.manifest_url,
            inbox,
            batch: Batch::default(),
        })
    }

    /// What was verified, as JSON: `{ content, version, expires, memory }`; `memory` is for the page to keep.
    ///
    /// # Errors
    /// Only after a panic.
    pub fn joined(&self) -> Result<String, JsValue> {
        poison::check()?;
        let manifest = self.engine.catalog().manifest();
        Ok(json::text(&JoinedInfo {
            content: manifest.content_id.to_string(),
            version: manifest.version,
            expires: manifest.expires,
            memory: &self.memory,
        }))
    }

    /// The normal form of the path that `url` (absolute) has below the content's base; `undefined` if there is none.
    #[wasm_bindgen(js_name = pathOf)]
    #[must_use]
    pub fn path_of(&self, url: &str) -> Option<String> {
        let reference = strip_base(&self.manifest_url, url)?;
        let significant = &self.engine.catalog().manifest().significant_query;
        normalise_path(reference, significant).ok()
    }

    /// Makes room for `len` bytes and says where to copy them; the next input that takes bytes takes these.
    /// Memory may move with every call, so a view must not outlive it.
    ///
    /// # Errors
    /// More than [`INBOX_MAX`] bytes, or a panic before.
    pub fn inbox(&mut self, len: usize) -> Result<*const u8, JsValue> {
        poison::check()?;
        if len > INBOX_MAX {
            return Err(BridgeError::InboxTooLong.into());
        }
        self.inbox.resize(len, 0);
        Ok(self.inbox.as_ptr())
    }

    /// Collects all outputs since the last input into one batch and returns its length in bytes.
    ///
    /// # Errors
    /// Only after a panic.
    pub fn drain(&mut self) -> Result<usize, JsValue> {
        poison::check()?;
        self.batch.clear();
        loop {
            let output = self.engine.poll_output();
            let last = matches!(output, Output::Idle { .. });
            self.batch.push(&output);
            if last {
                return Ok(self.batch.as_bytes().len());
            }
        }
    }

    /// Where the last batch lies; valid until the next call.
    #[must_use]
    pub fn outbox(&self) -> *const u8 {
        self.batch.as_bytes().as_ptr()
    }

    /// Counters and connections, as JSON.
    ///
    /// # Errors
    /// Only after a panic.
    pub fn stats(&self) -> Result<String, JsValue> {
        poison::check()?;
        Ok(json::text(&self.engine.stats()))
    }

    /// Every object that is wanted, arriving or held, as JSON.
    ///
    /// # Errors
    /// Only after a panic.
    pub fn segments(&self) -> Result<String, JsValue> {
        poison::check()?;
        Ok(json::text(&self.engine.segments()))
    }

    /// [`Input::Tick`].
    ///
    /// # Errors
    /// Misuse, as of all inputs.
    pub fn tick(&mut self, now: f64) -> Result<(), JsValue> {
        self.input(now, Input::Tick)
    }

    /// [`Input::Demand`]; `plays_at` in seconds. What is not said is not a number: `first` and `last` both or neither.
    ///
    /// # Errors
    /// Misuse, as of all inputs.
    #[expect(clippy::too_many_arguments, reason = "the fields of one input")]
    pub fn demand(
        &mut self,
        now: f64,
        id: u32,
        path: &str,
        first: f64,
        last: f64,
        deadline: f64,
        plays_at: f64,
    ) -> Result<(), JsValue> {
        self.input(
            now,
            Input::Demand {
                id: DemandId(id),
                path,
                range: (first >= 0.0).then_some((first as u64, last as u64)),
                deadline: (deadline >= 0.0).then_some(micros(deadline)),
                plays_at_us: (plays_at >= 0.0).then_some((plays_at * 1e6) as u64),
            },
        )
    }

    /// [`Input::CancelDemand`].
    ///
    /// # Errors
    /// Misuse, as of all inputs.
    #[wasm_bindgen(js_name = cancelDemand)]
    pub fn cancel_demand(&mut self, now: f64, id: u32) -> Result<(), JsValue> {
        self.input(now, Input::CancelDemand { id: DemandId(id) })
    }

    /// [`Input::Player`]; times in seconds of media time, as players have them.
    ///
    /// # Errors
    /// Misuse, as of all inputs.
    pub fn player(
        &mut self,
        now: f64,
        position: f64,
        rate: f64,
        buffered_end: f64,
        paused: bool,
        seeking: bool,
    ) -> Result<(), JsValue> {
        // Casts saturate, and what is not a number becomes 0.
        self.input(
            now,
            Input::Player {
                position_us: (position * 1e6) as u64,
                rate_milli: (rate * 1e3) as u32,
                buffered_end_us: (buffered_end * 1e6) as u64,
                paused,
                seeking,
            },
        )
    }

    /// [`Input::Policy`]: `{ sharing, uploadBps, uploadBytes }`.
    ///
    /// # Errors
    /// A wrong object, or misuse, as of all inputs.
    pub fn policy(&mut self, now: f64, policy: JsValue) -> Result<(), JsValue> {
        let policy = Policy::read(&policy)?;
        self.input(
            now,
            Input::Policy {
                sharing: policy.sharing,
                upload_bps: policy.upload_bps,
                upload_bytes: policy.upload_bytes,
            },
        )
    }

    /// [`Input::WallTime`].
    ///
    /// # Errors
    /// Misuse, as of all inputs.
    #[wasm_bindgen(js_name = wallTime)]
    pub fn wall_time(&mut self, now: f64, unix_ms: f64, uncertainty_ms: f64) -> Result<(), JsValue> {
        self.input(
            now,
            Input::WallTime {
                unix_ms: unix_ms as u64,
                uncertainty_ms: uncertainty_ms as u64,
            },
        )
    }

    /// [`Input::FetchPiece`] with the bytes in the inbox.
    ///
    /// # Errors
    /// Misuse, as of all inputs.
    #[wasm_bindgen(js_name = fetchPiece)]
    pub fn fetch_piece(&mut self, now: f64, fetch: u32, piece: u32) -> Result<(), JsValue> {
        poison::check()?;
        let input = Input::FetchPiece {
            fetch: FetchId(fetch),
            piece,
            payload: &self.inbox.as_slice(),
        };
        apply(&mut self.engine, now, input)
    }

    /// [`Input::FetchSheet`] with the bytes in the inbox.
    ///
    /// # Errors
    /// Misuse, as of all inputs.
    #[wasm_bindgen(js_name = fetchSheet)]
    pub fn fetch_sheet(&mut self, now: f64, fetch: u32) -> Result<(), JsValue> {
        poison::check()?;
        let input = Input::FetchSheet {
            fetch: FetchId(fetch),
            bytes: &self.inbox,
        };
        apply(&mut self.engine, now, input)
    }

    /// [`Input::FetchEnded`]: 0, all bytes have come; 1, the network failed; 2, because the engine asked for it; 3, with more
    /// or fewer bytes than were asked for; any other number is the status that the server answered with.
    ///
    /// # Errors
    /// Misuse, as of all inputs.
    #[wasm_bindgen(js_name = fetchEnded)]
    pub fn fetch_ended(&mut self, now: f64, fetch: u32, outcome: u16) -> Result<(), JsValue> {
        self.input(
            now,
            Input::FetchEnded {
                fetch: FetchId(fetch),
                outcome: match outcome {
                    0 => FetchOutcome::Complete,
                    1 => FetchOutcome::Network,
                    2 => FetchOutcome::Aborted,
                    3 => FetchOutcome::WrongLength,
                    status => FetchOutcome::Status(status),
                },
            },
        )
    }

    /// [`Input::TrackerOpened`].
    ///
    /// # Errors
    /// Misuse, as of all inputs.
    #[wasm_bindgen(js_name = trackerOpened)]
    pub fn tracker_opened(&mut self, now: f64) -> Result<(), JsValue> {
        self.input(now, Input::TrackerOpened)
    }

    /// [`Input::TrackerClosed`].
    ///
    /// # Errors
    /// Misuse, as of all inputs.
    #[wasm_bindgen(js_name = trackerClosed)]
    pub fn tracker_closed(&mut self, now: f64) -> Result<(), JsValue> {
        self.input(now, Input::TrackerClosed)
    }

    /// [`Input::Tracker`] with a parsed message; the caller has checked its length and that it is not nested deeply.
    ///
    /// # Errors
    /// A message that is not of the protocol (`invalid_tracker_message`: close the connection), or misuse.
    pub fn tracker(&mut self, now: f64, message: JsValue) -> Result<(), JsValue> {
        let message = tracker_message::read(&message).map_err(BridgeError::InvalidTrackerMessage)?;
        self.input(now, Input::Tracker(message))
    }

    /// [`Input::LocalDescription`].
    ///
    /// # Errors
    /// Misuse, as of all inputs.
    #[wasm_bindgen(js_name = localDescription)]
    pub fn local_description(&mut self, now: f64, peer: u32, sdp: &str) -> Result<(), JsValue> {
        self.input(
            now,
            Input::LocalDescription {
                peer: PeerId(peer),
                sdp,
            },
        )
    }

    /// [`Input::LocalCandidate`].
    ///
    /// # Errors
    /// Misuse, as of all inputs.
    #[wasm_bindgen(js_name = localCandidate)]
    pub fn local_candidate(&mut self, now: f64, peer: u32, line: &str) -> Result<(), JsValue> {
        self.input(
            now,
            Input::LocalCandidate {
                peer: PeerId(peer),
                line,
            },
        )
    }

    /// [`Input::LocalCandidatesEnd`].
    ///
    /// # Errors
    /// Misuse, as of all inputs.
    #[wasm_bindgen(js_name = localCandidatesEnd)]
    pub fn local_candidates_end(&mut self, now: f64, peer: u32) -> Result<(), JsValue> {
        self.input(now, Input::LocalCandidatesEnd { peer: PeerId(peer) })
    }

    /// [`Input::PeerFailed`].
    ///
    /// # Errors
    /// Misuse, as of all inputs.
    #[wasm_bindgen(js_name = peerFailed)]
    pub fn peer_failed(&mut self, now: f64, peer: u32, reason: &str) -> Result<(), JsValue> {
        self.input(
            now,
            Input::PeerFailed {
                peer: PeerId(peer),
                reason,
            },
        )
    }

    /// [`Input::PeerOpened`].
    ///
    /// # Errors
    /// Misuse, as of all inputs.
    #[wasm_bindgen(js_name = peerOpened)]
    pub fn peer_opened(&mut self, now: f64, peer: u32) -> Result<(), JsValue> {
        self.input(now, Input::PeerOpened { peer: PeerId(peer) })
    }

    /// [`Input::PeerClosed`].
    ///
    /// # Errors
    /// Misuse, as of all inputs.
    #[wasm_bindgen(js_name = peerClosed)]
    pub fn peer_closed(&mut self, now: f64, peer: u32) -> Result<(), JsValue> {
        self.input(now, Input::PeerClosed { peer: PeerId(peer) })
    }

    /// [`Input::Message`] with the bytes in the inbox.
    ///
    /// # Errors
    /// Misuse, as of all inputs.
    pub fn message(&mut self, now: f64, peer: u32) -> Result<(), JsValue> {
        poison::check()?;
        let input = Input::Message {
            peer: PeerId(peer),
            bytes: &self.inbox,
        };
        apply(&mut self.engine, now, input)
    }

    /// [`Input::Data`] with the bytes in the inbox: a head of [`DATA_HEAD`] bytes, then payload.
    ///
    /// # Errors
    /// Misuse, as of all inputs.
    pub fn data(&mut self, now: f64, peer: u32) -> Result<(), JsValue> {
        poison::check()?;
        let (head, payload) = self
            .inbox
            .split_at_checked(DATA_HEAD)
            .unwrap_or((&self.inbox, &[]));
        let input = Input::Data {
            peer: PeerId(peer),
            head,
            payload: &payload,
        };
        apply(&mut self.engine, now, input)
    }

    /// [`Input::Writable`].
    ///
    /// # Errors
    /// Misuse, as of all inputs.
    pub fn writable(&mut self, now: f64, peer: u32, buffered: f64) -> Result<(), JsValue> {
        self.input(
            now,
            Input::Writable {
                peer: PeerId(peer),
                buffered: buffered as u64,
            },
        )
    }
}

impl Peer {
    fn input(&mut self, now: f64, input: Input<'_>) -> Result<(), JsValue> {
        poison::check()?;
        apply(&mut self.engine, now, input)
    }
}

#[derive(Serialize)]
struct JoinedInfo<'a> {
    content: String,
    version: u64,
    expires: u64,
    memory: &'a RollbackMemory,
}

fn apply(engine: &mut Engine, now: f64, input: Input<'_>) -> Result<(), JsValue> {
    Ok(engine
        .handle_input(micros(now), input)
        .map_err(BridgeError::from)?)
}

const fn micros(now: f64) -> Timestamp {
    Timestamp(now as u64)
}

/// Reserved at once: the largest peer message and piece fit, so that a steady state never grows the memory.
const INBOX_RESERVED: usize = 8 * CHUNK as usize;

/// Bytes of store for each of the heap that is claimed for it. A leaf hash for each chunk is 1/512, and the objects take as
/// much again: `npm run bench:memory`.
const STORE_PER_HEAP: usize = 256;

/// Claimed for every store: rows come a sheet at a time, ahead of what they are of.
const ROWS_CLAIMED: usize = 64 << 10;

/// Stores of more than 1 GiB grow as they fill.
const MAX_CLAIMED: usize = 4 << 20;

/// More than the largest sheet: a page of names at their longest, or the page hashes of the longest track.
const INBOX_MAX: usize = 1 << 20;
