use super::*;

#[test]
fn names_lead_to_objects_and_unlisted_ones_to_nothing() {
    let assets = [("master.m3u8", None, 20_000), ("empty.txt", None, 0)];
    let mut content = Content::of(
        &assets,
        &[video("v/$Number$.m4s", 600), video("a/$Time$.m4s", 2000)],
    );
    assert_eq!(
        content.resolve("./master.m3u8?token=9#t", None).0,
        whole(0, 0, 20_000)
    );
    assert_eq!(content.resolve("empty.txt", None).0, whole(0, 1, 0));
    assert_eq!(
        content.resolve("empty.txt", Some((0, 9))).0,
        Resolution::RangeOutside
    );
    let cut = Span {
        object: object(0, 0),
        first: 19_000,
        len: 1000,
    };
    assert_eq!(
        content.resolve("master.m3u8", Some((19_000, 99_999))).0,
        Resolution::Found(vec![cut])
    );
    assert_eq!(
        content.resolve("master.m3u8", Some((20_000, 20_001))).0,
        Resolution::RangeOutside
    );
    assert_eq!(content.resolve("v/500.m4s", None), (whole(1, 499, 2), 2));
    assert_eq!(content.resolve("v/600.m4s", None).0, whole(1, 599, 3));
    let (found, fetched) = content.resolve("a/3000000.m4s", None);
    assert_eq!(found, whole(2, 1500, 1));
    assert!(
        fetched <= 3,
        "even times are found at once, not after {fetched} sheets"
    );
    for unlisted in [
        "v/601.m4s",
        "v/0.m4s",
        "v/0500.m4s",
        "a/3000001.m4s",
        "a/4000000.m4s",
        "../master.m3u8",
        "x",
    ] {
        assert_eq!(
            content.resolve(unlisted, None).0,
            Resolution::Unlisted,
            "{unlisted}"
        );
    }
}

#[test]
fn ranges_of_one_file_join_its_segments_and_its_head() {
    let segments = (0..700).map(|at| (100 + at % 7, 0)).collect::<Vec<_>>();
    let total = 1000 + segments.iter().map(|(length, _)| length).sum::<u64>();
    let mut shifted = segments.clone();
    shifted[0].1 = 1000;
    let movie = Plan {
        kind: TrackKind::Video,
        names: Named::Single("movie.mp4"),
        ranged: true,
        segments: shifted,
    };
    let mut content = Content::of(
        &[("movie.mp4", Some(0), 800), ("movie.mp4", Some(800), 200)],
        &[movie],
    );
    let head = |object, first, len| Span { object, first, len };
    let (found, fetched) = content.resolve("movie.mp4", Some((700, 1149)));
    let expected = vec![
        head(object(0, 0), 700, 100),
        head(object(0, 1), 0, 200),
        head(object(1, 0), 0, 100),
        head(object(1, 1), 0, 50),
    ];
    assert_eq!((found, fetched), (Resolution::Found(expected), 1));
    let (Resolution::Found(spans), _) = content.resolve("movie.mp4", None) else {
        panic!("listed without a hole")
    };
    assert_eq!(spans.len(), 702);
    assert_eq!(spans.iter().map(|span| span.len).sum::<u64>(), total);
    let (last, _) = content.resolve("movie.mp4", Some((total - 1, u64::MAX)));
    assert!(
        matches!(last, Resolution::Found(spans) if spans.len() == 1 && spans[0].object == object(1, 699))
    );
    assert_eq!(
        content.resolve("movie.mp4", Some((total, total))).0,
        Resolution::RangeOutside
    );
    let range = content.catalog.location(object(1, 1)).unwrap().range;
    assert_eq!(range, Some((1100, 101)));
}

#[test]
fn a_hole_between_listed_bytes_is_not_skipped() {
    let movie = Plan {
        kind: TrackKind::Video,
        names: Named::Single("m.mp4"),
        ranged: true,
        segments: vec![(10, 5), (10, 0), (10, 3)],
    };
    let mut content = Content::of(&[], &[movie]);
    assert!(
        matches!(content.resolve("m.mp4", Some((5, 24))).0, Resolution::Found(spans) if spans.len() == 2)
    );
    for range in [None, Some((0, 9)), Some((20, 30)), Some((26, 26)), Some((9, 8))] {
        assert_eq!(
            content.resolve("m.mp4", range).0,
            Resolution::RangeOutside,
            "{range:?}"
        );
    }
    assert!(
        matches!(content.resolve("m.mp4", Some((28, 99))).0, Resolution::Found(spans) if spans[0].len == 10)
    );
}

