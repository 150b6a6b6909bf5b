//! TR 33.844 §4.4, editor's note: content that users distribute. What a user signs is taken only if an operator whom the
//! viewer trusts has endorsed exactly that; unendorsed it is refused by default.

use swarmseal::content::{
    Asset, Class, ContentId, Endorsement, Hash, Manifest, PublicKey, RollbackMemory, SecretKey, SwarmSecret,
    Trust, TrustError, WallTime,
};

use crate::dice::Dice;
use crate::report::{Outcome, conclude, runs};

const NOW: u64 = 1_790_000_000;
const DAY: u64 = 86_400;

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

const PUBLISHER: u8 = 1;
const USER: u8 = 2;
const OPERATOR: u8 = 3;
const STRANGER: u8 = 4;

fn video() -> Manifest {
    Manifest {
        class: Class::UserMade,
        assets: vec![asset("video.mp4", 4)],
        ..Manifest::new(ContentId([7; 16]), SwarmSecret([8; 32]), NOW..NOW + 365 * DAY)
    }
}

fn asset(path: &str, root: u8) -> Asset {
    Asset {
        path: path.to_owned(),
        range: None,
        length: 1000,
        root: Hash([root; 32]),
        media_type: "video/mp4".to_owned(),
    }
}

fn endorsement(manifest: &Manifest) -> Endorsement {
    Endorsement {
        content_id: manifest.content_id,
        maker: key(USER).public(),
        listing: manifest.listing().unwrap(),
        issued: NOW,
        expires: NOW + 90 * DAY,
    }
}

fn with(manifest: &Manifest, endorsement: Vec<u8>) -> Manifest {
    Manifest {
        endorsement: Some(endorsement),
        ..manifest.clone()
    }
}

fn endorsed(manifest: &Manifest) -> Manifest {
    with(manifest, endorsement(manifest).sign(&key(OPERATOR)).unwrap())
}

/// By a viewer who trusts the publisher, and the user as far as the operator does.
fn judged(manifest: &Manifest, signer: u8, now: u64, endorsers: &[u8]) -> Result<(), TrustError> {
    let endorsers: Vec<PublicKey> = endorsers.iter().map(|seed| key(*seed).public()).collect();
    let trust = Trust::new(
        vec![key(PUBLISHER).public()],
        None,
        "folder",
        RollbackMemory::default(),
    );
    let wall = WallTime {
        unix_s: now,
        uncertainty_s: 0,
    };
    trust
        .with_user_made(&[key(USER).public()], endorsers)
        .verify(&manifest.sign(&key(signer)).unwrap(), wall)
        .map(|_| ())
}

#[test]
fn what_an_operator_endorsed_is_taken_as_long_as_it_lists_the_same() {
    let manifest = endorsed(&video());
    assert_eq!(judged(&manifest, USER, NOW + DAY, &[OPERATOR]), Ok(()));
    let next = Manifest {
        version: 2,
        issued: NOW + DAY,
        expires: NOW + 400 * DAY,
        tracker_keys: vec![key(9).public()],
        ..manifest.clone()
    };
    assert_eq!(judged(&next, USER, NOW + 2 * DAY, &[OPERATOR]), Ok(()));
    assert_eq!(judged(&manifest, USER, NOW + DAY, &[STRANGER, OPERATOR]), Ok(()));
    let publisher_s = Manifest {
        class: Class::Publisher,
        ..video()
    };
    assert_eq!(
        judged(&publisher_s, PUBLISHER, NOW + DAY, &[]),
        Ok(()),
        "others need none"
    );
}

