use proptest::prelude::*;

use super::*;
use crate::content::cbor::MapWriter;

fn asset(path: &str, range: Option<(u64, u64)>) -> Asset {
    let length = range.map_or(100, |(_, length)| length);
    Asset {
        path: path.to_owned(),
        range,
        length,
        root: Hash([1; 32]),
        media_type: "text/plain".to_owned(),
    }
}

fn track(id: u16, names: Names) -> Track {
    Track {
        id: TrackId(id),
        kind: TrackKind::Video,
        media_type: "video/mp4; codecs=\"avc1.42c00d\"".to_owned(),
        timescale: 90_000,
        segments: 300,
        bitrate: Some(1_500_000),
        index: IndexFile {
            path: format!("seal/track-{id}.index"),
            root: Hash([2; 32]),
        },
        rows: RowsFile {
            path: format!("seal/track-{id}.rows"),
        },
        names,
        ranged: false,
    }
}

fn template(pattern: &str) -> Names {
    Names::Template {
        pattern: pattern.to_owned(),
        start_number: 1,
    }
}

fn single(path: &str) -> Names {
    Names::Single {
        path: path.to_owned(),
    }
}

fn sample() -> Manifest {
    Manifest {
        content_id: ContentId([7; 16]),
        swarm_secret: SwarmSecret([8; 32]),
        version: 3,
        previous: Some(Hash([9; 32])),
        issued: 1_700_000_000,
        expires: 1_800_000_000,
        class: Class::Publisher,
        endorsement: None,
        significant_query: vec!["id".to_owned(), "part".to_owned()],
        assets: vec![asset("master.m3u8", None), asset("movie.mp4", Some((0, 800)))],
        tracks: vec![
            track(1, template("v/$Number%05d$.m4s")),
            Track {
                ranged: true,
                ..track(2, single("movie.mp4"))
            },
            track(
                9,
                Names::Table {
                    path: "seal/track-9.names".to_owned(),
                    root: Hash([3; 32]),
                },
            ),
        ],
        tracker_keys: vec![SecretKey::from_seed(&[4; 32]).public()],
        tombstone: None,
        live: None,
        freshness: None,
        root_document: None,
    }
}

fn refused(change: impl FnOnce(&mut Manifest)) -> ManifestError {
    let mut manifest = sample();
    change(&mut manifest);
    assert_eq!(
        manifest.sign(&SecretKey::from_seed(&[1; 32])).err(),
        Manifest::decode(&manifest.encode()).err()
    );
    Manifest::decode(&manifest.encode()).unwrap_err()
}

#[test]
fn what_is_written_is_read_back() {
    let full = Manifest {
        endorsement: Some(vec![1, 2]),
        tombstone: Some(Tombstone { reason: 2 }),
        live: Some(vec![3]),
        freshness: Some(vec![4]),
        root_document: Some(Hash([5; 32])),
        class: Class::UserMade,
        ..sample()
    };
    for manifest in [sample(), full] {
        assert_eq!(Manifest::decode(&manifest.encode()), Ok(manifest));
    }
}

#[test]
fn a_manifest_of_another_format_or_with_unknown_keys_is_refused() {
    let entry = |key: u64, value: u64| {
        let mut map = MapWriter::default();
        map.put(1, |out| _ = out.unsigned(1))
            .put(key, |out| _ = out.unsigned(value));
        let mut out = Writer::default();
        map.finish(&mut out);
        Manifest::decode(out.as_bytes())
    };
    assert_eq!(entry(1, 2), Err(ManifestError::UnsupportedVersion));
    assert_eq!(entry(40, 0), Err(ManifestError::UnsupportedFeature));
    assert_eq!(
        entry(64, 0),
        Err(ManifestError::Malformed),
        "skipped, and then the rest is missing"
    );
    assert_eq!(Manifest::decode(&[0xa0]), Err(ManifestError::Malformed));
    assert_eq!(Manifest::decode(&[]), Err(ManifestError::Malformed));
}

#[test]
fn keys_from_64_on_are_skipped() {
    let mut payload = sample().encode();
    payload[0] += 1;
    payload.extend_from_slice(&[0x18, 0x40, 0x82, 0x01, 0xf6]);
    assert_eq!(Manifest::decode(&payload), Ok(sample()));
}

#[test]
fn every_rule_about_the_head_is_checked() {
    assert_eq!(refused(|m| m.version = 0), ManifestError::NumberRange);
    assert_eq!(refused(|m| m.version = 1 << 53), ManifestError::NumberRange);
    assert_eq!(refused(|m| m.expires = m.issued), ManifestError::Validity);
    assert_eq!(
        refused(|m| m.live = Some(vec![0; MAX_RESERVED + 1])),
        ManifestError::TooMany
    );
    assert_eq!(
        refused(|m| m.tracker_keys = vec![m.tracker_keys[0]; 17]),
        ManifestError::TooMany
    );
    assert_eq!(
        refused(|m| m.tracker_keys = vec![PublicKey([0; 32])]),
        ManifestError::TrackerKey
    );
    assert_eq!(
        refused(|m| m.significant_query.reverse()),
        ManifestError::QueryParameter
    );
    assert_eq!(
        refused(|m| m.significant_query[0] = "a%2e".to_owned()),
        ManifestError::QueryParameter
    );
    assert_eq!(
        refused(|m| m.significant_query[0] = "a=b".to_owned()),
        ManifestError::QueryParameter
    );
    assert_eq!(
        refused(|m| m.significant_query[0] = String::new()),
        ManifestError::QueryParameter
    );
}

