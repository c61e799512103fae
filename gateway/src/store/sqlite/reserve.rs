//! A file that is kept for the day when the disk is full: given up, it makes room for revocations
//! and the journal, while sign-ins and changes are refused until there is space again.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{sync::Mutex, task::spawn_blocking, time::Instant};

/// The reserve of one data directory.
pub(super) struct Reserve {
    place: Place,
    /// Held by the thread that works on the file: a caller that goes away takes nothing back.
    held: Arc<Mutex<Held>>,
}

/// Where it lies, and how large it is.
#[derive(Clone)]
struct Place {
    path: PathBuf,
    len: u64,
}

/// Whether there is a reserve.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Held {
    Yes,
    /// It was given up, or there was no space for it; it is looked for again from then on.
    No {
        retry_at: Instant,
    },
}

impl Reserve {
    /// The usual size: some ten thousand revocations with their journal lines.
    pub(super) const LEN: u64 = 64 * 1024 * 1024;

    /// Takes the reserve if there is space for it.
    pub(super) async fn take(directory: &Path, len: u64) -> Self {
        let path = directory.join("reserve");
        let retry_at = Instant::now();
        let reserve = Self {
            place: Place { path, len },
            held: Arc::new(Mutex::new(Held::No { retry_at })),
        };
        reserve.restore().await;
        reserve
    }

    /// Gives it up; `false` when there is nothing left to give.
    pub(super) async fn give_up(&self) -> bool {
        let mut held = Arc::clone(&self.held).lock_owned().await;
        if *held != Held::Yes {
            return false;
        }
        let place = self.place.clone();
        let given = spawn_blocking(move || {
            let given = std::fs::remove_file(place.path);
            *held = Held::No {
                retry_at: Instant::now(),
            };
            given
        });
        matches!(given.await, Ok(Ok(())))
    }

    /// Whether there is space for what can wait; takes the reserve again if there is. While the
    /// disk is full, each sign-in asks: one in [`RETRY_EVERY`] looks, on a thread of its own.
    pub(super) async fn restore(&self) -> bool {
        let mut held = Arc::clone(&self.held).lock_owned().await;
        match *held {
            Held::Yes => return true,
            Held::No { retry_at } if Instant::now() < retry_at => return false,
            Held::No { .. } => {}
        }
        let place = self.place.clone();
        let taken = spawn_blocking(move || {
            let taken = place.take();
            *held = match taken {
                Ok(()) => Held::Yes,
                Err(_) => Held::No {
                    retry_at: Instant::now() + RETRY_EVERY,
                },
            };
            taken
        });
        matches!(taken.await, Ok(Ok(())))
    }
}

impl Place {
    fn take(&self) -> io::Result<()> {
        self.allocate().inspect_err(|_| {
            // Half a reserve would keep the disk full and serve nobody.
            let _ = std::fs::remove_file(&self.path);
        })
    }

    fn allocate(&self) -> io::Result<()> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&self.path)?;
        match rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, self.len) {
            Ok(()) => file.sync_all(),
            Err(rustix::io::Errno::OPNOTSUPP) => write_zeros(&file, self.len),
            Err(errno) => Err(errno.into()),
        }
    }
}

/// How often space is looked for while there is none.
const RETRY_EVERY: Duration = Duration::from_secs(5);

/// For file systems that cannot allocate without writing.
fn write_zeros(mut file: &File, len: u64) -> io::Result<()> {
    io::copy(&mut io::Read::take(io::repeat(0), len), &mut file)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise what was kept for revocations would be thought to be there, and sign-ins fill it.
    #[test]
    fn a_reserve_whose_caller_goes_away_while_it_is_given_up_is_known_to_be_gone() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(1)
            .build()
            .unwrap();
        runtime.block_on(async {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("reserve");
            let reserve = Reserve::take(directory.path(), 1 << 20).await;
            // The only thread is busy until the caller has gone.
            let (release, busy) = std::sync::mpsc::channel::<()>();
            let busy = spawn_blocking(move || busy.recv().is_err());
            let gone = tokio::time::timeout(Duration::ZERO, reserve.give_up()).await;
            assert!(gone.is_err(), "the caller waited to the end");
            assert!(path.exists());
            drop(release);
            assert!(busy.await.unwrap());
            while path.exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            assert!(reserve.restore().await);
            assert_eq!(std::fs::metadata(&path).unwrap().len(), 1 << 20);
        });
    }

    #[tokio::test]
    async fn a_reserve_takes_its_space_gives_it_up_once_and_takes_it_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("reserve");
        let reserve = Reserve::take(directory.path(), 1 << 20).await;
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 1 << 20);
        assert!(reserve.give_up().await);
        assert!(!path.exists());
        assert!(!reserve.give_up().await, "there is nothing left to give");
        assert!(reserve.restore().await);
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 1 << 20);
    }

    #[tokio::test]
    async fn a_reserve_for_which_there_is_no_space_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let reserve = Reserve::take(directory.path(), 1 << 60).await;
        assert!(!reserve.restore().await);
        assert!(!directory.path().join("reserve").exists());
    }

    #[tokio::test(start_paused = true)]
    async fn while_there_is_no_space_it_is_looked_for_once_in_some_seconds() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        // Nothing can be put where there is no directory, until there is one.
        let reserve = Reserve::take(&data, 4096).await;
        std::fs::create_dir(&data).unwrap();
        let path = data.join("reserve");
        tokio::time::advance(Duration::from_millis(4_999)).await;
        assert!(!reserve.restore().await);
        assert!(!path.exists(), "nobody looked");
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(reserve.restore().await);
        assert!(path.exists());
    }
}
