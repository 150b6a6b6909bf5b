//! The `swarmseal` command. Everything is in the library; this file only starts it.

use std::process::ExitCode;

fn main() -> ExitCode {
    swarmseal_server::cli::run(std::env::args_os())
}
