//! Where a candidate is: an IP address or a multicast-DNS name, as text.
//!
//! The text forms are those of the standard library, written and read by hand: its own know of padding and of sockets, and
//! every page would download that.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use super::candidate::InvalidCandidate;

/// An IP literal or a multicast-DNS name; never a name that a resolver would be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Address {
    /// An IP address.
    Ip(IpAddr),
    /// One label and `.local`, in lower case (RFC 8828 §5.2, draft-ietf-mmusic-mdns-ice-candidates).
    Local(String),
}

/// Longest DNS label (RFC 1035 §2.3.4).
const LONGEST_LABEL: usize = 63;
/// Six groups of four digits and an IPv4 address (RFC 4291 §2.2).
const LONGEST_IP: usize = 45;

impl FromStr for Address {
    type Err = InvalidCandidate;

    fn from_str(text: &str) -> Result<Self, InvalidCandidate> {
        if let Some(address) = ip(text) {
            return Ok(Self::Ip(address));
        }
        let name = text.to_ascii_lowercase();
        let label = name.strip_suffix(".local").ok_or(InvalidCandidate::BadAddress)?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if (1..=LONGEST_LABEL).contains(&label.len()) && label.bytes().all(allowed) {
            Ok(Self::Local(name))
        } else {
            Err(InvalidCandidate::BadAddress)
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V4(address)) => write_v4(f, *address),
            Self::Ip(IpAddr::V6(address)) => write_v6(f, *address),
            Self::Local(name) => f.write_str(name),
        }
    }
}

impl TryFrom<String> for Address {
    type Error = InvalidCandidate;

    fn try_from(text: String) -> Result<Self, InvalidCandidate> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}

fn ip(text: &str) -> Option<IpAddr> {
    if text.len() > LONGEST_IP {
        None
    } else if text.contains(':') {
        v6(text).map(IpAddr::V6)
    } else {
        v4(text).map(IpAddr::V4)
    }
}

/// Four decimal numbers without leading zeros, which some take for octal (RFC 6943 §3.1.1).
fn v4(text: &str) -> Option<Ipv4Addr> {
    let mut octets = [0; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        let part = parts.next()?;
        let is_padded = part.len() > 1 && part.starts_with('0');
        *octet = u8::try_from(digits(part, 10, 3)?).ok().filter(|_| !is_padded)?;
    }
    parts.next().is_none().then_some(octets.into())
}

/// Eight groups; `::` stands for at least one of them (RFC 4291 §2.2).
fn v6(text: &str) -> Option<Ipv6Addr> {
    // Not `split_once`: the library's search for one text in another is larger than all of this.
    let gap = text.as_bytes().windows(2).position(|two| two == b"::");
    let mut all = groups(text.get(..gap.unwrap_or(text.len()))?, gap.is_none())?;
    if let Some(gap) = gap {
        let tail = groups(text.get(gap + 2..)?, true)?;
        let left_out = 8_usize
            .checked_sub(all.len() + tail.len())
            .filter(|left| *left > 0)?;
        all.resize(all.len() + left_out, 0);
        all.extend(tail);
    }
    <[u16; 8]>::try_from(all).ok().map(Ipv6Addr::from)
}

/// Groups between colons, none in an empty text; the last may be an IPv4 address if these are the last.
fn groups(text: &str, are_last: bool) -> Option<Vec<u16>> {
    let mut groups = Vec::new();
    let mut parts = text.split(':').filter(|_| !text.is_empty()).peekable();
    while let Some(part) = parts.next() {
        if are_last && parts.peek().is_none() && part.contains('.') {
            let [a, b, c, d] = v4(part)?.octets();
            groups.extend([u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]);
        } else {
            groups.push(digits(part, 16, 4)?);
        }
    }
    Some(groups)
}

/// A number of one to `most` digits.
fn digits(text: &str, radix: u32, most: usize) -> Option<u16> {
    if text.is_empty() || text.len() > most {
        return None;
    }
    text.chars().try_fold(0, |sum, digit| {
        Some(sum * radix as u16 + digit.to_digit(radix)? as u16)
    })
}

fn write_v4(f: &mut fmt::Formatter<'_>, address: Ipv4Addr) -> fmt::Result {
    let [a, b, c, d] = address.octets();
    write!(f, "{a}.{b}.{c}.{d}")
}

/// The one form that RFC 5952 recommends.
fn write_v6(f: &mut fmt::Formatter<'_>, address: Ipv6Addr) -> fmt::Result {
    if let Some(address) = address.to_ipv4_mapped() {
        f.write_str("::ffff:")?;
        return write_v4(f, address);
    }
    let groups = address.segments();
    // The first of the longest runs of zeros, if it is of more than one.
    let (mut from, mut to) = (0, 1);
    for start in 0..groups.len() {
        let zeros = groups.iter().skip(start).take_while(|group| **group == 0).count();
        if zeros > to - from {
            (from, to) = (start, start + zeros);
        }
    }
    let has_run = to - from > 1;
    for (at, group) in groups.into_iter().enumerate() {
        if has_run && (from..to).contains(&at) {
            if at == from {
                f.write_str("::")?;
            }
            continue;
        }
        if at > 0 && !(has_run && at == to) {
            f.write_str(":")?;
        }
        write!(f, "{group:x}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Few values, so that zeros meet.
    fn group() -> impl Strategy<Value = u16> {
        prop_oneof![3 => Just(0), 1 => any::<u16>(), 1 => Just(0xffff)]
    }

    proptest! {
        #[test]
        fn an_address_is_written_as_the_library_writes_it(
            groups in proptest::array::uniform8(group()), octets in any::<[u8; 4]>(),
        ) {
            for ip in [IpAddr::from(groups), IpAddr::from(octets)] {
                let text = Address::Ip(ip).to_string();
                prop_assert_eq!(&text, &ip.to_string());
                prop_assert_eq!(text.parse(), Ok(Address::Ip(ip)));
            }
        }

        #[test]
        fn a_text_is_an_address_if_the_library_says_so(
            text in "([0-9a-f]{0,4}::?){0,9}([0-9A-F]{0,5}|[0-9]{1,3}(\\.[0-9]{0,3}){1,4})|[0-9.]{0,16}|[ -~é]{0,10}",
        ) {
            prop_assert_eq!(ip(&text), text.parse::<IpAddr>().ok());
        }
    }

    #[test]
    fn a_text_that_is_nearly_an_address_is_none() {
        for text in [
            "",
            ":",
            ":::",
            "1::2::3",
            "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9",
            "1::2:3:4:5:6:7:8",
            "1.2.3.4::",
            "::1.2.3",
            "12345::",
            "::g",
            "+1::",
            "1.2.3",
            "1.2.3.4.5",
            "01.2.3.4",
            "256.1.1.1",
            "1.2.3.+4",
            "fe80::1%eth0",
            "[::1]",
        ] {
            assert_eq!(ip(text), None, "{text}");
            assert_eq!(text.parse::<IpAddr>().ok(), None, "{text}");
        }
    }

    #[test]
    fn a_name_is_of_this_network() {
        let named = |text: &str| text.parse::<Address>().map(|address| address.to_string());
        assert_eq!(named("A-1.Local"), Ok("a-1.local".to_string()));
        for text in [".local", "a.b.local", "example.org", "a_b.local"] {
            assert_eq!(named(text), Err(InvalidCandidate::BadAddress), "{text}");
        }
    }
}
