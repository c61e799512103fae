//! Notices when configuration or certificates change on disk.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode, CreateKind, ModifyKind},
};
use tokio::{sync::mpsc, task::spawn_blocking};

/// Watches files by the directories they are in, since editors, certificate tools and volume
/// mounts put a new file in the old one's place instead of writing to it.
#[derive(Debug)]
pub(crate) struct FileWatch {
    events: mpsc::Receiver<()>,
    files: Vec<ReadFile>,
    /// Whether something happened that was not looked at yet: at first, what came before the watch.
    is_due: bool,
    // Watches for as long as it lives.
    _watcher: RecommendedWatcher,
}

impl FileWatch {
    /// Watches `files`, each with the state in which it was read: a change between that reading
    /// and this call is noticed too.
    pub(crate) fn of(files: Vec<ReadFile>) -> notify::Result<Self> {
        // One place is enough: an event that finds it taken tells nothing new.
        let (sender, events) = mpsc::channel(1);
        let names: Vec<_> = files
            .iter()
            .filter_map(|file| file.path.file_name().map(ToOwned::to_owned))
            .collect();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // What could not be told may have been anything.
            if event.is_ok_and(|event| !is_whole(&event, &names)) {
                return;
            }
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
            is_due: true,
            _watcher: watcher,
        })
    }

    /// Waits until one of the files is another than before, and all have rested a moment since. What
    /// was noticed is not forgotten when the caller stops waiting.
    pub(crate) async fn changed(&mut self) {
        loop {
            let has_changed = self.is_due && self.has_changed().await;
            self.is_due = false;
            if has_changed {
                return;
            }
            if self.events.recv().await.is_none() {
                // The watcher is gone: nothing will ever be noticed again.
                return std::future::pending().await;
            }
            self.is_due = true;
            tokio::time::sleep(REST).await;
        }
    }

    /// Whether the files are others than before, once two looks in a row find the same.
    async fn has_changed(&mut self) -> bool {
        let mut now = self.look().await;
        while now != self.files {
            tokio::time::sleep(REST).await;
            let again = self.look().await;
            if again == now {
                self.files = now;
                return true;
            }
            now = again;
        }
        false
    }

    /// The files as they stand, looked at on a thread that may wait for them.
    async fn look(&self) -> Vec<ReadFile> {
        let before = self.files.clone();
        let looked = spawn_blocking(move || {
            let again = before.iter().map(|file| ReadFile::now(file.path.clone()));
            again.collect()
        });
        // Where nothing could be seen, nothing has changed.
        looked.await.unwrap_or_else(|_| self.files.clone())
    }
}

/// Whether what happened leaves files whole. A configuration that is half written is a valid one
/// where it is cut between two tables, and may lack the very route that closes what another opens:
/// so a file counts when its writer closes it, or when it takes its place by its name.
fn is_whole(event: &Event, names: &[OsString]) -> bool {
    let is_ours = |path: &PathBuf| {
        let name = path.file_name();
        name.is_some_and(|name| names.iter().any(|ours| ours == name))
    };
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => event.paths.iter().any(is_ours),
        // A link is made whole; a file is made empty.
        EventKind::Create(CreateKind::File) => event.paths.iter().any(|path| path.is_symlink()),
        EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Metadata(_) | ModifyKind::Any)
        | EventKind::Access(_) => false,
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(ModifyKind::Name(_) | ModifyKind::Other)
        | EventKind::Remove(_)
        | EventKind::Other => true,
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

    #[tokio::test]
    async fn a_file_counts_when_its_writer_has_closed_it() {
        use std::io::Write;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("octroi.toml");
        fs::write(&path, "old").unwrap();
        let mut watch = FileWatch::of(vec![ReadFile::now(path.clone())]).unwrap();
        let none = tokio::time::timeout(REST, watch.changed()).await;
        assert!(none.is_err(), "nothing has happened yet");
        for make in [fs::OpenOptions::truncate, fs::OpenOptions::append] {
            let mut options = fs::OpenOptions::new();
            make(options.write(true), true);
            let mut writer = options.open(&path).unwrap();
            writer.write_all(b"the first half").unwrap();
            fs::write(directory.path().join("neighbour"), "noise").unwrap();
            let early = tokio::time::timeout(REST * 4, watch.changed()).await;
            assert!(early.is_err(), "half a file was taken for a whole one");
            writer.write_all(b", the second half").unwrap();
            drop(writer);
            let late = tokio::time::timeout(Duration::from_secs(10), watch.changed()).await;
            assert!(late.is_ok(), "the whole file was not noticed");
        }
    }
}
