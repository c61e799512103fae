//! From a right password to a session.

use octroi_policy::{
    assurance::Assurance,
    id::SessionId,
    password::opaque::OpaquePassword,
    session::{Computer, SessionEpoch, SessionRecord, Stage, TokenFacts},
    sign_in::{ChangeReason, NextStep, PENDING_LIFE, State},
    time::Timestamp,
};

use super::{LookedAt, NewSession, SignInAttempt, SignInOutcome};
use crate::{
    entropy,
    identity::{
        Fault, Services,
        client::ClientFacts,
        password_hash::{NoVerdict, Verified},
        secret::SessionToken,
        throttle::Granted,
        trace,
    },
    journal::event::{Actor, ChangeDemand, Event, SignInFailure},
    store::{
        Conflict, StoreError,
        accounts::Account,
        sessions::{EndCause, NewToken, PasswordEffect, SessionOpening, TokenHash},
    },
};

/// What leads from a right password to a session.
pub(super) struct WayIn<'a> {
    pub(super) client: &'a ClientFacts,
    pub(super) account: &'a Account,
    pub(super) attempt: &'a SignInAttempt,
    pub(super) verified: Verified,
    pub(super) granted: Granted,
    pub(super) now: Timestamp,
}

/// A session to be opened.
pub(in crate::identity) struct Opening<'a> {
    pub(in crate::identity) account: &'a Account,
    pub(in crate::identity) epoch: SessionEpoch,
    pub(in crate::identity) stage: Stage,
    pub(in crate::identity) computer: Computer,
    pub(in crate::identity) started_at: Timestamp,
    pub(in crate::identity) ends_at: Timestamp,
}

impl Services {
    /// Opens the session that the state machine has come to.
    pub(super) async fn open_session(
        &self,
        way_in: WayIn<'_>,
        state: State,
    ) -> Result<SignInOutcome, Fault> {
        let computer = way_in.attempt.computer;
        let refused_attempts = way_in.granted.refused_attempts();
        let session = |(token, ends_at)| NewSession {
            token,
            ends_at,
            computer,
            refused_attempts,
        };
        let (opened, outcome): (_, fn(NewSession) -> SignInOutcome) = match state {
            State::SignedIn { assurance } => (
                self.open_full(way_in, assurance).await?,
                SignInOutcome::SignedIn,
            ),
            State::Pending {
                next: NextStep::ChoosePassword(ChangeReason::Provisional),
                ends_at,
            } => (self.open_pending(way_in, ends_at).await?, |session| {
                SignInOutcome::PasswordChangeRequired(session, ChangeReason::Provisional)
            }),
            // Nothing is proved, or the next step is one that this version does not know.
            State::Anonymous | State::Pending { .. } => {
                return Ok(SignInOutcome::InvalidCredentials);
            }
        };
        Ok(opened
            .map(session)
            .map_or(SignInOutcome::InvalidCredentials, outcome))
    }

    async fn open_full(
        &self,
        way_in: WayIn<'_>,
        assurance: Assurance,
    ) -> Result<Option<(SessionToken, Timestamp)>, Fault> {
        let (life, portal) = {
            let settings = self.settings.load();
            (settings.session_life, settings.portal.clone())
        };
        let computer = way_in.attempt.computer;
        let host = way_in.attempt.host_asked.clone().unwrap_or(portal);
        let event = Event::SignedIn {
            assurance,
            computer,
            host,
        };
        let password = self.rehash(&way_in).await?;
        let ends_at = way_in.now.after(life);
        self.open_at(
            way_in,
            Goal {
                stage: Stage::Full,
                ends_at,
                event,
                password,
            },
        )
        .await
    }

    async fn open_pending(
        &self,
        way_in: WayIn<'_>,
        ends_at: Timestamp,
    ) -> Result<Option<(SessionToken, Timestamp)>, Fault> {
        let reason = ChangeDemand::Provisional;
        let goal = Goal {
            stage: Stage::MustChangePassword,
            ends_at,
            event: Event::PasswordChangeDemanded { reason },
            password: PasswordEffect::SpendProvisional,
        };
        self.open_at(way_in, goal).await
    }

