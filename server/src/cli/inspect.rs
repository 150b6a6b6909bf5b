//! `swarmseal inspect`: what a manifest says, for people or as JSON. The swarm secret is never shown.

use serde_json::{Value, json};
use swarmseal::content::cose::{self, Role};
use swarmseal::content::live::LiveSlot;
use swarmseal::content::{Asset, Class, Hash, Manifest, Names, PublicKey, Track, TrackKind, to_base64url};

use crate::cli::inspect_live;
use crate::cli::place::Place;
use crate::cli::terminal::{count, date, distance, size};
use crate::cli::{Exit, Failure, now_unix_s, print};
use crate::publisher::key_file;
use crate::publisher::source::read_range;

/// Show what a manifest says
///
/// PLACE is a content.seal, the folder with it, or the URL of either; or a session or head of a live content. Without
/// --key the signature is not checked, and those of sessions and heads never are. The swarm secret is never shown.
#[derive(clap::Args)]
pub(super) struct Inspect {
    /// Manifest, folder, or http(s) URL
    place: Place,

    /// Check the signature with this public key: ed25519:… or a .pub file
    #[arg(long, value_name = "KEY")]
    key: Option<String>,

    /// One JSON object instead of text
    #[arg(long)]
    json: bool,

    /// List all assets
    #[arg(long, short)]
    all: bool,
}

impl Inspect {
    pub(super) fn run(self) -> Result<(), Failure> {
        let published = self.place.published()?;
        let sealed = read_range(
            &*published.source,
            &published.manifest,
            None,
            cose::MAX_SEALED as u64,
        )?;
        let key = self.key.as_deref().map(key_file::read_public).transpose()?;
        if let Some(found) = inspect_live::read(&sealed) {
            return print(&if self.json {
                found.to_json()?
            } else {
                found.to_text()
            });
        }
        let seen = Seen::read(&sealed, key).map_err(|(code, detail)| {
            let remedy = "name a manifest written by swarmseal publish, and the key of its publisher";
            Failure::new(code, format!("{}: {detail}", published.manifest), remedy).with_exit(Exit::Mismatch)
        })?;
        if self.json {
            let text = serde_json::to_string_pretty(&seen.to_json())
                .map_err(|error| Failure::new("output", error.to_string(), ""))?;
            return print(&format!("{text}\n"));
        }
        print(&seen.to_text(now_unix_s(), if self.all { usize::MAX } else { ASSETS_SHOWN }))
    }
}

/// A manifest as it was found.
struct Seen {
    manifest: Manifest,
    hash: Hash,
    sealed_len: usize,
    key_id: [u8; PublicKey::ID_LEN],
    /// Set if the signature was checked.
    signer: Option<PublicKey>,
}

impl Seen {
    /// The error is a code and what is wrong.
    fn read(sealed: &[u8], key: Option<PublicKey>) -> Result<Self, (&'static str, String)> {
        let (payload, key_id) = match key {
            Some(key) => {
                let verified = cose::verify(Role::Manifest, sealed, &[key])
                    .map_err(|error| (error.code(), error.to_string()))?;
                (verified.payload, key.id())
            }
            None => {
                let unverified = cose::peek(sealed).map_err(|error| (error.code(), error.to_string()))?;
                (unverified.payload, unverified.key_id)
            }
        };
        let manifest = Manifest::decode(payload).map_err(|error| ("malformed", error.to_string()))?;
        Ok(Self {
            manifest,
            hash: Hash::of(&[sealed]),
            sealed_len: sealed.len(),
            key_id,
            signer: key,
        })
    }

