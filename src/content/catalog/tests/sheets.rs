use super::*;

#[test]
fn a_segment_is_known_once_its_page_is_here() {
    let mut content = Content::of(
        &[("master.m3u8", None, 20_000)],
        &[video("v/$Number%05d$.m4s", 600)],
    );
    assert_eq!(
        content.catalog.object(object(0, 0)).map(|info| info.chunks),
        Some(2)
    );
    assert_eq!(content.catalog.sheet_for(object(0, 0)), None);
    assert_eq!(content.catalog.object(object(1, 500)), None);
    assert_eq!(
        content.catalog.sheet_for(object(1, 500)),
        Some(Sheet::IndexHead(TrackId(1)))
    );
    content.fetch(&Sheet::IndexHead(TrackId(1)));
    assert!(
        content.catalog.object(object(1, 255)).is_some(),
        "the first page comes with the head"
    );
    assert_eq!(
        content.catalog.sheet_for(object(1, 500)),
        Some(Sheet::IndexPage(TrackId(1), 1))
    );
    content.load(object(1, 500));
    let info = content.catalog.object(object(1, 500)).unwrap();
    assert_eq!(
        (info.length, info.start_us, info.duration_us),
        (3, 1_000_000_000, 2_000_000)
    );
    let location = Location {
        path: "v/00501.m4s".to_owned(),
        range: None,
    };
    assert_eq!(content.catalog.location(object(1, 500)), Some(location));
    assert_eq!(content.catalog.media_type(object(1, 500)), Some("video/mp4"));
    for missing in [object(1, 600), object(2, 0), object(0, 1)] {
        assert_eq!(content.catalog.object(missing), None);
        assert_eq!(content.catalog.sheet_for(missing), None);
    }
    assert_eq!(content.catalog.track_roots().len(), 2);
}

#[test]
fn the_segment_of_a_time_is_found_by_its_page() {
    let mut content = Content::of(&[], &[video("$Number$", 2000)]);
    let track = TrackId(1);
    for (time_us, segment) in [
        (0, 0),
        (1_999_999, 0),
        (2_000_000, 1),
        (3_000_000_000, 1500),
        (9_000_000_000, 1999),
    ] {
        let mut fetched = 0;
        while let Some(sheet) = content.catalog.sheet_for_time(track, time_us) {
            assert_eq!(content.catalog.segment_at(track, time_us), None);
            content.fetch(&sheet);
            fetched += 1;
        }
        assert_eq!(content.catalog.segment_at(track, time_us), Some(segment));
        assert!(fetched <= 1);
    }
    assert_eq!(content.catalog.segment_at(TrackId(2), 0), None);
}

#[test]
fn sheets_that_are_not_what_was_signed_are_refused() {
    let segments: Vec<(u64, u64)> = (0..300).map(|_| (40_000, 0)).collect();
    let names = (0..300).map(|at| format!("{at}.ts")).collect();
    let plan = Plan {
        kind: TrackKind::Video,
        names: Named::Table(names),
        ranged: false,
        segments,
    };
    let mut content = Content::of(&[], &[plan]);
    let track = TrackId(1);
    let rows = Sheet::Rows {
        track,
        first: 3,
        count: 2,
    };
    for early in [
        Sheet::IndexPage(track, 1),
        Sheet::NamesPage(track, 0),
        rows,
        Sheet::NamesHead(TrackId(2)),
    ] {
        assert!(
            content.catalog.accept_sheet(&early, &[0; 16]).is_err(),
            "{early:?}"
        );
    }
    let sheets = [
        (Sheet::IndexHead(track), SheetError::WrongHead),
        (Sheet::IndexPage(track, 1), SheetError::WrongPage { page: 1 }),
        (Sheet::NamesHead(track), SheetError::WrongHead),
        (Sheet::NamesPage(track, 1), SheetError::WrongPage { page: 1 }),
        (rows, SheetError::WrongRow { index: 3 }),
    ];
    for (sheet, error) in sheets {
        let good = content.bytes_of(&sheet);
        let mut altered = good.clone();
        altered[0] ^= 1;
        assert_eq!(content.catalog.accept_sheet(&sheet, &altered), Err(error));
        let short = content.catalog.accept_sheet(&sheet, &good[1..]);
        assert!(matches!(short, Err(SheetError::WrongLength { .. })), "{short:?}");
        assert_eq!(content.catalog.row(object(1, 3)), None);
        assert_eq!(content.catalog.accept_sheet(&sheet, &good), Ok(()));
    }
    let mut content = Content::of(&[], &[video("$Number$", 300)]);
    let mut altered = content.bytes_of(&Sheet::IndexHead(track));
    *altered.last_mut().unwrap() ^= 1;
    let refused = content.catalog.accept_sheet(&Sheet::IndexHead(track), &altered);
    assert_eq!(refused, Err(SheetError::WrongPage { page: 0 }));
}

