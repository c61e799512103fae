//! Files that the configuration names: they have to be there, and secrets have to be kept.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use crate::{
    reader::{Files, Reader, Reading, Told},
    source::At,
};

/// A file that anybody may read has to be there.
pub(super) fn check_readable(reader: Reader<'_>, path: &Told<PathBuf>) {
    if reader.reading().files == Files::Unseen {
        return;
    }
    if let Err(error) = fs::File::open(&path.value).and_then(|file| regular(&file)) {
        unreadable(reader, path, &error);
    }
}

/// A private key: others must not read it, nor the group write it.
pub(super) fn check_secret(reader: Reader<'_>, path: &Told<PathBuf>) {
    check_mode(reader, path, KEY_FORBIDDEN, "chmod 600");
}

/// The keyring: its owner alone. In the demo it is made at the first start.
pub(super) fn check_keyring(reader: Reader<'_>, path: &Told<PathBuf>, demo: bool) {
    if !(demo && matches!(fs::exists(&path.value), Ok(false))) {
        check_mode(reader, path, KEYRING_FORBIDDEN, "chmod 600");
    }
}

fn check_mode(reader: Reader<'_>, path: &Told<PathBuf>, forbidden: u32, remedy: &str) {
    if reader.reading().files == Files::Unseen {
        return;
    }
    let mode = match fs::metadata(&path.value) {
        Ok(metadata) if metadata.is_file() => metadata.permissions().mode(),
        Ok(_) => return unreadable(reader, path, &io::Error::other("it is no file")),
        Err(error) => return unreadable(reader, path, &error),
    };
    if mode & forbidden != 0 {
        let shown = path.value.display();
        reader.reading().error(
            path.at,
            format!(
                "{shown} is a secret that others can use (mode {:04o})",
                mode & 0o7777
            ),
            format!("run {remedy} {shown}"),
        );
    }
}

/// The configuration itself: whoever may write it decides who gets in.
pub(crate) fn check_configuration(reading: &Reading, path: &Path) {
    if reading.files == Files::Unseen {
        return;
    }
    let mode = fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    if mode & CONFIGURATION_FORBIDDEN != 0 {
        let shown = path.display();
        reading.error(
            At(0),
            format!(
                "every user of the machine can change {shown}, and so who gets in (mode {:04o})",
                mode & 0o7777
            ),
            format!("run chmod o-w {shown}"),
        );
    }
}

/// The data directory may be missing where its parent is there, since the gateway makes it. Nobody but
/// its owner may put files into it: they would be taken for the gateway's own.
pub(super) fn check_data(reader: Reader<'_>, path: &Told<PathBuf>) {
    let reading = reader.reading();
    if reading.files == Files::Unseen {
        return;
    }
    let shown = path.value.display();
    let metadata = match fs::metadata(&path.value) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let parent = path.value.parent().unwrap_or_else(|| Path::new("/"));
            if !parent.is_dir() {
                reading.error(
                    path.at,
                    format!(
                        "{shown} cannot be made: {} is no directory",
                        parent.display()
                    ),
                    "make it, or name another directory",
                );
            }
            return;
        }
        Err(error) => return unreadable(reader, path, &error),
    };
    let mode = metadata.permissions().mode();
    if !metadata.is_dir() {
        reading.error(
            path.at,
            format!("{shown} is no directory"),
            "name a directory, or one that can be made",
        );
    } else if mode & DATA_FORBIDDEN != 0 {
        reading.error(
            path.at,
            format!(
                "others than its owner can put files into {shown} (mode {:04o})",
                mode & 0o7777
            ),
            format!("run chmod go-w {shown}"),
        );
    }
}

/// Whether `path` is at or below `directory`, also by way of links.
pub(super) fn lies_within(reader: Reader<'_>, path: &Path, directory: &Path) -> bool {
    let followed = |path: &Path| match reader.reading().files {
        Files::Inspected => fs::canonicalize(path).ok(),
        Files::Unseen => None,
    };
    let by_name = path.starts_with(directory);
    let by_links = followed(path)
        .zip(followed(directory))
        .is_some_and(|(path, directory)| path.starts_with(directory));
    by_name || by_links
}

/// The content of a file of at most `bytes_max` bytes; `None` once a problem is noted, or where
/// files are not looked at.
pub(super) fn content(
    reader: Reader<'_>,
    path: &Told<PathBuf>,
    bytes_max: usize,
) -> Option<Vec<u8>> {
    if reader.reading().files == Files::Unseen {
        return None;
    }
    let limit = u64::try_from(bytes_max)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let read = fs::File::open(&path.value).and_then(|file| {
        regular(&file)?;
        let mut content = Vec::new();
        io::Read::read_to_end(&mut io::Read::take(file, limit), &mut content)?;
        Ok(content)
    });
    match read {
        Ok(content) if content.len() <= bytes_max => Some(content),
        Ok(_) => {
            reader.reading().error(
                path.at,
                format!("{} is larger than {bytes_max} bytes", path.value.display()),
                "make it smaller",
            );
            None
        }
        Err(error) => {
            unreadable(reader, path, &error);
            None
        }
    }
}

fn regular(file: &fs::File) -> io::Result<()> {
    if file.metadata()?.is_file() {
        Ok(())
    } else {
        Err(io::Error::other("it is no file"))
    }
}

fn unreadable(reader: Reader<'_>, path: &Told<PathBuf>, error: &io::Error) {
    let remedy = if error.kind() == io::ErrorKind::NotFound {
        "put the file there, or name the right one"
    } else {
        "let the gateway's user read it"
    };
    reader.reading().error(
        path.at,
        format!("{} cannot be read: {error}", path.value.display()),
        remedy,
    );
}

/// Anything for others, and writing for the group.
const KEY_FORBIDDEN: u32 = 0o027;
/// Writing, for whoever is neither owner nor of the group: a group that edits the file is its owner's wish.
const CONFIGURATION_FORBIDDEN: u32 = 0o002;
/// Writing, for anybody but the owner.
const DATA_FORBIDDEN: u32 = 0o022;
/// Anything for anybody but the owner.
const KEYRING_FORBIDDEN: u32 = 0o077;
