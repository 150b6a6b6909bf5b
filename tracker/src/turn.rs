//! Credentials for a TURN server that end by themselves, in the form that coturn takes with `use-auth-secret`
//! (draft-uberti-behave-turn-rest-00): the tracker and the TURN server share a secret, and nothing else.

use core::fmt;

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use swarmseal::identity::Drbg;
use swarmseal::signal::IceServer;

/// A TURN server that peers may use for as long as they are admitted.
#[derive(Clone, PartialEq, Eq)]
pub struct TurnServer {
    /// 1 to 4 `turn:` or `turns:` URLs.
    pub urls: Vec<String>,
    /// What coturn has as `static-auth-secret`.
    pub secret: String,
    /// Validity of a credential in seconds; longer than a ticket's, as each ticket comes with a new one.
    pub ttl_s: u32,
}

impl TurnServer {
    /// A fresh credential. Its user name says when it ends and nothing about whose it is.
    pub(super) fn credential(&self, unix_s: u64, random: &mut Drbg) -> IceServer {
        let nobody = Base64UrlUnpadded::encode_string(&random.array::<NAME_BYTES>());
        let username = format!("{}:{nobody}", unix_s.saturating_add(u64::from(self.ttl_s)));
        // HMAC takes a key of any length.
        let credential = Hmac::<Sha1>::new_from_slice(self.secret.as_bytes())
            .ok()
            .map(|mac| mac.chain_update(username.as_bytes()).finalize().into_bytes())
            .map(|mac| Base64::encode_string(&mac));
        IceServer {
            urls: self.urls.clone(),
            username: Some(username),
            credential,
        }
    }
}

impl fmt::Debug for TurnServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TurnServer")
            .field("urls", &self.urls)
            .field("ttl_s", &self.ttl_s)
            .finish_non_exhaustive()
    }
}

/// Enough that no two names are equal: coturn may count by them.
const NAME_BYTES: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_what_coturn_computes() {
        let server = TurnServer {
            urls: vec!["turn:turn.example:3478".to_owned()],
            secret: "north".to_owned(),
            ttl_s: 1_200,
        };
        let mut random = Drbg::new([1; 32]);
        let one = server.credential(1_800_000_000, &mut random);
        let other = server.credential(1_800_000_000, &mut random);
        let name = one.username.clone().unwrap();
        assert!(name.starts_with("1800001200:"), "{name}");
        assert_ne!(one.username, other.username);
        assert_ne!(one.credential, other.credential);
        // RFC 2202's way to say it: HMAC-SHA-1 is 20 bytes, base64 with padding.
        assert_eq!(one.credential.unwrap().len(), 28);
        assert!(!format!("{server:?}").contains("north"));
    }

    #[test]
    fn the_mac_is_that_of_rfc_2202() {
        let mac = Hmac::<Sha1>::new_from_slice(b"Jefe").unwrap();
        let mac = mac.chain_update(b"what do ya want for nothing?").finalize();
        let expected = [
            0xef, 0xfc, 0xdf, 0x6a, 0xe5, 0xeb, 0x2f, 0xa2, 0xd2, 0x74, 0x16, 0xd5, 0xf1, 0x84, 0xdf, 0x9c,
            0x25, 0x9a, 0x7c, 0x79,
        ];
        assert_eq!(mac.into_bytes().as_slice(), expected);
    }
}
