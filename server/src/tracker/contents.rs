//! Which contents are served: manifests from files, folders and URLs, taken only with a publisher's signature.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use swarmseal::content::cose::MAX_SEALED;
use swarmseal::content::{PublicKey, RollbackMemory, Trust, TrustError, VerifiedManifest, WallTime};
use swarmseal_tracker::{Content, Roots};
use url::Url;

use super::following::Broadcast;
use super::index;
use crate::publisher::source::{Folder, HttpSource, Source};

/// What to serve, and what was found when it was last looked at. Looking blocks: not for async tasks.
pub struct Contents {
    publishers: Vec<PublicKey>,
    places: Vec<Place>,
    found: BTreeMap<String, Found>,
    client: ureq::Agent,
    /// Whether announcers are to be checked.
    with_roots: bool,
}

/// Why a manifest is not served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentsError {
    /// It cannot be read.
    #[error("{place} cannot be read: {detail}")]
    Unreadable {
        /// As configured.
        place: String,
        /// What the system or the server said.
        detail: String,
    },
    /// It is longer than any manifest.
    #[error("{place} is too long for a manifest")]
    TooLong {
        /// As configured.
        place: String,
    },
    /// It is not taken.
    #[error("{place} is not taken: {rule}")]
    Refused {
        /// As configured.
        place: String,
        /// By which rule.
        rule: TrustError,
    },
    /// It is served, and its announcers cannot be checked.
    #[error("the index of {place} is of no use, so its sources are listed on their word: {detail}")]
    Unchecked {
        /// As configured.
        place: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A URL that is not http(s), or http: to another machine.
    #[error("{place} is no https:// URL (http:// is for this machine only)")]
    InsecureTransport {
        /// As configured.
        place: String,
    },
}

impl ContentsError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "manifest_unreadable",
            Self::TooLong { .. } => "manifest_too_long",
            Self::Refused { rule, .. } => rule.code(),
            Self::Unchecked { .. } => "announcers_unchecked",
            Self::InsecureTransport { .. } => "insecure_transport",
        }
    }
}

/// The outcome of one look.
#[derive(Default)]
pub struct Refreshed {
    /// All that is served from now on.
    pub contents: Vec<Content>,
    /// What is not, and why.
    pub problems: Vec<ContentsError>,
    /// Whether anything was added, withdrawn or newly verified.
    pub changed: bool,
    /// Those of them that are live, and are to be followed.
    pub(crate) broadcasts: Vec<Broadcast>,
}

#[derive(Clone, Debug)]
enum Place {
    Path(PathBuf),
    Url(Url),
}