    /// `None` where somebody else's change, or another use of a single-use password, was first:
    /// a failure like any other.
    async fn open_at(
        &self,
        way_in: WayIn<'_>,
        goal: Goal,
    ) -> Result<Option<(SessionToken, Timestamp)>, Fault> {
        let WayIn {
            client,
            account,
            attempt,
            granted,
            now,
            ..
        } = way_in;
        let opening = Opening {
            account,
            epoch: account.epoch,
            stage: goal.stage,
            computer: attempt.computer,
            started_at: now,
            ends_at: goal.ends_at,
        };
        let replaced = self.session_of(attempt.replaces.as_deref()).await?;
        let (token, mut opening) = self.opening(client, &opening, now)?;
        let mut line =
            trace::of_client(client, Actor::Account(account.id), account, goal.event, now);
        line.session = Some(opening.record.id);
        opening.replaces = replaced.map(|session| (session, EndCause::Replaced));
        opening.password = goal.password;
        opening.forgives = granted.forgives();
        opening.journal = vec![line];
        let reason = match self.stores.sessions.open(opening).await {
            Ok(_) => {
                if let Some(replaced) = replaced {
                    self.ender.end_session(replaced);
                }
                return Ok(Some((token, goal.ends_at)));
            }
            Err(StoreError::Conflict(Conflict::AccountChanged)) => SignInFailure::ChangedMeanwhile,
            Err(StoreError::Conflict(Conflict::Spent)) => SignInFailure::ProvisionalOver,
            Err(fault) => return Err(fault.into()),
        };
        let typed = &attempt.login;
        let looked_at = LookedAt {
            client,
            account: Some(account),
            typed,
            now,
        };
        self.note_failure(&looked_at, reason).await?;
        Ok(None)
    }

    /// The password hashed anew under today's parameters where it was outdated, and where there is
    /// room to do so at once.
    async fn rehash(&self, way_in: &WayIn<'_>) -> Result<PasswordEffect, Fault> {
        let typed = way_in.attempt.password.expose();
        let outdated = way_in.verified == Verified::Matches { outdated: true };
        let Some(password) = OpaquePassword::from_typed(typed).ok().filter(|_| outdated) else {
            return Ok(PasswordEffect::Keep);
        };
        let salt = entropy::random(self.entropy.as_ref())?;
        let source = Some(way_in.client.source());
        match self.hasher.hash(source, password, salt).await {
            Ok(hash) => Ok(PasswordEffect::Rehash(hash)),
            Err(NoVerdict::Busy { .. }) => Ok(PasswordEffect::Keep),
            Err(NoVerdict::Fault(fault)) => Err(fault),
        }
    }

    /// A session with its first token, for the portal, and nothing else said of it yet.
    pub(in crate::identity) fn opening(
        &self,
        client: &ClientFacts,
        opening: &Opening<'_>,
        now: Timestamp,
    ) -> Result<(SessionToken, SessionOpening), Fault> {
        let settings = self.settings.load();
        let account = opening.account;
        let token = SessionToken::draw(self.entropy.as_ref())?;
        let idle_limit = if opening.stage == Stage::Full {
            settings.idle_limit(opening.computer)
        } else {
            PENDING_LIFE
        };
        let record = SessionRecord {
            id: SessionId::from_random(entropy::random(self.entropy.as_ref())?),
            account: account.id,
            tenant_id: account.tenant,
            tenant: account.tenant_name.clone(),
            roles: (&*account.roles).into(),
            grants: account.grants.clone(),
            epoch: opening.epoch,
            stage: opening.stage,
            computer: opening.computer,
            started_at: opening.started_at,
            authenticated_at: now,
            ends_at: opening.ends_at,
            idle_limit,
        };
        let facts = TokenFacts {
            host: settings.portal.clone(),
            assurance: Assurance::Password,
            issued_at: now,
        };
        let opening = SessionOpening {
            record,
            token: NewToken {
                hash: TokenHash(token.digest()),
                facts,
            },
            origin: client.origin(),
            replaces: None,
            password: PasswordEffect::Keep,
            forgives: Vec::new(),
            journal: Vec::new(),
        };
        Ok((token, opening))
    }
}

/// The session that a sign-in has come to.
struct Goal {
    stage: Stage,
    ends_at: Timestamp,
    event: Event,
    password: PasswordEffect,
}
