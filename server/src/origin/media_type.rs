//! Media types by file name: those that players insist on and that guessing tables get wrong.

/// The type of a file with this name, where this table knows it better than the general one.
pub(super) fn of(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    let known = match extension.to_ascii_lowercase().as_str() {
        // RFC 8216 §4
        "m3u8" | "m3u" => "application/vnd.apple.mpegurl",
        // ISO/IEC 23009-1 §C
        "mpd" => "application/dash+xml",
        "m4s" | "cmfv" => "video/iso.segment",
        "cmfa" => "audio/iso.segment",
        "mp4" | "m4v" => "video/mp4",
        "m4a" => "audio/mp4",
        "ts" | "m2ts" => "video/mp2t",
        "aac" => "audio/aac",
        "vtt" => "text/vtt; charset=utf-8",
        "webm" => "video/webm",
        "wasm" => "application/wasm",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "html" | "htm" => "text/html; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "seal" => "application/cose; cose-type=\"cose-sign1\"",
        "index" | "names" | "rows" | "key" => "application/octet-stream",
        _ => return None,
    };
    Some(known)
}
