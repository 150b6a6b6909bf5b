use super::*;
use crate::content::{SecretKey, SwarmSecret, Tombstone};

const NOW: u64 = 1_700_000_500;
const URL: &str = "https://origin.example/a/content.seal?token=1";

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

fn manifest(version: u64) -> Manifest {
    Manifest {
        version,
        ..Manifest::new(ContentId([7; 16]), SwarmSecret([8; 32]), NOW - 500..NOW + 500)
    }
}

fn at(unix_s: u64, uncertainty_s: u32) -> WallTime {
    WallTime {
        unix_s,
        uncertainty_s,
    }
}

fn trust() -> Trust {
    Trust::new(vec![key(1).public()], None, URL, RollbackMemory::default())
}

fn judge(trust: &mut Trust, manifest: &Manifest) -> Result<u64, TrustError> {
    let sealed = manifest.sign(&key(1)).unwrap();
    let before = trust.memory().clone();
    let verdict = trust.verify(&sealed, at(NOW, 0));
    if verdict.is_err() && verdict != Err(TrustError::Tombstone) {
        assert_eq!(*trust.memory(), before, "a refused manifest leaves no trace");
    }
    verdict.map(|verified| verified.manifest().version)
}

#[test]
fn versions_only_go_up() {
    let mut trust = trust();
    assert_eq!(judge(&mut trust, &manifest(5)), Ok(5));
    assert_eq!(judge(&mut trust, &manifest(5)), Ok(5));
    assert_eq!(judge(&mut trust, &manifest(4)), Err(TrustError::Rollback));
    let twin = Manifest {
        expires: NOW + 600,
        ..manifest(5)
    };
    assert_eq!(judge(&mut trust, &twin), Err(TrustError::Equivocation));
    assert_eq!(
        judge(&mut trust, &manifest(6 + (1 << 20))),
        Err(TrustError::VersionJump)
    );
    let stranger = Manifest {
        previous: Some(Hash([0; 32])),
        ..manifest(6)
    };
    assert_eq!(judge(&mut trust, &stranger), Err(TrustError::BrokenChain));
    let newest = trust.memory().seen[0].hash;
    assert_eq!(
        judge(
            &mut trust,
            &Manifest {
                previous: Some(newest),
                ..manifest(6)
            }
        ),
        Ok(6)
    );
    assert_eq!(judge(&mut trust, &manifest(6 + (1 << 20))), Ok(6 + (1 << 20)));
}

#[test]
fn memory_survives_as_plain_data_and_covers_every_pinned_key() {
    let mut first = trust();
    judge(&mut first, &manifest(5)).unwrap();
    let stored = serde_json::to_string(first.memory()).unwrap();
    let memory: RollbackMemory = serde_json::from_str(&stored).unwrap();
    assert_eq!(memory, *first.memory());
    let keys = vec![key(2).public(), key(1).public()];
    let mut second = Trust::new(keys, None, URL, memory.clone());
    let older = manifest(4).sign(&key(2)).unwrap();
    assert_eq!(second.verify(&older, at(NOW, 0)), Err(TrustError::Rollback));
    let mut stranger = Trust::new(vec![key(2).public()], None, URL, memory);
    assert!(
        stranger.verify(&older, at(NOW, 0)).is_ok(),
        "another trust anchor has a memory of its own"
    );
}

#[test]
fn the_content_is_the_expected_one_or_the_first_one_seen() {
    let other = Manifest {
        content_id: ContentId([9; 16]),
        ..manifest(9)
    };
    let mut expecting = Trust::new(
        vec![key(1).public()],
        Some(ContentId([7; 16])),
        URL,
        RollbackMemory::default(),
    );
    assert_eq!(judge(&mut expecting, &other), Err(TrustError::WrongContent));
    assert_eq!(judge(&mut expecting, &manifest(1)), Ok(1));

    let mut first = trust();
    judge(&mut first, &manifest(1)).unwrap();
    assert_eq!(judge(&mut first, &other), Err(TrustError::WrongContent));
    let again = URL.replace("token=1", "token=2");
    let mut later = Trust::new(vec![key(1).public()], None, &again, first.memory().clone());
    assert_eq!(judge(&mut later, &other), Err(TrustError::WrongContent));
    let mut elsewhere = Trust::new(
        vec![key(1).public()],
        None,
        "https://origin.example/b",
        later.memory().clone(),
    );
    assert_eq!(judge(&mut elsewhere, &other), Ok(9));
}

