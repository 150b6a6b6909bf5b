//! Runs tests/vectors/{tree,signed,manifest,files,paths,trust,statements}.json, natively and in a browser. The vectors are made
//! by tests/vectors/make, which shares no code with the crate.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "vectors/reading.rs"]
mod reading;

use std::collections::BTreeMap;

use reading::{array, hex, list, parse, parts, text};
use serde_json::{Value, json};
use swarmseal::content::cose::{self, Role};
use swarmseal::content::publish::{HashedObject, IndexBuilder, NamesBuilder, NewSegment, RowsWriter};
use swarmseal::content::{
    Catalog, Class, Freshness, Grade, Hash, Manifest, ObjectId, OfflineTime, PublicKey, Resolution,
    RollbackMemory, SecretKey, Sheet, Span, Template, TrackId, Trust, VerifiedManifest, WallTime,
    chunk_count, chunk_len, normalise_path, strip_base, to_base64url, tree,
};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

#[test]
fn objects_of_every_boundary_length_have_their_tree() {
    let vectors = parse(include_str!("vectors/tree.json"));
    for vector in list(&vectors, "objects") {
        let length = number(vector, "length");
        let bytes = fill(length, number(vector, "seed"));
        let hashed = HashedObject::of(&bytes);
        assert_eq!(
            u64::from(chunk_count(length)),
            number(vector, "chunks"),
            "{length}"
        );
        assert_eq!(hashed.row.len() as u64, number(vector, "chunks"), "{length}");
        assert_eq!(hashed.root.to_string(), text(vector, "root"), "{length}");
        assert_eq!(
            digest_of_row(&hashed.row).to_string(),
            text(vector, "row"),
            "{length}"
        );
        let lengths = (0..chunk_count(length)).map(|chunk| u64::from(chunk_len(length, chunk)));
        assert_eq!(lengths.sum::<u64>(), length);
    }
    for vector in list(&vectors, "trees") {
        let leaves = numbered(number(vector, "leaves"));
        assert_eq!(tree::root(&leaves).to_string(), text(vector, "root"));
    }
}

#[test]
fn audit_paths_prove_one_leaf_at_one_place() {
    let vectors = parse(include_str!("vectors/tree.json"));
    for vector in list(&vectors, "paths") {
        let leaves = numbered(number(vector, "leaves"));
        let index = number(vector, "index") as usize;
        let path = hashes(&vector["path"]);
        assert_eq!(tree::path(&leaves, index), Some(path.clone()));
        assert!(tree::verify_path(
            &leaves[index],
            index,
            leaves.len(),
            &path,
            &tree::root(&leaves)
        ));
    }
    for vector in list(&vectors, "invalid_paths") {
        let leaves = numbered(number(vector, "leaves"));
        let leaf = match vector["leaf"].as_u64() {
            Some(leaf) => leaves[leaf as usize],
            None => tree::leaf(&hex(text(vector, "data"))),
        };
        let (index, path) = (number(vector, "index") as usize, hashes(&vector["path"]));
        let proved = tree::verify_path(&leaf, index, leaves.len(), &path, &tree::root(&leaves));
        assert!(!proved, "{}", text(vector, "name"));
    }
}

#[test]
fn signed_objects_are_taken_or_refused_by_their_rule() {
    let vectors = parse(include_str!("vectors/signed.json"));
    let keys = public_keys(&vectors["keys"]);
    let signers = list(&vectors, "seeds")
        .iter()
        .map(|seed| SecretKey::from_seed(&array(seed.as_str().unwrap())));
    let signers: BTreeMap<String, SecretKey> = signers.map(|key| (key.public().to_string(), key)).collect();
    for vector in list(&vectors, "valid") {
        let (name, role) = (text(vector, "name"), role(text(vector, "role")));
        let (sealed, payload) = (parts(&vector["sealed"]), hex(text(vector, "payload")));
        let verified = cose::verify(role, &sealed, &keys).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(verified.payload, payload, "{name}");
        assert_eq!(verified.signer.to_string(), text(vector, "signer"), "{name}");
        let again = cose::sign1(role, &signers[text(vector, "signer")], &payload);
        assert_eq!(again.as_deref(), Ok(sealed.as_slice()), "{name}");
        assert_eq!(
            cose::peek(&sealed).map(|unverified| unverified.payload),
            Ok(payload.as_slice()),
            "{name}"
        );
    }
    for vector in list(&vectors, "invalid") {
        let keys = if vector["keys"].is_array() {
            public_keys(&vector["keys"])
        } else {
            keys.clone()
        };
        let sealed = parts(&vector["sealed"]);
        let verdict = cose::verify(Role::Manifest, &sealed, &keys);
        let code = verdict.expect_err(text(vector, "name")).code();
        assert_eq!(code, text(vector, "error"), "{}", text(vector, "name"));
    }
}

