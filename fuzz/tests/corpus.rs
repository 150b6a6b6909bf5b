//! Every target over its seeds and over what earlier searches and crashes have left in `corpus/`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use swarmseal_fuzz::{TARGETS, seeds};

#[test]
fn all_that_is_known_is_survived() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, target) in TARGETS {
        let mut inputs = seeds(name);
        assert!(!inputs.is_empty(), "{name} has nothing to start from");
        if let Ok(entries) = fs::read_dir(corpus.join(name)) {
            inputs.extend(entries.map(|entry| fs::read(entry.unwrap().path()).unwrap()));
        }
        inputs.push(Vec::new());
        for (n, input) in inputs.iter().enumerate() {
            let survived = std::panic::catch_unwind(|| target(input));
            assert!(
                survived.is_ok(),
                "{name}, input {n}: {:02x?}",
                &input[..input.len().min(64)]
            );
        }
    }
}

/// `npm run fuzz` asks for the seeds as files.
#[test]
fn seeds_are_written_where_they_are_asked_for() {
    let Some(folder) = std::env::var_os("SWARMSEAL_FUZZ_SEEDS") else {
        return;
    };
    for (name, _) in TARGETS {
        let folder = Path::new(&folder).join(name);
        fs::create_dir_all(&folder).unwrap();
        for (n, seed) in seeds(name).iter().enumerate() {
            fs::write(folder.join(format!("seed-{n}")), seed).unwrap();
        }
    }
}
