//! `swarmseal keygen`: a new signing key.

use std::path::PathBuf;

use crate::cli::{Failure, print};
use crate::publisher::key_file;

/// Make a new Ed25519 signing key: FILE (readable by you alone) and FILE.pub
///
/// Prints the public key, which viewers' pages have to trust. Whoever has FILE can publish in your name, and without it
/// no new version of what you published can be made: keep a copy in a safe place.
#[derive(clap::Args)]
pub(super) struct Keygen {
    /// Where to write the private key; never overwritten
    file: PathBuf,
}

impl Keygen {
    pub(super) fn run(self) -> Result<(), Failure> {
        let public = key_file::generate(&self.file)?;
        print(&format!("{public}\n"))
    }
}
