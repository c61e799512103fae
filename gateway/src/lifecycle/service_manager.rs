//! What the service manager is told (`sd_notify`). Where there is none, nothing happens.

use sd_notify::NotifyState;

/// A turn in the life of the process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Turn {
    /// Every listener accepts.
    Ready,
    /// The configuration is being read again; [`Turn::Ready`] follows whatever comes of it.
    Reloading,
    /// No new work is taken.
    Stopping,
}

/// Tells the service manager; that it cannot be told is logged and changes nothing.
pub(crate) fn tell(turn: Turn) {
    let told = match turn {
        Turn::Ready => sd_notify::notify(&[NotifyState::Ready]),
        Turn::Reloading => NotifyState::monotonic_usec_now()
            .and_then(|since| sd_notify::notify(&[NotifyState::Reloading, since])),
        Turn::Stopping => sd_notify::notify(&[NotifyState::Stopping]),
    };
    if let Err(error) = told {
        tracing::warn!(%error, ?turn, "the service manager was not told");
    }
}
