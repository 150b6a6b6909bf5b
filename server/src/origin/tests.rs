use std::path::Path;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::response::Response;

use super::{AccessLog, Line, Mount, Origin};

const MEDIA: &[u8] = b"0123456789abcdef";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    write("show/1.m4s", MEDIA);
    write("show/empty.ts", b"");
    write("show/content.seal", b"seal");
    write("show/main.m3u8", b"#EXTM3U");
    write("show/.hidden", b"secret");
    write("show/.git/config", b"secret");
    write("page/index.html", b"<p>");
    write("outside.key", b"secret");
    folder
}

fn origin(folder: &Path) -> (Origin, std::path::PathBuf) {
    let log = folder.join("access.log");
    let mounts = vec![
        Mount::new("/", &folder.join("page")).unwrap(),
        Mount::new("/content", &folder.join("show")).unwrap(),
    ];
    (Origin::new(mounts, Some(AccessLog::open(&log).unwrap())), log)
}

fn request(method: Method, path: &str, headers: &[(header::HeaderName, &str)]) -> Request {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    request.body(Body::empty()).unwrap()
}

async fn ask(origin: &Origin, request: Request) -> (Response<()>, Vec<u8>) {
    let (parts, body) = origin.clone().answer(request).await.unwrap().into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
    (Response::from_parts(parts, ()), bytes)
}

async fn ranged(range: &str) -> (StatusCode, Option<String>, Vec<u8>) {
    let folder = folder();
    let (origin, _) = origin(folder.path());
    let (response, body) = ask(
        &origin,
        request(Method::GET, "/content/1.m4s", &[(header::RANGE, range)]),
    )
    .await;
    let content_range = response
        .headers()
        .get(header::CONTENT_RANGE)
        .map(|value| value.to_str().unwrap().to_owned());
    (response.status(), content_range, body)
}

#[tokio::test]
async fn a_range_is_answered_with_exactly_its_bytes() {
    for (range, content_range, body) in [
        ("bytes=0-0", "bytes 0-0/16", &MEDIA[..1]),
        ("bytes=4-7", "bytes 4-7/16", &MEDIA[4..8]),
        ("bytes=15-15", "bytes 15-15/16", &MEDIA[15..]),
        ("bytes=10-", "bytes 10-15/16", &MEDIA[10..]),
        ("bytes=-3", "bytes 13-15/16", &MEDIA[13..]),
        ("bytes=10-99", "bytes 10-15/16", &MEDIA[10..]),
    ] {
        let answer = ranged(range).await;
        assert_eq!(
            answer,
            (
                StatusCode::PARTIAL_CONTENT,
                Some(content_range.to_owned()),
                body.to_vec()
            ),
            "{range}"
        );
    }
}

#[tokio::test]
async fn a_range_behind_the_end_is_refused() {
    for range in ["bytes=16-", "bytes=16-20", "bytes=-0"] {
        let (status, content_range, body) = ranged(range).await;
        assert_eq!(status, StatusCode::RANGE_NOT_SATISFIABLE, "{range}");
        assert_eq!(content_range.as_deref(), Some("bytes */16"), "{range}");
        assert!(body.is_empty(), "{range}");
    }
}

#[tokio::test]
async fn several_ranges_and_nonsense_get_the_whole_file() {
    for range in ["bytes=0-1,4-5", "bytes=5-2", "items=0-1", "bytes=x-y"] {
        assert_eq!(
            ranged(range).await,
            (StatusCode::OK, None, MEDIA.to_vec()),
            "{range}"
        );
    }
}

#[tokio::test]
async fn if_range_without_a_validator_gets_the_whole_file() {
    let folder = folder();
    let (origin, _) = origin(folder.path());
    let headers = [(header::RANGE, "bytes=0-1"), (header::IF_RANGE, "\"x\"")];
    let (response, body) = ask(&origin, request(Method::GET, "/content/1.m4s", &headers)).await;
    assert_eq!((response.status(), body.len()), (StatusCode::OK, 16));
}

#[tokio::test]
async fn head_says_what_get_would_send() {
    let folder = folder();
    let (origin, _) = origin(folder.path());
    let headers = [(header::RANGE, "bytes=0-1")];
    let (response, body) = ask(&origin, request(Method::HEAD, "/content/1.m4s", &headers)).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_LENGTH], "16");
    assert_eq!(response.headers()[header::ACCEPT_RANGES], "bytes");
    assert!(body.is_empty());
}

#[tokio::test]
async fn types_caching_and_cors() {
    let folder = folder();
    let (origin, _) = origin(folder.path());
    for (path, media_type, caching) in [
        (
            "/content/1.m4s",
            "video/iso.segment",
            "public, max-age=31536000, immutable",
        ),
        (
            "/content/empty.ts",
            "video/mp2t",
            "public, max-age=31536000, immutable",
        ),
        (
            "/content/main.m3u8",
            "application/vnd.apple.mpegurl",
            "public, max-age=1",
        ),
        (
            "/content/content.seal",
            "application/cose; cose-type=\"cose-sign1\"",
            "public, max-age=5",
        ),
        ("/", "text/html; charset=utf-8", "no-cache"),
        ("/index.html", "text/html; charset=utf-8", "no-cache"),
    ] {
        let (response, _) = ask(&origin, request(Method::GET, path, &[])).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(response.headers()[header::CONTENT_TYPE], media_type, "{path}");
        assert_eq!(response.headers()[header::CACHE_CONTROL], caching, "{path}");
        assert_eq!(
            response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN],
            "*",
            "{path}"
        );
        assert!(
            !response
                .headers()
                .contains_key(header::ACCESS_CONTROL_EXPOSE_HEADERS)
        );
    }
}

