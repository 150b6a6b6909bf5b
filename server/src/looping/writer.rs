//! Writes what is due: segments when they would have been finished, and playlists that name them.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, SecondsFormat};

use super::source::{Material, Rendition};
use crate::publisher::PublishError;
use crate::publisher::output::replace;
use crate::publisher::plan::SEGMENT_LIMIT;
use crate::publisher::source::read_range;

/// What a loop decides.
#[derive(Clone, Debug)]
pub struct LoopOptions {
    /// A folder with a finished HLS stream, or one of its playlists.
    pub source: PathBuf,
    /// Where to write.
    pub folder: PathBuf,
    /// Seconds of media that the playlists list; all of it without.
    pub window_s: Option<u32>,
    /// Seconds of media that are there at once.
    pub ahead_s: u32,
}

/// A stream that goes on without end.
pub struct Loop {
    options: LoopOptions,
    material: Material,
    /// Unix microseconds at which media time zero was.
    began_us: u64,
    outputs: Vec<Output>,
}

/// A media playlist that is being written.
struct Output {
    path: PathBuf,
    /// File name without its ending; segments are named after it.
    stem: String,
    target_s: u64,
    listed: VecDeque<Listed>,
    /// Files that are in no playlist any more, and when nobody may want them any more.
    leaving: VecDeque<(PathBuf, u64)>,
    /// Segments written so far.
    written: u64,
    fragments: u32,
}

struct Listed {
    number: u64,
    start_us: u64,
    duration_us: u64,
}

impl Loop {
    /// Reads the source and begins to write; `now_us` in Unix microseconds.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn open(options: LoopOptions, now_us: u64) -> Result<Self, PublishError> {
        let material = Material::read(&options.source)?;
        let playlists = material.renditions.iter().map(|rendition| &rendition.name);
        let playlists = playlists.chain(material.multivariant.iter().map(|(name, _)| name));
        for name in playlists {
            if name.contains(['%', '?']) {
                return Err(PublishError::Unsupported {
                    name: name.clone(),
                    feature: "a playlist whose name has to be escaped".to_owned(),
                });
            }
            if options.folder.join(name).exists() {
                return Err(PublishError::Option {
                    option: "DIR",
                    detail: format!(
                        "{name} is there already; a stream that begins anew needs a folder of its own"
                    ),
                });
            }
        }
        let outputs = material.renditions.iter();
        let outputs = outputs
            .map(|rendition| Output::begin(&options.folder, &material, rendition))
            .collect::<Result<_, _>>()?;
        let ahead_us = u64::from(options.ahead_s) * 1_000_000;
        let mut looped = Self {
            began_us: now_us.saturating_sub(ahead_us),
            outputs,
            material,
            options,
        };
        if let Some((name, text)) = &looped.material.multivariant {
            // Before what it names: nobody should see a rendition without hearing what it is.
            replace(&looped.options.folder.join(name), text.as_bytes())?;
        }
        looped.advance(now_us)?;
        Ok(looped)
    }

    /// When the next segment is finished, in Unix microseconds.
    #[must_use]
    pub fn due_us(&self) -> u64 {
        let dues = self.material.renditions.iter().zip(&self.outputs);
        dues.map(|(rendition, output)| self.began_us + output.next(&self.material, rendition).end_us)
            .min()
            .unwrap_or(u64::MAX)
    }

    /// Writes everything that is finished by now.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn advance(&mut self, now_us: u64) -> Result<(), PublishError> {
        let media_us = now_us.saturating_sub(self.began_us);
        let window_us = self.options.window_s.map(|window| u64::from(window) * 1_000_000);
        for (rendition, output) in self.material.renditions.iter().zip(&mut self.outputs) {
            let before = output.written;
            while output.next(&self.material, rendition).end_us <= media_us {
                output.write(&self.material, rendition)?;
            }
            if output.written == before {
                continue;
            }
            if let Some(window_us) = window_us {
                output.slide(window_us, now_us);
            }
            output.list(rendition, self.began_us, window_us.is_none(), false)?;
            output.clear(now_us)?;
        }
        Ok(())
    }

    /// Ends all playlists.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn end(&mut self) -> Result<(), PublishError> {
        let all = self.options.window_s.is_none();
        for (rendition, output) in self.material.renditions.iter().zip(&mut self.outputs) {
            output.list(rendition, self.began_us, all, true)?;
        }
        Ok(())
    }

    /// Goes on in real time until `stop` says so, or whoever could say so is gone; then ends the playlists.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn run(mut self, stop: &Receiver<()>) -> Result<(), PublishError> {
        loop {
            let now_us = now_us();
            let wait = Duration::from_micros(self.due_us().saturating_sub(now_us));
            match stop.recv_timeout(wait) {
                Err(RecvTimeoutError::Timeout) => self.advance(self::now_us())?,
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return self.end(),
            }
        }
    }
}

