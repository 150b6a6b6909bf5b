//! Signed objects, and the files beside the media.

use swarmseal::content::cose::{self, Role};
use swarmseal::content::publish::{HashedObject, IndexBuilder, NewSegment, RowsWriter};
use swarmseal::content::{
    Catalog, ContentId, Endorsement, Freshness, Hash, IndexFile, Manifest, Names, ObjectId, PublicKey,
    RollbackMemory, RowsFile, SecretKey, Sheet, SwarmSecret, Template, Track, TrackId, TrackKind, Trust,
    WallTime, normalise_path, strip_base, tree,
};
use swarmseal::identity::Ticket;

const NOW_S: u64 = 1_800_000_000;

fn publisher() -> SecretKey {
    SecretKey::from_seed(&[3; 32])
}

fn wall() -> WallTime {
    WallTime {
        unix_s: NOW_S,
        uncertainty_s: 1,
    }
}

fn verify(sealed: &[u8], key: PublicKey) -> Option<Manifest> {
    let mut trust = Trust::new(
        vec![key],
        None,
        "https://example.com/content.seal",
        RollbackMemory::default(),
    );
    let verified = trust.verify(sealed, wall()).ok()?;
    Some(Catalog::new(verified).manifest().clone())
}

/// A sealed manifest, and the same bytes as the payload of one that is signed.
pub fn manifest(data: &[u8]) {
    let key = publisher();
    let _ = verify(data, key.public());
    if let Ok(manifest) = Manifest::decode(data) {
        assert_eq!(manifest.encode(), data, "one encoding for each manifest");
    }
    if let Ok(sealed) = cose::sign1(Role::Manifest, &key, data) {
        for role in [Role::Tracker, Role::Live, Role::Freshness, Role::Endorse] {
            assert!(
                cose::verify(role, &sealed, &[key.public()]).is_err(),
                "one role, one context"
            );
        }
        if let Some(manifest) = verify(&sealed, key.public()) {
            assert_eq!(manifest.encode(), data);
        }
    }
    beside_a_manifest(&key, data);
}

/// The same bytes as what a publisher says about a manifest, and an operator about what it lists.
fn beside_a_manifest(key: &SecretKey, data: &[u8]) {
    let keys = [key.public()];
    let _ = (Freshness::verify(data, &keys), Endorsement::verify(data, &keys));
    if let Ok(sealed) = cose::sign1(Role::Freshness, key, data)
        && let Ok(statement) = Freshness::verify(&sealed, &keys)
    {
        assert!(statement.sign(key).is_ok(), "what is taken can be said");
    }
    if let Ok(sealed) = cose::sign1(Role::Endorse, key, data)
        && let Ok(endorsement) = Endorsement::verify(&sealed, &keys)
    {
        assert!(endorsement.sign(key).is_ok(), "what is taken can be said");
    }
}

/// A sealed ticket, and the same bytes as the claims of one that is signed.
pub fn ticket(data: &[u8]) {
    let key = SecretKey::from_seed(&[5; 32]);
    let _ = Ticket::verify(data, &[key.public()], wall());
    let Ok(sealed) = cose::sign1(Role::Tracker, &key, data) else {
        return;
    };
    if let Ok(ticket) = Ticket::verify(&sealed, &[key.public()], wall()) {
        assert_eq!(ticket.issue(&key), Ok(sealed), "one encoding for each ticket");
    }
}

/// Paths of pages and players, with the first byte choosing which parameters matter.
pub fn paths(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else {
        return;
    };
    let Ok(text) = core::str::from_utf8(rest) else {
        return;
    };
    let significant: Vec<String> = ["a", "v", "token"]
        .iter()
        .enumerate()
        .filter(|(bit, _)| choice >> bit & 1 == 1)
        .map(|(_, name)| (*name).to_owned())
        .collect();
    if let Ok(path) = normalise_path(text, &significant) {
        assert_eq!(
            normalise_path(&path, &significant).as_ref(),
            Ok(&path),
            "a normal form is its own"
        );
        assert!(!path.starts_with('/') && path.bytes().all(|byte| byte > 0x20 && byte < 0x7f));
        let (file, _) = path.split_once('?').unwrap_or((&path, ""));
        assert!(
            file.split('/').all(|part| part != ".."),
            "nothing leaves the base"
        );
    }
    let _ = strip_base("https://example.com/a/index.m3u8", text);
    if let Ok(template) = Template::parse(text) {
        for value in [0, 1, 42, u64::MAX] {
            let name = template.name(value);
            assert_eq!(
                template.value(&name),
                Some(value),
                "a name leads back to its number"
            );
        }
    }
}

