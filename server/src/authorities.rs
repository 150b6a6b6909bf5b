//! Whose certificates are believed where TLS is spoken to a server: those that the public authorities vouch for, and those of
//! authorities that an operator names.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::Connector;
use ureq::tls::{Certificate, RootCerts};
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

use crate::publisher::in_words;

/// Without more, the authorities that Mozilla's browsers believe.
#[derive(Clone, Debug, Default)]
pub struct Authorities {
    more: Option<More>,
}

#[derive(Clone, Debug)]
struct More {
    http: RootCerts,
    websocket: Arc<ClientConfig>,
}

/// Why a file of authorities cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthoritiesError {
    /// It cannot be read.
    #[error("{path}: {detail}")]
    File {
        /// Which file.
        path: String,
        /// What the system said.
        detail: String,
    },
    /// It is no list of certificates.
    #[error("{path} is longer than {MAX_FILE} bytes")]
    TooLong {
        /// Which file.
        path: String,
    },
    /// There is none in it.
    #[error("{path} holds no certificate in PEM")]
    NoCertificate {
        /// Which file.
        path: String,
    },
    /// One of its certificates cannot be read.
    #[error("certificate {number} of {path} cannot be read")]
    Malformed {
        /// Which file.
        path: String,
        /// Which of its certificates, counted from 1.
        number: usize,
    },
    /// The library for TLS does not take them.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

impl AuthoritiesError {
    /// Stable code, for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "authorities_unreadable",
            Self::TooLong { .. } => "authorities_too_long",
            Self::NoCertificate { .. } => "no_certificate",
            Self::Malformed { .. } => "certificate_malformed",
            Self::Tls(_) => "no_tls",
        }
    }

    /// What the user can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::File { .. } => "check the path",
            Self::TooLong { .. } | Self::NoCertificate { .. } => {
                "give the certificate of the authority: a text that begins with -----BEGIN CERTIFICATE-----"
            }
            Self::Malformed { .. } => "look at it with: openssl x509 -noout -text -in FILE",
            Self::Tls(_) => "",
        }
    }
}

impl Authorities {
    /// The public ones, and those whose certificates are in these files, in PEM.
    ///
    /// # Errors
    /// [`AuthoritiesError`], for the first file that cannot be used.
    pub fn with(files: &[PathBuf]) -> Result<Self, AuthoritiesError> {
        if files.is_empty() {
            return Ok(Self::default());
        }
        let mut all = TLS_SERVER_ROOT_CERTS.to_vec();
        for file in files {
            all.extend(certificates(file)?);
        }
        let http = all.iter().map(|der| Certificate::from_der(der).to_owned());
        let http = RootCerts::from(http);
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(all);
        let websocket = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let websocket = Arc::new(websocket);
        Ok(Self {
            more: Some(More { http, websocket }),
        })
    }

    /// For `https:`.
    pub(crate) fn for_http(&self) -> RootCerts {
        self.more
            .as_ref()
            .map_or(RootCerts::WebPki, |more| more.http.clone())
    }

    /// For `wss:`; without one, a WebSocket believes the public ones.
    pub(crate) fn for_websocket(&self) -> Option<Connector> {
        let more = self.more.as_ref()?;
        Some(Connector::Rustls(Arc::clone(&more.websocket)))
    }
}

/// All of one file, each known to be one that can vouch for others.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, AuthoritiesError> {
    let path = file.display().to_string();
    let mut text = Vec::new();
    let read = File::open(file).and_then(|open| open.take(MAX_FILE + 1).read_to_end(&mut text));
    if let Err(error) = read {
        let detail = in_words(&error);
        return Err(AuthoritiesError::File { path, detail });
    }
    if text.len() as u64 > MAX_FILE {
        return Err(AuthoritiesError::TooLong { path });
    }
    let mut found = Vec::new();
    for (at, certificate) in CertificateDer::pem_slice_iter(&text).enumerate() {
        let usable = certificate
            .ok()
            .filter(|certificate| RootCertStore::empty().add(certificate.clone()).is_ok());
        let Some(certificate) = usable else {
            let number = at + 1;
            return Err(AuthoritiesError::Malformed { path, number });
        };
        found.push(certificate);
    }
    if found.is_empty() {
        return Err(AuthoritiesError::NoCertificate { path });
    }
    Ok(found)
}

/// All public authorities together take a quarter of it.
const MAX_FILE: u64 = 1 << 20;