struct Found {
    trust: Trust,
    /// What the bytes were when they were last verified.
    stamp: Stamp,
    content: Option<Content>,
    /// When it has to be verified again, because it may have expired.
    expires: u64,
    /// The newest version, while its index has not been read.
    unread: Option<VerifiedManifest>,
    broadcast: Option<Broadcast>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Stamp(Vec<u8>);

impl Contents {
    /// Takes manifests by any of `publishers` from `manifests`: files, folders (every `*.seal` in them) and URLs.
    ///
    /// # Errors
    /// [`ContentsError::InsecureTransport`] for a URL that is never asked.
    pub fn new(publishers: Vec<PublicKey>, manifests: &[String]) -> Result<Self, ContentsError> {
        let places = manifests
            .iter()
            .map(|text| Place::parse(text))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            publishers,
            places,
            found: BTreeMap::new(),
            client: crate::publisher::source::client(),
            with_roots: true,
        })
    }

    /// Leaves indexes unread: nobody is to be checked.
    #[must_use]
    pub fn without_roots(mut self) -> Self {
        self.with_roots = false;
        self
    }

    /// Looks at everything. A manifest that cannot be read or verified now leaves its last good version in place;
    /// one that is withdrawn, expired or gone is no longer served.
    pub fn refresh(&mut self) -> Refreshed {
        let unix_s = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let mut refreshed = Refreshed::default();
        let mut files = Vec::new();
        for place in &self.places {
            match place {
                Place::Path(path) if path.is_dir() => collect(path, 0, &mut files),
                other => files.push(other.clone()),
            }
        }
        let mut found = BTreeMap::new();
        let mut known_segments = 0;
        for place in files {
            let name = place.to_string();
            let known = self.found.remove(&name);
            let before = known.as_ref().and_then(|known| known.content.clone());
            let mut entry = known.unwrap_or_else(|| self.unseen(&name));
            if let Err(problem) = self.look(&place, &mut entry, unix_s) {
                refreshed.problems.push(problem);
            }
            known_segments += entry.segments();
            if known_segments <= MAX_KNOWN_SEGMENTS
                && let Err(problem) = read_index(&place, &mut entry)
            {
                refreshed.problems.push(problem);
            }
            refreshed.changed |= entry.content != before;
            if let Some(mut content) = entry.content.clone() {
                let may_follow = refreshed.broadcasts.len() < MAX_BROADCASTS;
                let broadcast = entry.broadcast.clone().filter(|_| may_follow);
                content.is_followed = broadcast.is_some();
                refreshed.contents.push(content);
                refreshed.broadcasts.extend(broadcast);
            }
            found.insert(name, entry);
        }
        refreshed.changed |= self.found.values().any(|gone| gone.content.is_some());
        self.found = found;
        refreshed
    }

    fn unseen(&self, name: &str) -> Found {
        let trust = Trust::new(self.publishers.clone(), None, name, RollbackMemory::default());
        Found {
            trust,
            stamp: Stamp::default(),
            content: None,
            expires: 0,
            unread: None,
            broadcast: None,
        }
    }

    fn look(&self, place: &Place, found: &mut Found, unix_s: u64) -> Result<(), ContentsError> {
        let sealed = match self.read(place) {
            Ok(sealed) => sealed,
            Err(problem) => {
                if matches!(place, Place::Path(path) if !path.exists()) || unix_s > found.expires {
                    found.content = None;
                }
                return Err(problem);
            }
        };
        let stamp = Stamp(swarmseal::content::Hash::of(&[&sealed]).0.to_vec());
        if stamp == found.stamp && found.content.is_some() && unix_s <= found.expires {
            return Ok(());
        }
        let wall = WallTime {
            unix_s,
            uncertainty_s: 0,
        };
        match found.trust.verify_live(&sealed, wall) {
            Ok(verified) => {
                let mut content = Content::of(verified.manifest());
                // Viewers of the version before are still there.
                let before = found.content.take().map(|content| content.roots);
                content.roots = before.unwrap_or_default();
                found.broadcast = self.broadcast(place, &verified);
                found.content = Some(content);
                found.unread =
                    (self.with_roots && !verified.manifest().tracks.is_empty()).then(|| verified.clone());
                found.expires = verified.manifest().expires;
                found.stamp = stamp;
                Ok(())
            }
            Err(rule) => {
                if matches!(rule, TrustError::Tombstone | TrustError::Expired) || unix_s > found.expires {
                    found.content = None;
                }
                Err(ContentsError::Refused {
                    place: place.to_string(),
                    rule,
                })
            }
        }
    }

    /// Heads are read where the manifest is.
    fn broadcast(&self, place: &Place, verified: &VerifiedManifest) -> Option<Broadcast> {
        let source = place.source().ok().filter(|_| self.with_roots)?;
        Broadcast::of(verified, source.into())
    }

    fn read(&self, place: &Place) -> Result<Vec<u8>, ContentsError> {
        let unreadable = |detail: String| ContentsError::Unreadable {
            place: place.to_string(),
            detail,
        };
        let limit = u64::try_from(MAX_SEALED).unwrap_or(u64::MAX).saturating_add(1);
        let mut sealed = Vec::new();
        match place {
            Place::Path(path) => {
                let file = std::fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
                file.take(limit)
                    .read_to_end(&mut sealed)
                    .map_err(|error| unreadable(error.to_string()))?;
            }
            Place::Url(url) => {
                let answer = self
                    .client
                    .get(url.as_str())
                    .call()
                    .map_err(|error| unreadable(error.to_string()))?;
                if answer.status() != 200 {
                    return Err(unreadable(format!("status {}", answer.status().as_u16())));
                }
                let body = answer.into_body().into_reader();
                body.take(limit)
                    .read_to_end(&mut sealed)
                    .map_err(|error| unreadable(error.to_string()))?;
            }
        }
        if sealed.len() > MAX_SEALED {
            return Err(ContentsError::TooLong {
                place: place.to_string(),
            });
        }
        Ok(sealed)
    }
}

impl Found {
    fn segments(&self) -> usize {
        let content = self.content.as_ref();
        content.map_or(0, |content| {
            content.roots.iter().map(|roots| roots.segments()).sum()
        })
    }
}

