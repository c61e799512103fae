//! The demo's files: written whole or not at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

use super::DemoFault;

/// Who may read a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Readers {
    /// Everybody who can enter the demo's directory.
    Everybody,
    /// Its owner: keys and passwords.
    Owner,
}

/// Makes a directory that its owner alone enters, if it is missing.
pub(super) fn make_directory(path: &Path) -> Result<(), DemoFault> {
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path);
    made.map_err(|error| fault(path, error))
}

/// The text of a file; `None` where there is none.
pub(super) fn read_if_there(path: &Path) -> Result<Option<String>, DemoFault> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fault(path, error)),
    }
}

/// Puts a file in its place in one step: a reader finds the old one or the new one.
pub(super) fn write(path: &Path, content: &[u8], readers: Readers) -> Result<(), DemoFault> {
    let mode = match readers {
        Readers::Everybody => 0o644,
        Readers::Owner => 0o600,
    };
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    let write = || -> io::Result<()> {
        let mut file: File = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(mode)
            .open(beside)?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(beside, path)
    };
    write().map_err(|error| fault(path, error))
}

fn fault(path: &Path, error: io::Error) -> DemoFault {
    DemoFault::File {
        file: path.to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_a_key_is_its_owners_alone_even_where_it_replaces_an_open_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        write(&path, b"old", Readers::Everybody).unwrap();
        write(&path, b"new", Readers::Owner).unwrap();
        assert_eq!(read_if_there(&path).unwrap().as_deref(), Some("new"));
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}
