//! `swarmseal publish --watch`: the live publisher as a process, and where its state lies.

use std::path::PathBuf;

use tokio::signal::unix::{SignalKind, signal};

use crate::cli::publish::summary;
use crate::cli::{Failure, now_unix_s, print};
use crate::publisher::live::{LiveOptions, LivePublisher, Watch, WatchEvent};
use crate::publisher::{Options, PublishError};

/// Publishes until the stream ends.
pub(super) fn run(
    folder: PathBuf,
    state: Option<PathBuf>,
    signing: Option<Options>,
    quiet: bool,
) -> Result<(), Failure> {
    let watch = Watch::new(&folder)?;
    let stop = watch.stop();
    stop_on_signal(move || stop.now())?;
    let options = LiveOptions {
        folder,
        state: state_folder(state)?,
        signing,
        session_s: SESSION_S,
    };
    let mut publisher = LivePublisher::open(options, now_unix_s() * 1000)?;
    if !quiet {
        let content = publisher.manifest().content_id;
        print(&format!(
            "watching, as content {content}; SIGTERM ends the stream\n"
        ))?;
    }
    let mut tell = |event: &WatchEvent<'_>| match event {
        WatchEvent::Stated(stated) if !quiet => {
            let line = format!(
                "head {} of session {}: {} new, {} bytes\n",
                stated.sequence, stated.session, stated.segments, stated.bytes
            );
            // The stream goes on without its spectator.
            let _ = print(&line);
        }
        WatchEvent::Waiting(error) => eprintln!("waiting: {error}"),
        WatchEvent::Stated(_) => {}
    };
    let published = watch.run(&mut publisher, &mut tell)?;
    match published {
        Some(published) if !quiet => print(&summary(&published)),
        Some(_) => Ok(()),
        None if quiet || !publisher.has_ended() => Ok(()),
        None => print(
            "the stream has ended; publish its recording with: swarmseal publish DIR --watch --key KEY\n",
        ),
    }
}

/// Where state lies unless the user says so.
pub(super) fn state_folder(given: Option<PathBuf>) -> Result<PathBuf, PublishError> {
    let variable = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    given
        .or_else(|| variable("STATE_DIRECTORY"))
        .or_else(|| variable("XDG_STATE_HOME").map(|folder| folder.join("swarmseal")))
        .or_else(|| variable("HOME").map(|folder| folder.join(".local/state/swarmseal")))
        .ok_or_else(|| PublishError::Option {
            option: "--state",
            detail: "there is no home folder to keep the state in".to_owned(),
        })
}

/// SIGTERM and SIGINT end the stream, from a thread that outlives it.
pub(super) fn stop_on_signal(stop: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new("signals", error.to_string(), "");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    let (mut terminate, mut interrupt) = {
        let _entered = runtime.enter();
        (
            signal(SignalKind::terminate()).map_err(failed)?,
            signal(SignalKind::interrupt()).map_err(failed)?,
        )
    };
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        });
        stop();
    });
    Ok(())
}

/// Sessions that are made on the way: as long as they may be.
pub(super) const SESSION_S: u64 = swarmseal::content::live::MAX_SESSION_S;