/// Reads the index of a version that is new, or could not be read before.
fn read_index(place: &Place, found: &mut Found) -> Result<(), ContentsError> {
    let (Some(manifest), Some(content)) = (&found.unread, &mut found.content) else {
        return Ok(());
    };
    let unchecked = |detail: String| ContentsError::Unchecked {
        place: place.to_string(),
        detail,
    };
    let read = place
        .source()
        .and_then(|source| index::load(source.as_ref(), manifest.clone()).map_err(|error| error.to_string()));
    let roots: Roots = read.map_err(|detail| {
        // Viewers of this version would fail against the one before.
        content.roots.clear();
        unchecked(detail)
    })?;
    content.roots.insert(0, Arc::new(roots));
    content.roots.truncate(MAX_EDITIONS);
    found.unread = None;
    Ok(())
}

impl Place {
    /// Where the files beside the manifest are.
    fn source(&self) -> Result<Box<dyn Source + Send>, String> {
        let detail = |error: crate::publisher::PublishError| error.to_string();
        Ok(match self {
            Self::Path(path) => {
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
                Box::new(Folder::open(folder.unwrap_or(Path::new("."))).map_err(detail)?)
            }
            Self::Url(url) => Box::new(HttpSource::open(url, None).map_err(detail)?),
        })
    }

    fn parse(text: &str) -> Result<Self, ContentsError> {
        if !text.contains("://") {
            return Ok(Self::Path(PathBuf::from(text)));
        }
        let is_here = |url: &Url| match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        match Url::parse(text) {
            Ok(url) if url.scheme() == "https" || url.scheme() == "http" && is_here(&url) => {
                Ok(Self::Url(url))
            }
            _ => Err(ContentsError::InsecureTransport {
                place: text.to_owned(),
            }),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(f),
            Self::Url(url) => url.fmt(f),
        }
    }
}

/// Every `*.seal` below a folder, in the order of their names.
fn collect(folder: &Path, depth: usize, files: &mut Vec<Place>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        let is_hidden = path
            .file_name()
            .is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if is_hidden || files.len() >= MAX_CONTENTS {
            continue;
        }
        if path.extension().is_some_and(|extension| extension == "seal") {
            files.push(Place::Path(path));
        } else if depth < MAX_FOLDER_DEPTH && path.is_dir() {
            collect(&path, depth + 1, files);
        }
    }
}

/// Contents that one process serves.
const MAX_CONTENTS: usize = 10_000;
/// Versions of a content against which announcers are checked: viewers who stay have the one before.
const MAX_EDITIONS: usize = 2;
/// Segments whose roots are kept, over all contents: 160 MB. Sources of contents beyond that are listed on their word.
const MAX_KNOWN_SEGMENTS: usize = 4_000_000;
/// Live contents that are followed, each with up to 64 KiB of records a track. Sources of others are listed on their word.
const MAX_BROADCASTS: usize = 256;
/// Folders within folders.
const MAX_FOLDER_DEPTH: usize = 4;

#[cfg(test)]
mod tests {
    use swarmseal::content::live::LiveSlot;

    use super::*;
    use crate::tracker::contents::tests_support::*;

