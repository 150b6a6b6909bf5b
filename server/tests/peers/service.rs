//! `swarmseal serve` as a process.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{PATIENCE, publish, publisher};

/// The running program, and the folder that it writes into.
pub(crate) struct Service {
    pub(crate) process: std::process::Child,
    pub(crate) ready: serde_json::Value,
    pub(crate) folder: tempfile::TempDir,
}

impl Service {
    /// Serves a folder with one content and one media file.
    pub(crate) fn start(extra: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("site/show")).unwrap();
        publish(&folder.path().join("site/show"), 1);
        std::fs::write(folder.path().join("site/show/1.m4s"), vec![5; 100_000]).unwrap();
        Self::start_in(folder, extra)
    }

    pub(crate) fn start_in(folder: tempfile::TempDir, extra: &[&str]) -> Self {
        let at = |name: &str| folder.path().join(name);
        let _ = std::fs::remove_file(at("ready.json"));
        let process = Command::new(env!("CARGO_BIN_EXE_swarmseal"))
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--publisher",
                &publisher().public().to_string(),
            ])
            .args([
                "--root".as_ref(),
                at("site").as_os_str(),
                "--key".as_ref(),
                at("tracker.key").as_os_str(),
            ])
            .args(["--ready-file".as_ref(), at("ready.json").as_os_str()])
            .args(["--access-log".as_ref(), at("access.log").as_os_str()])
            .args(extra)
            .stdout(std::fs::File::create(at("stdout")).unwrap())
            .stderr(std::fs::File::create(at("stderr")).unwrap())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let ready = wait_for(&at("ready.json"));
        Self {
            process,
            ready: serde_json::from_str(&ready).unwrap(),
            folder,
        }
    }

    pub(crate) fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    pub(crate) fn tracker(&self) -> &str {
        self.ready["tracker"].as_str().unwrap()
    }

    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.ready["url"]
            .as_str()
            .unwrap()
            .strip_prefix("http://")
            .unwrap()
            .parse()
            .unwrap()
    }

    /// Asks it to end, and says with which status it did.
    pub(crate) fn stop(&mut self, signal: &str) -> Option<i32> {
        let id = self.process.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &id])
                .status()
                .unwrap()
                .success()
        );
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it does not end");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn wait_for(path: &Path) -> String {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Ok(text) = std::fs::read_to_string(path) {
            return text;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{} does not appear", path.display());
}
