//! A web server as a source. Nothing is stored: resources are hashed while they arrive.

use std::collections::HashMap;
use std::io::Read as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ureq::tls::TlsConfig;
use url::Url;

use super::{Opened, Source, Stamp};
use crate::authorities::Authorities;
use crate::publisher::PublishError;

/// A document on a web server, and what lies below its base.
pub struct HttpSource {
    agent: ureq::Agent,
    base: Url,
    entry: String,
    /// Addresses of names that need more than base and name, such as a query with a token.
    addresses: Mutex<HashMap<String, Url>>,
}

impl HttpSource {
    /// `base` is the folder that names are relative to; without it, the folder of `entry`.
    pub fn open(entry: &Url, base: Option<Url>) -> Result<Self, PublishError> {
        Self::open_by(client(), entry, base)
    }

    /// The same, by a client that is there already.
    pub(crate) fn open_by(agent: ureq::Agent, entry: &Url, base: Option<Url>) -> Result<Self, PublishError> {
        let mut base = match base {
            Some(base) => base,
            None => entry
                .join(".")
                .map_err(|error| PublishError::unreadable(entry.as_str(), error))?,
        };
        base.set_query(None);
        base.set_fragment(None);
        if !base.path().ends_with('/') {
            let with_slash = format!("{}/", base.path());
            base.set_path(&with_slash);
        }
        let mut document = entry.clone();
        document.set_query(None);
        document.set_fragment(None);
        let Some(name) = below(&base, &document) else {
            return Err(PublishError::OutsideFolder {
                uri: without_query(entry),
                referrer: "the command line".to_owned(),
            });
        };
        let source = Self {
            agent,
            base,
            entry: name.clone(),
            addresses: Mutex::new(HashMap::new()),
        };
        source.learn(&name, entry);
        Ok(source)
    }

    fn address(&self, name: &str) -> Result<Url, PublishError> {
        let known = self
            .addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned();
        match known {
            Some(address) => Ok(address),
            None => self
                .base
                .join(name)
                .map_err(|error| PublishError::unreadable(name, error)),
        }
    }
}

impl Source for HttpSource {
    fn base(&self) -> &Url {
        &self.base
    }

    fn entries(&self) -> Result<Vec<String>, PublishError> {
        Ok(vec![self.entry.clone()])
    }

    fn learn(&self, name: &str, address: &Url) {
        if self.base.join(name).is_ok_and(|plain| plain == *address) {
            return;
        }
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        addresses.insert(name.to_owned(), address.clone());
    }

    fn stamp(&self, name: &str) -> Result<Option<Stamp>, PublishError> {
        let address = self.address(name)?;
        let response = persist(&address, || self.agent.head(address.as_str()).call())?;
        match response.status().as_u16() {
            200..=299 => Ok(Some(stamp_of(response.headers(), None))),
            404 | 410 => Ok(None),
            // Some servers know no HEAD.
            405 | 501 => self.open(name, Some((0, 1))).map(|opened| Some(opened.stamp)),
            status => Err(failed(&address, format!("status {status}"))),
        }
    }

    fn open(&self, name: &str, range: Option<(u64, u64)>) -> Result<Opened, PublishError> {
        let address = self.address(name)?;
        if range.is_some_and(|(_, length)| length == 0) {
            return Ok(Opened {
                bytes: Box::new(std::io::empty()),
                stamp: Stamp::default(),
            });
        }
        let response = persist(&address, || match range {
            Some((offset, length)) => {
                let bytes = format!("bytes={offset}-{}", offset + (length - 1));
                self.agent.get(address.as_str()).header("range", bytes).call()
            }
            None => self.agent.get(address.as_str()).call(),
        })?;
        let status = response.status().as_u16();
        let stamp = stamp_of(response.headers(), (status == 206).then_some("content-range"));
        let mut body = response.into_body().into_with_config().limit(u64::MAX).reader();
        match (range, status) {
            (None, 200) => Ok(Opened {
                bytes: Box::new(body),
                stamp,
            }),
            (Some((_, length)), 206) => Ok(Opened {
                bytes: Box::new(body.take(length)),
                stamp,
            }),
            // A server without ranges sends all of it; what comes before is read and dropped.
            (Some((offset, length)), 200) => {
                std::io::copy(&mut (&mut body).take(offset), &mut std::io::sink())
                    .map_err(|error| failed(&address, error))?;
                Ok(Opened {
                    bytes: Box::new(body.take(length)),
                    stamp,
                })
            }
            _ => Err(failed(&address, format!("status {status}"))),
        }
    }

