//! The keyring's file: one line that says what it is, one line a root key, oldest first.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::KeyVersion;
use crate::entropy::EntropyUnavailable;

/// A root key with its version.
pub(super) type RootSecret = (KeyVersion, Zeroizing<[u8; 32]>);

/// Why there is no keyring, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyringError {
    /// There is none at this place.
    #[error(
        "there is no keyring at {0}: put back the one that belongs to the data directory; for a new installation, `octroi init` makes one"
    )]
    Missing(PathBuf),
    /// There is one already, and it is never overwritten.
    #[error("{0} exists already and is not overwritten: what its keys sealed would be lost")]
    Exists(PathBuf),
    /// Others than its owner may read or write it.
    #[error("{path} may be read by others than its owner (mode {mode:o}): run `chmod 600 {path}`")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is not a regular file, or does not read as a keyring.
    #[error(
        "{path}, line {line}: this is not a keyring: {what}; put back the file from its backup"
    )]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// The system refused to read or write it.
    #[error("cannot read or write the keyring {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The system gave no random bytes for a new key.
    #[error(transparent)]
    Entropy(#[from] EntropyUnavailable),
}

pub(super) fn create(path: &Path, secrets: &[RootSecret]) -> Result<(), KeyringError> {
    let fault = |source: io::Error| {
        if source.kind() == io::ErrorKind::AlreadyExists {
            KeyringError::Exists(path.to_owned())
        } else {
            KeyringError::Io {
                path: path.to_owned(),
                source,
            }
        }
    };
    let mut text = Zeroizing::new(format!("{FIRST_LINE}\n"));
    for (version, secret) in secrets {
        let encoded = Zeroizing::new(BASE64.encode(secret.as_slice()));
        for part in [&version.0.to_string(), " ", encoded.as_str(), "\n"] {
            text.push_str(part);
        }
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(fault)?;
    file.write_all(text.as_bytes()).map_err(fault)?;
    file.sync_all().map_err(fault)?;
    // The name itself must survive a power cut: without it, all that is sealed is lost.
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or_else(|| Path::new(".")))
        .and_then(|directory| directory.sync_all())
        .map_err(fault)
}

pub(super) fn load(path: &Path) -> Result<Vec<RootSecret>, KeyringError> {
    let fault = |source: io::Error| {
        if source.kind() == io::ErrorKind::NotFound {
            KeyringError::Missing(path.to_owned())
        } else {
            KeyringError::Io {
                path: path.to_owned(),
                source,
            }
        }
    };
    let file = File::open(path).map_err(fault)?;
    // Of the open file, not of the name: nothing can be put in its place between check and read.
    let metadata = file.metadata().map_err(fault)?;
    let malformed = |line, what| KeyringError::Malformed {
        path: path.to_owned(),
        line,
        what,
    };
    if !metadata.is_file() {
        return Err(malformed(0, "not a regular file"));
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(KeyringError::Exposed {
            path: path.to_owned(),
            mode: metadata.mode() & 0o7777,
        });
    }
    let mut text = Zeroizing::new(String::new());
    file.take(FILE_LEN_MAX)
        .read_to_string(&mut text)
        .map_err(|_| malformed(1, "not text"))?;
    parse(&text).map_err(|(line, what)| malformed(line, what))
}

fn parse(text: &str) -> Result<Vec<RootSecret>, (usize, &'static str)> {
    let mut lines = text.lines().zip(1..);
    if lines.next().is_none_or(|(line, _)| line != FIRST_LINE) {
        return Err((1, "the first line must be \"octroi keyring 1\""));
    }
    let mut secrets: Vec<RootSecret> = Vec::new();
    for (line, number) in lines {
        let secret = parse_root(line).map_err(|what| (number, what))?;
        if secrets.last().is_some_and(|last| last.0 >= secret.0) {
            return Err((number, "versions must rise"));
        }
        secrets.push(secret);
    }
    if secrets.is_empty() {
        return Err((2, "it holds no key"));
    }
    Ok(secrets)
}

fn parse_root(line: &str) -> Result<RootSecret, &'static str> {
    let (version, encoded) = line
        .split_once(' ')
        .ok_or("a version and a key are wanted")?;
    // As it is written here: a sign or a leading zero would be another way to say the same.
    let version = Some(version).filter(|text| text.starts_with(|first| matches!(first, '1'..='9')));
    let version = version.and_then(|text| text.parse().ok());
    let version = version.ok_or("the version must be a number from 1 to 65535")?;
    let decoded = BASE64.decode(encoded.as_bytes()).map(Zeroizing::new);
    let bytes = decoded.map_err(|_| "the key must be in base64")?;
    let secret = <[u8; 32]>::try_from(bytes.as_slice());
    let secret = secret.map_err(|_| "the key must be 32 bytes long")?;
    Ok((KeyVersion(version), Zeroizing::new(secret)))
}

const FIRST_LINE: &str = "octroi keyring 1";

/// A thousand roots; a bigger file is something else.
const FILE_LEN_MAX: u64 = 64 * 1024;