#[test]
fn manifests_say_what_is_written_or_break_a_rule() {
    let vectors = parse(include_str!("vectors/manifest.json"));
    for vector in list(&vectors, "valid") {
        let (name, payload) = (text(vector, "name"), hex(text(vector, "payload")));
        let manifest = Manifest::decode(&payload).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(describe(&manifest), vector["says"], "{name}");
        if name != "optional_key_is_skipped" {
            assert_eq!(manifest.encode(), payload, "{name}");
        }
    }
    for vector in list(&vectors, "invalid") {
        let verdict = Manifest::decode(&hex(text(vector, "payload"))).map(|manifest| describe(&manifest));
        let code = verdict.expect_err(text(vector, "name")).code();
        assert_eq!(code, text(vector, "error"), "{}", text(vector, "name"));
    }
}

#[test]
fn every_rule_has_a_vector() {
    let covered = |file: &str, codes: &[&str]| {
        for code in codes {
            assert!(file.contains(&format!("\"{code}\"")), "{code}");
        }
    };
    let form = ["malformed", "not_deterministic", "too_deep"];
    covered(include_str!("vectors/signed.json"), &form);
    covered(
        include_str!("vectors/signed.json"),
        &[
            "too_large",
            "unprotected_header",
            "protected_header",
            "wrong_algorithm",
            "untrusted_key",
            "bad_signature",
        ],
    );
    covered(include_str!("vectors/manifest.json"), &form);
    covered(
        include_str!("vectors/manifest.json"),
        &[
            "unsupported_version",
            "unsupported_feature",
            "too_many",
            "number_range",
            "bad_validity",
            "bad_query_parameter",
            "bad_tracker_key",
            "track_order",
            "segment_count",
            "object_length",
            "bad_media_type",
            "path_not_normal",
            "bad_template",
            "duplicate_name",
            "overlapping_assets",
        ],
    );
    covered(
        include_str!("vectors/paths.json"),
        &[
            "path_empty",
            "path_not_relative",
            "path_escapes_base",
            "path_control_character",
            "path_encoded_separator",
            "path_broken_escape",
            "path_too_long",
            "path_repeated_parameter",
        ],
    );
    covered(
        include_str!("vectors/files.json"),
        &[
            "sheet_wrong_length",
            "sheet_wrong_head",
            "sheet_wrong_page",
            "sheet_bad_record",
            "sheet_bad_name",
            "sheet_duplicate_name",
            "range_outside",
            "unlisted",
        ],
    );
    covered(
        include_str!("vectors/trust.json"),
        &[
            "wrong_content",
            "unsupported_feature",
            "user_made_unendorsed",
            "expired",
            "not_yet_valid",
            "rollback",
            "equivocation",
            "broken_chain",
            "version_jump",
            "tombstone",
        ],
    );
}

#[test]
fn paths_have_one_normal_form() {
    let vectors = parse(include_str!("vectors/paths.json"));
    let significant: Vec<String> = list(&vectors, "significant")
        .iter()
        .map(|name| name.as_str().unwrap().to_owned())
        .collect();
    for pair in list(&vectors, "normal") {
        let (reference, normal) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
        assert_eq!(
            normalise_path(reference, &significant).as_deref(),
            Ok(normal),
            "{reference}"
        );
        assert_eq!(
            normalise_path(normal, &significant).as_deref(),
            Ok(normal),
            "{reference}, twice"
        );
    }
    for pair in list(&vectors, "refused") {
        let reference = pair[0].as_str().unwrap();
        let code = normalise_path(reference, &significant)
            .expect_err(reference)
            .code();
        assert_eq!(code, pair[1].as_str().unwrap(), "{reference}");
    }
    for case in list(&vectors, "below_base") {
        assert_eq!(
            strip_base(case[0].as_str().unwrap(), case[1].as_str().unwrap()),
            case[2].as_str(),
            "{case}"
        );
    }
}