/// The bytes are an index page, whose hash is signed, then rows for what it lists.
pub fn rows_and_index(data: &[u8]) {
    let records = (data.len() / 64).min(256);
    if records == 0 {
        return;
    }
    let (page, rest) = data.split_at(records * 64);
    let page_hash = tree::leaf(page);
    let ranged = rest.first().is_some_and(|byte| byte & 1 == 1);
    let names = if ranged {
        Names::Single { path: "v.mp4".into() }
    } else {
        Names::Template {
            pattern: "v/$Number$.m4s".into(),
            start_number: 0,
        }
    };
    let root = tree::root(&[page_hash]);
    let mut catalog = catalog(u32::try_from(records).unwrap(), root, names, ranged);
    let track = TrackId(1);
    let head = [page_hash.0.as_slice(), page].concat();
    if catalog.accept_sheet(&Sheet::IndexHead(track), &head).is_err() {
        assert!(
            catalog.object(ObjectId { track, index: 0 }).is_none(),
            "all of a page or nothing"
        );
        return;
    }
    for index in 0..u32::try_from(records).unwrap() {
        let object = ObjectId { track, index };
        let info = *catalog.object(object).unwrap();
        assert!(info.length <= 32 << 20);
        assert_eq!(u64::from(info.chunks), info.length.div_ceil(16_384));
        let row: Vec<Hash> = rest
            .chunks_exact(32)
            .map(|bytes| Hash(bytes.try_into().unwrap()))
            .collect();
        if catalog.accept_row(object, &row).is_ok() {
            assert_eq!(tree::root(&row), info.root);
        }
        if let Some(sheet) = catalog.rows_sheet(object, 64) {
            let _ = catalog.accept_sheet(&sheet, rest);
        }
        let _ = catalog.location(object);
    }
    let _ = catalog.resolve("v/0.m4s", Some((0, u64::MAX)));
    let _ = catalog.resolve("v.mp4", Some((1, 5)));
    let _ = catalog.segment_at(track, 1 << 40);
}

/// The bytes are a page of names, whose hash is signed.
pub fn names(data: &[u8]) {
    let Ok(length) = u32::try_from(data.len()) else {
        return;
    };
    // As many segments as the page has names; what does not come out even is for the decoder to refuse.
    let (mut segments, mut rest) = (0_u32, data);
    while let [high, low, after @ ..] = rest {
        let name = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((_, after)) = after.split_at_checked(name) else {
            break;
        };
        rest = after;
        segments += 1;
    }
    let segments = segments.clamp(1, 256);
    let entry = [length.to_be_bytes().as_slice(), &tree::leaf(data).0].concat();
    let names = Names::Table {
        path: "seal/1.names".into(),
        root: tree::leaf(&entry),
    };
    let (index, _) = segment_index(segments);
    let mut catalog = catalog(segments, index.root, names, false);
    let track = TrackId(1);
    catalog
        .accept_sheet(&Sheet::IndexHead(track), &index.head(segments))
        .unwrap();
    if catalog.accept_sheet(&Sheet::NamesHead(track), &entry).is_ok()
        && catalog.accept_sheet(&Sheet::NamesPage(track, 0), data).is_ok()
    {
        for index in 0..segments {
            let location = catalog.location(ObjectId { track, index }).unwrap();
            assert_eq!(normalise_path(&location.path, &[]).as_ref(), Ok(&location.path));
        }
    }
}

struct Index {
    root: Hash,
    bytes: Vec<u8>,
}

impl Index {
    /// Page hashes and page 0.
    fn head(&self, segments: u32) -> Vec<u8> {
        let pages = segments.div_ceil(256) as usize;
        let first = segments.min(256) as usize * 64;
        self.bytes[..pages * 32 + first].to_vec()
    }
}

fn segment_index(segments: u32) -> (Index, Vec<u8>) {
    let mut builder = IndexBuilder::default();
    let mut rows = RowsWriter::new(Vec::new());
    let hashed = HashedObject::of(&[1, 2, 3]);
    for n in 0..segments {
        rows.push(&hashed.row).unwrap();
        builder
            .push(&NewSegment {
                root: hashed.root,
                length: hashed.length,
                offset: 0,
                media_start: u64::from(n) * 2_000,
                duration: 2_000,
            })
            .unwrap();
    }
    let built = builder.finish();
    let index = Index {
        root: built.root,
        bytes: built.bytes,
    };
    (index, rows.finish().unwrap())
}

fn catalog(segments: u32, index_root: Hash, names: Names, ranged: bool) -> Catalog {
    let manifest = Manifest {
        tracks: vec![Track {
            id: TrackId(1),
            kind: TrackKind::Video,
            media_type: "video/mp4".into(),
            timescale: 1_000,
            segments,
            bitrate: None,
            index: IndexFile {
                path: "seal/1.index".into(),
                root: index_root,
            },
            rows: RowsFile {
                path: "seal/1.rows".into(),
            },
            names,
            ranged,
        }],
        ..Manifest::new(
            ContentId([7; 16]),
            SwarmSecret([9; 32]),
            NOW_S - 100..NOW_S + 1_000_000,
        )
    };
    let key = publisher();
    let mut trust = Trust::new(
        vec![key.public()],
        None,
        "https://example.com/content.seal",
        RollbackMemory::default(),
    );
    Catalog::new(trust.verify(&manifest.sign(&key).unwrap(), wall()).unwrap())
}
