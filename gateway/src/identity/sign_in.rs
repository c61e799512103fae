//! Signing in: one path for everybody, one answer for every failure.
//!
//! Unknown, locked, provisional and past its end, without a password, wrong: each costs the same
//! look-ups, the same counters, one place in the hashing queue, one hash at today's parameters and
//! one line in the journal, and is answered alike (attack class C5).

mod naming;
pub(super) mod opening;

use std::sync::Arc;

pub(crate) use octroi_policy::sign_in::ChangeReason;
use octroi_policy::{
    host::Host,
    password::opaque::OpaquePassword,
    session::Computer,
    sign_in::{self, AccountStanding, Event as SignInEvent, FirstFactor, State},
    time::Timestamp,
};

use self::opening::WayIn;
use super::{
    Fault, Identity, Services,
    client::ClientFacts,
    password_hash::{Lot, NoVerdict, StandIn, Verified},
    secret::{SessionToken, TypedPassword},
    throttle::{Attempt, Granted, OwnTurn},
    trace,
};
use crate::{
    entropy,
    journal::event::SignInFailure,
    store::accounts::{Account, AccountStatus, PasswordOrigin},
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
    pub(crate) replaces: Option<Arc<SessionToken>>,
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

/// A session that was just opened, or one whose token was just replaced.
pub(crate) struct NewSession {
    /// The token, for the portal's cookie and nothing else.
    pub(crate) token: SessionToken,
    /// When the session ends whatever happens.
    pub(crate) ends_at: Timestamp,
    /// Whose computer it is: decides on the cookie's life.
    pub(crate) computer: Computer,
    /// Refused attempts on this account since its last sign-in, within the last 24 hours.
    pub(crate) refused_attempts: u32,
}

impl Identity {
    /// Looks at an attempt: throttle, one hash whoever it is, a session or one and the same refusal.
    pub(crate) async fn sign_in(
        &self,
        client: &ClientFacts,
        attempt: SignInAttempt,
    ) -> Result<SignInOutcome, Fault> {
        let services = &self.0;
        let named = services.named(&attempt);
        let counters = services.counters(named.tenant.as_ref(), named.counted(), client.address);
        let lot = services.lot(named.tenant.as_ref(), named.counted());
        // Before anything is read: what the attempt before this one changed is seen.
        let turn = services.own_turn(counters).await;
        let now = services.clock.now();
        let account = services.look_up(&named).await?;
        let looked_at = LookedAt {
            client,
            account: account.as_ref(),
            typed: &attempt.login,
            now,
        };
        let looked = services.look_at(&looked_at, &attempt.password, turn, lot);
        let (verified, granted) = match looked.await? {
            Looked::Verdict(verified, granted) => (verified, granted),
            Looked::TooManyAttempts { retry_at } => {
                return Ok(SignInOutcome::TooManyAttempts { retry_at });
            }
            Looked::Busy {
                retry_after_seconds,
            } => {
                return Ok(SignInOutcome::Busy {
                    retry_after_seconds,
                });
            }
        };
        let found = first_factor(account.as_ref(), verified);
        let (state, effects) =
            sign_in::step(State::Anonymous, SignInEvent::PasswordPresented(found), now);
        match (account.as_ref(), effects.refusal()) {
            (Some(account), None) => {
                let attempt = &attempt;
                let way_in = WayIn {
                    client,
                    account,
                    attempt,
                    verified,
                    granted,
                    now,
                };
                services.open_session(way_in, state).await
            }
            (_, refusal) => {
                let has_password = account
                    .as_ref()
                    .is_some_and(|account| account.password.is_some());
                let reason = refusal.map_or(SignInFailure::UnknownLogin, |refusal| {
                    trace::failure_word(refusal, has_password)
                });
                services.note_failure(&looked_at, reason).await?;
                Ok(SignInOutcome::InvalidCredentials)
            }
        }
    }
}

/// What an attempt is about.
pub(super) struct LookedAt<'a> {
    pub(super) client: &'a ClientFacts,
    pub(super) account: Option<&'a Account>,
    pub(super) typed: &'a str,
    pub(super) now: Timestamp,
}