#[test]
fn templates_name_and_recognise() {
    let vectors = parse(include_str!("vectors/paths.json"));
    let template = |pattern: &Value| Template::parse(pattern.as_str().unwrap()).unwrap();
    for case in list(&vectors, "names") {
        let (value, name) = (case[1].as_u64().unwrap(), case[2].as_str().unwrap());
        assert_eq!(template(&case[0]).name(value), name);
        assert_eq!(template(&case[0]).value(name), Some(value), "{name}");
    }
    for case in list(&vectors, "not_names") {
        assert_eq!(
            template(&case[0]).value(case[1].as_str().unwrap()),
            None,
            "{case}"
        );
    }
    for case in list(&vectors, "patterns_refused") {
        assert!(Template::parse(case[0].as_str().unwrap()).is_err(), "{case}");
    }
    let values = |first: &Value, last: &Value| Some(first.as_u64()?..=last.as_u64()?);
    for case in list(&vectors, "meet") {
        let (a, b) = (template(&case[0]), template(&case[3]));
        let (first, second) = (values(&case[1], &case[2]), values(&case[4], &case[5]));
        assert_eq!(
            Some(a.may_collide(first, &b, second)),
            case[6].as_bool(),
            "{case}"
        );
    }
}

#[test]
fn a_receiver_takes_what_it_should_and_remembers() {
    let vectors = parse(include_str!("vectors/trust.json"));
    for case in list(&vectors, "cases") {
        let name = text(case, "name");
        let keys: Vec<PublicKey> = list(case, "keys")
            .iter()
            .map(|key| key.as_str().unwrap().parse().unwrap())
            .collect();
        let content = case["content"].as_str().map(|id| id.parse().unwrap());
        let mut stored = serde_json::to_string(&RollbackMemory::default()).unwrap();
        for (at, step) in list(case, "steps").iter().enumerate() {
            let memory = serde_json::from_str(&stored).unwrap();
            let mut trust = Trust::new(keys.clone(), content, "https://h/a/content.seal", memory);
            let wall = WallTime {
                unix_s: number(step, "unix_s"),
                uncertainty_s: u32::try_from(number(step, "uncertainty_s")).unwrap(),
            };
            let verdict = trust.verify(&hex(text(step, "sealed")), wall);
            let verdict = verdict.map_or_else(|error| error.code(), |_| "accepted");
            assert_eq!(verdict, text(step, "verdict"), "{name}, step {at}");
            stored = serde_json::to_string(trust.memory()).unwrap();
        }
    }
}

#[test]
fn what_is_said_about_a_manifest_counts_as_far_as_it_goes() {
    let vectors = parse(include_str!("vectors/statements.json"));
    let keys = |texts: &[Value]| -> Vec<PublicKey> {
        let key = |text: &Value| text.as_str().unwrap().parse().unwrap();
        texts.iter().map(key).collect()
    };
    for case in list(&vectors, "graded") {
        let publishers = keys(core::slice::from_ref(&case["key"]));
        let statement = case["statement"]
            .as_str()
            .and_then(|sealed| Freshness::verify(&hex(sealed), &publishers).ok());
        let time = OfflineTime {
            clock_unix_s: number(case, "clock_unix_s"),
            within_s: case["within_s"]
                .as_u64()
                .map(|within| u32::try_from(within).unwrap()),
        };
        let mut trust = Trust::new(publishers, None, "folder", RollbackMemory::default());
        let verdict = trust.verify_offline(&hex(text(case, "sealed")), statement.as_ref(), time);
        let grade = match verdict {
            Ok((_, Grade::Fresh { .. })) => "fresh",
            Ok((_, Grade::FreshnessUnknown)) => "unknown",
            Ok((_, Grade::Expired)) => "not refused",
            Err(error) => error.code(),
        };
        assert_eq!(grade, text(case, "grade"), "{}", text(case, "name"));
    }
    for case in list(&vectors, "judged") {
        let [publishers, users, endorsers] =
            ["publishers", "users", "endorsers"].map(|field| keys(list(case, field)));
        let wall = WallTime {
            unix_s: number(case, "unix_s"),
            uncertainty_s: 0,
        };
        let verdict = Trust::new(publishers, None, "folder", RollbackMemory::default())
            .with_user_made(&users, endorsers)
            .verify(&hex(text(case, "sealed")), wall);
        let verdict = verdict.map_or_else(|error| error.code(), |_| "accepted");
        assert_eq!(verdict, text(case, "verdict"), "{}", text(case, "name"));
    }
}