#[test]
fn signed_sheets_that_break_a_rule_are_refused() {
    let files = |names: &[&str], ranged: bool| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let segments = names.iter().map(|_| (2, 0)).collect();
        Plan {
            kind: TrackKind::Files,
            names: Named::Table(names),
            ranged,
            segments,
        }
    };
    let refused = |assets: &[(&str, Option<u64>, u64)], plans: &[Plan]| {
        let mut content = Content::of(assets, plans);
        let mut verdicts = Vec::new();
        for track in (1..).take(plans.len()).map(TrackId) {
            for sheet in [
                Sheet::IndexHead(track),
                Sheet::NamesHead(track),
                Sheet::NamesPage(track, 0),
            ] {
                if content.catalog.sheet_location(&sheet).is_some() {
                    let bytes = content.bytes_of(&sheet);
                    verdicts.push(content.catalog.accept_sheet(&sheet, &bytes));
                }
            }
        }
        verdicts.into_iter().find_map(Result::err)
    };
    let taken = |index| Some(SheetError::DuplicateName { index });
    assert_eq!(refused(&[], &[files(&["a", "b", "b"], true)]), None);
    assert_eq!(refused(&[], &[files(&["a", "b", "b"], false)]), taken(1));
    assert_eq!(
        refused(&[], &[files(&["b", "a"], true)]),
        Some(SheetError::BadName { index: 0 })
    );
    assert_eq!(refused(&[("b", None, 3)], &[files(&["a", "b"], true)]), taken(1));
    assert_eq!(refused(&[("b", Some(9), 3)], &[files(&["a", "b"], true)]), None);
    assert_eq!(
        refused(&[("b", Some(9), 3)], &[files(&["a", "b"], false)]),
        taken(1)
    );
    assert_eq!(
        refused(&[], &[video("s/$Number$", 3), files(&["s/3"], false)]),
        taken(0)
    );
    assert_eq!(
        refused(&[], &[video("s/$Number$", 3), files(&["s/4"], false)]),
        None
    );
    assert_eq!(
        refused(&[], &[files(&["a"], false), files(&["a"], false)]),
        taken(0)
    );
    assert_eq!(refused(&[], &[files(&["a"], true), files(&["a"], true)]), None);
    let mut unsorted = files(&["b", "a", "b"], true);
    unsorted.kind = TrackKind::Video;
    assert_eq!(refused(&[], &[unsorted]), taken(2));
}

#[test]
fn records_keep_their_places() {
    let content = Content::of(&[], &[video("$Number$", 3)]);
    let track = content.catalog.tracks().next().unwrap().clone();
    let good = Record {
        root: Hash([1; 32]),
        length: 5,
        duration: 9,
        offset: 0,
        row_offset: 0,
        media_start: 10,
    };
    let next = Record {
        row_offset: 32,
        media_start: 19,
        ..good
    };
    let judge = |records: &[Record], change: &dyn Fn(&mut Track), by_time: bool| {
        let page: Vec<u8> = records.iter().flat_map(Record::encode).collect();
        let mut track = Track {
            segments: records.len() as u32,
            ..track.clone()
        };
        track.index.root = tree::root(&[tree::leaf(&page)]);
        change(&mut track);
        let head = [&tree::leaf(&page).0[..], &page].concat();
        Index::new(&track, by_time).accept_head(&head)
    };
    let as_is = |_: &mut Track| {};
    let ranged = |track: &mut Track| track.ranged = true;
    let single = |track: &mut Track| {
        track.ranged = true;
        track.names = Names::Single { path: "m".to_owned() };
    };
    let bad = |index, error| Err(SheetError::BadRecord { index, error });
    assert_eq!(judge(&[good, next], &as_is, true), Ok(()));
    type Case<'a> = (&'a [Record], &'a dyn Fn(&mut Track), bool, Result<(), SheetError>);
    let cases: [Case<'_>; 10] = [
        (
            &[Record {
                length: (32 << 20) + 1,
                ..good
            }],
            &as_is,
            false,
            bad(0, RecordError::TooLong),
        ),
        (
            &[Record {
                media_start: 1 << 53,
                ..good
            }],
            &as_is,
            false,
            bad(0, RecordError::NumberRange),
        ),
        (
            &[Record {
                offset: u64::MAX,
                ..good
            }],
            &ranged,
            false,
            bad(0, RecordError::NumberRange),
        ),
        (
            &[Record { offset: 1, ..good }],
            &as_is,
            false,
            bad(0, RecordError::UnexpectedOffset),
        ),
        (
            &[Record { length: 0, ..good }],
            &ranged,
            false,
            bad(0, RecordError::EmptyRange),
        ),
        (
            &[Record {
                row_offset: 32,
                ..good
            }],
            &as_is,
            false,
            bad(0, RecordError::RowGap),
        ),
        (
            &[
                good,
                Record {
                    row_offset: 64,
                    ..next
                },
            ],
            &as_is,
            false,
            bad(1, RecordError::RowGap),
        ),
        (
            &[
                good,
                Record {
                    media_start: 9,
                    ..next
                },
            ],
            &as_is,
            false,
            bad(1, RecordError::TimeOrder),
        ),
        (
            &[
                good,
                Record {
                    media_start: 10,
                    ..next
                },
            ],
            &as_is,
            true,
            bad(1, RecordError::TimeOrder),
        ),
        (
            &[good, Record { offset: 4, ..next }],
            &single,
            false,
            bad(1, RecordError::RangeOrder),
        ),
    ];
    for (at, (records, change, by_time, verdict)) in cases.into_iter().enumerate() {
        assert_eq!(judge(records, change, by_time), verdict, "case {at}");
    }
}
