//! Sessions: who is there, where they are signed in, and how it ends.

mod ending;

use std::sync::Arc;

use octroi_policy::{
    assurance::Assurance,
    host::Host,
    id::{AccountId, SessionId},
    session::{Computer, Rejection, SessionRecord, Stage, judge_stage},
    time::Timestamp,
};

use super::{Fault, Identity, Services, secret::SessionToken};
pub(crate) use crate::store::sessions::EndCause;
use crate::store::{
    live::LiveToken,
    sessions::{Cached, SessionView, TokenHash},
};

/// Who stands behind a token, on one host.
pub(crate) enum Presence {
    /// No token was presented.
    NotPresented,
    /// A token was presented and does not count.
    Rejected(Rejection),
    /// The first factor is proved; good for nothing but choosing a password.
    MustChangePassword(PendingSession),
    /// Signed in.
    SignedIn(SignedIn),
}

/// Evidence of a live, full session; only [`Identity::presence`] makes it.
#[derive(Clone)]
pub(crate) struct SignedIn {
    live: Arc<LiveToken>,
}

impl SignedIn {
    /// The account.
    pub(crate) fn account(&self) -> AccountId {
        self.record().account
    }

    /// The session.
    pub(crate) fn session(&self) -> SessionId {
        self.record().id
    }

    /// The session's record.
    pub(crate) fn record(&self) -> &SessionRecord {
        &self.live.session.record
    }

    /// What this token proves.
    pub(crate) fn assurance(&self) -> Assurance {
        self.live.facts.assurance
    }

    /// When it ends for want of use, or in any case, whichever comes first.
    pub(crate) fn ends_at(&self) -> Timestamp {
        let idle_at = self
            .live
            .session
            .last_used_at()
            .after(self.record().idle_limit);
        self.record().ends_at.min(idle_at)
    }

    /// The token and its session.
    pub(super) const fn live(&self) -> &Arc<LiveToken> {
        &self.live
    }
}

/// Evidence of a live session that is only good for choosing a password.
#[derive(Clone)]
pub(crate) struct PendingSession {
    live: Arc<LiveToken>,
}

impl PendingSession {
    /// Whose it is.
    pub(crate) fn account(&self) -> AccountId {
        self.live.session.record.account
    }

    /// When it ends.
    pub(crate) fn ends_at(&self) -> Timestamp {
        self.live.session.record.ends_at
    }

    /// The token and its session.
    pub(super) const fn live(&self) -> &Arc<LiveToken> {
        &self.live
    }
}

/// One live session, as its owner or an operator sees it.
#[derive(Clone, Debug)]
pub(crate) struct SessionFacts {
    /// The session.
    pub(crate) id: SessionId,
    /// Whose it is.
    pub(crate) account: AccountId,
    /// When the person signed in.
    pub(crate) started_at: Timestamp,
    /// When it was last used.
    pub(crate) last_used_at: Timestamp,
    /// When it ends whatever happens.
    pub(crate) ends_at: Timestamp,
    /// Whose computer it is.
    pub(crate) computer: Computer,
    /// How the person proved who they are. There is no other way yet than a password.
    pub(crate) assurance: Assurance,
    /// The hosts on which it holds a token, the portal among them.
    pub(crate) hosts: Vec<Host>,
    /// The address it was opened from.
    pub(crate) address: Option<Box<str>>,
    /// The browser it was opened with, as it named itself.
    pub(crate) user_agent: Option<Box<str>>,
}

/// A session that is over, as its owner sees it.
#[derive(Clone, Debug)]
pub(crate) struct PastSession {
    /// When the person signed in.
    pub(crate) started_at: Timestamp,
    /// When it ended.
    pub(crate) ended_at: Timestamp,
    /// Why.
    pub(crate) cause: EndCause,
    /// The browser it was opened with, as it named itself.
    pub(crate) user_agent: Option<Box<str>>,
}

/// A person's sessions.
#[derive(Clone, Debug)]
pub(crate) struct OwnSessions {
    /// Those that live, newest first.
    pub(crate) live: Vec<SessionFacts>,
    /// The last [`PAST_LISTED_MAX`] that ended, last ended first.
    pub(crate) past: Vec<PastSession>,
}

/// What signing out ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SignedOut {
    /// Whose computer it was: a shared one is cleared host by host.
    pub(crate) computer: Computer,
    /// The application hosts on which the session held a token.
    pub(crate) hosts: Vec<Host>,
}

