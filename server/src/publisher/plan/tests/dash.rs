use super::*;

fn mpd(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" \
         mediaPresentationDuration=\"PT5S\" minBufferTime=\"PT2S\" profiles=\"urn:mpeg:dash:profile:isoff-live:2011\">\
         {body}</MPD>"
    )
}

/// A segment index box with the given timescale, earliest time and references of size, duration and kind.
fn sidx(timescale: u32, earliest: u32, first_offset: u32, references: &[(u32, u32, bool)]) -> Vec<u8> {
    let mut body = vec![0, 0, 0, 0];
    for number in [1, timescale, earliest, first_offset, references.len() as u32] {
        body.extend_from_slice(&number.to_be_bytes());
    }
    for (size, duration, is_index) in references {
        body.extend_from_slice(&(size | u32::from(*is_index) << 31).to_be_bytes());
        body.extend_from_slice(&duration.to_be_bytes());
        body.extend_from_slice(&0x9000_0000u32.to_be_bytes());
    }
    boxed(b"sidx", &body)
}

fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes = (body.len() as u32 + 8).to_be_bytes().to_vec();
    bytes.extend_from_slice(kind);
    bytes.extend_from_slice(body);
    bytes
}

#[test]
fn templates_with_numbers_inherit_and_fill_the_period() {
    let body = "<BaseURL>media/</BaseURL><Period><AdaptationSet mimeType=\"video/mp4\">\
        <SegmentTemplate timescale=\"1000\" duration=\"2000\" startNumber=\"5\" media=\"$RepresentationID$/$Number%03d$.m4s\" \
        initialization=\"$RepresentationID$/init.mp4\"/>\
        <Representation id=\"v1\" bandwidth=\"100\"/><Representation id=\"v2\" bandwidth=\"200\"/></AdaptationSet></Period>";
    let files: Vec<(String, u64)> = ["v1", "v2"]
        .iter()
        .flat_map(|id| {
            ["init.mp4", "005.m4s", "006.m4s", "007.m4s"].map(|name| (format!("media/{id}/{name}"), 50))
        })
        .collect();
    let files: Vec<(&str, u64)> = files
        .iter()
        .map(|(name, length)| (name.as_str(), *length))
        .collect();
    let tree = Tree::new(&[("stream.mpd", &mpd(body))], &files);
    let plan = tree.plan();
    assert_eq!(plan.tracks.len(), 2);
    assert_eq!(
        (plan.tracks[1].timescale, plan.tracks[1].bitrate),
        (1000, Some(200))
    );
    assert_eq!(
        names(&plan.tracks[1].pieces),
        ["media/v2/005.m4s", "media/v2/006.m4s", "media/v2/007.m4s"]
    );
    assert_eq!(times(&plan.tracks[1]), [(0, 2000), (2000, 2000), (4000, 1000)]);
    assert_eq!(
        assets(&plan),
        ["stream.mpd", "media/v1/init.mp4", "media/v2/init.mp4"]
    );
    assert_covers_everything(&tree, &plan, &[]);
}

#[test]
fn a_last_segment_of_rounding_may_be_missing_and_no_other() {
    let body = "<Period><AdaptationSet contentType=\"audio\"><SegmentTemplate duration=\"2\" media=\"$Number$.m4s\"/>\
        <Representation id=\"a\"/></AdaptationSet></Period>";
    let plan = |files: &[(&str, u64)]| Tree::new(&[("a.mpd", &mpd(body))], files).try_plan();
    assert_eq!(
        plan(&[("1.m4s", 1), ("2.m4s", 1)]).unwrap().tracks[0]
            .pieces
            .len(),
        2
    );
    assert_eq!(
        plan(&[("1.m4s", 1), ("3.m4s", 1)]).unwrap_err().code(),
        "missing_file"
    );
}

#[test]
fn a_segment_behind_the_computed_end_belongs_to_the_track() {
    let body = "<Period><AdaptationSet contentType=\"audio\" mimeType=\"audio/mp4\"><SegmentTemplate duration=\"2\" \
        startNumber=\"3\" media=\"$Number$.m4s\"/><Representation id=\"a\"/></AdaptationSet></Period>";
    let files = [("3.m4s", 1), ("4.m4s", 1), ("5.m4s", 1), ("6.m4s", 1)];
    let tree = Tree::new(&[("a.mpd", &mpd(body))], &files);
    let plan = tree.plan();
    assert_eq!(times(&plan.tracks[0]), [(0, 2), (2, 2), (4, 1), (5, 2)]);
    assert_covers_everything(&tree, &plan, &[]);
}

