//! What another process on this machine has used, from /proc.

use std::fs::read_to_string;

use super::LoadError;

/// Linux counts CPU time in hundredths of a second, towards every program.
const TICKS_PER_S: f64 = 100.0;

pub(super) struct Process {
    pid: u32,
}

impl Process {
    pub(super) fn new(pid: u32) -> Self {
        Self { pid }
    }

    /// User and system time of all its threads.
    pub(super) fn cpu_seconds(&self) -> Result<f64, LoadError> {
        let text = self.read("stat")?;
        // The name of the program may hold anything, but it ends with the last bracket.
        let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
        let ticks: Option<u64> = [11, 12]
            .into_iter()
            .map(|n| fields.split_whitespace().nth(n)?.parse::<u64>().ok())
            .sum();
        ticks
            .map(|ticks| ticks as f64 / TICKS_PER_S)
            .ok_or_else(|| self.unreadable("stat has another form"))
    }

    pub(super) fn resident_bytes(&self) -> Result<u64, LoadError> {
        self.read("status")?
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
            .map(|kilobytes| kilobytes << 10)
            .ok_or_else(|| self.unreadable("status has another form"))
    }

    fn read(&self, name: &str) -> Result<String, LoadError> {
        read_to_string(format!("/proc/{}/{name}", self.pid))
            .map_err(|error| self.unreadable(&error.to_string()))
    }

    fn unreadable(&self, what: &str) -> LoadError {
        LoadError::Process {
            pid: self.pid,
            what: what.to_owned(),
        }
    }
}