#[tokio::test]
async fn live_heads_are_kept_and_what_grows_is_asked_for_again() {
    let folder = folder();
    let live = folder.path().join("show/seal/live/7");
    std::fs::create_dir_all(&live).unwrap();
    let (kept, asked) = ("public, max-age=31536000, immutable", "public, max-age=1");
    let (origin, _) = origin(folder.path());
    for (name, caching) in [
        ("latest", asked),
        ("7.session", kept),
        ("7/3.head", kept),
        ("7/track-1.records", asked),
        ("7/track-1.pages", asked),
        ("7/track-1.rows", asked),
    ] {
        std::fs::write(live.with_file_name(name), name).unwrap();
        let path = format!("/content/seal/live/{name}");
        let (response, _) = ask(&origin, request(Method::GET, &path, &[])).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(response.headers()[header::CACHE_CONTROL], caching, "{path}");
    }
}

#[tokio::test]
async fn a_preflight_allows_reading_with_range_and_nothing_else() {
    let folder = folder();
    let (origin, _) = origin(folder.path());
    let (response, _) = ask(&origin, request(Method::OPTIONS, "/content/1.m4s", &[])).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(
        response.headers()[header::ACCESS_CONTROL_ALLOW_METHODS],
        "GET, HEAD"
    );
    assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_HEADERS], "range");
}

#[tokio::test]
async fn other_methods_are_refused() {
    let folder = folder();
    let (origin, _) = origin(folder.path());
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let (response, _) = ask(&origin, request(method, "/content/1.m4s", &[])).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}

#[tokio::test]
async fn nothing_outside_a_mount_is_reachable() {
    let folder = folder();
    let (origin, _) = origin(folder.path());
    for path in [
        "/content/../outside.key",
        "/content/%2e%2e/outside.key",
        "/content/%2E%2e/outside.key",
        "/content/.%2e/outside.key",
        "/content/..%2foutside.key",
        "/content/..%5coutside.key",
        "/content/x%2f..%2f..%2foutside.key",
        "/content//../outside.key",
        "/content/.hidden",
        "/content/%2ehidden",
        "/content/.git/config",
        "/content/1.m4s/",
        "/content/1.m4s%00",
        "/contents/1.m4s",
        "/show/1.m4s",
        "/outside.key",
        "/content/",
    ] {
        let (response, body) = ask(&origin, request(Method::GET, path, &[])).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert!(body.is_empty(), "{path}");
    }
}

#[tokio::test]
async fn a_folder_redirects_inside_its_mount() {
    let folder = folder();
    std::fs::create_dir_all(folder.path().join("show/sub")).unwrap();
    let (origin, _) = origin(folder.path());
    for (path, location) in [("/content", "/content/"), ("/content/sub", "/content/sub/")] {
        let (response, _) = ask(&origin, request(Method::GET, path, &[])).await;
        assert_eq!(response.status(), StatusCode::TEMPORARY_REDIRECT, "{path}");
        assert_eq!(response.headers()[header::LOCATION], location);
    }
    let (response, _) = ask(&origin, request(Method::GET, "//evil.example", &[])).await;
    assert!(!response.headers().contains_key(header::LOCATION));
}

#[tokio::test]
async fn the_log_counts_body_bytes_and_leaves_out_queries() {
    let folder = folder();
    let (origin, log) = origin(folder.path());
    let headers = [
        (header::RANGE, "bytes=4-7"),
        (header::HeaderName::from_static("x-forwarded-for"), "203.0.113.9"),
    ];
    ask(
        &origin,
        request(Method::GET, "/content/1.m4s?token=hunter2", &headers),
    )
    .await;
    ask(&origin, request(Method::GET, "/content/1.m4s", &[])).await;
    ask(&origin, request(Method::HEAD, "/content/1.m4s", &[])).await;
    ask(&origin, request(Method::GET, "/content/nothing", &[])).await;
    let text = std::fs::read_to_string(log).unwrap();
    let lines: Vec<Line> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let short: Vec<_> = lines
        .iter()
        .map(|line| {
            (
                line.method.as_str(),
                line.status,
                line.range.as_deref(),
                line.bytes,
            )
        })
        .collect();
    assert_eq!(
        short,
        [
            ("GET", 206, Some("bytes=4-7"), 4),
            ("GET", 200, None, 16),
            ("HEAD", 200, None, 0),
            ("GET", 404, None, 0)
        ]
    );
    assert!(
        !text.contains("hunter2") && !text.contains("203.0.113.9"),
        "{text}"
    );
}

#[test]
fn mounts_are_read_from_text() {
    let folder = folder();
    let dir = folder.path().display();
    let mount: Mount = format!("/content={dir}").parse().unwrap();
    assert_eq!((mount.path(), mount.folder()), ("/content", folder.path()));
    let root: Mount = format!("{dir}").parse().unwrap();
    assert_eq!(root.path(), "");
    assert_eq!("/a/../b=/".parse::<Mount>().unwrap_err().code(), "mount_path");
    assert_eq!("/a b=/".parse::<Mount>().unwrap_err().code(), "mount_path");
    assert_eq!(
        "/x=/definitely/not/here".parse::<Mount>().unwrap_err().code(),
        "mount_folder"
    );
}
