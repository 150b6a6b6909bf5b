use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{OrderedMap, OrderedSet, sort_by_key};

#[derive(Clone, Debug)]
enum Step {
    Insert(u8, u16),
    Remove(u8),
    Add(u8),
    Change(u8, u16),
    RetainEven,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (any::<u8>(), any::<u16>()).prop_map(|(key, value)| Step::Insert(key, value)),
        any::<u8>().prop_map(Step::Remove),
        any::<u8>().prop_map(Step::Add),
        (any::<u8>(), any::<u16>()).prop_map(|(key, value)| Step::Change(key, value)),
        Just(Step::RetainEven),
    ]
}

proptest! {
    #[test]
    fn a_map_does_what_the_standard_one_does(steps in prop::collection::vec(step(), 0..200), from: u8, to: u8) {
        let mut ours = OrderedMap::new();
        let mut theirs = BTreeMap::new();
        for step in steps {
            match step {
                Step::Insert(key, value) => prop_assert_eq!(ours.insert(key, value), theirs.insert(key, value)),
                Step::Remove(key) => prop_assert_eq!(ours.remove(&key), theirs.remove(&key)),
                Step::Add(key) => {
                    *ours.entry(key).or_default() ^= 1;
                    *theirs.entry(key).or_default() ^= 1;
                }
                Step::Change(key, value) => {
                    prop_assert_eq!(ours.get_mut(&key).map(|old| *old = value), theirs.get_mut(&key).map(|old| *old = value));
                }
                Step::RetainEven => {
                    ours.retain(|key, value| { *value ^= 2; key % 2 == 0 });
                    theirs.retain(|key, value| { *value ^= 2; key % 2 == 0 });
                }
            }
            prop_assert!(ours.iter().eq(theirs.iter()));
            prop_assert_eq!(ours.len(), theirs.len());
            prop_assert_eq!(ours.first_key_value(), theirs.first_key_value());
            prop_assert_eq!((ours.get(&from), ours.contains_key(&to)), (theirs.get(&from), theirs.contains_key(&to)));
        }
        if from <= to {
            prop_assert!(ours.range(from..to).eq(theirs.range(from..to)));
            prop_assert!(ours.range(from..=to).eq(theirs.range(from..=to)));
        }
        prop_assert!(ours.range(from..).eq(theirs.range(from..)));
        prop_assert!(ours.range(..to).eq(theirs.range(..to)));
        prop_assert!(ours.into_iter().eq(theirs));
    }

    #[test]
    fn a_set_does_what_the_standard_one_does(keys: Vec<u8>, asked: u8, removed: u8) {
        let mut ours: OrderedSet<u8> = keys.iter().copied().collect();
        let mut theirs: BTreeSet<u8> = keys.iter().copied().collect();
        prop_assert_eq!(ours.contains(&asked), theirs.contains(&asked));
        prop_assert_eq!(ours.insert(asked), theirs.insert(asked));
        prop_assert_eq!(ours.remove(&removed), theirs.remove(&removed));
        prop_assert!(ours.into_iter().eq(theirs));
    }

    #[test]
    fn sorting_sorts(mut items: Vec<(u8, u32)>) {
        let mut sorted = items.clone();
        sorted.sort_unstable();
        sort_by_key(&mut items, |item| *item);
        prop_assert_eq!(items, sorted);
    }
}

#[test]
fn a_range_turned_round_is_empty() {
    let map: OrderedMap<u8, ()> = (0..10).map(|key| (key, ())).collect();
    #[allow(clippy::reversed_empty_ranges)]
    let turned = 7..3;
    assert_eq!(map.range(turned).count(), 0);
}
