//! How long a copy may be kept. Truth comes from the hash, so these only save requests.

/// `cache-control` for a file with this name.
pub(super) fn control(name: &str) -> &'static str {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension);
    let is_live = folder.split('/').any(|part| part == LIVE);
    if is_live && (file == LATEST || ["records", "pages", "rows"].contains(&extension)) {
        return GROWING;
    }
    match extension.to_ascii_lowercase().as_str() {
        "m4s" | "cmfv" | "cmfa" | "mp4" | "m4v" | "m4a" | "ts" | "m2ts" | "aac" | "webm" => MEDIA,
        "head" | "session" => MEDIA,
        "m3u8" | "m3u" | "mpd" => GROWING,
        "seal" => HEAD,
        "index" | "names" | "rows" => SHEET,
        _ => REVALIDATE,
    }
}

/// Folder of a live content's heads and logs, as `publish --watch` names it, and the newest head in it.
const LIVE: &str = "live";
const LATEST: &str = "latest";
/// A published segment never changes under its name, nor does a head or a session.
const MEDIA: &str = "public, max-age=31536000, immutable";
/// Playlists, the newest head and the logs of a stream that may be live: a copy must not be what makes viewers late.
const GROWING: &str = "public, max-age=1";
/// What says which version is current is asked for again soon.
const HEAD: &str = "public, max-age=5";
/// Replaced when the content is published again; a stale one fails its hash and is fetched anew.
const SHEET: &str = "public, max-age=60";
/// Pages and scripts: always ask, usually hear 304.
const REVALIDATE: &str = "no-cache";
