//! Notices when configuration or certificates change on disk.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::{sync::mpsc, task::spawn_blocking};

/// Watches files by the directories they are in, since editors, certificate tools and volume
/// mounts put a new file in the old one's place instead of writing to it.
#[derive(Debug)]
pub(crate) struct FileWatch {
    events: mpsc::Receiver<()>,
    files: Vec<ReadFile>,
    // Watches for as long as it lives.
    _watcher: RecommendedWatcher,
}

impl FileWatch {
    /// Watches `files`, each with the state in which it was read: a change between that reading
    /// and this call is noticed too.
    pub(crate) fn of(files: Vec<ReadFile>) -> notify::Result<Self> {
        // One place is enough: an event that finds it taken tells nothing new.
        let (sender, events) = mpsc::channel(1);
        let mut watcher = notify::recommended_watcher(move |_| {
            let _ = sender.try_send(());
        })?;
        let directories: BTreeSet<&Path> = files
            .iter()
            .filter_map(|file| file.path.parent())
            .map(|directory| {
                if directory.as_os_str().is_empty() {
                    Path::new(".")
                } else {
                    directory
                }
            })
            .collect();
        for directory in directories {
            watcher.watch(directory, RecursiveMode::NonRecursive)?;
        }
        Ok(Self {
            events,
            files,
            _watcher: watcher,
        })
    }

    /// Waits until one of the files is another than before, and has rested a moment since.
    pub(crate) async fn changed(&mut self) {
        while !self.look_again().await {
            if self.events.recv().await.is_none() {
                // The watcher is gone: nothing will ever be noticed again.
                return std::future::pending().await;
            }
            tokio::time::sleep(REST).await;
        }
    }

    /// On a thread that may wait for files.
    async fn look_again(&mut self) -> bool {
        let before = self.files.clone();
        let looked = move || {
            let again = before.iter().map(|file| ReadFile::now(file.path.clone()));
            again.collect::<Vec<_>>()
        };
        match spawn_blocking(looked).await {
            Ok(now) => std::mem::replace(&mut self.files, now.clone()) != now,
            // Nothing was seen.
            Err(_) => false,
        }
    }
}

/// A file as it stood when it was about to be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ReadFile {
    path: PathBuf,
    state: Fingerprint,
}

impl ReadFile {
    /// The file as it stands now. To be called before it is read.
    pub(crate) fn now(path: PathBuf) -> Self {
        let state = Fingerprint::of(&path);
        Self { path, state }
    }
}

/// What tells one state of a file from another; all zero where there is none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Fingerprint {
    inode: u64,
    len: u64,
    modified_ns: (i64, i64),
}

impl Fingerprint {
    fn of(file: &Path) -> Self {
        fs::metadata(file).map_or_else(
            |_| Self::default(),
            |facts| Self {
                inode: facts.ino(),
                len: facts.len(),
                modified_ns: (facts.mtime(), facts.mtime_nsec()),
            },
        )
    }
}

/// How long a file must rest: a tool that writes chain and key does so within it.
const REST: Duration = Duration::from_millis(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_that_is_replaced_is_noticed_and_its_neighbour_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("octroi.toml");
        fs::write(&file, "old").unwrap();
        let mut watch = FileWatch::of(vec![ReadFile::now(file.clone())]).unwrap();
        fs::write(directory.path().join("neighbour"), "noise").unwrap();
        let early = tokio::time::timeout(Duration::from_secs(1), watch.changed()).await;
        assert!(early.is_err(), "a neighbour was taken for the file");
        fs::write(directory.path().join("new"), "new").unwrap();
        fs::rename(directory.path().join("new"), &file).unwrap();
        let late = tokio::time::timeout(Duration::from_secs(10), watch.changed()).await;
        assert!(late.is_ok(), "the new file was not noticed");
    }

    #[tokio::test]
    async fn a_change_between_the_reading_and_the_watch_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("octroi.toml");
        fs::write(&file, "old").unwrap();
        let read = ReadFile::now(file.clone());
        fs::write(&file, "newer").unwrap();
        let mut watch = FileWatch::of(vec![read]).unwrap();
        let noticed = tokio::time::timeout(Duration::from_secs(1), watch.changed()).await;
        assert!(noticed.is_ok(), "the change was not noticed");
    }
}