#[test]
fn a_large_file_in_a_sorted_table_is_found_across_pages() {
    let files: Vec<(String, u64)> = (0..40)
        .map(|file| (format!("f/{file:03}.bin"), if file == 20 { 600 } else { 20 }))
        .collect();
    let names: Vec<String> = files
        .iter()
        .flat_map(|(name, pieces)| (0..*pieces).map(move |_| name.clone()))
        .collect();
    let segments = names.iter().map(|_| (3, 0)).collect();
    let plan = Plan {
        kind: TrackKind::Files,
        names: Named::Table(names.clone()),
        ranged: true,
        segments,
    };
    let mut content = Content::of(&[], &[plan]);
    let (found, fetched) = content.resolve("f/020.bin", None);
    let Resolution::Found(spans) = found else {
        panic!("{found:?}")
    };
    assert_eq!(
        (
            spans.len(),
            spans[0].object.index,
            spans.iter().map(|span| span.len).sum()
        ),
        (600, 400, 1800)
    );
    let pages = names.len().div_ceil(PAGE_RECORDS as usize);
    assert!(fetched <= 2 * pages, "{fetched} sheets of {pages} pages");
    assert!(
        matches!(content.resolve("f/020.bin", Some((1500, 1502))).0, Resolution::Found(spans) if spans[0].object.index == 900)
    );
    assert_eq!(
        content.resolve("f/020.bin", Some((1800, 1801))).0,
        Resolution::RangeOutside
    );
    assert_eq!(content.resolve("f/040.bin", None).0, Resolution::Unlisted);
    assert_eq!(content.resolve("e", None).0, Resolution::Unlisted);
}

#[test]
fn an_unsorted_table_is_searched_to_its_end() {
    let names: Vec<String> = (0..3000)
        .map(|at| format!("s/{:04x}.ts", at * 7919 % 65_521))
        .collect();
    let segments = names.iter().map(|_| (2, 0)).collect();
    let plan = Plan {
        kind: TrackKind::Video,
        names: Named::Table(names.clone()),
        ranged: false,
        segments,
    };
    let mut content = Content::of(&[], &[plan]);
    for at in [2999, 0, 1500] {
        assert_eq!(content.resolve(&names[at], None).0, whole(1, at as u32, 2));
        let location = content.catalog.location(object(1, at as u32)).unwrap();
        assert_eq!(
            (location.path.as_str(), location.range),
            (names[at].as_str(), None)
        );
    }
    assert_eq!(content.resolve("s/zzzz.ts", None).0, Resolution::Unlisted);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever order sheets come in, a range resolves to the bytes that a map of the file says.
    #[test]
    fn ranges_resolve_as_in_a_map_of_the_file(
        segments in prop::collection::vec((1..40u64, prop_oneof![4 => Just(0u64), 1 => 1..20u64]), 1..900),
        head in 0..50u64,
        picks in prop::collection::vec((any::<prop::sample::Index>(), 0..200u64), 1..12),
    ) {
        let mut shifted = segments.clone();
        shifted[0].1 += head;
        let movie = Plan { kind: TrackKind::Video, names: Named::Single("m"), ranged: true, segments: shifted };
        let assets = [("m", Some(0), head)];
        let mut content = Content::of(if head > 0 { &assets } else { &[] }, &[movie]);
        let mut map: Vec<Option<(ObjectId, u64)>> = (0..head).map(|at| Some((object(0, 0), at))).collect();
        for (index, (length, gap)) in (0..).zip(&segments) {
            map.extend((0..*gap).map(|_| None));
            map.extend((0..*length).map(|at| Some((object(1, index), at))));
        }
        for (pick, length) in picks {
            let first = pick.index(map.len());
            let end = map.len().min(first + 1 + length as usize);
            let (resolution, fetched) = content.resolve("m", Some((first as u64, first as u64 + length)));
            prop_assert!(fetched <= 5);
            let expected: Option<Vec<(ObjectId, u64)>> = map[first..end].iter().copied().collect();
            let found = match resolution {
                Resolution::Found(spans) => {
                    Some(spans.iter().flat_map(|s| (s.first..s.first + s.len).map(|at| (s.object, at))).collect())
                }
                other => {
                    prop_assert_eq!(other, Resolution::RangeOutside);
                    None
                }
            };
            prop_assert!(found == expected, "{first}+{length}");
        }
    }
}
