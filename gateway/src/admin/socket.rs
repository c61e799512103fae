//! The Unix socket of the admin API: a directory that only its owner enters, and a peer that the
//! kernel vouches for.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use axum::{Extension, Router};
use tokio::net::{UnixListener, UnixStream};

use super::http;
use crate::{identity::client::Operator, lifecycle::Tasks};

/// A bound socket; its file goes when it is dropped.
#[derive(Debug)]
pub(crate) struct AdminSocket {
    listener: UnixListener,
    path: PathBuf,
}

/// Why the socket cannot be offered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdminSocketError {
    /// The directory is open to others, or is somebody else's.
    #[error(
        "{} must belong to the user that runs octroi and be closed to everybody else: chmod 700 it, or name another admin socket",
        .0.display()
    )]
    Directory(PathBuf),
    /// The system refused.
    #[error("the admin socket {} cannot be opened: {cause}", .path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

impl AdminSocket {
    /// Binds `path`, whose directory is made if it is missing. A file left over by a process that
    /// died is replaced: whoever holds the data directory's lock is the only gateway here.
    pub(crate) fn bind(path: &Path) -> Result<Self, AdminSocketError> {
        let failed = |cause| AdminSocketError::Io {
            path: path.to_owned(),
            cause,
        };
        let directory = path.parent().unwrap_or_else(|| Path::new("."));
        if !directory.exists() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(directory)
                .map_err(failed)?;
        }
        let facts = fs::metadata(directory).map_err(failed)?;
        let own = facts.uid() == rustix::process::geteuid().as_raw();
        if !own || facts.permissions().mode() & 0o077 != 0 {
            return Err(AdminSocketError::Directory(directory.to_owned()));
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(Self {
            listener,
            path: path.to_owned(),
        })
    }

    /// Answers with `router` until `tasks` are told to stop.
    pub(crate) async fn serve(self, router: Router, tasks: Tasks) {
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = tasks.stopping() => return,
            };
            match accepted {
                Ok((stream, _)) => answer(stream, &router, &tasks),
                Err(error) => {
                    tracing::warn!(%error, "an admin connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        // A file that stays is replaced at the next start.
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether a process of this user is answered by a gateway that runs as `own`.
const fn is_answered(uid: u32, own: u32) -> bool {
    uid == 0 || uid == own
}

/// Root and the user that runs the gateway are answered; others are not even read.
fn answer(stream: UnixStream, router: &Router, tasks: &Tasks) {
    let uid = match stream.peer_cred() {
        Ok(credentials) => credentials.uid(),
        Err(error) => {
            tracing::warn!(%error, "an admin connection without credentials was closed");
            return;
        }
    };
    if !is_answered(uid, rustix::process::geteuid().as_raw()) {
        tracing::warn!(uid, "an admin connection of another user was closed");
        return;
    }
    let router = router.clone().layer(Extension(Operator::Os(uid)));
    tasks.spawn(
        "admin connection",
        http::connection(stream, router, tasks.clone()),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invariant_9_only_root_and_the_gateways_own_user_are_answered() {
        let own = 990;
        assert!(is_answered(0, own) && is_answered(own, own));
        for other in [1, 989, 991, 65_534, u32::MAX] {
            assert!(!is_answered(other, own), "{other}");
        }
        assert!(!is_answered(1000, 0), "root answers root alone");
    }

    #[tokio::test]
    async fn a_directory_that_others_may_enter_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let open = directory.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
        let refused = AdminSocket::bind(&open.join("admin.sock"));
        assert!(matches!(refused, Err(AdminSocketError::Directory(_))));
    }

    #[tokio::test]
    async fn a_socket_left_over_by_a_dead_process_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run/admin.sock");
        let first = AdminSocket::bind(&path).unwrap();
        std::mem::forget(first);
        let second = AdminSocket::bind(&path).unwrap();
        assert!(path.exists());
        drop(second);
        assert!(!path.exists());
    }
}