impl Identity {
    /// Who stands behind a token on `host`. Does not renew idle time.
    pub(crate) async fn presence(
        &self,
        token: Option<&SessionToken>,
        host: &Host,
    ) -> Result<Presence, Fault> {
        let Some(token) = token else {
            return Ok(Presence::NotPresented);
        };
        let Some(live) = self.0.live_token(token).await? else {
            return Ok(Presence::Rejected(Rejection::Unknown));
        };
        let now = self.0.clock.now();
        let standing = live.session.standing();
        Ok(
            match judge_stage(&live.session.record, &live.facts, standing, host, now) {
                Ok(Stage::Full) => Presence::SignedIn(SignedIn { live }),
                Ok(Stage::MustChangePassword) => {
                    Presence::MustChangePassword(PendingSession { live })
                }
                Ok(_) => Presence::Rejected(Rejection::NotFull),
                Err(rejection) => Presence::Rejected(rejection),
            },
        )
    }

    /// Renews the idle time of a session: the person did something on a page.
    pub(crate) fn renew(&self, signed_in: &SignedIn) {
        signed_in.live.session.touch(self.0.clock.now());
    }

    /// The person's live sessions, newest first.
    pub(crate) async fn own_sessions(
        &self,
        signed_in: &SignedIn,
    ) -> Result<Vec<SessionFacts>, Fault> {
        self.sessions(Some(signed_in.account())).await
    }

    /// The person's sessions, those that are over among them.
    pub(crate) async fn own_session_history(
        &self,
        signed_in: &SignedIn,
    ) -> Result<OwnSessions, Fault> {
        let account = signed_in.account();
        let sessions = &self.0.stores.sessions;
        let mut views = sessions.of_account(account).await?;
        views.extend(sessions.past(account, PAST_LISTED_MAX).await?);
        let now = self.0.clock.now();
        let (mut live, mut past) = (Vec::new(), Vec::new());
        for view in views {
            match over(&view, now) {
                None => live.push(facts(view)),
                Some((ended_at, cause)) => past.push(PastSession {
                    started_at: view.record.started_at,
                    ended_at,
                    cause,
                    user_agent: view.origin.browser.as_deref().map(Into::into),
                }),
            }
        }
        past.sort_by_key(|session| std::cmp::Reverse(session.ended_at));
        past.truncate(PAST_LISTED_MAX.into());
        Ok(OwnSessions { live, past })
    }

    /// The live sessions of one account, or of everybody, newest first, for an operator. Of
    /// everybody's, at most [`SESSIONS_LISTED_MAX`].
    pub(crate) async fn sessions(
        &self,
        account: Option<AccountId>,
    ) -> Result<Vec<SessionFacts>, Fault> {
        let sessions = &self.0.stores.sessions;
        let views = match account {
            Some(account) => sessions.of_account(account).await?,
            None => sessions.list(SESSIONS_LISTED_MAX).await?,
        };
        let now = self.0.clock.now();
        let alive = |view: &SessionView| over(view, now).is_none();
        Ok(views.into_iter().filter(alive).map(facts).collect())
    }
}

/// When and why a session ended, also where nobody has swept it up yet.
fn over(view: &SessionView, now: Timestamp) -> Option<(Timestamp, EndCause)> {
    let idle_at = view.last_used_at.after(view.record.idle_limit);
    let ends_at = view.record.ends_at;
    let by_time = if idle_at < ends_at {
        (idle_at, EndCause::Idle)
    } else {
        (ends_at, EndCause::Expired)
    };
    view.ended.or_else(|| (now >= by_time.0).then_some(by_time))
}

/// The most sessions that are over which a person is shown.
pub(crate) const PAST_LISTED_MAX: u16 = 30;

/// The most sessions that a list of everybody's holds.
pub(crate) const SESSIONS_LISTED_MAX: u16 = 1_000;

impl Services {
    /// The token and its session, from memory or from the store behind it.
    pub(super) async fn live_token(
        &self,
        token: &SessionToken,
    ) -> Result<Option<Arc<LiveToken>>, Fault> {
        let hash = TokenHash(token.digest());
        match self.stores.sessions.cached(&hash) {
            Cached::Hit(live) => Ok(Some(live)),
            Cached::KnownAbsent => Ok(None),
            Cached::Miss => Ok(self.stores.sessions.load(&hash).await?),
        }
    }
}

fn facts(view: SessionView) -> SessionFacts {
    SessionFacts {
        id: view.record.id,
        account: view.record.account,
        started_at: view.record.started_at,
        last_used_at: view.last_used_at,
        ends_at: view.record.ends_at,
        computer: view.record.computer,
        assurance: Assurance::Password,
        hosts: view.hosts,
        address: view
            .origin
            .address
            .map(|address| address.to_string().into()),
        user_agent: view.origin.browser.as_deref().map(Into::into),
    }
}
