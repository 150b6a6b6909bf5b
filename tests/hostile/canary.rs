//! Twelve kinds of permanent identity, and the search for them in whatever comes out of the system: as they are, escaped,
//! in hexadecimal, in base64 and hashed.

use swarmseal::content::{Hash, to_base64url};

/// One identity of a kind that must never be seen.
pub struct Canary {
    pub kind: &'static str,
    pub text: &'static str,
}

pub const CANARIES: [Canary; 12] = [
    Canary {
        kind: "IMSI",
        text: "262011234509876",
    },
    Canary {
        kind: "IMPI",
        text: "262011234509876.impi@ims.mnc001.mcc262.3gppnetwork.org",
    },
    Canary {
        kind: "IMPU",
        text: "sip:canary.public@ims.example.org",
    },
    Canary {
        kind: "MSISDN",
        text: "+4915112340987",
    },
    Canary {
        kind: "SIP URI",
        text: "sips:canary.home@sip.example.net;user=phone",
    },
    Canary {
        kind: "tel URI",
        text: "tel:+49-30-5550-0987",
    },
    Canary {
        kind: "IMEI",
        text: "490154203237518",
    },
    Canary {
        kind: "public GRUU",
        text: "sip:canary@example.com;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    },
    Canary {
        kind: "account",
        text: "canary-account-58291",
    },
    Canary {
        kind: "cookie",
        text: "canarysession9f4e1c77b2",
    },
    Canary {
        kind: "device id",
        text: "c4n4ry-d3v1ce-0042-ffee",
    },
    Canary {
        kind: "IP address",
        text: "203.0.113.177",
    },
];

/// Canaries that are found in `surface`, with the form in which they are.
pub fn found(surface: &[u8]) -> Vec<(&'static str, &'static str)> {
    let lower = surface.to_ascii_lowercase();
    let mut hits = Vec::new();
    for canary in &CANARIES {
        for (form, needle) in forms(canary.text.as_bytes()) {
            let exact = form.starts_with("base64") || form == "SHA-256";
            let (haystack, needle) = if exact {
                (surface, needle)
            } else {
                (lower.as_slice(), needle.to_ascii_lowercase())
            };
            if haystack.windows(needle.len()).any(|window| window == needle) {
                hits.push((canary.kind, form));
            }
        }
    }
    hits
}

/// Shows that the search would have found each canary in this surface, in each form, then that none is there. Says how
/// many bytes were searched.
pub fn none_in(name: &str, surface: &[u8]) -> u64 {
    assert!(!surface.is_empty(), "{name}: there is something to search");
    let middle = surface.len() / 2;
    for canary in &CANARIES {
        for (form, leak) in forms(canary.text.as_bytes()) {
            let leaking = [&surface[..middle], leak.as_slice(), &surface[middle..]].concat();
            assert!(
                found(&leaking).contains(&(canary.kind, form)),
                "{name}: a leak of {} in {form} is not found",
                canary.kind
            );
        }
    }
    let hits = found(surface);
    assert!(
        hits.is_empty(),
        "{name} names {hits:?}: {}",
        String::from_utf8_lossy(surface)
    );
    surface.len() as u64
}

/// The ways in which something may be written, and what to look for.
pub fn forms(text: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let hash = Hash::of(&[text]);
    let mut forms = vec![
        ("plain", text.to_vec()),
        ("hexadecimal", hex(text)),
        ("SHA-256", hash.0.to_vec()),
        ("SHA-256 in hexadecimal", hex(&hash.0)),
        ("base64 of SHA-256", to_base64url(&hash.0).into_bytes()),
    ];
    let escaped = escaped(text);
    if escaped != text {
        forms.push(("escaped", escaped));
    }
    // In base64 a text looks different at each of three places; its first and last digits depend on its neighbours.
    for (form, before) in [
        ("base64", 0),
        ("base64, shifted by 1", 1),
        ("base64, shifted by 2", 2),
    ] {
        let digits = to_base64url(&[&[0; 2][..before], text].concat()).into_bytes();
        let first = (before * 8).div_ceil(6);
        let last = (before + text.len()) * 8 / 6;
        forms.push((form, digits[first..last].to_vec()));
    }
    forms
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .flat_map(|byte| format!("{byte:02x}").into_bytes())
        .collect()
}

fn escaped(text: &[u8]) -> Vec<u8> {
    let escape = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => vec![*byte],
        other => format!("%{other:02X}").into_bytes(),
    };
    text.iter().flat_map(escape).collect()
}