/// What came of looking at a password.
pub(super) enum Looked {
    /// It was looked at; the attempt counts as failed until it is forgiven or given back.
    Verdict(Verified, Granted),
    /// It was not, after too many failures.
    TooManyAttempts { retry_at: Timestamp },
    /// There was no room; the attempt is not counted.
    Busy { retry_after_seconds: u32 },
}

impl Services {
    /// Looks at a password, if the throttle lets it; what is not looked at is written down.
    pub(super) async fn look_at(
        &self,
        looked_at: &LookedAt<'_>,
        typed: &TypedPassword,
        turn: OwnTurn,
        lot: Lot,
    ) -> Result<Looked, Fault> {
        match self.reserve(turn, looked_at.now).await? {
            Attempt::Granted(granted) => self.verify(looked_at, typed, granted, lot).await,
            Attempt::Refused { retry_at } => {
                self.note_failure(looked_at, SignInFailure::Throttled)
                    .await?;
                Ok(Looked::TooManyAttempts { retry_at })
            }
            Attempt::Crowded {
                retry_after_seconds,
            } => {
                self.note_failure(looked_at, SignInFailure::Busy).await?;
                Ok(Looked::Busy {
                    retry_after_seconds,
                })
            }
        }
    }

    /// Verifies a password; whoever it is costs one hash at today's parameters.
    async fn verify(
        &self,
        looked_at: &LookedAt<'_>,
        typed: &TypedPassword,
        granted: Granted,
        lot: Lot,
    ) -> Result<Looked, Fault> {
        let salt = entropy::random(self.entropy.as_ref())?;
        let stand_in = StandIn { salt, lot };
        let password = OpaquePassword::from_typed(typed.expose())
            .ok()
            .map(Arc::new);
        let stored = looked_at
            .account
            .and_then(|account| account.password.as_ref())
            .map(|password| password.hash.clone());
        let source = Some(looked_at.client.source());
        match self.hasher.verify(source, password, stored, stand_in).await {
            Ok(verified) => Ok(Looked::Verdict(verified, granted)),
            Err(NoVerdict::Fault(fault)) => Err(fault),
            Err(NoVerdict::Busy {
                retry_after_seconds,
            }) => {
                self.give_back(&granted).await?;
                self.note_failure(looked_at, SignInFailure::Busy).await?;
                Ok(Looked::Busy {
                    retry_after_seconds,
                })
            }
        }
    }

    /// Writes a failed attempt down.
    pub(super) async fn note_failure(
        &self,
        looked_at: &LookedAt<'_>,
        reason: SignInFailure,
    ) -> Result<(), Fault> {
        let LookedAt {
            client,
            account,
            typed,
            now,
        } = *looked_at;
        let draft = trace::of_failure(client, account, typed, reason, now);
        let source = self.failure_source(client.address);
        Ok(self.stores.journal.append_failure(draft, source).await?)
    }
}

impl Services {
    /// Writes down that a link or a ticket led nowhere: nobody typed anything.
    pub(super) async fn note_dead_link(
        &self,
        client: &ClientFacts,
        account: Option<&Account>,
        reason: SignInFailure,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let draft = trace::of_dead_link(client, account, reason, now);
        let source = self.failure_source(client.address);
        Ok(self.stores.journal.append_failure(draft, source).await?)
    }
}

/// What the state machine is told of the first factor.
fn first_factor(account: Option<&Account>, verified: Verified) -> FirstFactor {
    let origin = account
        .and_then(|account| account.password.as_ref())
        .map(|password| password.origin);
    FirstFactor {
        account: match account.map(|account| account.status) {
            None => AccountStanding::Unknown,
            Some(AccountStatus::Active) => AccountStanding::Active,
            Some(AccountStatus::Locked { .. }) => AccountStanding::Locked,
        },
        password_matches: matches!(verified, Verified::Matches { .. }),
        origin: match origin {
            Some(PasswordOrigin::Provisional { expires_at, spent }) => {
                sign_in::PasswordOrigin::Provisional { expires_at, spent }
            }
            Some(PasswordOrigin::Own) | None => sign_in::PasswordOrigin::Own,
        },
    }
}
