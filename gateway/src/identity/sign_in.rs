//! Signing in: one path for everybody, one answer for every failure.

use octroi_policy::{host::Host, session::Computer, time::Timestamp};

use super::{
    Fault, Identity,
    client::ClientFacts,
    secret::{SessionToken, TypedPassword},
};

/// What somebody typed into the sign-in form or sent to the API.
pub(crate) struct SignInAttempt {
    /// The login: `login` or `tenant/login`, as typed.
    pub(crate) login: String,
    /// The password.
    pub(crate) password: TypedPassword,
    /// The tenant, where it was sent as a field of its own.
    pub(crate) tenant: Option<String>,
    /// Whose computer it is.
    pub(crate) computer: Computer,
    /// The host that the person wants to reach; `None` for the portal itself.
    pub(crate) host_asked: Option<Host>,
    /// The session token that the browser already holds for the portal: its session ends.
    pub(crate) replaces: Option<SessionToken>,
}

/// What came of it.
pub(crate) enum SignInOutcome {
    /// Signed in.
    SignedIn(NewSession),
    /// The password was right and is good for nothing but choosing another.
    PasswordChangeRequired(NewSession, ChangeReason),
    /// Unknown, locked, erased, expired or wrong: nobody is told which.
    InvalidCredentials,
    /// Too many failures for this account and source.
    TooManyAttempts {
        /// When the next attempt is looked at.
        retry_at: Timestamp,
    },
    /// More sign-ins than can be hashed at present.
    Busy {
        /// Seconds until it is worth trying again.
        retry_after_seconds: u32,
    },
}

/// Why a password has to be changed before anything else.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ChangeReason {
    /// Somebody else chose it (promise B4).
    Provisional,
}

/// A session that was just opened, or one whose token was just replaced.
pub(crate) struct NewSession {
    /// The token, for the portal's cookie and nothing else.
    pub(crate) token: SessionToken,
    /// When the session ends whatever happens.
    pub(crate) ends_at: Timestamp,
    /// Whose computer it is: decides on the cookie's life.
    pub(crate) computer: Computer,
    /// Refused attempts on this account since its last sign-in.
    pub(crate) refused_attempts: u32,
}

impl Identity {
    /// Looks at an attempt: throttle, one hash whoever it is, a session or one and the same refusal.
    pub(crate) async fn sign_in(
        &self,
        client: &ClientFacts,
        attempt: SignInAttempt,
    ) -> Result<SignInOutcome, Fault> {
        let _ = (client, attempt);
        Err(Fault::NotAvailable)
    }
}