#[test]
fn timelines_name_segments_by_time() {
    let body = "<Period><AdaptationSet contentType=\"audio\" mimeType=\"audio/mp4\"><SegmentTemplate timescale=\"48000\" \
        media=\"a-$Time$.m4s\" initialization=\"a-init.mp4\"><SegmentTimeline><S t=\"0\" d=\"96256\" r=\"1\"/><S d=\"47488\"/>\
        </SegmentTimeline></SegmentTemplate><Representation id=\"a\" bandwidth=\"64000\"/></AdaptationSet></Period>";
    let tree = Tree::new(
        &[("stream.mpd", &mpd(body))],
        &[
            ("a-init.mp4", 500),
            ("a-0.m4s", 100),
            ("a-96256.m4s", 100),
            ("a-192512.m4s", 60),
        ],
    );
    let plan = tree.plan();
    let track = &plan.tracks[0];
    assert_eq!(
        (track.kind, track.media_type.as_str(), track.timescale),
        (Kind::Audio, "audio/mp4", 48_000)
    );
    assert_eq!(names(&track.pieces), ["a-0.m4s", "a-96256.m4s", "a-192512.m4s"]);
    assert_eq!(times(track), [(0, 96_256), (96_256, 96_256), (192_512, 47_488)]);
    assert_covers_everything(&tree, &plan, &[]);
}

#[test]
fn periods_follow_each_other_on_one_track() {
    let period = |start: u64, folder: &str| {
        format!(
            "<Period start=\"PT{start}S\" duration=\"PT4S\"><AdaptationSet contentType=\"video\"><SegmentTemplate timescale=\"10\" \
             presentationTimeOffset=\"7\" media=\"{folder}/$Number$.m4s\"><SegmentTimeline><S t=\"7\" d=\"20\" r=\"-1\"/>\
             </SegmentTimeline></SegmentTemplate><Representation id=\"v\"/></AdaptationSet></Period>"
        )
    };
    let tree = Tree::new(
        &[("s.mpd", &mpd(&(period(0, "p1") + &period(4, "p2"))))],
        &[("p1/1.m4s", 1), ("p1/2.m4s", 1), ("p2/1.m4s", 1), ("p2/2.m4s", 1)],
    );
    let plan = tree.plan();
    assert_eq!(plan.tracks.len(), 1);
    assert_eq!(times(&plan.tracks[0]), [(0, 20), (20, 20), (40, 20), (60, 20)]);
}

#[test]
fn a_segment_index_cuts_a_file() {
    let index = sidx(90_000, 900, 4, &[(1000, 180_000, false), (700, 90_000, false)]);
    let mut file = boxed(b"ftyp", &[0; 16]);
    file.extend(boxed(b"moov", &[0; 92]));
    let at = file.len() as u64;
    let length = index.len() as u64;
    file.extend(&index);
    file.extend([0; 4 + 1000 + 700]);
    let end = at + length - 1;
    let with = |segment_base: &str| {
        let body = format!(
            "<Period><AdaptationSet mimeType=\"video/mp4\"><Representation id=\"v\" bandwidth=\"9\"><BaseURL>v.mp4</BaseURL>\
             {segment_base}</Representation></AdaptationSet></Period>"
        );
        let tree = Tree::new(&[("s.mpd", &mpd(&body))], &[]);
        tree.write("v.mp4", &file);
        tree
    };
    let given = format!(
        "<SegmentBase indexRange=\"{at}-{end}\"><Initialization range=\"0-{}\"/></SegmentBase>",
        at - 1
    );
    for tree in [with(&given), with("<SegmentBase/>"), with("")] {
        let plan = tree.plan();
        let track = &plan.tracks[0];
        let first = at + length + 4;
        assert_eq!(
            names(&track.pieces),
            [
                format!("v.mp4 {first}+1000"),
                format!("v.mp4 {}+700", first + 1000)
            ]
        );
        assert_eq!(
            (track.timescale, times(track)),
            (90_000, vec![(900, 180_000), (180_900, 90_000)])
        );
        assert!(assets(&plan).contains(&format!("v.mp4 {at}+{length}")));
        assert_covers_everything(&tree, &plan, &[]);
    }
}

#[test]
fn segment_indexes_may_refer_to_others() {
    let leaf = sidx(10, 0, 0, &[(100, 20, false), (100, 20, false)]);
    let root = sidx(
        10,
        0,
        0,
        &[
            (leaf.len() as u32 + 200, 40, true),
            (leaf.len() as u32 + 200, 40, true),
        ],
    );
    let mut file = root.clone();
    for _ in 0..2 {
        file.extend(&leaf);
        file.extend([0; 200]);
    }
    let body = "<Period><AdaptationSet><Representation id=\"v\"><BaseURL>v.mp4</BaseURL></Representation></AdaptationSet></Period>";
    let tree = Tree::new(&[("s.mpd", &mpd(body))], &[]);
    tree.write("v.mp4", &file);
    let plan = tree.plan();
    let first = (root.len() + leaf.len()) as u64;
    let second = first + 200 + leaf.len() as u64;
    let offsets: Vec<u64> = plan.tracks[0]
        .pieces
        .iter()
        .map(|piece| piece.range.unwrap().0)
        .collect();
    assert_eq!(offsets, [first, first + 100, second, second + 100]);
    assert_covers_everything(&tree, &plan, &[]);
}

