//! From a request to an answer: mount, method, range, type, caching, CORS, and the count of what was sent.

use std::convert::Infallible;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use axum::extract::{ConnectInfo, Request};
use axum::http::header::{self, HeaderValue};
use axum::http::uri::{PathAndQuery, Uri};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use http_body::{Frame, SizeHint};
use tower::ServiceExt as _;
use tower_http::services::ServeDir;

use crate::connection::{Meter, Remote};
use crate::publisher::is_document;

use super::access_log::{AccessLog, Line, unix_ms};
use super::holding::{Directives, Holding, Unheld};
use super::mount::Mount;
use super::range::{self, Asked};
use super::{cache, media_type};

/// A set of mounts, ready to answer. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Origin {
    mounts: Arc<[(Mount, ServeDir)]>,
    log: Option<AccessLog>,
    holding: Arc<Holding>,
}

impl Origin {
    /// Serves `mounts`; the longest matching path wins. Finished requests go to `log`, if there is one.
    pub fn new(mut mounts: Vec<Mount>, log: Option<AccessLog>) -> Self {
        mounts.sort_by_key(|mount| core::cmp::Reverse(mount.path().len()));
        let mounts = mounts
            .into_iter()
            .map(|mount| {
                let folder = ServeDir::new(mount.folder()).with_buf_chunk_size(READ_BYTES);
                (mount, folder)
            })
            .collect();
        let holding = Arc::new(Holding::new());
        Self { mounts, log, holding }
    }

    /// Answers one request and logs it when its body has been sent or given up.
    pub async fn answer(self, request: Request) -> Result<Response, Infallible> {
        let mut line = Line {
            t_ms: unix_ms(),
            method: method_name(request.method()).to_owned(),
            path: request.uri().path().to_owned(),
            range: None,
            status: 0,
            bytes: 0,
        };
        let meter = request
            .extensions()
            .get::<ConnectInfo<Remote>>()
            .map(|remote| remote.0.meter.clone());
        let mut response = match *request.method() {
            Method::GET | Method::HEAD => self.file(request, &mut line).await,
            Method::OPTIONS => preflight(),
            _ => with_header(
                empty(StatusCode::METHOD_NOT_ALLOWED),
                header::ALLOW,
                "GET, HEAD, OPTIONS",
            ),
        };
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(
            "cross-origin-resource-policy",
            HeaderValue::from_static("cross-origin"),
        );
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        line.status = response.status().as_u16();
        let written = self.log.map(|log| {
            let start = meter.as_ref().map_or(0, Meter::begin);
            Written {
                log,
                line,
                start,
                head: head_length(&response),
                meter,
            }
        });
        Ok(response.map(|body| {
            Body::new(Counted {
                body,
                bytes: 0,
                written,
            })
        }))
    }

    async fn file(&self, mut request: Request, line: &mut Line) -> Response {
        let path = request.uri().path().to_owned();
        let found = self
            .mounts
            .iter()
            .find_map(|(mount, folder)| Some((mount, folder, mount.rest(&path)?)));
        let Some((mount, folder, rest)) = found.filter(|_| is_servable(&path)) else {
            return empty(StatusCode::NOT_FOUND);
        };
        if rest.is_empty() {
            return redirect(&format!("{path}/"));
        }
        // Named here rather than left to the folder service, which would serve `file/` as `file`.
        let index = if rest.ends_with('/') { "index.html" } else { "" };
        let name = format!("{rest}{index}");
        if request.method() == Method::GET
            && let Err(unheld) = self.hold(mount.folder(), &name, request.uri().query()).await
        {
            return refused(unheld);
        }
        let Ok(inner) = PathAndQuery::try_from(name.as_str()) else {
            return empty(StatusCode::NOT_FOUND);
        };
        *request.uri_mut() = Uri::from(inner);
        keep_single_range(&mut request);
        line.range = request
            .headers()
            .get(header::RANGE)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let Ok(answer) = folder.clone().oneshot(request).await;
        let mut response = answer.map(Body::new);
        match response.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED => {
                let headers = response.headers_mut();
                if let Some(known) = media_type::of(&name) {
                    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(known));
                }
                headers.insert(
                    header::CACHE_CONTROL,
                    HeaderValue::from_static(cache::control(&name)),
                );
                response
            }
            StatusCode::RANGE_NOT_SATISFIABLE => response,
            // A folder without its closing slash: the redirect has to name the path outside the mount.
            StatusCode::TEMPORARY_REDIRECT => redirect(&format!("{}{rest}/", mount.path())),
            StatusCode::INTERNAL_SERVER_ERROR => empty(StatusCode::INTERNAL_SERVER_ERROR),
            _ => empty(StatusCode::NOT_FOUND),
        }
    }
}