#[test]
fn files_are_built_as_written_and_lead_to_their_objects() {
    let vectors = parse(include_str!("vectors/files.json"));
    for content in list(&vectors, "contents") {
        let name = text(content, "name");
        let manifest = verified(&vectors, text(content, "sealed"));
        let mut files = BTreeMap::new();
        for (track, described) in manifest.manifest().tracks.iter().zip(list(content, "tracks")) {
            build(track.id, described, &mut files);
        }
        let mut catalog = Catalog::new(manifest);
        for (index, length) in (0..).zip(list(content, "assets")) {
            let hashed = HashedObject::of(&fill(length.as_u64().unwrap(), u64::from(index)));
            let info = catalog.object(ObjectId::new(TrackId::ASSETS, index)).unwrap();
            assert_eq!((info.root, info.length), (hashed.root, hashed.length), "{name}");
        }
        for case in list(content, "resolve") {
            let range = case[1]
                .as_array()
                .map(|range| (range[0].as_u64().unwrap(), range[1].as_u64().unwrap()));
            let found = resolve(&mut catalog, &files, case[0].as_str().unwrap(), range);
            assert_eq!(found, case[2], "{name}: {case}");
        }
    }
}

#[test]
fn sheets_are_taken_or_refused_by_their_rule() {
    let vectors = parse(include_str!("vectors/files.json"));
    for vector in list(&vectors, "sheets") {
        let mut catalog = Catalog::new(verified(&vectors, text(vector, "sealed")));
        let track = TrackId(1);
        let sheet = match text(vector, "sheet") {
            "index_head" => Sheet::IndexHead(track),
            "names_head" => Sheet::NamesHead(track),
            _ => {
                let head = hex(text(vector, "head"));
                assert_eq!(catalog.accept_sheet(&Sheet::NamesHead(track), &head), Ok(()));
                Sheet::NamesPage(track, 0)
            }
        };
        let verdict = catalog.accept_sheet(&sheet, &hex(text(vector, "bytes")));
        assert_eq!(
            verdict.err().map(|error| error.code()),
            vector["error"].as_str(),
            "{}",
            text(vector, "name")
        );
    }
}

/// Builds the files of a track from its description, and checks them against their hashes.
fn build(track: TrackId, described: &Value, files: &mut BTreeMap<String, Vec<u8>>) {
    let lengths: Vec<u64> = list(described, "lengths")
        .iter()
        .map(|length| length.as_u64().unwrap())
        .collect();
    let names = described["names"].as_array();
    let mut index = IndexBuilder::default();
    let mut rows = RowsWriter::new(Vec::new());
    let mut table = NamesBuilder::default();
    let mut offset = 0;
    for at in 0..number(described, "count") as usize {
        if let Some(names) = names {
            table.push(names[at].as_str().unwrap()).unwrap();
            if at > 0 && names[at] != names[at - 1] {
                offset = 0;
            }
        }
        offset += list(described, "gaps")
            .get(at)
            .map_or(0, |gap| gap.as_u64().unwrap());
        let hashed = HashedObject::of(&fill(lengths[at % lengths.len()], at as u64 % 251));
        let duration = number(described, "duration");
        let segment = NewSegment {
            root: hashed.root,
            length: hashed.length,
            offset: if described["ranged"] == json!(true) {
                offset
            } else {
                0
            },
            media_start: at as u64 * duration,
            duration: u32::try_from(duration).unwrap(),
        };
        index.push(&segment).unwrap();
        rows.push(&hashed.row).unwrap();
        offset += hashed.length;
    }
    let index = index.finish();
    assert_eq!(index.root.to_string(), text(described, "index_root"));
    assert_eq!(Hash::of(&[&index.bytes]).to_string(), text(described, "index"));
    let rows = rows.finish().unwrap();
    assert_eq!(Hash::of(&[&rows]).to_string(), text(described, "rows"));
    files.insert(format!("seal/{track}.index"), index.bytes);
    files.insert(format!("seal/{track}.rows"), rows);
    if names.is_some() {
        let table = table.finish();
        assert_eq!(table.root.to_string(), text(described, "names_root"));
        assert_eq!(
            Hash::of(&[&table.bytes]).to_string(),
            text(described, "names_file")
        );
        files.insert(format!("seal/{track}.names"), table.bytes);
    }
}

