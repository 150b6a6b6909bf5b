//! The `swarmseal` command. Everything is in the library; this file only starts it.

use std::process::ExitCode;

/// A tracker makes and drops many small texts, and not on the thread that made them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    swarmseal_server::cli::run(std::env::args_os())
}
