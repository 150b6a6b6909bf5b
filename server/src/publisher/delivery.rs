//! Whether a web server gives browsers what they need: CORS, and ranges without a surprise.

use swarmseal::content::Manifest;
use url::Url;

use super::PublishError;
use super::source::{client, without_query};

/// What a server does with the requests of a viewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Whether pages of other origins may read.
    pub cors: Answer,
    /// Whether a part can be asked for.
    pub ranges: Answer,
    /// Whether bytes arrive as they are stored.
    pub encoding: Answer,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Will do.
    Good(String),
    /// Works, at a cost.
    Poor(String),
    /// Viewers cannot use this.
    Bad(String),
}

/// Asks for the manifest, an index and a piece of media as a page of another origin would.
pub fn probe(base: &Url, manifest_name: &str, manifest: &Manifest) -> Result<Delivery, PublishError> {
    let agent = client();
    let mut names = vec![manifest_name];
    names.extend(
        manifest
            .tracks
            .iter()
            .map(|track| track.index.path.as_str())
            .take(1),
    );
    names.extend(manifest.assets.iter().map(|asset| asset.path.as_str()).take(1));
    let mut cors = Answer::Good(String::new());
    let mut ranges = Answer::Good("answers with exactly the bytes asked for (206)".to_owned());
    let mut encoding = Answer::Good("bytes arrive as they are stored".to_owned());
    for name in names {
        let address = base
            .join(name)
            .map_err(|error| PublishError::unreadable(name, error))?;
        let request = agent
            .get(address.as_str())
            .header("origin", ORIGIN)
            .header("range", "bytes=0-0");
        let response = request.call().map_err(|error| PublishError::Http {
            url: without_query(&address),
            detail: error.to_string(),
        })?;
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned()
        };
        let allowed = header("access-control-allow-origin");
        if allowed == "*" || allowed == ORIGIN {
            if matches!(&cors, Answer::Good(text) if text.is_empty()) {
                cors = Answer::Good(format!(
                    "pages of other origins may read (Access-Control-Allow-Origin: {allowed})"
                ));
            }
        } else {
            let says = if allowed.is_empty() {
                "nothing".to_owned()
            } else {
                allowed
            };
            cors = Answer::Bad(format!(
                "{name}: Access-Control-Allow-Origin says {says}; pages of other origins cannot read; add \
                 'Access-Control-Allow-Origin: *'"
            ));
        }
        match response.status().as_u16() {
            206 => {}
            200 => {
                let text = format!(
                    "{name}: Range is ignored (200 with the whole file); it plays, but viewers load more"
                );
                ranges = Answer::Poor(text);
            }
            status => {
                ranges = Answer::Bad(format!(
                    "{name}: a Range request is answered with status {status}"
                ))
            }
        }
        let coding = header("content-encoding");
        if !coding.is_empty() && coding != "identity" {
            let text =
                format!("{name}: sent as {coding} though identity was asked for; ranges of it are useless");
            encoding = Answer::Bad(text);
        }
    }
    Ok(Delivery {
        cors,
        ranges,
        encoding,
    })
}

/// Stands for any page that is not on the media server.
const ORIGIN: &str = "https://viewer.example";
