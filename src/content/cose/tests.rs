use super::*;

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

const PAYLOAD: &[u8] = &[0xa1, 0x01, 0x02];

#[test]
fn a_signed_object_verifies_in_its_role_only() {
    let sealed = sign1(Role::Manifest, &key(1), PAYLOAD).unwrap();
    let keys = [key(2).public(), key(1).public()];
    let verified = verify(Role::Manifest, &sealed, &keys).unwrap();
    assert_eq!((verified.payload, verified.signer), (PAYLOAD, key(1).public()));
    for role in [Role::Live, Role::Tracker, Role::Freshness, Role::Endorse] {
        assert_eq!(verify(role, &sealed, &keys), Err(CoseError::BadSignature));
    }
    assert_eq!(
        verify(Role::Manifest, &sealed, &keys[..1]),
        Err(CoseError::UntrustedKey)
    );
}

#[test]
fn every_flipped_bit_is_noticed() {
    let sealed = sign1(Role::Tracker, &key(1), PAYLOAD).unwrap();
    for at in 0..sealed.len() * 8 {
        let mut altered = sealed.clone();
        altered[at / 8] ^= 1 << (at % 8);
        assert!(
            verify(Role::Tracker, &altered, &[key(1).public()]).is_err(),
            "bit {at}"
        );
    }
    for end in 0..sealed.len() {
        assert!(
            verify(Role::Tracker, &sealed[..end], &[key(1).public()]).is_err(),
            "cut at {end}"
        );
    }
}

#[test]
fn each_rule_of_the_profile_has_its_own_error() {
    let seal = |protected: &[u8], unprotected: &[u8], payload: &[u8]| {
        let signature = key(1).sign(&to_be_signed(Role::Manifest, protected, payload));
        let mut sealed = Writer::default();
        sealed
            .tag(TAG_SIGN1)
            .array(4)
            .bytes(protected)
            .raw(unprotected)
            .bytes(payload)
            .bytes(&signature);
        verify(Role::Manifest, &sealed.into_bytes(), &[key(1).public()])
            .map(|verified| verified.payload.to_vec())
    };
    let header = |algorithm: u8| [&[0xa2, 0x01, algorithm, 0x04, 0x48][..], &key(1).public().id()].concat();
    let good = header(0x27);
    assert_eq!(seal(&good, &[0xa0], PAYLOAD), Ok(PAYLOAD.to_vec()));
    assert_eq!(
        seal(&header(0x26), &[0xa0], PAYLOAD),
        Err(CoseError::WrongAlgorithm)
    );
    assert_eq!(
        seal(&[0xa1, 0x01, 0x27], &[0xa0], PAYLOAD),
        Err(CoseError::ProtectedHeader)
    );
    assert_eq!(
        seal(&good, &[0xa1, 0x04, 0x40], PAYLOAD),
        Err(CoseError::UnprotectedHeader)
    );
    assert_eq!(
        seal(&good, &[0xa0], &[0xa1, 0x18, 0x01, 0x02]),
        Err(CoseError::NotDeterministic)
    );
    assert_eq!(seal(&good, &[0xa0], &[0x81; 9]), Err(CoseError::TooDeep));
    assert_eq!(seal(&good, &[0xa0], &[0x01, 0x02]), Err(CoseError::Malformed));
    let mut large = Writer::default();
    large.bytes(&[0; 65_500]);
    assert_eq!(
        sign1(Role::Manifest, &key(1), large.as_bytes()),
        Err(CoseError::TooLarge)
    );
    assert_eq!(
        verify(Role::Manifest, &[0; MAX_SEALED + 1], &[]),
        Err(CoseError::TooLarge)
    );
}
