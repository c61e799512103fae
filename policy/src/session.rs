//! When a session counts and when it has ended: absolute life, idle time, epoch, host, stage.

pub mod renewal;

use std::{sync::Arc, time::Duration};

use crate::{
    assurance::Assurance,
    host::Host,
    id::{AccountId, Role, SessionId, TenantId, TenantName},
    subject::Subject,
    time::Timestamp,
};

/// Proof that an account signed in: the facts that never change while the session lives.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SessionRecord {
    /// The session's public name.
    pub id: SessionId,
    /// Whose session it is.
    pub account: AccountId,
    /// The account's home tenant.
    pub tenant_id: TenantId,
    /// The same, as routes and upstreams name it.
    pub tenant: TenantName,
    /// The account's roles in its home tenant, as they stood when the session was made: a change
    /// of roles raises the account's epoch and so ends the session. Shared by all sessions that
    /// have the same.
    pub roles: Arc<[Role]>,
    /// Rights on further tenants, each with its end.
    pub grants: Box<[TenantGrant]>,
    /// The account's epoch under which the session was made.
    pub epoch: SessionEpoch,
    /// What the session is good for.
    pub stage: Stage,
    /// What the person said of the computer.
    pub computer: Computer,
    /// When the person signed in.
    pub started_at: Timestamp,
    /// When the person last proved who they are.
    pub authenticated_at: Timestamp,
    /// When the session ends whatever happens.
    pub ends_at: Timestamp,
    /// How long it lives without use.
    pub idle_limit: Duration,
}

/// A right on a tenant that is not the account's own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TenantGrant {
    /// The tenant that is opened.
    pub tenant: TenantName,
    /// With which roles there.
    pub roles: Box<[Role]>,
    /// Until when.
    pub ends_at: Timestamp,
}

/// A counter on the account that each change of password, lock, role, factor or tenant raises:
/// a session made under another epoch is dead, so that two stores never have to commit together.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SessionEpoch(pub u64);

/// What a session is good for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Stage {
    /// Signed in.
    Full,
    /// The first factor is proved; good for nothing but choosing a password.
    MustChangePassword,
}

/// What the person said of the computer at sign-in (promise C2).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Computer {
    /// Their own: the longer idle limit.
    Private,
    /// Shared: short idle limit, nothing remembered.
    Public,
}

/// What can be said of the session at the moment of the request, besides its record.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// The account's epoch now; `None` once the account is gone or locked.
    pub account_epoch: Option<SessionEpoch>,
    /// When the session was last used.
    pub last_used_at: Timestamp,
    /// Whether it was ended by logout, revocation or an administrator.
    pub ended: bool,
}

/// A token that was presented: which session it belongs to, where it may be used, what it proves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TokenFacts {
    /// The one host on which the token counts.
    pub host: Host,
    /// What it proves; never changes.
    pub assurance: Assurance,
    /// When it was issued.
    pub issued_at: Timestamp,
}

/// Why a token that was presented is not accepted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Rejection {
    /// The account was locked, erased or changed since the session was made.
    AccountChanged,
    /// The absolute life is over.
    Expired,
    /// It was not used for longer than its idle limit.
    Idle,
    /// The session is only good for its next step.
    NotFull,
    /// It was ended by logout or revocation.
    Revoked,
    /// No such token.
    Unknown,
    /// The token belongs to another host.
    WrongHost,
}

impl Rejection {
    /// The stable id used in logs, metrics and `explain`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccountChanged => "session_account_changed",
            Self::Expired => "session_expired",
            Self::Idle => "session_idle",
            Self::NotFull => "session_not_full",
            Self::Revoked => "session_revoked",
            Self::Unknown => "session_unknown",
            Self::WrongHost => "session_wrong_host",
        }
    }
}

/// Whether the session behind a token counts on `host` at `now`, as a proof of who asks.
///
/// Time that runs backwards never revives a session: its end is compared with the later of `now`
/// and its last use.
pub fn judge<'a>(
    record: &'a SessionRecord,
    token: &TokenFacts,
    standing: Standing,
    host: &Host,
    now: Timestamp,
) -> Result<Subject<'a>, Rejection> {
    match judge_stage(record, token, standing, host, now)? {
        Stage::Full => Ok(Subject::new(record, token.assurance)),
        Stage::MustChangePassword => Err(Rejection::NotFull),
    }
}

/// Whether the session behind a token lives, and what it is good for; for the pages of a sign-in
/// that is under way. Whatever opens something asks [`judge`].
pub fn judge_stage(
    record: &SessionRecord,
    token: &TokenFacts,
    standing: Standing,
    host: &Host,
    now: Timestamp,
) -> Result<Stage, Rejection> {
    if token.host != *host {
        return Err(Rejection::WrongHost);
    }
    if standing.ended {
        return Err(Rejection::Revoked);
    }
    if standing.account_epoch != Some(record.epoch) {
        return Err(Rejection::AccountChanged);
    }
    match over(record, standing.last_used_at, now) {
        Some(Over::Expired) => Err(Rejection::Expired),
        Some(Over::Idle) => Err(Rejection::Idle),
        None => Ok(record.stage),
    }
}

/// Why a session is over without anybody having ended it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Over {
    /// Its absolute life.
    Expired,
    /// Its idle time.
    Idle,
}

/// Whether time alone has ended a session: at its very end and not a moment before. A clock that
/// was set back revives nothing, since no time before the last use counts.
pub fn over(record: &SessionRecord, last_used_at: Timestamp, now: Timestamp) -> Option<Over> {
    let now = now.max(last_used_at);
    if now >= record.ends_at {
        Some(Over::Expired)
    } else if now.since(last_used_at) >= record.idle_limit {
        Some(Over::Idle)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