impl Origin {
    /// Low latency: waits for what will be there soon.
    async fn hold(&self, root: &Path, name: &str, query: Option<&str>) -> Result<(), Unheld> {
        let path = root.join(name.trim_start_matches('/'));
        if is_document(name) {
            return match Directives::of(query)? {
                Some(asked) => self.holding.playlist(root, &path, asked).await,
                None => Ok(()),
            };
        }
        // Names with escapes are hinted at by nobody.
        if !name.contains('%') && !tokio::fs::try_exists(&path).await.unwrap_or(true) {
            self.holding.hinted(root, &path).await?;
        }
        Ok(())
    }
}

/// Whether the path may name a file at all: no dot files, no encoded separators, no dot segments in any spelling.
fn is_servable(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let encoded = ["%2f", "%5c", "%00"].iter().any(|code| lower.contains(code));
    let hidden = lower
        .split('/')
        .any(|part| part.starts_with('.') || part.starts_with("%2e"));
    !encoded && !hidden && !lower.contains('\\')
}

/// Drops a `Range` that is not acted upon: on HEAD, with `If-Range` (this origin has no strong validators), and
/// where it is not one byte range.
fn keep_single_range(request: &mut Request) {
    let headers = request.headers();
    let single = headers.get_all(header::RANGE).iter().count() == 1
        && headers
            .get(header::RANGE)
            .is_some_and(|value| range::asked(value.as_bytes()) == Asked::One);
    if !single || request.method() == Method::HEAD || headers.contains_key(header::IF_RANGE) {
        request.headers_mut().remove(header::RANGE);
    }
}

fn preflight() -> Response {
    let mut response = empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, HEAD"),
    );
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("range"),
    );
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    response
}

fn redirect(to: &str) -> Response {
    match HeaderValue::try_from(to) {
        // `//host` would leave this origin.
        Ok(location) if !to.starts_with("//") => {
            let mut response = empty(StatusCode::TEMPORARY_REDIRECT);
            response.headers_mut().insert(header::LOCATION, location);
            response
        }
        _ => empty(StatusCode::NOT_FOUND),
    }
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Says why, as `code` and a line feed.
fn refused(unheld: Unheld) -> Response {
    let mut response = Response::new(Body::from(format!("{}\n", unheld.code())));
    *response.status_mut() = unheld.status();
    let response = with_header(response, header::CONTENT_TYPE, "text/plain; charset=utf-8");
    match unheld.retry_after() {
        Some(seconds) => with_header(response, header::RETRY_AFTER, seconds),
        None => response,
    }
}

fn with_header(mut response: Response, name: header::HeaderName, value: &'static str) -> Response {
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
    response
}

fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Length of an answer's head without what the connection adds to it (`date` apart, a few bytes at most).
fn head_length(response: &Response) -> u64 {
    let reason = response.status().canonical_reason().unwrap_or_default();
    let headers: usize = response
        .headers()
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len())
        .sum();
    let length = "HTTP/1.1 200 \r\n".len() + reason.len() + headers + DATE_BYTES + "\r\n".len();
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// A body that counts what it hands out. However it ends, its line is logged once what it handed out has left.
struct Counted {
    body: Body,
    bytes: u64,
    written: Option<Written>,
}

/// What is logged about an answer, and where on its connection it lies.
struct Written {
    log: AccessLog,
    line: Line,
    start: u64,
    head: u64,
    meter: Option<Meter>,
}

impl HttpBody for Counted {
    type Data = <Body as HttpBody>::Data;
    type Error = <Body as HttpBody>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            let bytes = u64::try_from(data.len()).unwrap_or(u64::MAX);
            self.bytes = self.bytes.saturating_add(bytes);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let Some(Written {
            log,
            line,
            start,
            head,
            meter,
        }) = self.written.take()
        else {
            return;
        };
        let bytes = self.bytes;
        let settle = move |missing: u64| {
            let bytes = bytes.saturating_sub(missing);
            log.write(&Line { bytes, ..line });
        };
        match meter {
            Some(meter) => meter.settle(start.saturating_add(head).saturating_add(bytes), settle),
            None => settle(0),
        }
    }
}

/// `date: Mon, 23 Nov 2026 20:53:41 GMT` and the end of its line.
const DATE_BYTES: usize = 37;
/// File bytes read at a time.
const READ_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_is_not_held_is_told_why_and_when_to_come_back() {
        let answer = refused(Unheld::TooManyHeld);
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers()[header::RETRY_AFTER], "1");
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX)
            .await
            .unwrap();
        assert_eq!(body, "too_many_held\n");
        let answer = refused(Unheld::TooFarAhead);
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        assert_eq!(answer.headers().get(header::RETRY_AFTER), None);
    }
}