#[test]
fn every_rule_about_objects_is_checked() {
    assert_eq!(
        refused(|m| m.assets[0].path = "/x".to_owned()),
        ManifestError::Path(PathError::NotRelative)
    );
    assert_eq!(
        refused(|m| m.assets[0].path = "a/../x".to_owned()),
        ManifestError::PathNotNormal
    );
    assert_eq!(
        refused(|m| m.assets[0].path = "x?token=1".to_owned()),
        ManifestError::PathNotNormal
    );
    assert_eq!(
        refused(|m| m.assets[0].media_type = "text".to_owned()),
        ManifestError::MediaType
    );
    assert_eq!(
        refused(|m| m.assets[0].media_type = "text/plain;\n".to_owned()),
        ManifestError::MediaType
    );
    assert_eq!(
        refused(|m| m.assets[0].length = (32 << 20) + 1),
        ManifestError::ObjectLength
    );
    assert_eq!(
        refused(|m| m.assets[1] = asset("movie.mp4", Some((0, 0)))),
        ManifestError::ObjectLength
    );
    assert_eq!(
        refused(|m| m.assets[1] = asset("movie.mp4", Some((u64::MAX, 1)))),
        ManifestError::ObjectLength
    );
    assert_eq!(
        refused(|m| m.tracks[0].id = TrackId(0)),
        ManifestError::TrackOrder
    );
    assert_eq!(
        refused(|m| m.tracks[0].id = TrackId(2)),
        ManifestError::TrackOrder
    );
    assert_eq!(
        refused(|m| m.tracks[2].id = TrackId(1024)),
        ManifestError::TrackOrder
    );
    assert_eq!(refused(|m| m.tracks[0].segments = 0), ManifestError::SegmentCount);
    assert_eq!(
        refused(|m| m.tracks[0].segments = 131_073),
        ManifestError::SegmentCount
    );
    assert_eq!(refused(|m| m.tracks[0].timescale = 0), ManifestError::NumberRange);
    assert_eq!(
        refused(|m| m.tracks[0].names = template("v/$Time")),
        ManifestError::Template(TemplateError::UnknownVariable)
    );
    assert_eq!(
        refused(|m| m.tracks[0].names = template("./$Time$")),
        ManifestError::PathNotNormal
    );
}

#[test]
fn no_two_entries_may_have_one_name_and_range() {
    for change in [
        (|m| m.assets.push(asset("master.m3u8", None))) as fn(&mut Manifest),
        |m| m.assets.push(asset("master.m3u8", Some((0, 5)))),
        |m| m.assets.push(asset("movie.mp4", None)),
        |m| m.assets.push(asset("v/00300.m4s", None)),
        |m| m.assets.push(asset("v/00001.m4s", Some((0, 5)))),
        |m| m.tracks[1].ranged = false,
        |m| m.tracks[2].names = template("v/$Number%05d$.m4s"),
        |m| m.tracks[2].names = template("v/$Time$.m4s"),
    ] {
        assert_eq!(refused(change), ManifestError::DuplicateName);
    }
    assert_eq!(
        refused(|m| m.assets.push(asset("movie.mp4", Some((799, 5))))),
        ManifestError::OverlappingAssets
    );
    let mut fine = sample();
    fine.assets.push(asset("movie.mp4", Some((800, 5))));
    fine.assets.push(asset("v/00301.m4s", None));
    assert_eq!(Manifest::decode(&fine.encode()), Ok(fine));
}

#[test]
fn identifiers_depend_on_what_they_should() {
    let manifest = sample();
    let other = Manifest {
        version: 4,
        ..sample()
    };
    assert_eq!(manifest.swarm_id(), other.swarm_id());
    assert_eq!(manifest.assets_root(), other.assets_root());
    let other = Manifest {
        swarm_secret: SwarmSecret([1; 32]),
        assets: Vec::new(),
        ..sample()
    };
    assert_ne!(manifest.swarm_id(), other.swarm_id());
    assert_ne!(manifest.assets_root(), other.assets_root());
    assert_eq!(manifest.track(TrackId(9)).map(|track| track.id), Some(TrackId(9)));
    assert_eq!(manifest.track(TrackId(8)), None);
}

proptest! {
    /// Whatever is taken is taken in its one form; nothing makes the reader stumble.
    #[test]
    fn altered_payloads_are_refused_or_mean_what_they_say(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3u8), 1..4),
    ) {
        let mut payload = sample().encode();
        for (place, byte, change) in changes {
            let at = place.index(payload.len());
            match change {
                0 => payload[at] = byte,
                1 => payload.insert(at, byte),
                _ => _ = payload.remove(at),
            }
        }
        if let Ok(manifest) = Manifest::decode(&payload) {
            prop_assert_eq!(manifest.encode(), payload);
        }
    }

    #[test]
    fn noise_is_no_manifest(payload in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Manifest::decode(&payload).is_err());
    }
}
