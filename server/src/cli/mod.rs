//! The command line: one file per subcommand, and one way to fail.
//!
//! A subcommand is a `clap::Args` struct with `fn run(self) -> Result<(), Failure>`. It writes results to standard
//! output and progress to standard error. To add one: a file beside this one, a variant in [`Command`], an arm in
//! [`Command::run`].

mod audit;
mod daemon;
mod endorse;
mod failure;
mod inspect;
mod inspect_live;
mod keygen;
mod live;
mod load;
mod looping;
mod place;
mod publish;
mod refresh;
mod serve;
mod session;
mod simulate;
mod terminal;
mod track;
mod verify;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Parser, Subcommand};

pub use failure::{Exit, Failure};

/// Runs the command line and says how it ended. Usage mistakes are printed by clap and end with 2.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let line = match CommandLine::try_parse_from(arguments) {
        Ok(line) => line,
        Err(usage) => {
            // Nothing is left to do when the terminal is gone.
            let _ = usage.print();
            return ExitCode::from(if usage.use_stderr() {
                Exit::Usage as u8
            } else {
                Exit::Done as u8
            });
        }
    };
    match line.command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "{failure}");
            ExitCode::from(failure.exit() as u8)
        }
    }
}

/// Publish media that viewers can check and share, and run what introduces them to each other.
#[derive(Parser)]
#[command(
    name = "swarmseal",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
#[command(after_help = "Exit status: 0 done, 1 failed, 2 wrong usage, 3 a check found a mismatch.")]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Keygen(keygen::Keygen),
    Publish(publish::Publish),
    Session(session::Session),
    Loop(looping::Loop),
    Refresh(refresh::Refresh),
    Endorse(endorse::Endorse),
    Verify(verify::Verify),
    Inspect(inspect::Inspect),
    Track(track::Track),
    Serve(serve::Serve),
    Simulate(simulate::Simulate),
    Load(load::Load),
    Audit(audit::Audit),
}

impl Command {
    fn run(self) -> Result<(), Failure> {
        match self {
            Self::Keygen(command) => command.run(),
            Self::Publish(command) => command.run(),
            Self::Session(command) => command.run(),
            Self::Loop(command) => command.run(),
            Self::Refresh(command) => command.run(),
            Self::Endorse(command) => command.run(),
            Self::Verify(command) => command.run(),
            Self::Inspect(command) => command.run(),
            Self::Track(command) => command.run(),
            Self::Serve(command) => command.run(),
            Self::Simulate(command) => command.run(),
            Self::Load(command) => command.run(),
            Self::Audit(command) => command.run(),
        }
    }
}

/// Writes a result. A reader that has gone, as in `swarmseal inspect … | head`, is no failure.
fn print(text: &str) -> Result<(), Failure> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::new(
            "output",
            format!("the result cannot be written: {error}"),
            "",
        )),
        _ => Ok(()),
    }
}

fn now_unix_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Hashing is bound by cores, fetching by waiting.
fn default_jobs(is_url: bool) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if is_url { cores.max(8) } else { cores }
}
