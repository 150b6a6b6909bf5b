//! Key files: one line of text, readable by nobody but its owner.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use swarmseal::content::{PublicKey, SecretKey};
use zeroize::Zeroizing;

use super::error::in_words;

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// It cannot be read or written.
    #[error("{path}: {detail}")]
    File {
        /// Which file.
        path: String,
        /// What the system said.
        detail: String,
    },
    /// There is a file already, and a lost key cannot be made again.
    #[error("{path} exists already and is not overwritten")]
    Exists {
        /// Which file.
        path: String,
    },
    /// Others than its owner may read the private key.
    #[error("{path} can be read by others than its owner (mode {mode:04o})")]
    ReadableByOthers {
        /// Which file.
        path: String,
        /// Its permission bits.
        mode: u32,
    },
    /// The content is no private key.
    #[error("{path} holds no private key")]
    NotPrivate {
        /// Which file.
        path: String,
    },
    /// The text or the content of the file is no public key.
    #[error("{text} is no public key and no file with one")]
    NotPublic {
        /// What was given.
        text: String,
    },
    /// The file is a private key where a public one is needed.
    #[error("{text} is a private key")]
    Private {
        /// The file.
        text: String,
    },
    /// No randomness from the system.
    #[error("the system gives no random bytes: {detail}")]
    Random {
        /// What the system said.
        detail: String,
    },
}

impl KeyFileError {
    /// Stable code, for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "key_file",
            Self::Exists { .. } => "key_exists",
            Self::ReadableByOthers { .. } => "key_readable_by_others",
            Self::NotPrivate { .. } => "not_a_private_key",
            Self::NotPublic { .. } | Self::Private { .. } => "not_a_public_key",
            Self::Random { .. } => "no_random_bytes",
        }
    }

    /// What the user can do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::File { .. } => "check the path, or make a key with: swarmseal keygen FILE".to_owned(),
            Self::Exists { .. } => "choose another name".to_owned(),
            Self::ReadableByOthers { path, .. } => {
                format!("run: chmod 600 {path}, and make a new key if somebody may have read it")
            }
            Self::NotPrivate { .. } => "give the file that swarmseal keygen wrote, not its .pub".to_owned(),
            Self::NotPublic { .. } => "give ed25519:… or a .pub file that swarmseal keygen wrote".to_owned(),
            Self::Private { text } => {
                format!("its public half is in {text}.pub: that is what others may have")
            }
            Self::Random { .. } => String::new(),
        }
    }

    fn file(path: &Path, error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::AlreadyExists => Self::Exists {
                path: path.display().to_string(),
            },
            _ => Self::File {
                path: path.display().to_string(),
                detail: in_words(&error),
            },
        }
    }
}

/// Makes a key and writes `path` (mode 0600) and `path.pub`. Neither may exist.
pub fn generate(path: &Path) -> Result<PublicKey, KeyFileError> {
    let public_path = public_path(path);
    if let Some(existing) = [path, &public_path].into_iter().find(|path| path.exists()) {
        return Err(KeyFileError::Exists {
            path: existing.display().to_string(),
        });
    }
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).map_err(|error| KeyFileError::Random {
        detail: error.to_string(),
    })?;
    let secret = SecretKey::from_seed(&seed);
    let text = Zeroizing::new(format!("{REMINDER}\n{}\n", *secret.to_text()));
    write_new(path, text.as_bytes(), 0o600)?;
    write_new(&public_path, format!("{}\n", secret.public()).as_bytes(), 0o644)?;
    Ok(secret.public())
}