    fn to_text(&self, now_unix_s: u64, assets_shown: usize) -> String {
        let manifest = &self.manifest;
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            text.push_str(&format!("{name:<12} {value}\n"));
        };
        line("content", manifest.content_id.to_string());
        line(
            "version",
            match manifest.previous {
                Some(previous) => format!("{}, after {previous}", manifest.version),
                None => manifest.version.to_string(),
            },
        );
        line(
            "manifest",
            format!("{}, {}", self.hash, size(self.sealed_len as u64)),
        );
        line(
            "signed by",
            match self.signer {
                Some(signer) => format!("{signer} (signature is good)"),
                None => format!(
                    "key id {} (signature not checked; give --key)",
                    to_base64url(&self.key_id)
                ),
            },
        );
        line(
            "issued",
            format!(
                "{}, {}",
                date(manifest.issued),
                distance(manifest.issued, now_unix_s)
            ),
        );
        let expires = match manifest.expires >= now_unix_s {
            true => distance(manifest.expires, now_unix_s),
            false => format!("EXPIRED {}", distance(manifest.expires, now_unix_s)),
        };
        line("expires", format!("{}, {expires}", date(manifest.expires)));
        if manifest.class == Class::UserMade {
            line("class", "user-made".to_owned());
        }
        if let Some(tombstone) = manifest.tombstone {
            line("withdrawn", format!("reason {}", tombstone.reason));
        }
        if let Ok(Some(slot)) = LiveSlot::of(manifest) {
            line("live", format!("the newest head is {}", slot.newest()));
        }
        for key in &manifest.tracker_keys {
            line("tracker", key.to_string());
        }
        if !manifest.significant_query.is_empty() {
            line(
                "query",
                format!("significant: {}", manifest.significant_query.join(", ")),
            );
        }
        let bytes: u64 = manifest.assets.iter().map(|asset| asset.length).sum();
        let assets = count(manifest.assets.len() as u64, "asset");
        text.push_str(&format!("\n{assets}, {}\n", size(bytes)));
        let width = manifest
            .assets
            .iter()
            .take(assets_shown)
            .map(|asset| asset_name(asset).len())
            .max()
            .unwrap_or(0);
        for asset in manifest.assets.iter().take(assets_shown) {
            let name = asset_name(asset);
            text.push_str(&format!(
                "  {name:<width$}  {:>10}  {}\n",
                size(asset.length),
                asset.media_type
            ));
        }
        if manifest.assets.len() > assets_shown {
            let more = manifest.assets.len() - assets_shown;
            text.push_str(&format!("  and {more} more (--all)\n"));
        }
        let segments: u64 = manifest
            .tracks
            .iter()
            .map(|track| u64::from(track.segments))
            .sum();
        let tracks = count(manifest.tracks.len() as u64, "track");
        text.push_str(&format!("\n{tracks}, {}\n", count(segments, "segment")));
        let media_width = manifest
            .tracks
            .iter()
            .map(|track| track.media_type.len())
            .max()
            .unwrap_or(0);
        for track in &manifest.tracks {
            text.push_str(&track_text(track, media_width));
        }
        text
    }

    fn to_json(&self) -> Value {
        let manifest = &self.manifest;
        json!({
            "content": manifest.content_id,
            "version": manifest.version,
            "hash": self.hash,
            "previous": manifest.previous,
            "keyId": to_base64url(&self.key_id),
            "signer": self.signer,
            "issued": manifest.issued,
            "expires": manifest.expires,
            "class": match manifest.class {
                Class::Publisher => "publisher",
                Class::UserMade => "user_made",
            },
            "tombstone": manifest.tombstone.map(|tombstone| tombstone.reason),
            "live": LiveSlot::of(manifest).ok().flatten().map(|slot| slot.folder),
            "significantQuery": manifest.significant_query,
            "trackerKeys": manifest.tracker_keys,
            "assets": manifest.assets.iter().map(asset_json).collect::<Vec<_>>(),
            "tracks": manifest.tracks.iter().map(track_json).collect::<Vec<_>>(),
        })
    }
}

fn asset_name(asset: &Asset) -> String {
    match asset.range {
        Some((offset, length)) => format!("{} {offset}-{}", asset.path, (offset + length).saturating_sub(1)),
        None => asset.path.clone(),
    }
}

fn asset_json(asset: &Asset) -> Value {
    json!({
        "path": asset.path,
        "range": asset.range.map(|(offset, length)| json!({ "offset": offset, "length": length })),
        "length": asset.length,
        "root": asset.root,
        "mediaType": asset.media_type,
    })
}

fn track_text(track: &Track, media_width: usize) -> String {
    let names = match &track.names {
        Names::Template {
            pattern,
            start_number,
        } if pattern.contains("$Number") => {
            format!("{pattern} from {start_number}")
        }
        Names::Template { pattern, .. } => pattern.clone(),
        Names::Table { path, .. } => format!("listed in {path}"),
        Names::Single { path } => format!("ranges of {path}"),
    };
    let bitrate = track.bitrate.map_or_else(String::new, |bitrate| {
        format!("{} kbit/s", bitrate.div_ceil(1000))
    });
    format!(
        "  {:>4}  {:<5}  {:>15}  {bitrate:>12}  {:<media_width$}  {names}\n",
        track.id.0,
        kind(track.kind),
        count(u64::from(track.segments), "segment"),
        track.media_type,
    )
}

fn track_json(track: &Track) -> Value {
    json!({
        "id": track.id,
        "kind": kind(track.kind),
        "mediaType": track.media_type,
        "timescale": track.timescale,
        "segments": track.segments,
        "bitrate": track.bitrate,
        "ranged": track.ranged,
        "index": { "path": track.index.path, "root": track.index.root },
        "rows": track.rows.path,
        "names": match &track.names {
            Names::Template { pattern, start_number } => json!({ "pattern": pattern, "startNumber": start_number }),
            Names::Table { path, root } => json!({ "path": path, "root": root }),
            Names::Single { path } => json!({ "single": path }),
        },
    })
}

fn kind(kind: TrackKind) -> &'static str {
    match kind {
        TrackKind::Video => "video",
        TrackKind::Audio => "audio",
        TrackKind::Text => "text",
        TrackKind::Files => "files",
    }
}

/// A stream has a few; a long list hides the tracks below it.
const ASSETS_SHOWN: usize = 12;