#[test]
fn validity_has_a_minute_of_tolerance_and_what_the_clock_may_be_off() {
    let sealed = manifest(1).sign(&key(1)).unwrap();
    let judge = |unix_s, uncertainty_s| trust().verify(&sealed, at(unix_s, uncertainty_s)).map(|_| ());
    assert_eq!(judge(NOW + 560, 0), Ok(()));
    assert_eq!(judge(NOW + 561, 0), Err(TrustError::Expired));
    assert_eq!(judge(NOW + 600, 40), Ok(()));
    assert_eq!(judge(NOW - 560, 0), Ok(()));
    assert_eq!(judge(NOW - 561, 0), Err(TrustError::NotYetValid));
    assert_eq!(
        trust()
            .verify(&sealed, WallTime::from_device(NOW - 86_400))
            .map(|_| ()),
        Ok(())
    );
}

#[test]
fn no_clock_is_earlier_than_a_signed_time() {
    let mut trust = trust();
    let later = Manifest {
        issued: NOW + 10_000,
        expires: NOW + 20_000,
        ..manifest(2)
    };
    trust
        .verify(&later.sign(&key(1)).unwrap(), at(NOW + 10_000, 0))
        .unwrap();
    let expired = Manifest {
        content_id: ContentId([7; 16]),
        ..manifest(3)
    };
    let verdict = trust.verify(&expired.sign(&key(1)).unwrap(), at(0, u32::MAX));
    assert_eq!(
        verdict,
        Err(TrustError::Expired),
        "a clock set back does not bring a manifest back"
    );
}

#[test]
fn what_this_build_cannot_judge_is_refused() {
    let refused = |manifest: Manifest| judge(&mut trust(), &manifest).unwrap_err().code();
    assert_eq!(
        refused(Manifest {
            live: Some(vec![0]),
            ..manifest(1)
        }),
        "live_content"
    );
    assert_eq!(
        refused(Manifest {
            freshness: Some(vec![0]),
            ..manifest(1)
        }),
        "unsupported_feature"
    );
    assert_eq!(
        refused(Manifest {
            root_document: Some(Hash([0; 32])),
            ..manifest(1)
        }),
        "unsupported_feature"
    );
    let user_made = Manifest {
        class: Class::UserMade,
        ..manifest(1)
    };
    assert_eq!(refused(user_made.clone()), "user_made_unendorsed");
    assert_eq!(
        refused(Manifest {
            endorsement: Some(vec![0]),
            ..user_made
        }),
        "user_made_unendorsed"
    );
}

#[test]
fn a_withdrawn_content_stays_withdrawn() {
    let mut trust = trust();
    assert_eq!(judge(&mut trust, &manifest(1)), Ok(1));
    let tombstone = Manifest {
        tombstone: Some(Tombstone { reason: 1 }),
        ..manifest(2)
    };
    assert_eq!(judge(&mut trust, &tombstone), Err(TrustError::Tombstone));
    assert_eq!(judge(&mut trust, &manifest(1)), Err(TrustError::Rollback));
    assert_eq!(judge(&mut trust, &tombstone), Err(TrustError::Tombstone));
}

#[test]
fn other_signers_and_other_roles_are_refused() {
    let mut trust = trust();
    let foreign = manifest(1).sign(&key(2)).unwrap();
    assert_eq!(
        trust.verify(&foreign, at(NOW, 0)).unwrap_err().code(),
        "untrusted_key"
    );
    let live = cose::sign1(Role::Live, &key(1), &manifest(1).encode()).unwrap();
    assert_eq!(
        trust.verify(&live, at(NOW, 0)).unwrap_err().code(),
        "bad_signature"
    );
    let not_a_manifest = cose::sign1(Role::Manifest, &key(1), &[0xa1, 0x01, 0x02]).unwrap();
    assert_eq!(
        trust.verify(&not_a_manifest, at(NOW, 0)).unwrap_err().code(),
        "unsupported_version"
    );
}
