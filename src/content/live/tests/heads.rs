//! What a head may say.

use super::*;

#[test]
fn heads_say_the_same_after_a_round_trip() {
    let stream = Stream::new(20);
    let mut head = stream.head(3, 20, 5);
    head.tracks[0].rows.drain(..3);
    head.tracks[0].discontinuities = vec![16, 19];
    assert_eq!(LiveHead::decode(&head.encode(), &[]), Ok(head.clone()));
    let track = &head.tracks[0];
    assert_eq!(
        (track.size(), track.record(15), track.record(14)),
        (20, track.records.first(), None)
    );
    assert_eq!(track.row(18), Some(stream.objects[18].row.as_slice()));
    assert_eq!(track.row(17), None);
    let slot = LiveSlot {
        folder: "seal/live".into(),
    };
    assert_eq!(LiveSlot::decode(&slot.encode(), &[]), Ok(slot));
}

#[test]
fn what_a_head_may_not_say() {
    let stream = Stream::new(20);
    let refused = |change: &dyn Fn(&mut LiveHead)| {
        let mut head = stream.head(1, 12, 4);
        change(&mut head);
        let decoded = LiveHead::decode(&head.encode(), &[]).map_err(|error| error.code());
        assert_eq!(
            decoded.clone().err(),
            head.sign(&live_key(2), &[]).err().map(|error| error.code())
        );
        decoded.unwrap_err()
    };
    assert_eq!(refused(&|head| head.sequence = 0), "number_range");
    assert_eq!(refused(&|head| head.target_ms = 0), "number_range");
    assert_eq!(refused(&|head| head.log = 8), "bad_log_number");
    assert_eq!(refused(&|head| head.tracks[0].id = TrackId(0)), "track_order");
    assert_eq!(
        refused(&|head| head.tracks.push(head.tracks[0].clone())),
        "track_order"
    );
    assert_eq!(refused(&|head| head.tracks[0].base = 131_072), "log_size");
    assert_eq!(refused(&|head| _ = head.tracks[0].frontier.pop()), "bad_frontier");
    assert_eq!(
        refused(&|head| head.tracks[0].records[1].row_offset += 32),
        "bad_record"
    );
    assert_eq!(
        refused(&|head| head.tracks[0].records[1].offset = 1),
        "bad_record"
    );
    assert_eq!(
        refused(&|head| head.tracks[0].records[3].media_start = 1),
        "bad_record"
    );
    assert_eq!(refused(&|head| head.tracks[0].rows[0][0].0[0] ^= 1), "bad_row");
    assert_eq!(
        refused(&|head| head.tracks[0].rows.insert(0, vec![Hash([0; 32])])),
        "bad_row"
    );
    assert_eq!(
        refused(&|head| head.tracks[0].discontinuities = vec![7]),
        "bad_discontinuity"
    );
    assert_eq!(
        refused(&|head| head.tracks[0].discontinuities = vec![12]),
        "bad_discontinuity"
    );
    assert_eq!(refused(&|head| head.documents[0].digests.clear()), "bad_digests");
    assert_eq!(
        refused(&|head| head.documents[0].path = "v/init.mp4".into()),
        "duplicate_name"
    );
    assert_eq!(
        refused(&|head| head.assets[0].path = "v/s5000.m4s".into()),
        "duplicate_name"
    );
    assert_eq!(
        refused(&|head| head.assets[0].path = "../x".into()),
        "path_escapes_base"
    );
    assert_eq!(
        refused(&|head| head.tracks[0].media_type = "video".into()),
        "bad_media_type"
    );
    let single = Names::Single { path: "v.mp4".into() };
    assert_eq!(
        refused(&|head| head.tracks[0].names = single.clone()),
        "unsupported_feature"
    );
}

#[test]
fn gaps_keep_numbers_in_step() {
    let mut stream = Stream::new(12);
    stream.objects[10] = HashedObject::of(b"");
    let head = stream.head(1, 12, 4);
    assert_eq!(LiveHead::decode(&head.encode(), &[]), Ok(head.clone()));
    let mut filled = head.clone();
    filled.tracks[0].records[2].root = Hash([1; 32]);
    assert_eq!(LiveHead::decode(&filled.encode(), &[]), Err(HeadError::Gap));
}

/// Segments of 6000 ticks in three parts each; the fourth segment has two parts so far.
#[test]
fn parts_make_up_their_parents() {
    let (mut segments, mut parts) = (Stream::new(3).track(3, 3), Stream::new(11).track(11, 11));
    parts.id = TrackId(2);
    parts.names = Names::Template {
        pattern: "v/p$Number$.m4s".into(),
        start_number: 1,
    };
    let parent = |segment: u32, count| Parent {
        segment,
        first: segment * 3,
        count,
    };
    let mut row_offset = 0;
    for (index, record) in segments.records.iter_mut().enumerate() {
        let lengths = parts.records[index * 3..index * 3 + 3]
            .iter()
            .map(|part| part.length);
        record.length = lengths.sum();
        record.row_offset = row_offset;
        row_offset += record.row_len();
    }
    segments.rows.clear();
    parts.parts = Some(Parts {
        of: TrackId(1),
        parents: vec![parent(0, 3), parent(1, 3), parent(2, 3), parent(3, 2)],
    });
    let head = LiveHead {
        tracks: vec![segments, parts],
        ..Stream::new(1).head(1, 1, 1)
    };
    assert_eq!(LiveHead::decode(&head.encode(), &[]), Ok(head.clone()));
    let refused = |change: &dyn Fn(&mut LiveHead, &mut Vec<Parent>)| {
        let mut head = head.clone();
        let mut parents = head.tracks[1].parts.clone().unwrap().parents;
        change(&mut head, &mut parents);
        for parts in head.tracks.iter_mut().filter_map(|track| track.parts.as_mut()) {
            parts.parents.clone_from(&parents);
        }
        LiveHead::decode(&head.encode(), &[]).unwrap_err().code()
    };
    assert_eq!(refused(&|_, parents| parents[3].count = 3), "bad_parents");
    assert_eq!(refused(&|_, parents| parents[1].first = 2), "bad_parents");
    assert_eq!(refused(&|_, parents| _ = parents.remove(1)), "bad_parents");
    assert_eq!(refused(&|_, parents| parents[3].segment = 4), "bad_parents");
    assert_eq!(
        refused(&|head, _| head.tracks[0].records[2].length += 1),
        "part_lengths"
    );
    assert_eq!(refused(&|head, _| _ = head.tracks.remove(0)), "parts_of_nothing");
    let of_itself = |head: &mut LiveHead, _: &mut Vec<Parent>| {
        head.tracks[1].parts.as_mut().unwrap().of = TrackId(2);
    };
    assert_eq!(refused(&of_itself), "parts_of_nothing");
}

#[test]
fn a_head_fits_one_message() {
    let stream = Stream::new(400);
    let head = stream.head(1, 400, 400);
    assert_eq!(head.sign(&live_key(2), &[]), Err(HeadError::TooLarge));
    let mut chain = chain();
    assert_eq!(
        chain.accept(&vec![0; MAX_HEAD + 1], 0, wall()),
        Err(HeadError::TooLarge)
    );
}
