//! Checks a live content as it lies there: session, newest head, every page of every log, every row, and every segment
//! that the packager has not deleted.

use swarmseal::content::live::{
    Chain, LiveHead, LiveMemory, LiveSlot, LiveTrack, LogPages, MAX_HEAD, TrackFile,
};
use swarmseal::content::publish::HashedObject;
use swarmseal::content::{
    Asset, Hash, Names, Record, Template, VerifiedManifest, WallTime, page_count, tree,
};

use crate::publisher::PublishError;
use crate::publisher::plan::SEGMENT_LIMIT;
use crate::publisher::source::{Source, read_range};
use crate::publisher::verify::{LiveReport, Mismatch, VerifyError};

/// Checks it. The counts are objects, bytes and chunks.
pub(crate) fn check(
    source: &dyn Source,
    manifest: &VerifiedManifest,
    slot: &LiveSlot,
    now_unix_s: u64,
) -> Result<(LiveReport, [u64; 3]), VerifyError> {
    let wall = WallTime {
        unix_s: now_unix_s,
        uncertainty_s: 0,
    };
    let head = newest(source, manifest, slot, wall)?;
    let mut check = Check {
        source,
        manifest,
        slot,
        head: &head,
        counts: [0; 3],
        gone: 0,
    };
    for asset in &head.assets {
        check.asset(asset)?;
    }
    for track in &head.tracks {
        check.track(track)?;
    }
    let (counts, gone) = (check.counts, check.gone);
    let report = LiveReport {
        session: head.session,
        log: head.log,
        sequence: head.sequence,
        issued_ms: head.issued_ms,
        segments: head.tracks.iter().map(|track| u64::from(track.size())).sum(),
        gone,
        end: head.end,
    };
    Ok((report, counts))
}

fn newest(
    source: &dyn Source,
    manifest: &VerifiedManifest,
    slot: &LiveSlot,
    wall: WallTime,
) -> Result<LiveHead, VerifyError> {
    let said = manifest.manifest();
    let untrusted = |name: &str, code: &'static str, detail: String| VerifyError::Untrusted {
        name: name.to_owned(),
        code,
        detail,
    };
    let query = said.significant_query.clone();
    let mut chain = Chain::new(
        said.content_id,
        vec![manifest.signer()],
        query,
        LiveMemory::default(),
    );
    let name = slot.newest();
    let sealed = read_range(source, &name, None, MAX_HEAD as u64)?;
    if let Some(number) = Chain::session_wanted(&sealed) {
        let name = slot.session(number);
        let session = read_range(source, &name, None, MAX_HEAD as u64)?;
        chain
            .accept_session(&session, wall)
            .map_err(|error| untrusted(&name, error.code(), error.to_string()))?;
    }
    chain
        .accept(&sealed, 0, wall)
        .map_err(|error| untrusted(&name, error.code(), error.to_string()))?;
    let head = chain.newest().cloned();
    head.ok_or_else(|| PublishError::Content("a head was taken and is gone".to_owned()).into())
}

struct Check<'a> {
    source: &'a dyn Source,
    manifest: &'a VerifiedManifest,
    slot: &'a LiveSlot,
    head: &'a LiveHead,
    counts: [u64; 3],
    gone: u64,
}

impl Check<'_> {
    fn asset(&mut self, asset: &Asset) -> Result<(), VerifyError> {
        self.object(&asset.path, asset.range, asset.length, &asset.root)
    }

    fn track(&mut self, track: &LiveTrack) -> Result<(), VerifyError> {
        let name = |file| self.slot.track(self.head.log, track.id, file);
        let (records, pages, rows) = (
            name(TrackFile::Records),
            name(TrackFile::Pages),
            name(TrackFile::Rows),
        );
        let mut log = LogPages::of(track);
        let roots = self.range(&pages, log.roots_range())?;
        let altered = |file: &str, found: String| {
            VerifyError::Mismatch(Mismatch {
                file: file.to_owned(),
                range: None,
                chunk: None,
                expected: "what the head signs".to_owned(),
                found,
            })
        };
        log.take_roots(&roots)
            .map_err(|error| altered(&pages, format!("other bytes ({error})")))?;
        for page in 0..page_count(track.size()) {
            let bytes = self.range(&records, log.page_range(page))?;
            let read = log
                .read(track, page, &bytes, &self.manifest.manifest().significant_query)
                .map_err(|error| altered(&records, format!("other bytes ({error})")))?;
            for (index, record) in (page * swarmseal::content::PAGE_RECORDS..).zip(&read) {
                let row = self.range(&rows, (record.row_offset, record.row_len()))?;
                let row: Vec<Hash> = row.chunks_exact(Hash::LEN).filter_map(Hash::from_slice).collect();
                if tree::root(&row) != record.root {
                    return Err(altered(&rows, format!("another row for segment {index}")));
                }
                self.segment(track, index, record)?;
            }
        }
        Ok(())
    }

    fn segment(&mut self, track: &LiveTrack, index: u32, record: &Record) -> Result<(), VerifyError> {
        let name = match &track.names {
            Names::Template {
                pattern,
                start_number,
            } => Template::parse(pattern).map(|template| {
                let number = start_number + u64::from(index);
                template.name(if template.is_time() {
                    record.media_start
                } else {
                    number
                })
            }),
            Names::Single { path } | Names::Table { path, .. } => Ok(path.clone()),
        };
        let name = name.map_err(|error| PublishError::Content(error.to_string()))?;
        if record.length == 0 || self.source.stamp(&name)?.is_none() {
            self.gone += 1;
            return Ok(());
        }
        let range = track.ranged.then_some((record.offset, u64::from(record.length)));
        self.object(&name, range, record.length.into(), &record.root)
    }

    fn object(
        &mut self,
        name: &str,
        range: Option<(u64, u64)>,
        length: u64,
        root: &Hash,
    ) -> Result<(), VerifyError> {
        let found = HashedObject::of(&read_range(self.source, name, range, SEGMENT_LIMIT)?);
        if found.length != length || found.root != *root {
            return Err(VerifyError::Mismatch(Mismatch {
                file: name.to_owned(),
                range,
                chunk: None,
                expected: format!("{length} bytes with root {root}"),
                found: format!("{} with {}", found.length, found.root),
            }));
        }
        let [objects, bytes, chunks] = &mut self.counts;
        *objects += 1;
        *bytes += length;
        *chunks += found.row.len() as u64;
        Ok(())
    }

    fn range(&self, name: &str, (offset, length): (u64, u64)) -> Result<Vec<u8>, VerifyError> {
        if length == 0 {
            return Ok(Vec::new());
        }
        Ok(read_range(self.source, name, Some((offset, length)), length)?)
    }
}
