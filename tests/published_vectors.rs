//! Runs the vectors that others have published for what this crate relies on (tests/vectors/external), natively and in a
//! browser: Ed25519, the tree of RFC 9162, COSE_Sign1.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "vectors/reading.rs"]
mod reading;

use reading::{array, hex, list, parse, text};
use serde_json::Value;
use swarmseal::content::cose::{self, CoseError, Role};
use swarmseal::content::{Hash, PublicKey, SecretKey, tree};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

#[test]
fn all_of_wycheproof() {
    let vectors = parse(include_str!("vectors/external/wycheproof-ed25519.json"));
    let tests = list(&vectors, "tests");
    assert_eq!(tests.len(), 151);
    for test in tests {
        assert_eq!(
            verifies(test),
            text(test, "result") == "valid",
            "case {}: {}",
            test["id"],
            text(test, "comment")
        );
    }
}

#[test]
fn rfc_8032_signs_and_verifies() {
    let vectors = parse(include_str!("vectors/external/rfc8032-ed25519.json"));
    let tests = list(&vectors, "tests");
    assert_eq!(tests.len(), 5);
    for test in tests {
        let secret = SecretKey::from_seed(&array(text(test, "secret")));
        assert_eq!(secret.public().0, array(text(test, "key")), "{}", test["name"]);
        let signature = secret.sign(&hex(text(test, "message")));
        assert_eq!(
            signature.to_vec(),
            hex(text(test, "signature")),
            "{}",
            test["name"]
        );
        assert!(verifies(test), "{}", test["name"]);
    }
}

/// Two verifiers must never disagree about a signature that is evidence: only what every reading takes is taken.
#[test]
fn all_of_speccheck() {
    let vectors = parse(include_str!("vectors/external/speccheck-ed25519.json"));
    let tests = list(&vectors, "tests");
    assert_eq!(tests.len(), 12);
    for test in tests {
        assert_eq!(
            verifies(test),
            text(test, "result") == "valid",
            "case {}: {}",
            test["case"],
            text(test, "what")
        );
    }
}

#[test]
fn the_tree_of_rfc_9162() {
    let vectors = parse(include_str!("vectors/external/rfc9162-tree.json"));
    let leaves: Vec<Hash> = list(&vectors, "leaves")
        .iter()
        .map(|data| tree::leaf(&hex(data.as_str().unwrap())))
        .collect();
    let roots: Vec<Hash> = list(&vectors, "roots")
        .iter()
        .map(|root| Hash(array(root.as_str().unwrap())))
        .collect();
    assert_eq!((leaves.len(), roots.len()), (8, 9));
    for (count, root) in roots.iter().enumerate() {
        assert_eq!(tree::root(&leaves[..count]), *root, "{count} leaves");
    }
    for vector in list(&vectors, "paths") {
        let (index, size) = (number(vector, "index"), number(vector, "size"));
        let path: Vec<Hash> = list(vector, "path")
            .iter()
            .map(|hash| Hash(array(hash.as_str().unwrap())))
            .collect();
        assert_eq!(
            tree::path(&leaves[..size], index),
            Some(path.clone()),
            "{index} of {size}"
        );
        let holds = |index: usize, size: usize, path: &[Hash], root: &Hash| {
            tree::verify_path(
                &leaves[vector["index"].as_u64().unwrap() as usize],
                index,
                size,
                path,
                root,
            )
        };
        assert!(holds(index, size, &path, &roots[size]));
        // The probes of the same source: another place, another size, another root, a path altered anywhere.
        assert!(!holds(index + 1, size, &path, &roots[size]));
        assert!(!holds(index ^ 2, size, &path, &roots[size]));
        assert!(!holds(index, size * 2, &path, &roots[size]));
        assert!(!holds(index, size / 2, &path, &roots[size]));
        assert!(!holds(index, size, &path, &roots[0]));
        assert!(!holds(
            index,
            size,
            &[path.as_slice(), &[roots[size]]].concat(),
            &roots[size]
        ));
        assert!(!holds(
            index,
            size,
            &[&[roots[size]], path.as_slice()].concat(),
            &roots[size]
        ));
        for at in 0..path.len() {
            let mut altered = path.clone();
            altered[at].0[0] ^= 8;
            assert!(!holds(index, size, &altered, &roots[size]));
            altered.remove(at);
            assert!(!holds(index, size, &altered, &roots[size]));
        }
    }
}

