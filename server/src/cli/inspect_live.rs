//! `swarmseal inspect` of a session or a head of a live content.

use serde_json::{Value, json};
use swarmseal::content::cose;
use swarmseal::content::live::{LiveHead, LiveTrack, Session};

use crate::cli::Failure;
use crate::cli::terminal::{count, date};

/// What was found.
pub(super) enum Found {
    Session(Session),
    Head(Box<LiveHead>),
}

/// Reads a session or a head; `None` if it is neither. Significant query parameters are the manifest's to know.
pub(super) fn read(sealed: &[u8]) -> Option<Found> {
    let payload = cose::peek(sealed).ok()?.payload;
    let head = || LiveHead::decode(payload, &[]).ok().map(Box::new);
    match Session::decode(payload) {
        Ok(session) => Some(Found::Session(session)),
        Err(_) => head().map(Found::Head),
    }
}

impl Found {
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Session(session) => format!(
                "session      {}\ncontent      {}\nkey          {}\nfrom         {}\nuntil        {}\nsequences    {} and above\n",
                session.number,
                session.content_id,
                session.key,
                date(session.not_before),
                date(session.not_after),
                session.first_sequence,
            ),
            Self::Head(head) => {
                let end = if head.end { ", the end" } else { "" };
                let mut text = format!(
                    "head         {} of log {} by session {}{end}\ncontent      {}\nissued       {}\ntarget       {} ms\n\n",
                    head.sequence,
                    head.log,
                    head.session,
                    head.content_id,
                    date(head.issued_ms / 1000),
                    head.target_ms,
                );
                head.tracks
                    .iter()
                    .for_each(|track| text.push_str(&track_text(track)));
                let documents = head
                    .documents
                    .iter()
                    .map(|document| format!("  {}\n", document.path));
                let assets = head.assets.iter().map(|asset| format!("  {}\n", asset.path));
                text.extend(documents.chain(assets));
                text
            }
        }
    }

    pub(super) fn to_json(&self) -> Result<String, Failure> {
        let value = match self {
            Self::Session(session) => json!({
                "session": session.number,
                "content": session.content_id,
                "key": session.key,
                "notBefore": session.not_before,
                "notAfter": session.not_after,
                "firstSequence": session.first_sequence,
            }),
            Self::Head(head) => json!({
                "content": head.content_id,
                "session": head.session,
                "log": head.log,
                "sequence": head.sequence,
                "issuedMs": head.issued_ms,
                "targetMs": head.target_ms,
                "end": head.end,
                "tracks": head.tracks.iter().map(track_json).collect::<Vec<_>>(),
                "documents": head.documents.iter().map(|document| &document.path).collect::<Vec<_>>(),
                "assets": head.assets.iter().map(|asset| &asset.path).collect::<Vec<_>>(),
            }),
        };
        serde_json::to_string_pretty(&value)
            .map(|text| format!("{text}\n"))
            .map_err(|error| Failure::new("output", error.to_string(), ""))
    }
}

fn track_text(track: &LiveTrack) -> String {
    format!(
        "  track {:<4}  {}, {} carried, root {}{}\n",
        track.id,
        count(track.size().into(), "segment"),
        track.records.len(),
        track.root(),
        if track.closed { ", closed" } else { "" },
    )
}

fn track_json(track: &LiveTrack) -> Value {
    json!({
        "track": track.id,
        "segments": track.size(),
        "root": track.root(),
        "carried": track.records.len(),
        "rows": track.rows.len(),
        "closed": track.closed,
    })
}
