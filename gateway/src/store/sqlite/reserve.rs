//! A file that is kept for the day when the disk is full: given up, it makes room for revocations
//! and the journal, while sign-ins and changes are refused until there is space again.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The reserve of one data directory.
pub(super) struct Reserve {
    path: PathBuf,
    len: u64,
    is_held: Mutex<bool>,
}

impl Reserve {
    /// The usual size: some ten thousand revocations with their journal lines.
    pub(super) const LEN: u64 = 64 * 1024 * 1024;

    /// Takes the reserve if there is space for it.
    pub(super) fn take(directory: &Path, len: u64) -> Self {
        let reserve = Self {
            path: directory.join("reserve"),
            len,
            is_held: Mutex::new(false),
        };
        reserve.restore();
        reserve
    }

    /// Gives it up; `false` when there is nothing left to give.
    pub(super) fn give_up(&self) -> bool {
        let mut is_held = self.is_held();
        let given = *is_held && std::fs::remove_file(&self.path).is_ok();
        *is_held = false;
        given
    }

    /// Whether there is space for what can wait; takes the reserve again if there is.
    pub(super) fn restore(&self) -> bool {
        let mut is_held = self.is_held();
        if !*is_held {
            *is_held = self.allocate().is_ok();
            if !*is_held {
                // Half a reserve would keep the disk full and serve nobody.
                let _ = std::fs::remove_file(&self.path);
            }
        }
        *is_held
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

    fn is_held(&self) -> MutexGuard<'_, bool> {
        self.is_held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For file systems that cannot allocate without writing.
fn write_zeros(mut file: &File, len: u64) -> io::Result<()> {
    io::copy(&mut io::Read::take(io::repeat(0), len), &mut file)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_takes_its_space_gives_it_up_once_and_takes_it_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("reserve");
        let reserve = Reserve::take(directory.path(), 1 << 20);
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 1 << 20);
        assert!(reserve.give_up());
        assert!(!path.exists());
        assert!(!reserve.give_up(), "there is nothing left to give");
        assert!(reserve.restore());
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 1 << 20);
    }

    #[test]
    fn a_reserve_for_which_there_is_no_space_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let reserve = Reserve::take(directory.path(), 1 << 60);
        assert!(!reserve.restore());
        assert!(!directory.path().join("reserve").exists());
    }
}