/// The profile is narrower than COSE: of these messages none is a signed object, and each is refused by the rule that it
/// breaks. The one with Ed25519 shows that key, signature and what is signed are COSE's.
#[test]
fn the_examples_of_cose() {
    let vectors = parse(include_str!("vectors/external/cose-sign1.json"));
    let rules = [
        ("eddsa-sig-01", CoseError::UnprotectedHeader),
        ("eddsa-sig-02", CoseError::UnprotectedHeader),
        ("sign-fail-01", CoseError::Malformed),
        ("sign-fail-02", CoseError::UnprotectedHeader),
        ("sign-fail-03", CoseError::UnprotectedHeader),
        ("sign-fail-04", CoseError::UnprotectedHeader),
        ("sign-fail-06", CoseError::UnprotectedHeader),
        ("sign-fail-07", CoseError::UnprotectedHeader),
        ("sign-pass-01", CoseError::UnprotectedHeader),
        ("sign-pass-02", CoseError::UnprotectedHeader),
        ("sign-pass-03", CoseError::Malformed),
    ];
    let examples = list(&vectors, "examples");
    assert_eq!(examples.len(), rules.len());
    let key = PublicKey(array(text(&examples[0], "x")));
    for (example, (name, rule)) in examples.iter().zip(rules) {
        assert_eq!(text(example, "name"), name);
        let sealed = hex(text(example, "sealed"));
        for role in [
            Role::Manifest,
            Role::Tracker,
            Role::Live,
            Role::Freshness,
            Role::Endorse,
        ] {
            assert_eq!(cose::verify(role, &sealed, &[key]).err(), Some(rule), "{name}");
        }
    }
    let ed25519 = &examples[0];
    let signed = hex(text(ed25519, "to_be_signed"));
    let sealed = hex(text(ed25519, "sealed"));
    let signature: [u8; 64] = sealed[sealed.len() - 64..].try_into().unwrap();
    assert!(key.verify(&signed, &signature));
    let secret = SecretKey::from_seed(&array(text(ed25519, "d")));
    assert_eq!((secret.public(), secret.sign(&signed)), (key, signature));
    // Sig_structure as RFC 9052 §4.4 has it: ours differs in the protected header and the external data alone.
    let ours = cose::sign1(Role::Manifest, &secret, b"\x54This is the content.").unwrap();
    let protected = [b"\x4d\xa2\x01\x27\x04\x48".as_slice(), &key.id()].concat();
    let aad = [b"\x74", Role::Manifest.context().as_bytes()].concat();
    let aad = [&[0x40 | u8::try_from(aad.len() - 1).unwrap()], &aad[1..]].concat();
    let structure = [
        b"\x84\x6aSignature1".as_slice(),
        &protected,
        &aad,
        b"\x55\x54This is the content.",
    ]
    .concat();
    assert!(key.verify(&structure, &ours[ours.len() - 64..].try_into().unwrap()));
}

/// RFC 8032 §5.1.3: y is below p. Few points have a second encoding, and nobody knows a key for one of large order; as a
/// key it is refused all the same.
#[test]
fn a_key_has_one_encoding() {
    let mut on_curve = 0;
    for y in 0..19_u8 {
        for sign in [0, 0x80] {
            let mut canonical = [0; 32];
            canonical[0] = y;
            canonical[31] = sign;
            // y + p, little-endian.
            let mut other = [0xff; 32];
            other[0] = 0xed + y;
            other[31] = 0x7f | sign;
            assert!(!PublicKey(other).is_usable(), "p + {y}");
            assert!(!PublicKey(other).verify(b"", &[0; 64]), "p + {y}");
            on_curve += u32::from(PublicKey(canonical).is_usable());
        }
    }
    assert!(on_curve > 0, "some of them are points");
}

fn verifies(test: &Value) -> bool {
    let key = PublicKey(array(text(test, "key")));
    match <[u8; 64]>::try_from(hex(text(test, "signature"))) {
        Ok(signature) => key.verify(&hex(text(test, "message")), &signature),
        // A signature of another length never reaches the verifier: every field that holds one has 64 bytes.
        Err(_) => false,
    }
}

fn number(value: &Value, name: &str) -> usize {
    value[name].as_u64().unwrap() as usize
}
