use proptest::prelude::*;

use super::*;

/// RFC 9162 §2.1.1 word by word, sharing nothing with the module under test but the hash function.
mod reference {
    use sha2::{Digest, Sha256};

    pub(super) fn merkle_tree_hash(data: &[Vec<u8>]) -> [u8; 32] {
        match data {
            [] => Sha256::digest([]).into(),
            [only] => Sha256::digest([&[0x00][..], only].concat()).into(),
            _ => {
                let mut k = 1;
                while k * 2 < data.len() {
                    k *= 2;
                }
                let (left, right) = (merkle_tree_hash(&data[..k]), merkle_tree_hash(&data[k..]));
                Sha256::digest([&[0x01][..], &left, &right].concat()).into()
            }
        }
    }

    pub(super) fn path(m: usize, data: &[Vec<u8>]) -> Vec<[u8; 32]> {
        if data.len() <= 1 {
            return Vec::new();
        }
        let mut k = 1;
        while k * 2 < data.len() {
            k *= 2;
        }
        let (mut path, sibling) = if m < k {
            (path(m, &data[..k]), merkle_tree_hash(&data[k..]))
        } else {
            (path(m - k, &data[k..]), merkle_tree_hash(&data[..k]))
        };
        path.push(sibling);
        path
    }
}

fn leaves(data: &[Vec<u8>]) -> Vec<Hash> {
    data.iter().map(|bytes| leaf(bytes)).collect()
}

proptest! {
    #[test]
    fn roots_are_those_of_the_reference(data in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..4), 0..70)) {
        prop_assert_eq!(root(&leaves(&data)).0, reference::merkle_tree_hash(&data));
    }

    #[test]
    fn paths_are_those_of_the_reference_and_verify(
        data in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..4), 1..70),
        pick: prop::sample::Index,
        other: prop::sample::Index,
    ) {
        // Equal leaves have equal proofs: only distinct ones say whether positions are told apart.
        let data: Vec<Vec<u8>> =
            data.into_iter().enumerate().map(|(at, bytes)| [&[at as u8][..], &bytes].concat()).collect();
        let index = pick.index(data.len());
        let leaves = leaves(&data);
        let (root, path) = (root(&leaves), path(&leaves, index).unwrap());
        let expected: Vec<Hash> = reference::path(index, &data).into_iter().map(Hash).collect();
        prop_assert_eq!(&path, &expected);
        prop_assert!(verify_path(&leaves[index], index, leaves.len(), &path, &root));
        let wrong = other.index(data.len());
        prop_assert!(wrong == index || !verify_path(&leaves[index], wrong, leaves.len(), &path, &root));
        prop_assert!(!verify_path(&Hash([0; 32]), index, leaves.len(), &path, &root));
        prop_assert!(!verify_path(&leaves[index], leaves.len(), leaves.len(), &path, &root));
        if let Some((_, short)) = path.split_last() {
            prop_assert!(!verify_path(&leaves[index], index, leaves.len(), short, &root));
        }
        let long = [path.as_slice(), &[root]].concat();
        prop_assert!(!verify_path(&leaves[index], index, leaves.len(), &long, &root));
    }
}

#[test]
fn powers_of_two_and_their_neighbours_agree_with_the_reference() {
    for count in [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 255, 256, 257, 2047, 2048] {
        let data: Vec<Vec<u8>> = (0..count).map(|at: u32| at.to_be_bytes().to_vec()).collect();
        assert_eq!(
            root(&leaves(&data)).0,
            reference::merkle_tree_hash(&data),
            "{count}"
        );
    }
    assert_eq!(path(&[], 0), None);
}
