//! From an address to a tag that says "same neighbourhood" and nothing else.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use swarmseal::content::Hash;
use swarmseal_tracker::PrefixTag;

use crate::config::Network;

/// Hashes address prefixes under a key that lives as long as the process.
#[derive(Clone)]
pub struct PrefixHasher {
    key: [u8; 32],
    trusted_proxies: Vec<Network>,
}

impl PrefixHasher {
    /// `key` must be random and is written nowhere.
    pub fn new(key: [u8; 32], trusted_proxies: Vec<Network>) -> Self {
        Self { key, trusted_proxies }
    }

    /// The tag of the client behind a request. The address goes no further than this function.
    pub(super) fn tag(&self, remote: SocketAddr, headers: &HeaderMap) -> PrefixTag {
        let bytes = prefix(self.client(remote.ip(), headers));
        let hash = Hash::of(&[PREFIX_CONTEXT, &self.key, &bytes]);
        PrefixTag(
            hash.0
                .first_chunk()
                .copied()
                .map(u64::from_be_bytes)
                .unwrap_or_default(),
        )
    }

    /// The last address that a trusted proxy saw and that is no trusted proxy itself.
    fn client(&self, remote: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = remote;
        let mut hops: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .collect();
        while self
            .trusted_proxies
            .iter()
            .any(|network| network.contains(client))
        {
            let Some(hop) = hops.pop().and_then(|hop| hop.trim().parse().ok()) else {
                break;
            };
            client = hop;
        }
        client
    }
}

impl std::fmt::Debug for PrefixHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrefixHasher(..)")
    }
}

/// /24 of IPv4, /48 of IPv6: about what one customer or one site has.
fn prefix(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.octets().into_iter().take(3).collect(),
        IpAddr::V6(v6) => v6.octets().into_iter().take(6).collect(),
    }
}

const PREFIX_CONTEXT: &[u8] = b"swarmseal/prefix/1";

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(hasher: &PrefixHasher, remote: &str, forwarded: &[&str]) -> PrefixTag {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        hasher.tag(SocketAddr::new(remote.parse().unwrap(), 4000), &headers)
    }

    #[test]
    fn neighbours_share_a_tag() {
        let hasher = PrefixHasher::new([1; 32], Vec::new());
        let same = |a, b| tag(&hasher, a, &[]) == tag(&hasher, b, &[]);
        assert!(same("192.0.2.1", "192.0.2.200") && same("192.0.2.1", "::ffff:192.0.2.9"));
        assert!(same("2001:db8:1::1", "2001:db8:1:ffff::2"));
        assert!(!same("192.0.2.1", "192.0.3.1") && !same("2001:db8:1::1", "2001:db8:2::1"));
        let other = PrefixHasher::new([2; 32], Vec::new());
        assert_ne!(tag(&hasher, "192.0.2.1", &[]), tag(&other, "192.0.2.1", &[]));
    }

    #[test]
    fn forwarded_addresses_count_only_from_trusted_proxies() {
        let open = PrefixHasher::new([1; 32], Vec::new());
        assert_eq!(
            tag(&open, "10.0.0.1", &["203.0.113.5"]),
            tag(&open, "10.0.0.1", &[])
        );
        let behind = PrefixHasher::new([1; 32], vec!["10.0.0.0/8".parse().unwrap()]);
        let client = tag(&behind, "203.0.113.5", &[]);
        assert_eq!(tag(&behind, "10.0.0.1", &["203.0.113.5"]), client);
        // A client cannot choose its prefix: what it sent stands before what the proxy saw.
        assert_eq!(tag(&behind, "10.0.0.1", &["198.51.100.1, 203.0.113.5"]), client);
        assert_eq!(
            tag(&behind, "10.0.0.1", &["198.51.100.1", "203.0.113.5, 10.9.9.9"]),
            client
        );
        assert_eq!(tag(&behind, "203.0.113.5", &["198.51.100.1"]), client);
        assert_eq!(
            tag(&behind, "10.0.0.1", &["nonsense"]),
            tag(&behind, "10.0.0.1", &[])
        );
    }
}
