//! What the tracker has done so far, in plain numbers.

use std::collections::BTreeMap;

use swarmseal::signal::{ErrorCode, ReportCode};

use super::api::CloseReason;

/// Totals since the start. Nothing here is told apart by swarm, peer or place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections opened.
    pub connections_opened: u64,
    /// Messages taken in, malformed ones included.
    pub messages: u64,
    /// Peers admitted.
    pub joined: u64,
    /// Of them, such as took the place of an older connection with the same key.
    pub rejoined: u64,
    /// Peers whose admission was taken back.
    pub revoked: u64,
    /// Tickets issued, at joining and renewed.
    pub tickets: u64,
    /// Announcements accepted.
    pub announced: u64,
    /// Challenges to announcers that were not listed.
    pub challenges: u64,
    /// Challenges to announcers that were listed.
    pub rechecks: u64,
    /// Challenges of both kinds that were answered in full.
    pub challenges_passed: u64,
    /// Challenges of both kinds that were answered wrongly, late or not at all.
    pub challenges_failed: u64,
    /// Rechecks that were not answered in time, and are asked again.
    pub challenges_late: u64,
    /// Challenges that had to wait because there were too many.
    pub challenges_put_off: u64,
    /// Chunks that came in answers.
    pub chunks_shown: u64,
    /// Lists given on request.
    pub lists: u64,
    /// Messages that told a peer of new sources unasked.
    pub pushes: u64,
    /// Introductions begun.
    pub introductions: u64,
    /// Requests for an introduction that was under way already.
    pub introductions_merged: u64,
    /// Introductions in which both descriptions have been passed on.
    pub introductions_answered: u64,
    /// Introductions that ended unanswered.
    pub introductions_timed_out: u64,
    /// Descriptions passed on.
    pub relayed_descriptions: u64,
    /// Candidates passed on.
    pub relayed_candidates: u64,
    /// Messages refused, by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Connections closed by the tracker, by reason.
    pub closed: BTreeMap<&'static str, u64>,
    /// Reports of peers about peers that they were introduced to, by rule broken.
    pub reports: BTreeMap<&'static str, u64>,
    /// Reports about peers that the reporter has never been introduced to.
    pub reports_ignored: u64,
    /// Proofs of tampering that put a peer out.
    pub proofs: u64,
    /// Proofs that put nobody out, by reason.
    pub proofs_refused: BTreeMap<&'static str, u64>,
    /// Findings of auditors that put a peer out.
    pub findings: u64,
    /// Findings that were not acted upon, by reason.
    pub findings_refused: BTreeMap<&'static str, u64>,
}

impl Counts {
    pub(super) fn refuse(&mut self, code: ErrorCode) {
        *self.refused.entry(code.code()).or_default() += 1;
    }

    pub(super) fn proof(&mut self, judged: Result<(), &'static str>) {
        match judged {
            Ok(()) => self.proofs += 1,
            Err(code) => *self.proofs_refused.entry(code).or_default() += 1,
        }
    }

    pub(super) fn refuse_finding(&mut self, code: &'static str) {
        *self.findings_refused.entry(code).or_default() += 1;
    }

    pub(super) fn close(&mut self, reason: CloseReason) {
        *self.closed.entry(reason.code()).or_default() += 1;
    }

    pub(super) fn report(&mut self, code: ReportCode) {
        let name = match code {
            ReportCode::BadChunk => "bad_chunk",
            ReportCode::BadRows => "bad_rows",
            ReportCode::Handshake => "handshake",
            ReportCode::Misbehaviour => "misbehaviour",
        };
        *self.reports.entry(name).or_default() += 1;
    }
}
