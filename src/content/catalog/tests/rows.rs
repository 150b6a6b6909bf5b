use super::*;

#[test]
fn rows_come_in_batches_and_are_kept_within_a_bound() {
    let lengths = [40_000, 5, 16_384, 16_385, 0, 100_000, 7];
    let segments = lengths.iter().map(|length| (*length, 0)).collect();
    let plan = Plan {
        kind: TrackKind::Video,
        names: Named::By("$Number$"),
        ranged: false,
        segments,
    };
    let mut content = Content::of(&[("poster.jpg", None, 40_000)], &[plan]);
    assert_eq!(
        content.catalog.rows_sheet(object(1, 0), 5),
        None,
        "the index comes first"
    );
    content.load_all();
    let track = TrackId(1);
    assert_eq!(content.catalog.row(object(1, 1)).map(<[Hash]>::len), Some(1));
    assert_eq!(content.catalog.row(object(1, 4)).map(<[Hash]>::len), Some(0));
    assert_eq!(content.catalog.row(object(1, 3)), None);
    assert_eq!(
        content.catalog.rows_sheet(object(1, 1), 5),
        None,
        "one chunk needs no row"
    );
    assert_eq!(
        content.catalog.rows_sheet(object(0, 0), 5),
        None,
        "assets have no rows file"
    );
    let batch = |first, ahead| content.catalog.rows_sheet(object(1, first), ahead);
    assert_eq!(
        batch(0, 1),
        Some(Sheet::Rows {
            track,
            first: 0,
            count: 1
        })
    );
    assert_eq!(
        batch(0, 3),
        Some(Sheet::Rows {
            track,
            first: 0,
            count: 1
        })
    );
    assert_eq!(
        batch(0, 4),
        Some(Sheet::Rows {
            track,
            first: 0,
            count: 4
        })
    );
    assert_eq!(
        batch(0, 99),
        Some(Sheet::Rows {
            track,
            first: 0,
            count: 6
        })
    );
    assert_eq!(
        batch(5, 99),
        Some(Sheet::Rows {
            track,
            first: 5,
            count: 1
        })
    );
    content.fetch(&Sheet::Rows {
        track,
        first: 0,
        count: 4,
    });
    for (id, row) in content.rows.clone().range(object(1, 0)..object(1, 4)) {
        assert_eq!(content.catalog.row(*id), Some(row.as_slice()));
    }
    let row = content.rows[&object(1, 5)].clone();
    let accept = |content: &mut Content, row: &[Hash]| content.catalog.accept_row(object(1, 5), row);
    assert_eq!(
        accept(&mut content, &row[1..]),
        Err(RowError::WrongLength {
            expected: 7,
            found: 6
        })
    );
    assert_eq!(accept(&mut content, &[row[0]; 7]), Err(RowError::WrongRoot));
    assert_eq!(accept(&mut content, &row), Ok(()));
    assert_eq!(
        content.catalog.accept_row(object(1, 7), &row),
        Err(RowError::UnknownObject)
    );
    content.catalog.forget_rows(object(1, 5));
    assert_eq!(content.catalog.row(object(1, 5)), None);
}

#[test]
fn one_sheet_of_rows_is_no_larger_than_a_message() {
    let segments = vec![(2_000_000, 0); 40];
    let plan = Plan {
        kind: TrackKind::Video,
        names: Named::By("$Number$"),
        ranged: false,
        segments,
    };
    let mut content = Content::of(&[], &[plan]);
    content.load_all();
    let Some(Sheet::Rows { count, .. }) = content.catalog.rows_sheet(object(1, 0), 40) else {
        panic!("rows exist")
    };
    let row = content.rows[&object(1, 0)].len() as u32 * 32;
    assert!(count * row <= 65_536 && (count + 1) * row > 65_536);
    assert_eq!(
        content.catalog.sheet_location(&Sheet::Rows {
            track: TrackId(1),
            first: 0,
            count: count + 1
        }),
        None
    );
}
