use super::*;

#[test]
fn plain_files_are_tracks_by_type_and_large_ones_are_cut() {
    let tree = Tree::new(
        &[
            ("site/index.html", "<p>"),
            ("site/app.js", "1"),
            ("site/lib.js", "2"),
            ("empty.txt", ""),
        ],
        &[("big.iso", (9 << 20) + 1), ("exact.iso", 4 << 20)],
    );
    let plan = tree.plan();
    let tracks: Vec<_> = plan
        .tracks
        .iter()
        .map(|track| (track.media_type.as_str(), track.ranged, names(&track.pieces)))
        .collect();
    let piece = |offset: u64, length: u64| format!("big.iso {offset}+{length}");
    let expected = [
        ("application/octet-stream", false, vec!["exact.iso".to_owned()]),
        ("text/html", false, vec!["site/index.html".to_owned()]),
        (
            "text/javascript",
            false,
            vec!["site/app.js".to_owned(), "site/lib.js".to_owned()],
        ),
        ("text/plain", false, vec!["empty.txt".to_owned()]),
        (
            "application/octet-stream",
            true,
            vec![
                piece(0, 4 << 20),
                piece(4 << 20, 4 << 20),
                piece(8 << 20, (1 << 20) + 1),
            ],
        ),
    ];
    assert_eq!(tracks, expected);
    assert!(plan.tracks.iter().all(|track| track.kind == Kind::Files));
    assert_covers_everything(&tree, &plan, &[]);
}

#[test]
fn many_assets_do_not_burst_the_manifest() {
    let text = |index: usize| {
        format!("#EXTM3U\n#EXT-X-MAP:URI=\"init{index}.mp4\"\n#EXTINF:2,\ns{index}.m4s\n#EXT-X-ENDLIST\n")
    };
    let tree = Tree::new(&[], &[]);
    for index in 0..40 {
        tree.write(&format!("v{index}.m3u8"), text(index).as_bytes());
        tree.write(&format!("init{index}.mp4"), b"init");
        tree.write(&format!("s{index}.m4s"), b"segment");
    }
    for index in 0..700 {
        tree.write(&format!("thumbnails/{index}.jpg"), b"jpg");
    }
    let plan = tree.plan();
    assert_eq!(plan.assets.len(), 80);
    assert_covers_everything(&tree, &plan, &[]);
}

#[test]
fn an_empty_folder_has_nothing() {
    assert_eq!(Tree::new(&[], &[]).plan().objects(), 0);
}