fn resolve(
    catalog: &mut Catalog,
    files: &BTreeMap<String, Vec<u8>>,
    path: &str,
    range: Option<(u64, u64)>,
) -> Value {
    loop {
        match catalog.resolve(path, range) {
            Resolution::Document(_) | Resolution::Later => panic!("a title is not live"),
            Resolution::Found(spans) => {
                let span = |span: &Span| json!([span.object.track, span.object.index, span.first, span.len]);
                return spans.iter().map(span).collect();
            }
            Resolution::Unlisted => return json!("unlisted"),
            Resolution::RangeOutside => return json!("range_outside"),
            Resolution::Need(sheets) => {
                for sheet in sheets {
                    let place = catalog.sheet_location(&sheet).unwrap();
                    let (offset, length) = place.range.unwrap();
                    let bytes = &files[&place.path][offset as usize..][..length as usize];
                    assert_eq!(catalog.accept_sheet(&sheet, bytes), Ok(()));
                }
            }
        }
    }
}

fn describe(manifest: &Manifest) -> Value {
    let hex =
        |bytes: Option<&[u8]>| bytes.map(|b| b.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    let assets = manifest
        .assets
        .iter()
        .map(|a| json!([a.path, a.range.map(|range| range.0), a.length]));
    let tracks = manifest
        .tracks
        .iter()
        .map(|track| json!([track.id, track.segments, track.ranged]));
    json!({
        "content_id": manifest.content_id,
        "version": manifest.version,
        "previous": manifest.previous,
        "issued": manifest.issued,
        "expires": manifest.expires,
        "class": if manifest.class == Class::Publisher { "publisher" } else { "user_made" },
        "assets": assets.collect::<Value>(),
        "tracks": tracks.collect::<Value>(),
        "tombstone": manifest.tombstone.map(|tombstone| tombstone.reason),
        "reserved": [
            hex(manifest.endorsement.as_deref()),
            hex(manifest.live.as_deref()),
            hex(manifest.freshness.as_deref()),
            hex(manifest.root_document.as_ref().map(|hash| hash.0.as_slice())),
        ],
        "swarm_id": to_base64url(&manifest.swarm_id().0),
        "assets_root": manifest.assets_root(),
    })
}

fn verified(vectors: &Value, sealed: &str) -> VerifiedManifest {
    let key = text(vectors, "key").parse().unwrap();
    let mut trust = Trust::new(vec![key], None, "", RollbackMemory::default());
    trust
        .verify(
            &hex(sealed),
            WallTime {
                unix_s: 1_750_000_000,
                uncertainty_s: 0,
            },
        )
        .unwrap()
}

fn fill(length: u64, seed: u64) -> Vec<u8> {
    (0..length)
        .map(|at| u8::try_from((at * 31 + seed) % 251).unwrap())
        .collect()
}

fn numbered(count: u64) -> Vec<Hash> {
    (0..u32::try_from(count).unwrap())
        .map(|at| tree::leaf(&at.to_be_bytes()))
        .collect()
}

fn digest_of_row(row: &[Hash]) -> Hash {
    Hash::of(&row.iter().map(|hash| hash.0.as_slice()).collect::<Vec<_>>())
}

fn role(name: &str) -> Role {
    match name {
        "manifest" => Role::Manifest,
        "live" => Role::Live,
        "tracker" => Role::Tracker,
        "freshness" => Role::Freshness,
        "endorse" => Role::Endorse,
        other => panic!("no role {other}"),
    }
}

fn public_keys(value: &Value) -> Vec<PublicKey> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|key| PublicKey(array(key.as_str().unwrap())))
        .collect()
}

fn hashes(value: &Value) -> Vec<Hash> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|hash| hash.as_str().unwrap().parse().unwrap())
        .collect()
}

fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_else(|| panic!("{key} is a number"))
}
