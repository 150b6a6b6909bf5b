//! Media types by file name. What is signed here is what a viewer's `Response` says, whatever a server claims.

/// The type of a file, by the ending of its name.
pub(crate) fn of(name: &str) -> &'static str {
    let name = name.split('?').next().unwrap_or(name);
    let ending = name
        .rsplit('/')
        .next()
        .and_then(|file| file.rsplit_once('.'))
        .map_or("", |(_, ending)| ending);
    let ending = ending.to_ascii_lowercase();
    TYPES
        .iter()
        .find(|(known, _)| *known == ending)
        .map_or(UNKNOWN, |(_, media_type)| media_type)
}

/// Type of a segment of a track of the given kind. `.mp4` and its relatives may hold either.
pub(crate) fn of_segment(name: &str, audio: bool) -> &'static str {
    match of(name) {
        "video/mp4" if audio => "audio/mp4",
        "video/webm" if audio => "audio/webm",
        other => other,
    }
}

/// Whether this is a playlist or an MPD.
pub(crate) fn is_document(name: &str) -> bool {
    [HLS, DASH].contains(&of(name))
}

pub(crate) const HLS: &str = "application/vnd.apple.mpegurl";
pub(crate) const DASH: &str = "application/dash+xml";
const UNKNOWN: &str = "application/octet-stream";

const TYPES: &[(&str, &str)] = &[
    ("m3u8", HLS),
    ("mpd", DASH),
    ("ts", "video/mp2t"),
    ("m2ts", "video/mp2t"),
    ("mp4", "video/mp4"),
    ("m4s", "video/mp4"),
    ("m4v", "video/mp4"),
    ("cmfv", "video/mp4"),
    ("m4a", "audio/mp4"),
    ("m4b", "audio/mp4"),
    ("cmfa", "audio/mp4"),
    ("cmft", "application/mp4"),
    ("aac", "audio/aac"),
    ("mp3", "audio/mpeg"),
    ("ac3", "audio/ac3"),
    ("ec3", "audio/eac3"),
    ("flac", "audio/flac"),
    ("ogg", "audio/ogg"),
    ("opus", "audio/ogg"),
    ("wav", "audio/wav"),
    ("webm", "video/webm"),
    ("mkv", "video/x-matroska"),
    ("mov", "video/quicktime"),
    ("vtt", "text/vtt"),
    ("webvtt", "text/vtt"),
    ("srt", "application/x-subrip"),
    ("ttml", "application/ttml+xml"),
    ("dfxp", "application/ttml+xml"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("avif", "image/avif"),
    ("svg", "image/svg+xml"),
    ("ico", "image/x-icon"),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("css", "text/css"),
    ("js", "text/javascript"),
    ("mjs", "text/javascript"),
    ("json", "application/json"),
    ("map", "application/json"),
    ("wasm", "application/wasm"),
    ("xml", "application/xml"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("csv", "text/csv"),
    ("pdf", "application/pdf"),
    ("zip", "application/zip"),
    ("gz", "application/gzip"),
    ("woff", "font/woff"),
    ("woff2", "font/woff2"),
    ("ttf", "font/ttf"),
    ("otf", "font/otf"),
];

#[cfg(test)]
mod tests {
    #[test]
    fn endings_decide() {
        assert_eq!(super::of("a/b.c/x.M4S"), "video/mp4");
        assert_eq!(super::of("a.b/noending"), "application/octet-stream");
        assert_eq!(super::of("x.ts?v=1.mp4"), "video/mp2t");
        assert_eq!(super::of_segment("x.m4s", true), "audio/mp4");
        assert_eq!(super::of_segment("x.ts", true), "video/mp2t");
    }
}