    fn failed(&self, name: &str, error: &std::io::Error) -> PublishError {
        PublishError::Http {
            url: format!("{}{name}", self.base),
            detail: error.to_string(),
        }
    }

    fn stamps_are_cheap(&self) -> bool {
        false
    }
}

/// The client of all commands: no automatic decompression, since what counts are the bytes as stored, and no wait
/// without end.
pub fn client() -> ureq::Agent {
    client_believing(&Authorities::default())
}

/// The same, with other certificates to be believed.
pub(crate) fn client_believing(authorities: &Authorities) -> ureq::Agent {
    ureq::Agent::config_builder()
        .tls_config(TlsConfig::builder().root_certs(authorities.for_http()).build())
        .http_status_as_error(false)
        .accept_encoding("identity")
        .user_agent(concat!("swarmseal/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(TIMEOUT))
        .timeout_connect(Some(TIMEOUT))
        .timeout_recv_response(Some(TIMEOUT))
        .timeout_per_read(Some(TIMEOUT))
        .build()
        .into()
}

/// The name of an address below a base, not yet normalised and with its query. `None`: it lies elsewhere.
pub(crate) fn below(base: &Url, address: &Url) -> Option<String> {
    if base.origin() != address.origin() {
        return None;
    }
    let path = address.path().strip_prefix(base.path())?;
    Some(match address.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    })
}

/// An address as it may be shown: queries can hold tokens, and user info is a secret.
pub(crate) fn without_query(address: &Url) -> String {
    let mut shown = address.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    // Fails only for addresses that cannot have user info.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.to_string()
}

/// Undoes percent-encoding; a sign that encodes nothing stays as it is.
pub(crate) fn decode_percent(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let decoded = match (first, after.get(..2)) {
            (b'%', Some(digits)) if digits.iter().all(u8::is_ascii_hexdigit) => std::str::from_utf8(digits)
                .ok()
                .and_then(|digits| u8::from_str_radix(digits, 16).ok()),
            _ => None,
        };
        bytes.push(decoded.unwrap_or(first));
        rest = if decoded.is_some() {
            after.get(2..).unwrap_or_default()
        } else {
            after
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Length of the whole resource, from `Content-Range` where that is given, and its entity tag or date.
fn stamp_of(headers: &ureq::http::HeaderMap, range: Option<&str>) -> Stamp {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let validator = header("etag")
        .or_else(|| header("last-modified"))
        .unwrap_or_default()
        .to_owned();
    let length = match range {
        Some(name) => header(name)
            .and_then(|range| range.rsplit_once('/'))
            .map(|(_, total)| total),
        None => header("content-length"),
    };
    Stamp {
        length: length.and_then(|length| length.trim().parse().ok()),
        validator,
    }
}

/// Asks again when the network or the server stumbles.
fn persist(
    address: &Url,
    request: impl Fn() -> Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<ureq::http::Response<ureq::Body>, PublishError> {
    let mut pause = FIRST_PAUSE;
    for _ in 1..ATTEMPTS {
        match request() {
            Ok(response) if response.status().is_server_error() || response.status() == 429 => {}
            Ok(response) => return Ok(response),
            // These will be the same the next time.
            Err(error @ (ureq::Error::BadUri(_) | ureq::Error::HostNotFound | ureq::Error::Tls(_))) => {
                return Err(failed(address, error));
            }
            Err(_) => {}
        }
        std::thread::sleep(pause);
        pause *= 4;
    }
    request().map_err(|error| failed(address, error))
}

fn failed(address: &Url, detail: impl std::fmt::Display) -> PublishError {
    PublishError::Http {
        url: without_query(address),
        detail: detail.to_string(),
    }
}

/// How often a request is made, and the pause after the first time.
const ATTEMPTS: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// A server that says nothing for so long is given up.
const TIMEOUT: Duration = Duration::from_secs(30);
