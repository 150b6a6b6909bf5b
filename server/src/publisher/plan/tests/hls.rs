use super::*;

const MASTER: &str = "#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"en\",URI=\"audio/en.m3u8\"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"s\",NAME=\"en\",URI=\"subs/en.m3u8\"
#EXT-X-STREAM-INF:BANDWIDTH=2000000,AVERAGE-BANDWIDTH=1500000,RESOLUTION=1280x720,AUDIO=\"a\",CODECS=\"avc1.4d401f,mp4a.40.2\"
video/720/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=64000,CODECS=\"mp4a.40.2\"
audio/en.m3u8
";

fn media(segments: &[&str], head: &str) -> String {
    let mut text = format!("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n{head}");
    for segment in segments {
        text.push_str(&format!("#EXTINF:2.002,\n{segment}\n"));
    }
    text + "#EXT-X-ENDLIST\n"
}

#[test]
fn a_multivariant_stream_with_renditions_in_folders() {
    let video = media(&["s0.m4s", "s1.m4s"], "#EXT-X-MAP:URI=\"init.mp4\"\n");
    let audio = media(
        &["../shared/a%20b0.m4s", "./a1.m4s?token=abc"],
        "#EXT-X-MAP:URI=\"init.mp4\"\n",
    );
    let subtitles = media(&["en.vtt"], "");
    let tree = Tree::new(
        &[
            ("master.m3u8", MASTER),
            ("video/720/index.m3u8", &video),
            ("audio/en.m3u8", &audio),
            ("subs/en.m3u8", &subtitles),
        ],
        &[
            ("video/720/init.mp4", 700),
            ("video/720/s0.m4s", 100_000),
            ("video/720/s1.m4s", 90_000),
            ("audio/init.mp4", 600),
            ("shared/a b0.m4s", 30_000),
            ("audio/a1.m4s", 20_000),
            ("subs/en.vtt", 10),
            ("poster.jpg", 5000),
        ],
    );
    let plan = tree.plan();
    let kinds: Vec<_> = plan
        .tracks
        .iter()
        .map(|track| (track.kind, track.media_type.as_str(), track.bitrate))
        .collect();
    let expected = [
        (Kind::Video, "video/mp4", Some(1_500_000)),
        (Kind::Audio, "audio/mp4", Some(64_000)),
        (Kind::Text, "text/vtt", None),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(
        names(&plan.tracks[0].pieces),
        ["video/720/s0.m4s", "video/720/s1.m4s"]
    );
    assert_eq!(
        names(&plan.tracks[1].pieces),
        ["shared/a%20b0.m4s", "audio/a1.m4s"]
    );
    assert_eq!(times(&plan.tracks[0]), [(0, 2_002_000), (2_002_000, 2_002_000)]);
    let expected = [
        "master.m3u8",
        "video/720/index.m3u8",
        "video/720/init.mp4",
        "audio/en.m3u8",
        "audio/init.mp4",
        "subs/en.m3u8",
        "poster.jpg",
    ];
    assert_eq!(assets(&plan), expected);
    assert_covers_everything(&tree, &plan, &[]);
}

#[test]
fn byte_ranges_with_and_without_offsets() {
    let text = "#EXTM3U
#EXT-X-TARGETDURATION:2
#EXT-X-MAP:URI=\"v.mp4\",BYTERANGE=\"700@0\"
#EXTINF:2,
#EXT-X-BYTERANGE:1000@800
v.mp4
#EXTINF:2,
#EXT-X-BYTERANGE:500
v.mp4
#EXTINF:1.5,
#EXT-X-BYTERANGE:200@2400
v.mp4
#EXT-X-ENDLIST";
    let tree = Tree::new(&[("v.m3u8", text)], &[("v.mp4", 3000)]);
    let plan = tree.plan();
    assert_eq!(plan.tracks.len(), 1);
    assert!(plan.tracks[0].ranged);
    assert_eq!(
        names(&plan.tracks[0].pieces),
        ["v.mp4 800+1000", "v.mp4 1800+500", "v.mp4 2400+200"]
    );
    assert_eq!(
        assets(&plan),
        [
            "v.m3u8",
            "v.mp4 0+700",
            "v.mp4 700+100",
            "v.mp4 2300+100",
            "v.mp4 2600+400"
        ]
    );
    assert_covers_everything(&tree, &plan, &[]);
}

#[test]
fn a_range_without_offset_needs_one_before_it() {
    let text = "#EXTM3U\n#EXTINF:2,\n#EXT-X-BYTERANGE:100@0\na.ts\n#EXTINF:2,\n#EXT-X-BYTERANGE:100\nb.ts\n#EXT-X-ENDLIST\n";
    let tree = Tree::new(&[("v.m3u8", text)], &[("a.ts", 1000), ("b.ts", 1000)]);
    assert_eq!(tree.code(), "unreadable");
}

#[test]
fn keys_are_never_listed() {
    let text = "#EXTM3U
#EXT-X-TARGETDURATION:2
#EXT-X-KEY:METHOD=AES-128,URI=\"keys/first\",IV=0x00000000000000000000000000000001
#EXT-X-KEY:METHOD=AES-128,URI=\"keys/second.bin\",KEYFORMAT=\"other\"
#EXTINF:2,
s0.ts
#EXT-X-KEY:METHOD=NONE
#EXTINF:2,
s1.ts
#EXT-X-KEY:METHOD=AES-128,URI=\"https://keys.example/k\"
#EXTINF:2,
s2.ts
#EXT-X-ENDLIST
";
    let tree = Tree::new(
        &[("v.m3u8", text), ("readme.txt", "sixteen letters!")],
        &[
            ("s0.ts", 320),
            ("s1.ts", 300),
            ("s2.ts", 320),
            ("keys/first", 16),
            ("keys/second.bin", 32),
        ],
    );
    tree.write("enc.keyinfo", b"https://keys.example/k\n");
    tree.write("sign", b"# mine\ned25519-secret:AAAA\n");
    let plan = tree.plan();
    assert_eq!(names(&plan.tracks[0].pieces), ["s0.ts", "s1.ts", "s2.ts"]);
    // The text file has the size of a key, and in an encrypted stream that is reason enough.
    let left_out = [
        "keys/first",
        "keys/second.bin",
        "enc.keyinfo",
        "sign",
        "readme.txt",
    ];
    assert_covers_everything(&tree, &plan, &left_out);
    assert_eq!(plan.notes.len(), left_out.len());
}

#[test]
fn two_playlists_of_the_same_segments_list_them_once() {
    let tree = Tree::new(
        &[
            ("a.m3u8", &media(&["s0.ts", "s1.ts"], "")),
            ("b.m3u8", &media(&["s0.ts", "s1.ts", "s2.ts", "s1.ts"], "")),
        ],
        &[("s0.ts", 10), ("s1.ts", 20), ("s2.ts", 30)],
    );
    let plan = tree.plan();
    assert_eq!(names(&plan.tracks[0].pieces), ["s0.ts", "s1.ts"]);
    assert_eq!(names(&plan.tracks[1].pieces), ["s2.ts"]);
    assert_eq!(plan.tracks[1].pieces[0].start, 4_004_000);
    assert_covers_everything(&tree, &plan, &[]);
}

#[test]
fn i_frame_playlists_are_assets_of_listed_bytes() {
    let master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=\"i.m3u8\"\n";
    let frames = "#EXTM3U\n#EXT-X-I-FRAMES-ONLY\n#EXTINF:2,\n#EXT-X-BYTERANGE:10@5\ns0.ts\n#EXT-X-ENDLIST\n";
    let tree = Tree::new(
        &[
            ("m.m3u8", master),
            ("v.m3u8", &media(&["s0.ts"], "")),
            ("i.m3u8", frames),
        ],
        &[("s0.ts", 100)],
    );
    let plan = tree.plan();
    assert_eq!(assets(&plan), ["m.m3u8", "v.m3u8", "i.m3u8"]);
    assert_covers_everything(&tree, &plan, &[]);
}

#[test]
fn gaps_are_passed_over_but_take_time() {
    let text =
        "#EXTM3U\n#EXTINF:2,\ns0.ts\n#EXT-X-GAP\n#EXTINF:2,\nmissing.ts\n#EXTINF:2,\ns2.ts\n#EXT-X-ENDLIST\n";
    let tree = Tree::new(&[("v.m3u8", text)], &[("s0.ts", 10), ("s2.ts", 10)]);
    assert_eq!(
        times(&tree.plan().tracks[0]),
        [(0, 2_000_000), (4_000_000, 2_000_000)]
    );
}

#[test]
fn windows_line_ends_and_byte_order_marks_are_read() {
    let text = format!("\u{feff}{}", media(&["s0.ts"], "").replace('\n', "\r\n"));
    let tree = Tree::new(&[("v.m3u8", &text)], &[("s0.ts", 10)]);
    assert_eq!(names(&tree.plan().tracks[0].pieces), ["s0.ts"]);
}

#[test]
fn what_cannot_be_published_says_why() {
    let code = |text: &str, files: &[(&str, u64)]| Tree::new(&[("v.m3u8", text)], files).code();
    let one = media(&["s0.ts"], "");
    assert_eq!(code(&one, &[]), "missing_file");
    assert_eq!(
        code(&one.replace("#EXT-X-ENDLIST", ""), &[("s0.ts", 1)]),
        "not_finished"
    );
    assert_eq!(code(&one.replace("s0.ts", "../s0.ts"), &[]), "outside_folder");
    assert_eq!(code(&one.replace("s0.ts", "/s0.ts"), &[]), "outside_folder");
    assert_eq!(
        code(&one.replace("s0.ts", "https://cdn.example/s0.ts"), &[]),
        "outside_folder"
    );
    assert_eq!(code("not a playlist", &[]), "unreadable");
    assert_eq!(
        code(&one.replace("#EXTINF:2.002,\n", ""), &[("s0.ts", 1)]),
        "unreadable"
    );
    assert_eq!(code(&one.replace("2.002", "x"), &[("s0.ts", 1)]), "unreadable");
    for endless in ["25555555555555555555", "-1", "86401"] {
        assert_eq!(
            code(&one.replace("2.002", endless), &[("s0.ts", 1)]),
            "unreadable",
            "{endless}"
        );
    }
    assert_eq!(
        code(&media(&["s0.ts"], "#EXT-X-MAP:URI=init.mp4\n"), &[("s0.ts", 1)]),
        "unreadable"
    );
    assert_eq!(
        code(
            &media(&["s0.ts"], "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"b\"\n"),
            &[("s0.ts", 1)]
        ),
        "unsupported"
    );
    assert_eq!(code(&one, &[("s0.ts", (32 << 20) + 1)]), "segment_too_long");
    assert_eq!(
        code(&media(&["s0.ts"], "#EXT-X-BYTERANGE:100@0\n"), &[("s0.ts", 99)]),
        "range_beyond_end"
    );
    assert!(
        Tree::new(&[("v.m3u8", &one)], &[("s0.ts", 32 << 20)])
            .try_plan()
            .is_ok()
    );
}
