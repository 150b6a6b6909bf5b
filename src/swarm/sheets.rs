//! Indexes, names and rows: what must be known before chunks can be checked.

use alloc::vec::Vec;

use super::engine::Engine;
use super::fetch::{Fetch, What};
use super::limits::{MAX_ATTEMPTS, MAX_FETCHES, MAX_PARTIALS, ROWS_AHEAD};
use super::peer::RowAsked;
use super::timer::Timer;
use super::{FetchId, FetchKind, FetchOutcome, Output, RefuseCode, Timestamp};
use crate::content::{ObjectId, Sheet};
use crate::wire::Message;

/// Extra requests that sheets may have under way beside objects: they are small and everything waits for them.
pub(super) const EXTRA_FETCHES: usize = 4;
/// A sheet whose bytes do not verify is left alone for this long, milliseconds.
const GIVE_UP_MS: u64 = 5_000;
/// A sheet that could not be fetched at all is tried again after this long, milliseconds.
const LONG_RETRY_MS: u64 = 10_000;
/// What a peer did not answer in this time is forgotten, microseconds.
const ROW_MEMORY_US: u64 = 60_000_000;
/// A row that a peer was asked for is asked for again after this long, microseconds.
const ROW_PATIENCE_US: u64 = 1_000_000;

/// A sheet that is wanted.
#[derive(Clone, Debug, Default)]
pub(super) struct SheetState {
    fetch: Option<FetchId>,
    attempts: u32,
    corrupt: u32,
    retry_at: Option<Timestamp>,
    /// Its bytes did not verify, even past the cache: not asked for again before.
    given_up_until: Option<Timestamp>,
}

impl Engine {
    /// Asks for a sheet unless it is under way. Starts as soon as a slot is free.
    pub(super) fn want_sheet(&mut self, sheet: &Sheet) {
        self.sheets.entry(*sheet).or_default();
        self.start_sheets();
    }

    /// Whether HTTP will not bring this sheet.
    pub(super) fn sheet_given_up(&self, sheet: &Sheet) -> bool {
        self.sheets
            .get(sheet)
            .is_some_and(|state| state.given_up_until.is_some() || state.attempts >= 2)
    }

    pub(super) fn start_sheets(&mut self) {
        let now = self.now;
        let due: Vec<Sheet> = self
            .sheets
            .iter()
            .filter(|(_, state)| {
                state.fetch.is_none()
                    && state.given_up_until.is_none_or(|until| until <= now)
                    && state.retry_at.is_none_or(|retry_at| retry_at <= now)
            })
            .map(|(sheet, _)| *sheet)
            .collect();
        for sheet in due {
            if self.fetches.len() >= MAX_FETCHES + EXTRA_FETCHES {
                return;
            }
            let Some(location) = self.catalog.sheet_location(&sheet) else {
                self.sheets.remove(&sheet);
                continue;
            };
            let fetch = self.fresh_fetch_id();
            let reload = self.sheets.get(&sheet).is_some_and(|state| state.corrupt > 0);
            let Some((offset, len)) = location.range else {
                self.sheets.remove(&sheet);
                continue;
            };
            let range = Some((offset, offset.saturating_add(len).saturating_sub(1)));
            self.outputs.push_back(Output::Fetch {
                fetch,
                path: location.path.clone(),
                range,
                kind: FetchKind::Sheet { len },
                reload,
            });
            let entry = Fetch {
                what: What::Sheet(sheet),
                path: location.path,
                started_at: now,
                first_byte_at: None,
                bytes: 0,
                progress_at: now,
                len,
            };
            self.fetches.insert(fetch, entry);
            if let Some(state) = self.sheets.get_mut(&sheet) {
                state.fetch = Some(fetch);
            }
        }
        if let Some(at) = self
            .sheets
            .values()
            .filter(|s| s.fetch.is_none())
            .filter_map(|s| s.retry_at.max(s.given_up_until))
            .filter(|at| *at > now)
            .min()
        {
            self.timers.set_earlier(Timer::Schedule, at);
        }
    }

