//! A session description as typed fields, and the one template that makes it text again.

use alloc::format;
use alloc::string::String;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::ice::{Password, Ufrag};
use super::limits::{MAX_MESSAGE_SIZE, MAX_SDP, MIN_MESSAGE_SIZE};
use crate::identity::Fingerprint;

/// All that one side of a connection has to tell the other besides candidates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// ICE user name fragment.
    pub ufrag: Ufrag,
    /// ICE password.
    pub pwd: Password,
    /// SHA-256 of the DTLS certificate; exactly one.
    pub fingerprint: Fingerprint,
    /// Who starts DTLS.
    pub setup: Setup,
    /// Largest message that the sender of this description takes, in bytes.
    pub max_message_size: u32,
}

/// The DTLS role (RFC 8842 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setup {
    /// Either; in offers.
    Actpass,
    /// Starts; in answers.
    Active,
    /// Waits; in answers.
    Passive,
}

/// Offer or answer (RFC 3264).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SdpType {
    /// The first description.
    Offer,
    /// The second.
    Answer,
}

impl Description {
    /// Reads what the browser says about its own end. The text itself is never altered or passed on.
    ///
    /// # Errors
    /// [`InvalidDescription`] where the browser describes something else than one data-channel transport with one
    /// SHA-256 fingerprint.
    pub fn from_sdp(sdp: &str) -> Result<Self, InvalidDescription> {
        if sdp.len() > MAX_SDP {
            return Err(InvalidDescription::TooLong);
        }
        let mut fields = Fields::default();
        for line in sdp.lines() {
            fields.read(line.trim_ascii_end())?;
        }
        if fields.media != 1 {
            return Err(InvalidDescription::NotOneDataChannelTransport);
        }
        // Without `a=mid` the browser would not bundle; a mid other than the template's would never match it.
        if fields.mid != Some("0") {
            return Err(InvalidDescription::UnexpectedMid);
        }
        let stated = match fields.max_message_size {
            None => MESSAGE_SIZE_UNSTATED,
            Some(0) => u64::from(MAX_MESSAGE_SIZE),
            Some(size) => size.min(u64::from(MAX_MESSAGE_SIZE)),
        };
        let description = Self {
            ufrag: fields.ufrag.ok_or(InvalidDescription::BadUfrag)?,
            pwd: fields.pwd.ok_or(InvalidDescription::BadPassword)?,
            fingerprint: fields.fingerprint.ok_or(InvalidDescription::NotOneFingerprint)?,
            setup: fields.setup.ok_or(InvalidDescription::BadSetup)?,
            max_message_size: u32::try_from(stated).unwrap_or(MAX_MESSAGE_SIZE),
        };
        description.validate()?;
        Ok(description)
    }

    /// The remote description for the browser, from the one fixed template.
    ///
    /// An offer always says `actpass`; an answer that does not choose says `active`, as RFC 8842 §5.3 advises.
    pub fn to_sdp(&self, kind: SdpType) -> String {
        let setup = match (kind, self.setup) {
            (SdpType::Offer, _) => "actpass",
            (SdpType::Answer, Setup::Passive) => "passive",
            (SdpType::Answer, Setup::Active | Setup::Actpass) => "active",
        };
        let Self {
            ufrag,
            pwd,
            fingerprint,
            max_message_size,
            ..
        } = self;
        format!(
            "v=0\r\n\
             o=- 1 1 IN IP4 0.0.0.0\r\n\
             s=-\r\n\
             t=0 0\r\n\
             a=group:BUNDLE 0\r\n\
             a=ice-options:trickle\r\n\
             m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n\
             c=IN IP4 0.0.0.0\r\n\
             a=mid:0\r\n\
             a=ice-ufrag:{ufrag}\r\n\
             a=ice-pwd:{pwd}\r\n\
             a=fingerprint:sha-256 {fingerprint}\r\n\
             a=setup:{setup}\r\n\
             a=sctp-port:5000\r\n\
             a=max-message-size:{max_message_size}\r\n"
        )
    }

    /// Checks the limits that the types do not.
    pub fn validate(&self) -> Result<(), InvalidDescription> {
        if (MIN_MESSAGE_SIZE..=MAX_MESSAGE_SIZE).contains(&self.max_message_size) {
            Ok(())
        } else {
            Err(InvalidDescription::BadMessageSize)
        }
    }

    /// Checks also that the DTLS role fits the place in the exchange.
    pub fn validate_as(&self, kind: SdpType) -> Result<(), InvalidDescription> {
        self.validate()?;
        match (kind, self.setup) {
            (SdpType::Offer, Setup::Actpass) | (SdpType::Answer, Setup::Active | Setup::Passive) => Ok(()),
            _ => Err(InvalidDescription::BadSetup),
        }
    }
}

