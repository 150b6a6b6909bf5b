//! The log of a track: consistency proofs, peaks and pages.

use proptest::prelude::*;

use super::*;
use crate::content::tree;

/// The tree and its proofs written down from RFC 9162 §2.1, as slowly as they stand there.
mod reference {
    use super::*;

    pub(super) fn root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Hash::of(&[]),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(split(leaves.len()));
                tree::node(&root(left), &root(right))
            }
        }
    }

    /// SUBPROOF(m, D_n, b) of §2.1.4.1.
    pub(super) fn subproof(m: usize, leaves: &[Hash], complete: bool) -> Vec<Hash> {
        let n = leaves.len();
        if m == n {
            return if complete { Vec::new() } else { vec![root(leaves)] };
        }
        let (left, right) = leaves.split_at(split(n));
        if m <= left.len() {
            [subproof(m, left, complete), vec![root(right)]].concat()
        } else {
            [subproof(m - left.len(), right, false), vec![root(left)]].concat()
        }
    }

    fn split(n: usize) -> usize {
        (0..)
            .map(|power| 1 << power)
            .take_while(|k| *k < n)
            .last()
            .unwrap()
    }
}

fn leaves(count: usize) -> Vec<Hash> {
    (0..count as u32).map(|i| tree::leaf(&i.to_be_bytes())).collect()
}

proptest! {
    #[test]
    fn consistency_proofs_are_those_of_the_rfc(new in 1_usize..1200, share in 0.0..=1.0_f64) {
        let old = ((new as f64 * share) as usize).max(1);
        let leaves = leaves(new);
        let proof = consistency(&leaves, old).unwrap();
        prop_assert_eq!(&proof, &reference::subproof(old, &leaves, true));
        let (old_root, new_root) = (reference::root(&leaves[..old]), reference::root(&leaves));
        prop_assert!(verify_consistency((old as u32, &old_root), (new as u32, &new_root), &proof));
    }

    #[test]
    fn altered_consistency_proofs_show_nothing(
        new in 2_usize..600, old in 1_usize..600, at in any::<prop::sample::Index>(), what in 0..5,
    ) {
        prop_assume!(old < new);
        let leaves = leaves(new);
        let mut proof = consistency(&leaves, old).unwrap();
        let (mut old_root, mut new_root) = (tree::root(&leaves[..old]), tree::root(&leaves));
        match what {
            0 => { let at = at.index(proof.len()); proof[at].0[at % 32] ^= 1; }
            1 => { proof.remove(at.index(proof.len())); }
            2 => { let copy = proof[at.index(proof.len())]; proof.insert(at.index(proof.len()), copy); }
            3 => old_root.0[0] ^= 1,
            _ => new_root.0[0] ^= 1,
        }
        prop_assert!(!verify_consistency((old as u32, &old_root), (new as u32, &new_root), &proof));
    }

    #[test]
    fn a_log_goes_on_from_its_peaks(count in 0_usize..1200, more in 0_usize..600) {
        let all = leaves(count + more);
        let mut first = RootBuilder::default();
        all[..count].iter().for_each(|leaf| first.push(*leaf));
        let mut log = RootBuilder::from_peaks(count as u64, first.peaks()).unwrap();
        all[count..].iter().for_each(|leaf| log.push(*leaf));
        prop_assert_eq!(log.finish(), reference::root(&all));
    }

    #[test]
    fn pages_give_every_root_that_the_log_ever_had(size in 1_u32..1500, share in 0.0..=1.0_f64) {
        let stream = Stream::new(size);
        let track = stream.track(size, 8);
        let records = stream.records_file(size);
        let roots: Vec<u8> = records.chunks_exact(256 * 64).flat_map(|page| {
            let leaves: Vec<Hash> = page.chunks_exact(64).map(tree::leaf).collect();
            reference::root(&leaves).0
        }).collect();
        let mut pages = LogPages::of(&track);
        prop_assert_eq!(pages.roots_range(), (0, roots.len() as u64));
        // The page that is not full is shown by the head alone.
        let (first, length) = pages.page_range(size / 256);
        prop_assert_eq!(pages.check(size / 256, &records[first as usize..(first + length) as usize]), Ok(()));
        if !roots.is_empty() {
            let mut altered = roots.clone();
            altered[roots.len() / 2] ^= 1;
            prop_assert_eq!(pages.take_roots(&altered), Err(PageError::WrongRoots));
            prop_assert!(pages.check(0, &records[..256 * 64]).is_err(), "not before the roots are known");
        }
        pages.take_roots(&roots).unwrap();
        let earlier = (f64::from(size) * share) as u32;
        let (at, length) = pages.page_range(earlier / 256);
        let page = &records[at as usize..(at + length) as usize];
        let leaves: Vec<Hash> = records.chunks_exact(64).take(earlier as usize).map(tree::leaf).collect();
        prop_assert_eq!(pages.root_at(earlier, page), Ok(reference::root(&leaves)));
        if length > 0 {
            let read = pages.read(&track, earlier / 256, page, &[]).unwrap();
            prop_assert_eq!(read.len() as u64 * 64, length);
            let mut altered = page.to_vec();
            altered[63] ^= 1;
            prop_assert_eq!(
                pages.read(&track, earlier / 256, &altered, &[]).unwrap_err().code(), "wrong_page"
            );
        }
    }
}
