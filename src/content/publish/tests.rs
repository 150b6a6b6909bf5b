use proptest::prelude::*;

use super::*;
use crate::content::{MAX_OBJECT_LEN, MAX_SEGMENTS};

proptest! {
    #[test]
    fn pieces_of_any_size_give_the_object(cuts in prop::collection::vec(0..40_000usize, 0..6)) {
        let bytes: Vec<u8> = (0..cuts.iter().sum::<usize>()).map(|at| (at % 251) as u8).collect();
        let (mut hasher, mut rest) = (ObjectHasher::default(), bytes.as_slice());
        for cut in cuts {
            let (piece, after) = rest.split_at(cut);
            hasher.update(piece);
            rest = after;
        }
        prop_assert_eq!(hasher.finish(), HashedObject::of(&bytes));
    }
}

#[test]
fn what_no_reader_would_take_is_not_built() {
    let segment = NewSegment {
        root: tree::root(&[]),
        length: 0,
        offset: 0,
        media_start: 0,
        duration: 0,
    };
    let mut index = IndexBuilder::default();
    assert_eq!(
        index.push(&NewSegment {
            length: MAX_OBJECT_LEN + 1,
            ..segment
        }),
        Err(BuildError::TooLong)
    );
    assert_eq!(
        index.push(&NewSegment {
            length: MAX_OBJECT_LEN,
            ..segment
        }),
        Ok(())
    );
    assert_eq!(
        index.push(&NewSegment {
            offset: u64::MAX,
            ..segment
        }),
        Err(BuildError::NumberRange)
    );
    let mut names = NamesBuilder::new(&["id".to_owned()]);
    assert_eq!(names.push("a?id=1"), Ok(()));
    for name in ["", "/a", "./a", "a?token=1"] {
        assert_eq!(names.push(name), Err(BuildError::BadName), "{name}");
    }
}

#[test]
fn a_track_has_at_most_131072_segments() {
    let segment = NewSegment {
        root: tree::root(&[]),
        length: 0,
        offset: 0,
        media_start: 0,
        duration: 0,
    };
    let mut index = IndexBuilder::default();
    for _ in 0..MAX_SEGMENTS {
        assert_eq!(index.push(&segment), Ok(()));
    }
    assert_eq!(index.push(&segment), Err(BuildError::TooManySegments));
    assert_eq!(index.finish().segments, 131_072);
}
