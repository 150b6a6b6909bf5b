//! What can go wrong while publishing, each with a stable code and the way out.

/// Why a publication did not come about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// A file or folder could not be read or written.
    #[error("{path}: {detail}")]
    File {
        /// Which one.
        path: String,
        /// What the system said.
        detail: String,
    },
    /// An HTTP request failed.
    #[error("GET {url}: {detail}")]
    Http {
        /// Address without its query, which may hold a token.
        url: String,
        /// Status or network error.
        detail: String,
    },
    /// A playlist or MPD names something that is not there.
    #[error("{referrer} names {name}, which is not there")]
    MissingFile {
        /// What is missing.
        name: String,
        /// Who names it.
        referrer: String,
    },
    /// A playlist or MPD names something that does not lie below the published folder.
    #[error("{referrer} names {uri}, which is not below the published folder")]
    OutsideFolder {
        /// The reference as written, without its query.
        uri: String,
        /// Who names it.
        referrer: String,
    },
    /// A playlist, an MPD or a segment index does not follow its format.
    #[error("{name} cannot be read: {detail}")]
    Unreadable {
        /// Which file.
        name: String,
        /// What is wrong.
        detail: String,
    },
    /// A live playlist or MPD, which has no end yet.
    #[error("{name} is live: {detail}")]
    NotFinished {
        /// Which file.
        name: String,
        /// What shows that.
        detail: String,
    },
    /// A feature of HLS or DASH that is not supported.
    #[error("{name} uses {feature}, which is not supported")]
    Unsupported {
        /// Which file.
        name: String,
        /// Which feature.
        feature: String,
    },
    /// A byte range that ends behind its file.
    #[error("{name} has {length} bytes, but {referrer} names bytes {first} to {last}")]
    RangeBeyondEnd {
        /// Which file.
        name: String,
        /// Who names the range.
        referrer: String,
        /// Length of the file.
        length: u64,
        /// First byte of the range.
        first: u64,
        /// Last byte of the range.
        last: u64,
    },
    /// A segment above the limit of the format.
    #[error(
        "segment {name} is {length} bytes long; the limit is {} (32 MiB)",
        super::plan::SEGMENT_LIMIT
    )]
    SegmentTooLong {
        /// Which segment.
        name: String,
        /// Its length.
        length: u64,
    },
    /// A file changed between being listed and being hashed.
    #[error("{name} changed while it was read ({expected} bytes expected, {found} found)")]
    ChangedWhileReading {
        /// Which file.
        name: String,
        /// Length when it was listed.
        expected: u64,
        /// Length found now.
        found: u64,
    },
    /// Nothing to publish in the source.
    #[error("there is nothing to publish in {place}")]
    Nothing {
        /// Folder or URL.
        place: String,
    },
    /// More than a manifest can hold.
    #[error("{what}")]
    TooMuch {
        /// Which limit.
        what: String,
    },
    /// The manifest of the version before cannot be continued.
    #[error("{path}: {detail}")]
    Previous {
        /// Where it lies.
        path: String,
        /// What is wrong with it.
        detail: String,
    },
    /// Another run is at work on the same folder.
    #[error("another swarmseal publish is at work on {path}")]
    Busy {
        /// The folder of the state.
        path: String,
    },
    /// An option whose value makes no sense.
    #[error("{option}: {detail}")]
    Option {
        /// Name of the option with its dashes.
        option: &'static str,
        /// What is wrong with the value.
        detail: String,
    },
    /// The content room refused what was given to it.
    #[error("{0}")]
    Content(String),
}

impl PublishError {
    /// Stable code, for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "file",
            Self::Http { .. } => "http",
            Self::MissingFile { .. } => "missing_file",
            Self::OutsideFolder { .. } => "outside_folder",
            Self::Unreadable { .. } => "unreadable",
            Self::NotFinished { .. } => "not_finished",
            Self::Unsupported { .. } => "unsupported",
            Self::RangeBeyondEnd { .. } => "range_beyond_end",
            Self::SegmentTooLong { .. } => "segment_too_long",
            Self::ChangedWhileReading { .. } => "changed_while_reading",
            Self::Nothing { .. } => "nothing_to_publish",
            Self::TooMuch { .. } => "too_much",
            Self::Previous { .. } => "previous_version",
            Self::Busy { .. } => "busy",
            Self::Option { .. } => "option",
            Self::Content(_) => "content",
        }
    }

    /// What the user can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::File { .. } => "check that it exists and that you may read and write there",
            Self::Http { .. } => "check the address, and that the server is up and may be reached from here",
            Self::MissingFile { .. } => "package again, or take the reference out",
            Self::OutsideFolder { .. } => {
                "publish the folder above it (for a URL: --base), or make the reference relative"
            }
            Self::Unreadable { .. } => "package again, or take the file out of the folder",
            Self::NotFinished { .. } => "publish it with --watch, or when the stream has ended",
            Self::Unsupported { .. } => "package without it",
            Self::RangeBeyondEnd { .. } => "package again: playlist and media do not belong together",
            Self::SegmentTooLong { .. } => {
                "package with shorter segments (ffmpeg: -hls_time 4; packager: --segment_duration 4)"
            }
            Self::ChangedWhileReading { .. } => "wait until the packager is done, then run the command again",
            Self::Nothing { .. } => "name a folder with an HLS or DASH stream or with plain files",
            Self::TooMuch { .. } => "publish parts of it as contents of their own",
            Self::Previous { .. } => {
                "put the right file back, or move it away to start a new content (viewers of the old one will refuse it)"
            }
            Self::Busy { .. } => "wait for it to end",
            Self::Option { .. } => "see --help",
            Self::Content(_) => "",
        }
    }

    pub(crate) fn file(path: impl AsRef<std::path::Path>, source: std::io::Error) -> Self {
        Self::File {
            path: path.as_ref().display().to_string(),
            detail: in_words(&source),
        }
    }

    pub(crate) fn unreadable(name: &str, detail: impl std::fmt::Display) -> Self {
        Self::Unreadable {
            name: name.to_owned(),
            detail: detail.to_string(),
        }
    }
}

/// What the system said, without the number that it has for it.
pub(crate) fn in_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}
