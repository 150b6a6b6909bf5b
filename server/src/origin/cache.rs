//! How long a copy may be kept. Truth comes from the hash, so these only save requests.

/// `cache-control` for a file with this name.
pub(super) fn control(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension.to_ascii_lowercase().as_str() {
        "m4s" | "cmfv" | "cmfa" | "mp4" | "m4v" | "m4a" | "ts" | "m2ts" | "aac" | "webm" => MEDIA,
        "seal" | "m3u8" | "m3u" | "mpd" => HEAD,
        "index" | "names" | "rows" => SHEET,
        _ => REVALIDATE,
    }
}

/// A published segment never changes under its name.
const MEDIA: &str = "public, max-age=31536000, immutable";
/// What says which version is current is asked for again soon.
const HEAD: &str = "public, max-age=5";
/// Replaced when the content is published again; a stale one fails its hash and is fetched anew.
const SHEET: &str = "public, max-age=60";
/// Pages and scripts: always ask, usually hear 304.
const REVALIDATE: &str = "no-cache";
