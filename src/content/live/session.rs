//! Sessions: for how long which key may state the heads of a content.

use alloc::vec::Vec;

use super::SessionError;
use crate::content::cbor::{MapWriter, Reader, Writer};
use crate::content::cose::{self, Role};
use crate::content::{ContentId, MAX_NUMBER, PublicKey, SecretKey};

/// Longest validity of a session, in seconds: what a stolen session key is good for.
pub const MAX_SESSION_S: u64 = 86_400;

/// What the publisher's key says about a session's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The content.
    pub content_id: ContentId,
    /// Only goes up. By convention at least the Unix time of its making, so that it does even if all state is lost.
    pub number: u64,
    /// Signs heads.
    pub key: PublicKey,
    /// Unix time in seconds from which heads may be issued.
    pub not_before: u64,
    /// Unix time in seconds until which heads may be issued; at most [`MAX_SESSION_S`] later.
    pub not_after: u64,
    /// Lowest sequence of its heads.
    pub first_sequence: u64,
}

impl Session {
    /// The payload: deterministic CBOR with integer keys.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut map = MapWriter::default();
        map.put(key::FORMAT, |out| _ = out.unsigned(super::codec::FORMAT));
        map.put(key::TYPE, |out| _ = out.unsigned(super::codec::TYPE_SESSION));
        map.put(key::CONTENT_ID, |out| _ = out.bytes(&self.content_id.0));
        map.put(key::NUMBER, |out| _ = out.unsigned(self.number));
        map.put(key::KEY, |out| _ = out.bytes(&self.key.0));
        map.put(key::NOT_BEFORE, |out| _ = out.unsigned(self.not_before));
        map.put(key::NOT_AFTER, |out| _ = out.unsigned(self.not_after));
        map.put(key::FIRST_SEQUENCE, |out| _ = out.unsigned(self.first_sequence));
        let mut out = Writer::default();
        map.finish(&mut out);
        out.into_bytes()
    }

    /// Reads a payload and checks every rule that a session has to keep.
    ///
    /// # Errors
    /// [`SessionError`] says which rule is broken.
    pub fn decode(payload: &[u8]) -> Result<Self, SessionError> {
        super::codec::check(payload)?;
        let session = Self::read(payload)?;
        session.check()?;
        Ok(session)
    }

    /// The sealed session: a COSE_Sign1 object in the role `live`, by the publisher's key.
    ///
    /// # Errors
    /// [`SessionError`] when the session breaks a rule, so that no one could verify it.
    pub fn sign(&self, publisher: &SecretKey) -> Result<Vec<u8>, SessionError> {
        self.check()?;
        Ok(cose::sign1(Role::Live, publisher, &self.encode())?)
    }

    fn read(payload: &[u8]) -> Result<Self, SessionError> {
        let mut reader = Reader::new(payload);
        let entries = super::codec::begin(&mut reader, super::codec::TYPE_SESSION)?;
        let (mut content_id, mut number, mut live_key) = (None, None, None);
        let (mut not_before, mut not_after, mut first_sequence) = (None, None, None);
        for _ in 0..entries {
            match reader.unsigned()? {
                key::CONTENT_ID => content_id = Some(ContentId(reader.fixed()?)),
                key::NUMBER => number = Some(reader.unsigned()?),
                key::KEY => live_key = Some(PublicKey(reader.fixed()?)),
                key::NOT_BEFORE => not_before = Some(reader.unsigned()?),
                key::NOT_AFTER => not_after = Some(reader.unsigned()?),
                key::FIRST_SEQUENCE => first_sequence = Some(reader.unsigned()?),
                unknown if unknown < super::codec::FIRST_OPTIONAL => {
                    return Err(SessionError::UnsupportedFeature);
                }
                _ => reader.skip()?,
            }
        }
        reader.end()?;
        let draft = || {
            Some(Self {
                content_id: content_id?,
                number: number?,
                key: live_key?,
                not_before: not_before?,
                not_after: not_after?,
                first_sequence: first_sequence?,
            })
        };
        draft().ok_or(SessionError::Malformed)
    }

    fn check(&self) -> Result<(), SessionError> {
        let numbers = [self.number, self.not_after, self.first_sequence];
        if self.number == 0 || self.first_sequence == 0 || numbers.iter().any(|n| *n > MAX_NUMBER) {
            return Err(SessionError::NumberRange);
        }
        match self.not_after.checked_sub(self.not_before) {
            Some(1..=MAX_SESSION_S) => {}
            _ => return Err(SessionError::Validity),
        }
        if self.key.is_usable() {
            Ok(())
        } else {
            Err(SessionError::Key)
        }
    }
}

mod key {
    pub(super) const FORMAT: u64 = 1;
    pub(super) const TYPE: u64 = 2;
    pub(super) const CONTENT_ID: u64 = 3;
    pub(super) const NUMBER: u64 = 4;
    pub(super) const KEY: u64 = 5;
    pub(super) const NOT_BEFORE: u64 = 6;
    pub(super) const NOT_AFTER: u64 = 7;
    pub(super) const FIRST_SEQUENCE: u64 = 8;
}