/// The segment that comes next.
struct Next {
    round: u64,
    index: usize,
    start_us: u64,
    end_us: u64,
}

impl Output {
    fn begin(folder: &Path, material: &Material, rendition: &Rendition) -> Result<Self, PublishError> {
        let path = folder.join(&rendition.name);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(|error| PublishError::file(parent, error))?;
        let stem = path
            .file_stem()
            .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        let lengths = rendition
            .segments
            .iter()
            .map(|segment| segment.end_us - segment.start_us);
        let target_s = (lengths.max().unwrap_or(0) + 500_000) / 1_000_000;
        let output = Self {
            path,
            stem,
            target_s: target_s.max(1),
            listed: VecDeque::new(),
            leaving: VecDeque::new(),
            written: 0,
            fragments: 0,
        };
        let init = read_range(&material.folder, &rendition.init, None, SEGMENT_LIMIT)?;
        replace(&output.beside(&output.header_name()), &init)?;
        Ok(output)
    }

    fn next(&self, material: &Material, rendition: &Rendition) -> Next {
        let count = rendition.segments.len().max(1) as u64;
        let (round, index) = (self.written / count, (self.written % count) as usize);
        let (start_us, end_us) = rendition
            .segments
            .get(index)
            .map_or((0, u64::MAX / 4), |segment| (segment.start_us, segment.end_us));
        let is_last = index as u64 + 1 == count;
        Next {
            round,
            index,
            start_us: material.time_us(round, start_us),
            // Where the next repetition begins, which the renditions have in common.
            end_us: if is_last {
                material.time_us(round + 1, 0)
            } else {
                material.time_us(round, end_us)
            },
        }
    }

    fn write(&mut self, material: &Material, rendition: &Rendition) -> Result<(), PublishError> {
        let next = self.next(material, rendition);
        let number = self.written;
        if let Some(segment) = rendition.segments.get(next.index) {
            let bytes = material.segment(rendition, segment, next.round, &mut self.fragments)?;
            replace(&self.beside(&self.segment_name(number)), &bytes)?;
        }
        self.listed.push_back(Listed {
            number,
            start_us: next.start_us,
            duration_us: next.end_us - next.start_us,
        });
        self.written += 1;
        Ok(())
    }

    /// Drops from the list what lies before its last `window_us`. RFC 8216 §6.2.2 says how long it has to stay there.
    fn slide(&mut self, window_us: u64, now_us: u64) {
        let mut length: u64 = self.listed.iter().map(|listed| listed.duration_us).sum();
        while let Some(first) = self.listed.front()
            && length - first.duration_us >= window_us
        {
            length -= first.duration_us;
            let gone_us = now_us + first.duration_us + window_us;
            self.leaving
                .push_back((self.beside(&self.segment_name(first.number)), gone_us));
            self.listed.pop_front();
        }
    }

    fn list(&self, rendition: &Rendition, began_us: u64, all: bool, end: bool) -> Result<(), PublishError> {
        let first = self.listed.front().map_or(0, |listed| listed.number);
        let mut text = format!(
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{}\n#EXT-X-MEDIA-SEQUENCE:{first}\n",
            self.target_s
        );
        if all {
            text.push_str("#EXT-X-PLAYLIST-TYPE:EVENT\n");
        }
        if rendition.independent {
            text.push_str("#EXT-X-INDEPENDENT-SEGMENTS\n");
        }
        // Writing to a string does not fail.
        let _ = writeln!(text, "#EXT-X-MAP:URI=\"{}\"", self.header_name());
        for listed in &self.listed {
            let _ = write!(
                text,
                "#EXT-X-PROGRAM-DATE-TIME:{}\n#EXTINF:{:.6},\n{}\n",
                date_time(began_us + listed.start_us),
                Duration::from_micros(listed.duration_us).as_secs_f64(),
                self.segment_name(listed.number),
            );
        }
        if end {
            text.push_str("#EXT-X-ENDLIST\n");
        }
        replace(&self.path, text.as_bytes())
    }

    fn clear(&mut self, now_us: u64) -> Result<(), PublishError> {
        while let Some((path, _)) = self.leaving.front().filter(|(_, gone_us)| *gone_us <= now_us) {
            fs::remove_file(path).map_err(|error| PublishError::file(path, error))?;
            self.leaving.pop_front();
        }
        Ok(())
    }

    fn header_name(&self) -> String {
        format!("{}-init.mp4", self.stem)
    }

    fn segment_name(&self, number: u64) -> String {
        format!("{}-{number}.m4s", self.stem)
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.path.with_file_name(name)
    }
}

fn date_time(unix_us: u64) -> String {
    let ms = i64::try_from(unix_us / 1000).unwrap_or(i64::MAX);
    DateTime::from_timestamp_millis(ms)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Now, as [`Loop::open`] wants it.
#[must_use]
pub fn now_us() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}