/// Reads a private key, unless others may read it too.
pub fn read_private(path: &Path) -> Result<SecretKey, KeyFileError> {
    let mut file = File::open(path).map_err(|error| KeyFileError::file(path, error))?;
    let mut text = Zeroizing::new(String::new());
    let read = (&mut file).take(LIMIT).read_to_string(&mut text);
    let not_private = || KeyFileError::NotPrivate {
        path: path.display().to_string(),
    };
    match read {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::InvalidData => return Err(not_private()),
        Err(error) => return Err(KeyFileError::file(path, error)),
    }
    let key = line(&text)
        .and_then(|line| line.parse().ok())
        .ok_or_else(not_private)?;
    refuse_open_mode(path, &file)?;
    Ok(key)
}

/// Reads a public key from its text form or from a file that holds it.
pub fn read_public(text: &str) -> Result<PublicKey, KeyFileError> {
    if let Ok(key) = text.parse() {
        return Ok(key);
    }
    let not_public = || KeyFileError::NotPublic {
        text: text.to_owned(),
    };
    let mut content = Zeroizing::new(String::new());
    let file = File::open(text).map_err(|_| not_public())?;
    file.take(LIMIT)
        .read_to_string(&mut content)
        .map_err(|_| not_public())?;
    if is_private(content.as_bytes()) {
        return Err(KeyFileError::Private {
            text: text.to_owned(),
        });
    }
    line(&content)
        .and_then(|line| line.parse().ok())
        .ok_or_else(not_public)
}

/// Whether bytes look like one of our private keys.
pub(crate) fn is_private(bytes: &[u8]) -> bool {
    bytes
        .windows(PRIVATE_PREFIX.len())
        .any(|window| window == PRIVATE_PREFIX)
}

fn line(text: &str) -> Option<&str> {
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))
}

fn public_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), KeyFileError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = options
        .open(path)
        .map_err(|error| KeyFileError::file(path, error))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(|error| KeyFileError::file(path, error))
}

#[cfg(unix)]
fn refuse_open_mode(path: &Path, file: &File) -> Result<(), KeyFileError> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = file.metadata().map_err(|error| KeyFileError::file(path, error))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(KeyFileError::ReadableByOthers {
        path: path.display().to_string(),
        mode,
    })
}

#[cfg(not(unix))]
fn refuse_open_mode(_path: &Path, _file: &File) -> Result<(), KeyFileError> {
    Ok(())
}

/// Key files are far smaller.
pub(crate) const LIMIT: u64 = 4096;
const PRIVATE_PREFIX: &[u8] = b"ed25519-secret:";
const REMINDER: &str = "# swarmseal private key: whoever has it can sign in your name.";

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_key_goes_to_its_file_and_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing.key");
        let public = generate(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        assert_eq!(read_private(&path).unwrap().public(), public);
        let beside = folder.path().join("signing.key.pub");
        assert_eq!(read_public(beside.to_str().unwrap()).unwrap(), public);
        assert_eq!(read_public(&public.to_string()).unwrap(), public);
        assert!(is_private(&std::fs::read(&path).unwrap()));
        assert!(!is_private(&std::fs::read(&beside).unwrap()));
    }

    #[test]
    fn a_key_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing.key");
        generate(&path).unwrap();
        assert_eq!(generate(&path).unwrap_err().code(), "key_exists");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(generate(&path).unwrap_err().code(), "key_exists");
        assert!(!path.exists());
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing.key");
        generate(&path).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o660, 0o644] {
            set_mode(&path, mode);
            assert_eq!(
                read_private(&path).unwrap_err().code(),
                "key_readable_by_others",
                "{mode:o}"
            );
        }
        set_mode(&path, 0o400);
        assert!(read_private(&path).is_ok());
    }

    #[test]
    fn other_files_are_no_keys() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other");
        std::fs::write(&path, [0xff; 100]).unwrap();
        set_mode(&path, 0o600);
        assert_eq!(read_private(&path).unwrap_err().code(), "not_a_private_key");
        assert_eq!(
            read_private(&folder.path().join("none")).unwrap_err().code(),
            "key_file"
        );
        assert_eq!(
            read_public("ed25519:AAAA").unwrap_err().code(),
            "not_a_public_key"
        );
    }
}