    #[test]
    fn a_folder_is_searched_and_strangers_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("a/b")).unwrap();
        write(folder.path(), "a/content.seal", &sealed(1, 1, |_| {}));
        write(folder.path(), "a/b/other.seal", &sealed(2, 1, |_| {}));
        write(folder.path(), "stranger.seal", &sealed_by(9, 3, 1, |_| {}));
        write(folder.path(), "noise.seal", b"noise");
        write(folder.path(), "film.mp4", b"film");
        let mut contents = Contents::new(vec![publisher(7)], &[text(folder.path())]).unwrap();
        let seen = contents.refresh();
        assert_eq!(seen.contents.len(), 2);
        assert!(seen.changed);
        let codes: Vec<_> = seen.problems.iter().map(ContentsError::code).collect();
        assert_eq!(codes.len(), 2, "{codes:?}");
        assert!(codes.contains(&"untrusted_key"), "{codes:?}");
        assert!(!contents.refresh().changed);
    }

    #[test]
    fn a_live_content_is_the_same_swarm_as_its_recording() {
        let folder = tempfile::tempdir().unwrap();
        let slot = LiveSlot {
            folder: "seal/live".to_owned(),
        };
        write(
            folder.path(),
            "content.seal",
            &sealed(1, 1, |manifest| manifest.live = Some(slot.encode())),
        );
        let mut contents = Contents::new(vec![publisher(7)], &[text(folder.path())]).unwrap();
        let live = contents.refresh();
        write(folder.path(), "content.seal", &sealed(1, 2, |_| {}));
        let recording = contents.refresh();
        assert_eq!((live.problems.len(), live.contents.len()), (0, 1));
        assert_eq!(live.contents[0].swarm, recording.contents[0].swarm);
    }

    #[test]
    fn a_new_version_and_a_new_file_are_found() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "content.seal", &sealed(1, 1, |_| {}));
        let mut contents = Contents::new(vec![publisher(7)], &[text(folder.path())]).unwrap();
        let first = contents.refresh();
        write(folder.path(), "content.seal", &sealed(1, 2, |_| {}));
        write(folder.path(), "more.seal", &sealed(2, 1, |_| {}));
        let second = contents.refresh();
        assert_eq!((first.contents.len(), second.contents.len()), (1, 2));
        assert_eq!(
            first.contents[0].swarm, second.contents[0].swarm,
            "the swarm is the same in every version"
        );
        std::fs::remove_file(folder.path().join("more.seal")).unwrap();
        let third = contents.refresh();
        assert!(third.changed);
        assert_eq!(third.contents.len(), 1);
    }

    #[test]
    fn a_broken_or_older_file_leaves_the_last_good_version() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("content.seal");
        let mut contents = Contents::new(vec![publisher(7)], &[text(&path)]).unwrap();
        write(folder.path(), "content.seal", &sealed(1, 5, |_| {}));
        let good = contents.refresh().contents;
        for bad in [
            b"half".to_vec(),
            sealed(1, 4, |_| {}),
            sealed(2, 1, |_| {}),
            sealed_by(9, 1, 6, |_| {}),
        ] {
            write(folder.path(), "content.seal", &bad);
            let seen = contents.refresh();
            assert_eq!((seen.contents, seen.problems.len()), (good.clone(), 1));
        }
    }

    #[test]
    fn withdrawn_and_expired_contents_are_not_served() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("content.seal");
        let mut contents = Contents::new(vec![publisher(7)], &[text(&path)]).unwrap();
        write(folder.path(), "content.seal", &sealed(1, 1, |_| {}));
        assert_eq!(contents.refresh().contents.len(), 1);
        write(
            folder.path(),
            "content.seal",
            &sealed(1, 2, |manifest| {
                manifest.tombstone = Some(swarmseal::content::Tombstone { reason: 1 });
            }),
        );
        let seen = contents.refresh();
        assert_eq!(
            (seen.contents.len(), seen.problems[0].code(), seen.changed),
            (0, "tombstone", true)
        );

        write(
            folder.path(),
            "old.seal",
            &sealed(2, 1, |manifest| {
                manifest.issued = 1_000;
                manifest.expires = 2_000;
            }),
        );
        let mut contents =
            Contents::new(vec![publisher(7)], &[text(&folder.path().join("old.seal"))]).unwrap();
        assert_eq!(contents.refresh().problems[0].code(), "expired");
    }

    #[test]
    fn manifests_are_not_fetched_in_the_clear_from_elsewhere() {
        for text in [
            "http://cdn.example/content.seal",
            "ftp://cdn.example/x",
            "file:///etc/passwd",
        ] {
            let error = Contents::new(Vec::new(), &[text.to_owned()]).err().unwrap();
            assert_eq!(error.code(), "insecure_transport", "{text}");
        }
    }
}

#[cfg(test)]
pub(crate) mod tests_support {
    //! Small signed manifests.

    use std::path::Path;

    use swarmseal::content::{ContentId, Manifest, PublicKey, SecretKey, SwarmSecret};

    pub(crate) fn publisher(seed: u8) -> PublicKey {
        SecretKey::from_seed(&[seed; 32]).public()
    }

    pub(crate) fn sealed(content: u8, version: u64, change: impl FnOnce(&mut Manifest)) -> Vec<u8> {
        sealed_by(7, content, version, change)
    }

    pub(crate) fn sealed_by(
        publisher: u8,
        content: u8,
        version: u64,
        change: impl FnOnce(&mut Manifest),
    ) -> Vec<u8> {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let mut manifest = Manifest {
            version,
            ..Manifest::new(
                ContentId([content; 16]),
                SwarmSecret([content; 32]),
                now - 60..now + 3_600,
            )
        };
        change(&mut manifest);
        manifest.sign(&SecretKey::from_seed(&[publisher; 32])).unwrap()
    }

    pub(crate) fn write(folder: &Path, name: &str, bytes: &[u8]) {
        std::fs::write(folder.join(name), bytes).unwrap();
    }

    pub(crate) fn text(path: &Path) -> String {
        path.to_str().unwrap().to_owned()
    }
}
