//! A web server for one folder, with the habits of good and bad ones.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

#[derive(Clone, Copy)]
pub struct Habits {
    pub ranges: bool,
    pub cors: bool,
    pub entity_tags: bool,
    /// Answers the first request for each resource with 503.
    pub stumbles: bool,
}

pub const GOOD: Habits = Habits {
    ranges: true,
    cors: true,
    entity_tags: true,
    stumbles: false,
};

pub struct Web {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Web {
    pub fn serve(root: &Path, habits: Habits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (root, log) = (root.to_owned(), requests.clone());
        // Ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (root, log) = (root.clone(), log.clone());
                std::thread::spawn(move || {
                    // A client that has gone is no fault of the test.
                    let _ = connection(stream, &root, habits, &log);
                });
            }
        });
        Self { address, requests }
    }

    pub fn url(&self, path: &str) -> url::Url {
        url::Url::parse(&self.address).unwrap().join(path).unwrap()
    }

    /// `METHOD path` of all requests so far, and forgets them.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

fn connection(
    mut stream: TcpStream,
    root: &Path,
    habits: Habits,
    log: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let mut range = None;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(bytes) = line.strip_prefix("range: bytes=") {
                let (from, to) = bytes.split_once('-').unwrap();
                range = Some((from.parse::<usize>().unwrap(), to.parse::<usize>().unwrap()));
            }
        }
        let mut words = first.split(' ');
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let entry = format!("{method} {target}");
        let is_first = {
            let mut log = log.lock().unwrap();
            let is_first = !log.contains(&entry);
            log.push(entry);
            is_first
        };
        let path: PathBuf = root.join(target.split('?').next().unwrap().trim_start_matches('/'));
        let (status, body, more) = match std::fs::read(&path) {
            _ if habits.stumbles && is_first && method == "GET" => ("503 Busy", Vec::new(), String::new()),
            Err(_) => ("404 Not Found", Vec::new(), String::new()),
            Ok(bytes) => {
                let mut more = String::new();
                if habits.entity_tags {
                    let modified = std::fs::metadata(&path)?.modified()?;
                    let since = modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
                    more.push_str(&format!("ETag: \"{since:x}\"\r\n"));
                }
                match range.filter(|_| habits.ranges) {
                    Some((from, _)) if from >= bytes.len() => ("416 Range", Vec::new(), more),
                    Some((from, to)) => {
                        let to = to.min(bytes.len() - 1);
                        more.push_str(&format!("Content-Range: bytes {from}-{to}/{}\r\n", bytes.len()));
                        ("206 Partial Content", bytes[from..=to].to_vec(), more)
                    }
                    None => ("200 OK", bytes, more),
                }
            }
        };
        let cors = if habits.cors {
            "Access-Control-Allow-Origin: *\r\n"
        } else {
            ""
        };
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{more}{cors}\r\n"
        )?;
        if method != "HEAD" {
            stream.write_all(&body)?;
        }
    }
}
