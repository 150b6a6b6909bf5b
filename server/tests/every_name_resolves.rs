//! What the publisher lists is what a peer finds: every object, by its name and range, through the verified catalog.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::path::Path;

use support::{NOW, content_id, noise, public_key, publish_folder, stream, write};
use swarmseal::content::{
    Catalog, Location, ObjectId, Resolution, RollbackMemory, Sheet, Span, TrackId, Trust, WallTime,
};

fn read(folder: &Path, location: &Location) -> Vec<u8> {
    let bytes = std::fs::read(folder.join(&location.path)).unwrap();
    match location.range {
        Some((offset, length)) => bytes[offset as usize..(offset + length) as usize].to_vec(),
        None => bytes,
    }
}

fn load(folder: &Path, catalog: &mut Catalog, sheet: &Sheet) {
    let location = catalog.sheet_location(sheet).unwrap();
    catalog.accept_sheet(sheet, &read(folder, &location)).unwrap();
}

/// Publishes, and asks for every object as a player would.
fn check(folder: &Path) {
    publish_folder(folder).unwrap();
    let sealed = std::fs::read(folder.join("content.seal")).unwrap();
    let mut trust = Trust::new(
        vec![public_key()],
        Some(content_id()),
        "m",
        RollbackMemory::default(),
    );
    let manifest = trust
        .verify(
            &sealed,
            WallTime {
                unix_s: NOW,
                uncertainty_s: 0,
            },
        )
        .unwrap();
    let mut full = Catalog::new(manifest.clone());
    let mut ids: Vec<ObjectId> = (0..full.manifest().assets.len() as u32)
        .map(|index| ObjectId::new(TrackId::ASSETS, index))
        .collect();
    for track in &manifest.manifest().tracks {
        ids.extend((0..track.segments).map(|index| ObjectId::new(track.id, index)));
    }
    for id in &ids {
        while let Some(sheet) = full.sheet_for(*id) {
            load(folder, &mut full, &sheet);
        }
    }
    for id in &ids {
        let location = full.location(*id).unwrap();
        let info = *full.object(*id).unwrap();
        let range = location
            .range
            .map(|(offset, length)| (offset, offset + length - 1));
        let expected = Resolution::Found(vec![Span {
            object: *id,
            first: 0,
            len: info.length,
        }]);
        assert_eq!(full.resolve(&location.path, range), expected, "{location:?}");
        assert_eq!(read(folder, &location).len() as u64, info.length);
        if let Some(sheet) = full.rows_sheet(*id, 8) {
            load(folder, &mut full, &sheet);
            assert_eq!(full.row(*id).unwrap().len() as u32, info.chunks);
        }
    }
    // A newcomer, who knows only the manifest, gets there by the sheets that the catalog asks for.
    for id in [ids.first(), ids.get(ids.len() / 2), ids.last()]
        .into_iter()
        .flatten()
    {
        let location = full.location(*id).unwrap();
        let range = location
            .range
            .map(|(offset, length)| (offset, offset + length - 1));
        let mut fresh = Catalog::new(manifest.clone());
        let mut rounds = 0;
        let found = loop {
            match fresh.resolve(&location.path, range) {
                Resolution::Need(sheets) => sheets.iter().for_each(|sheet| load(folder, &mut fresh, sheet)),
                other => break other,
            }
            rounds += 1;
            assert!(rounds < 50, "{location:?}");
        };
        assert_eq!(found, full.resolve(&location.path, range), "{location:?}");
    }
}

#[test]
fn numbered_segments_assets_and_a_large_file() {
    let folder = tempfile::tempdir().unwrap();
    stream(folder.path());
    check(folder.path());
}

#[test]
fn a_table_of_ranges_that_cross_pages() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "#EXTM3U\n".to_owned();
    for file in 0..150_u64 {
        let name = format!("{:08x}.ts", file.wrapping_mul(0x9e37_79b9) & 0xffff_ffff);
        write(folder.path(), &name, &noise(file, 25_000));
        for length in [5000, 20_000] {
            text.push_str(&format!("#EXTINF:1,\n#EXT-X-BYTERANGE:{length}"));
            text.push_str(if length == 5000 { "@0" } else { "" });
            text.push_str(&format!("\n{name}\n"));
        }
    }
    write(folder.path(), "v.m3u8", (text + "#EXT-X-ENDLIST\n").as_bytes());
    check(folder.path());
}

#[test]
fn a_table_of_many_plain_files() {
    let folder = tempfile::tempdir().unwrap();
    for file in 0..600 {
        let name = format!("{}/{:x} ü.dat", file % 7, file * 7919);
        write(folder.path(), &name, &noise(file, 1 + file as usize * 40));
    }
    write(folder.path(), "empty.dat", b"");
    publish_folder(folder.path()).unwrap();
    assert_eq!(support::verify_folder(folder.path()).unwrap().objects, 601);
}

#[test]
fn segments_named_by_time() {
    let folder = tempfile::tempdir().unwrap();
    let mpd = "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" mediaPresentationDuration=\"PT700S\"><Period>\
        <AdaptationSet mimeType=\"video/mp4\"><SegmentTemplate timescale=\"90000\" media=\"t$Time$.m4s\" \
        initialization=\"init.mp4\"><SegmentTimeline><S t=\"0\" d=\"180180\" r=\"299\"/></SegmentTimeline></SegmentTemplate>\
        <Representation id=\"v\" bandwidth=\"1\"/></AdaptationSet></Period></MPD>";
    write(folder.path(), "v.mpd", mpd.as_bytes());
    write(folder.path(), "init.mp4", b"init");
    for index in 0..300_u64 {
        write(
            folder.path(),
            &format!("t{}.m4s", index * 180_180),
            &noise(index, 100),
        );
    }
    check(folder.path());
}
