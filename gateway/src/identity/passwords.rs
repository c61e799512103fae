//! Changing a password: under the same throttle as signing in, ending every other session.

use octroi_policy::{
    password::verdict::{Rule, Verdict},
    session::Rejection,
    time::Timestamp,
};

use super::{
    Fault, Identity,
    client::ClientFacts,
    secret::TypedPassword,
    sessions::{PendingSession, SignedIn},
    sign_in::NewSession,
};

/// What came of a change of password.
pub(crate) enum PasswordChange {
    /// Changed; all other sessions are ended, and this one has a new token.
    Changed(NewSession),
    /// The new password breaks rules: all of them are named.
    NotAcceptable(Verdict),
    /// The current password is not right.
    WrongCurrent,
    /// Too many failures for this account and source.
    TooManyAttempts {
        /// When the next attempt is looked at.
        retry_at: Timestamp,
    },
    /// More passwords than can be hashed at present.
    Busy {
        /// Seconds until it is worth trying again.
        retry_after_seconds: u32,
    },
    /// The session ended while the page was open.
    SessionEnded(Rejection),
}

impl Identity {
    /// The rules that a new password of this account must meet, for the page that asks for it.
    pub(crate) fn password_rules(&self) -> Box<[Rule]> {
        Box::default()
    }

    /// What the rules say of a password that the signed-in person is typing; nothing is kept.
    pub(crate) async fn judge_password(
        &self,
        signed_in: &SignedIn,
        new: &TypedPassword,
    ) -> Result<Verdict, Fault> {
        let _ = (signed_in, new);
        Err(Fault::NotAvailable)
    }

    /// Changes the password of a signed-in person who knows the current one.
    pub(crate) async fn change_password(
        &self,
        client: &ClientFacts,
        signed_in: &SignedIn,
        current: TypedPassword,
        new: TypedPassword,
    ) -> Result<PasswordChange, Fault> {
        let _ = (client, signed_in, current, new);
        Err(Fault::NotAvailable)
    }

    /// Replaces a provisional password: the pending session is the proof that it was known, at
    /// most 15 minutes ago. Never answers [`PasswordChange::WrongCurrent`].
    pub(crate) async fn choose_password(
        &self,
        client: &ClientFacts,
        pending: &PendingSession,
        new: TypedPassword,
    ) -> Result<PasswordChange, Fault> {
        let _ = (client, pending, new);
        Err(Fault::NotAvailable)
    }
}