/// What is wrong with a description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidDescription {
    /// Longer than any real one.
    #[error("the description is too long")]
    TooLong,
    /// There is no media section for data channels, or there are several.
    #[error("not exactly one media section, for data channels")]
    NotOneDataChannelTransport,
    /// The media section has another name than the template gives it.
    #[error("the media section is not named 0")]
    UnexpectedMid,
    /// No user name fragment, a malformed one, or two different ones.
    #[error("not one well-formed ICE user name fragment")]
    BadUfrag,
    /// No password, a malformed one, or two different ones.
    #[error("not one well-formed ICE password")]
    BadPassword,
    /// There is no fingerprint, or there are several.
    #[error("not exactly one fingerprint")]
    NotOneFingerprint,
    /// The fingerprint is not a SHA-256 one.
    #[error("the fingerprint is not a SHA-256 one")]
    BadFingerprint,
    /// No DTLS role, an unknown one, or one that does not fit.
    #[error("the DTLS role is missing or does not fit")]
    BadSetup,
    /// The largest message is too small for a chunk, or not a size.
    #[error("the largest message size is out of range")]
    BadMessageSize,
}

impl InvalidDescription {
    /// The stable name of the rule.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLong => "description_too_long",
            Self::NotOneDataChannelTransport => "description_media",
            Self::UnexpectedMid => "description_mid",
            Self::BadUfrag => "description_ufrag",
            Self::BadPassword => "description_pwd",
            Self::NotOneFingerprint => "description_fingerprint_count",
            Self::BadFingerprint => "description_fingerprint",
            Self::BadSetup => "description_setup",
            Self::BadMessageSize => "description_message_size",
        }
    }
}

/// The attributes that matter, at whichever level the browser writes them.
#[derive(Default)]
struct Fields<'a> {
    media: usize,
    mid: Option<&'a str>,
    ufrag: Option<Ufrag>,
    pwd: Option<Password>,
    fingerprint: Option<Fingerprint>,
    setup: Option<Setup>,
    max_message_size: Option<u64>,
}

impl<'a> Fields<'a> {
    fn read(&mut self, line: &'a str) -> Result<(), InvalidDescription> {
        if let Some(media) = line.strip_prefix("m=") {
            self.media += 1;
            let data = media.starts_with("application ") && media.ends_with(" webrtc-datachannel");
            return if data {
                Ok(())
            } else {
                Err(InvalidDescription::NotOneDataChannelTransport)
            };
        }
        let Some((name, value)) = line
            .strip_prefix("a=")
            .and_then(|attribute| attribute.split_once(':'))
        else {
            return Ok(());
        };
        match name {
            "mid" => once(&mut self.mid, Some(value), InvalidDescription::UnexpectedMid),
            "ice-ufrag" => once(&mut self.ufrag, value.parse().ok(), InvalidDescription::BadUfrag),
            "ice-pwd" => once(&mut self.pwd, value.parse().ok(), InvalidDescription::BadPassword),
            "fingerprint" => {
                if self.fingerprint.is_some() {
                    return Err(InvalidDescription::NotOneFingerprint);
                }
                let (function, digest) = value.split_once(' ').ok_or(InvalidDescription::BadFingerprint)?;
                if !function.eq_ignore_ascii_case("sha-256") {
                    return Err(InvalidDescription::BadFingerprint);
                }
                self.fingerprint = Some(digest.parse().map_err(|_| InvalidDescription::BadFingerprint)?);
                Ok(())
            }
            "setup" => {
                let setup = match value {
                    "actpass" => Some(Setup::Actpass),
                    "active" => Some(Setup::Active),
                    "passive" => Some(Setup::Passive),
                    _ => None,
                };
                once(&mut self.setup, setup, InvalidDescription::BadSetup)
            }
            "max-message-size" => once(
                &mut self.max_message_size,
                value.parse().ok(),
                InvalidDescription::BadMessageSize,
            ),
            _ => Ok(()),
        }
    }
}

/// Keeps a value that may be said twice, but not differently.
fn once<T: PartialEq>(
    slot: &mut Option<T>,
    value: Option<T>,
    fault: InvalidDescription,
) -> Result<(), InvalidDescription> {
    let value = value.ok_or(fault)?;
    match slot {
        Some(earlier) if *earlier != value => Err(fault),
        _ => {
            *slot = Some(value);
            Ok(())
        }
    }
}

/// What a description without `a=max-message-size` means (RFC 8841 §6.1).
const MESSAGE_SIZE_UNSTATED: u64 = 65_536;