    pub(super) fn fetch_sheet(&mut self, id: FetchId, bytes: &[u8]) {
        let Some(Fetch { what, path, .. }) = self.fetches.get(&id).cloned() else {
            return;
        };
        let sheet = match what {
            What::Sheet(sheet) => sheet,
            #[cfg(feature = "live")]
            What::Head => return self.head_came(bytes),
            #[cfg(feature = "live")]
            What::Session => return self.session_came(bytes),
            #[cfg(feature = "live")]
            What::Document(demand) => return self.document_came(demand, bytes),
            What::Object { .. } => return,
        };
        let now = self.now;
        match self.catalog.accept_sheet(&sheet, bytes) {
            Ok(()) => {
                self.sheets.remove(&sheet);
                self.sheet_arrived(&sheet);
            }
            Err(_) => {
                let Some(state) = self.sheets.get_mut(&sheet) else {
                    return;
                };
                state.corrupt += 1;
                state.fetch = None;
                if state.corrupt > 1 {
                    state.given_up_until = Some(now.plus_ms(GIVE_UP_MS));
                    self.event(super::Event::SourceBlamed {
                        path,
                        track: sheet.track().0,
                        index: 0,
                        chunk: None,
                    });
                    self.refuse_all_waiting_for(&sheet, RefuseCode::Corrupt);
                }
            }
        }
        self.dirty = true;
    }

    fn sheet_arrived(&mut self, sheet: &Sheet) {
        if let Sheet::Rows { track, first, count } = *sheet {
            for index in first..first.saturating_add(count) {
                self.row_arrived(ObjectId { track, index });
            }
        } else {
            self.resolve_demands();
            self.live_sheet_arrived();
        }
    }

    pub(super) fn sheet_ended(&mut self, sheet: &Sheet, id: FetchId, outcome: FetchOutcome) {
        let now = self.now;
        let Some(state) = self.sheets.get_mut(sheet) else {
            return;
        };
        if state.fetch == Some(id) {
            state.fetch = None;
        }
        if outcome != FetchOutcome::Complete {
            state.attempts += 1;
            state.retry_at = Some(now.plus_ms(200 << state.attempts.min(6)));
            if state.attempts >= MAX_ATTEMPTS {
                state.attempts = 2;
                state.retry_at = Some(now.plus_ms(LONG_RETRY_MS));
                self.refuse_all_waiting_for(sheet, RefuseCode::Unavailable);
            }
        }
        self.dirty = true;
    }

    /// Whether a wanted sheet's bytes did not verify a moment ago.
    pub(super) fn is_corrupt_sheet(&self, sheet: &Sheet) -> bool {
        self.sheets
            .get(sheet)
            .and_then(|state| state.given_up_until)
            .is_some_and(|until| until > self.now)
    }

    /// Whether HTTP does not bring the row of `id`.
    pub(super) fn rows_fail_over_http(&self, id: ObjectId) -> bool {
        self.sheets
            .keys()
            .any(|sheet| covers(sheet, id) && self.sheet_given_up(sheet))
    }

    /// Makes sure that the row of `id` is known or on its way. True if it is known.
    pub(super) fn need_row(&mut self, id: ObjectId) -> bool {
        if self.catalog.row(id).is_some() {
            return true;
        }
        if let Some(sheet) = self.catalog.rows_sheet(id, ROWS_AHEAD)
            && !self.sheets.keys().any(|known| covers(known, id))
        {
            self.want_sheet(&sheet);
        }
        if !self.sheets.keys().any(|sheet| covers(sheet, id)) || self.rows_fail_over_http(id) {
            self.ask_peer_for_row(id);
        }
        false
    }

    fn ask_peer_for_row(&mut self, id: ObjectId) {
        let now = self.now;
        let Some(root) = self.catalog.object(id).map(|info| info.root) else {
            return;
        };
        let patient = |asked: &RowAsked| !asked.answered && now.since(asked.at) < ROW_PATIENCE_US;
        if self
            .peers
            .values()
            .any(|peer| peer.rows_asked.get(&id).is_some_and(patient))
        {
            return;
        }
        // Each peer is asked once: an answer that comes late must not look like one that nobody asked for.
        let source = self
            .peers
            .values_mut()
            .filter(|peer| peer.is_source(now) && peer.shares(id.track) && peer.holdings.has_some(id))
            .filter(|peer| !peer.rows_asked.contains_key(&id))
            .min_by_key(|peer| (peer.rtt_us, peer.id));
        let Some(peer) = source else { return };
        peer.rows_asked
            .retain(|_, asked| now.since(asked.at) < ROW_MEMORY_US);
        if peer.rows_asked.len() < MAX_PARTIALS {
            peer.rows_asked.insert(
                id,
                RowAsked {
                    at: now,
                    answered: false,
                },
            );
            let peer = peer.id;
            self.send(peer, &Message::WantRows { object: id, root });
            self.timers.set_earlier(Timer::Schedule, now + ROW_PATIENCE_US);
        }
    }
}

fn covers(sheet: &Sheet, id: ObjectId) -> bool {
    matches!(*sheet, Sheet::Rows { track, first, count } if track == id.track && id.index >= first && id.index - first < count)
}