#[test]
fn segment_lists_name_files_or_ranges() {
    let body = "<Period><AdaptationSet mimeType=\"video/mp4\"><Representation id=\"v\"><BaseURL>v.mp4</BaseURL>\
        <SegmentList timescale=\"10\" duration=\"20\"><Initialization range=\"0-99\"/><SegmentURL mediaRange=\"100-199\"/>\
        <SegmentURL mediaRange=\"200-299\"/><SegmentURL media=\"other.mp4\" mediaRange=\"0-9\"/></SegmentList></Representation>\
        </AdaptationSet></Period>";
    let tree = Tree::new(&[("s.mpd", &mpd(body))], &[("v.mp4", 300), ("other.mp4", 10)]);
    let plan = tree.plan();
    assert_eq!(
        names(&plan.tracks[0].pieces),
        ["v.mp4 100+100", "v.mp4 200+100", "other.mp4 0+10"]
    );
    assert_eq!(times(&plan.tracks[0]), [(0, 20), (20, 20), (40, 10)]);
    assert_eq!(assets(&plan), ["s.mpd", "v.mp4 0+100"]);
    assert_eq!(plan.assets[1].media_type, "video/mp4");
    assert_covers_everything(&tree, &plan, &[]);
}

#[test]
fn hls_and_dash_of_the_same_segments_list_them_once() {
    let hls = "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:2,\n1.m4s\n#EXTINF:2,\n2.m4s\n#EXTINF:1,\n3.m4s\n#EXT-X-ENDLIST\n";
    let body = "<Period><AdaptationSet mimeType=\"video/mp4\"><SegmentTemplate duration=\"2\" media=\"$Number$.m4s\" \
        initialization=\"init.mp4\"/><Representation id=\"v\"/></AdaptationSet></Period>";
    let tree = Tree::new(
        &[("v.m3u8", hls), ("v.mpd", &mpd(body))],
        &[("init.mp4", 10), ("1.m4s", 10), ("2.m4s", 10), ("3.m4s", 10)],
    );
    let plan = tree.plan();
    assert_eq!(plan.tracks.len(), 1);
    assert_eq!(assets(&plan), ["v.m3u8", "init.mp4", "v.mpd"]);
    assert_covers_everything(&tree, &plan, &[]);
}

#[test]
fn a_file_without_an_index_is_a_plain_file() {
    let body = "<Period><AdaptationSet mimeType=\"video/webm\"><Representation id=\"v\"><BaseURL>v.webm</BaseURL>\
        <SegmentBase indexRange=\"10-19\"/></Representation></AdaptationSet></Period>";
    let tree = Tree::new(&[("s.mpd", &mpd(body))], &[("v.webm", 5 << 20)]);
    let plan = tree.plan();
    assert_eq!(
        names(&plan.tracks[0].pieces),
        ["v.webm 0+4194304", "v.webm 4194304+1048576"]
    );
    assert_eq!(plan.notes.len(), 1);
    assert_covers_everything(&tree, &plan, &[]);
}

#[test]
fn what_cannot_be_published_says_why() {
    let code = |text: &str, files: &[(&str, u64)]| Tree::new(&[("v.mpd", text)], files).code();
    assert_eq!(code("<MPD", &[]), "unreadable");
    assert_eq!(code(&mpd("").replace("static", "dynamic"), &[]), "not_finished");
    let set = |inner: &str| {
        mpd(&format!(
            "<Period><AdaptationSet><Representation id=\"v\">{inner}</Representation></AdaptationSet></Period>"
        ))
    };
    assert_eq!(code(&set(""), &[]), "unreadable");
    assert_eq!(
        code(&set("<SegmentTemplate media=\"$Number$\"/>"), &[]),
        "unreadable"
    );
    assert_eq!(
        code(
            &set("<SegmentTemplate duration=\"2\" media=\"$SubNumber$\"/>"),
            &[]
        ),
        "unreadable"
    );
    assert_eq!(
        code(
            &set("<SegmentTemplate duration=\"2\" timescale=\"0\" media=\"$Number$\"/>"),
            &[]
        ),
        "unreadable"
    );
    assert_eq!(
        code(
            &set("<SegmentTemplate duration=\"2\" media=\"../$Number$\"/>"),
            &[]
        ),
        "outside_folder"
    );
    assert_eq!(code(&set("<BaseURL>v.mp4</BaseURL>"), &[]), "missing_file");
    for endless in [
        "PT46666666666666666666666666S",
        "PT12297829382473034409M",
        "P99999999999Y",
    ] {
        let period = format!("<Period duration=\"{endless}\"></Period>");
        assert_eq!(code(&mpd(&period), &[]), "unreadable", "{endless}");
    }
}

#[test]
fn a_damaged_index_is_an_error_and_no_panic() {
    let good = sidx(10, 0, 0, &[(100, 20, false), (100, 20, false)]);
    let body = "<Period><AdaptationSet><Representation id=\"v\"><BaseURL>v.mp4</BaseURL></Representation></AdaptationSet></Period>";
    for at in 8..good.len() {
        let mut file = good.clone();
        file[at] ^= 0xff;
        file.extend([0; 200]);
        let tree = Tree::new(&[("s.mpd", &mpd(body))], &[]);
        tree.write("v.mp4", &file);
        if let Ok(plan) = tree.try_plan() {
            assert_covers_everything(&tree, &plan, &[]);
        }
    }
}