#[test]
fn what_nobody_endorsed_is_refused_by_default() {
    let manifest = video();
    let good = endorsement(&manifest);
    let sign = |endorsement: Endorsement, seed: u8| endorsement.sign(&key(seed)).unwrap();
    let other = Manifest {
        assets: vec![asset("video.mp4", 5)],
        ..manifest.clone()
    };
    let mut cases: Vec<(String, Manifest, u8, u64, Vec<u8>)> = Vec::new();
    let mut case = |what: &str, manifest: Manifest, signer: u8, now: u64, endorsers: &[u8]| {
        cases.push((what.to_owned(), manifest, signer, now, endorsers.to_vec()));
    };
    let soon = NOW + DAY;
    let trusted = [OPERATOR].as_slice();
    case("no endorsement", manifest.clone(), USER, soon, trusted);
    case(
        "endorsed, nobody trusted to endorse",
        endorsed(&manifest),
        USER,
        soon,
        &[],
    );
    case(
        "endorsed by a stranger",
        with(&manifest, sign(good, STRANGER)),
        USER,
        soon,
        trusted,
    );
    case(
        "endorsed by its maker",
        with(&manifest, sign(good, USER)),
        USER,
        soon,
        trusted,
    );
    case(
        "endorsed by the publisher",
        with(&manifest, sign(good, PUBLISHER)),
        USER,
        soon,
        trusted,
    );
    let of_another = Endorsement {
        maker: key(STRANGER).public(),
        ..good
    };
    case(
        "of another maker",
        with(&manifest, sign(of_another, OPERATOR)),
        USER,
        soon,
        trusted,
    );
    let of_other_content = Endorsement {
        content_id: ContentId([1; 16]),
        ..good
    };
    case(
        "of another content",
        with(&manifest, sign(of_other_content, OPERATOR)),
        USER,
        soon,
        trusted,
    );
    case(
        "other bytes under the same name",
        with(&other, sign(good, OPERATOR)),
        USER,
        soon,
        trusted,
    );
    let more = Manifest {
        assets: vec![asset("more.mp4", 6), asset("video.mp4", 4)],
        ..manifest.clone()
    };
    case(
        "one more file",
        with(&more, sign(good, OPERATOR)),
        USER,
        soon,
        trusted,
    );
    let renamed = Manifest {
        assets: vec![asset("holiday.mp4", 4)],
        ..manifest.clone()
    };
    case(
        "another name",
        with(&renamed, sign(good, OPERATOR)),
        USER,
        soon,
        trusted,
    );
    let retyped = Manifest {
        assets: vec![Asset {
            media_type: "text/html".to_owned(),
            ..asset("video.mp4", 4)
        }],
        ..manifest.clone()
    };
    case(
        "another media type",
        with(&retyped, sign(good, OPERATOR)),
        USER,
        soon,
        trusted,
    );
    case(
        "after its end",
        endorsed(&manifest),
        USER,
        NOW + 91 * DAY,
        trusted,
    );
    let early = Endorsement {
        issued: NOW + 30 * DAY,
        ..good
    };
    case(
        "before it was given",
        with(&manifest, sign(early, OPERATOR)),
        USER,
        soon,
        trusted,
    );
    let claimed = Manifest {
        class: Class::Publisher,
        ..video()
    };
    case(
        "a user who claims to be a publisher",
        claimed.clone(),
        USER,
        soon,
        trusted,
    );
    case("the same, endorsed", endorsed(&claimed), USER, soon, trusted);
    case(
        "signed by a publisher, unendorsed",
        manifest.clone(),
        PUBLISHER,
        soon,
        trusted,
    );
    case(
        "signed by a publisher, endorsed for its maker",
        endorsed(&manifest),
        PUBLISHER,
        soon,
        trusted,
    );
    case(
        "a manifest in the place of an endorsement",
        with(&manifest, manifest.sign(&key(OPERATOR)).unwrap()),
        USER,
        soon,
        trusted,
    );
    let mut dice = Dice::new(31);
    let sealed = sign(good, OPERATOR);
    for _ in 0..runs(1_000) {
        let mut altered = sealed.clone();
        dice.flip(&mut altered);
        case(
            "one bit of it flipped",
            with(&manifest, altered),
            USER,
            soon,
            trusted,
        );
    }
    for cut in 1..sealed.len() {
        case(
            "cut",
            with(&manifest, sealed[..cut].to_vec()),
            USER,
            soon,
            trusted,
        );
    }
    let mut taken = Vec::new();
    for (what, manifest, signer, now, endorsers) in &cases {
        match judged(manifest, *signer, *now, endorsers) {
            Err(TrustError::UserMadeUnendorsed) => {}
            other => taken.push(format!("{what}: {other:?}")),
        }
    }

    // As a viewer is who says nothing about users: their content is refused, endorsed or not.
    let plain = Trust::new(
        vec![key(USER).public()],
        None,
        "folder",
        RollbackMemory::default(),
    );
    let wall = WallTime {
        unix_s: soon,
        uncertainty_s: 0,
    };
    for manifest in [manifest.clone(), endorsed(&manifest)] {
        let verdict = plain.clone().verify(&manifest.sign(&key(USER)).unwrap(), wall);
        assert_eq!(verdict.map(|_| ()), Err(TrustError::UserMadeUnendorsed));
    }
    conclude(&Outcome {
        threat: "8",
        attack: "user-made content without an endorsement, or with one of somebody or something else, ended, altered or cut",
        attempts: cases.len() as u64 + 2,
        successes: taken.len() as u64,
        figure: &format!("refused as user_made_unendorsed, but for {taken:?}; what was endorsed is taken"),
        target: "0 taken",
    });
}
