//! Sessions and their tokens: looked up in memory on each request, durable in the store.

use std::{net::IpAddr, sync::Arc};

use octroi_policy::{
    host::Host,
    id::{AccountId, SessionId},
    session::{SessionRecord, TokenFacts},
    time::Timestamp,
};

use super::{
    StoreError,
    accounts::PasswordHash,
    live::{LiveSession, LiveToken},
    throttle::ThrottleKey,
};
use crate::journal::Draft;

/// Sessions. A lookup is two steps, so that a remote store fits behind the same trait.
#[async_trait::async_trait]
pub(crate) trait SessionStore: Send + Sync + 'static {
    /// What memory knows of the token. No lock, no allocation, no I/O.
    fn cached(&self, token: &TokenHash) -> Cached;

    /// Asks the store behind the memory, after [`Cached::Miss`].
    async fn load(&self, token: &TokenHash) -> Result<Option<Arc<LiveToken>>, StoreError>;

    /// Opens a session in one transaction with everything a sign-in settles. Where the account has
    /// [`SESSIONS_PER_ACCOUNT_MAX`] already, the longest unused ends for it, with a line of its own.
    /// [`super::Conflict::AccountChanged`] when the account's epoch is not the record's, or it is
    /// locked or gone; [`super::Conflict::Spent`] when a provisional password was spent meanwhile.
    async fn open(&self, opening: SessionOpening) -> Result<Arc<LiveToken>, StoreError>;

    /// Ends a session: in memory first, then durably, with all its tokens and unused tickets.
    /// `false` when it had ended already, or never was. On a fault it stays dead in memory.
    async fn end(&self, ending: SessionEnding) -> Result<bool, StoreError>;

    /// Ends all sessions of an account but one, likewise. Answers which it ended; on a fault they
    /// stay dead in memory and [`SessionStore::of_account`] tells them from the living.
    async fn end_all(
        &self,
        account: AccountId,
        except: Option<SessionId>,
        reason: EndReason,
    ) -> Result<Vec<SessionId>, StoreError>;

    /// The session in memory, if it lives.
    fn live(&self, session: SessionId) -> Option<Arc<LiveSession>>;

    /// The account's sessions in memory that live.
    fn live_of(&self, account: AccountId) -> Vec<Arc<LiveSession>>;

    /// The session, living or ended (until the purge).
    async fn find(&self, session: SessionId) -> Result<Option<SessionView>, StoreError>;

    /// The account's sessions that have not ended, newest first.
    async fn of_account(&self, account: AccountId) -> Result<Vec<SessionView>, StoreError>;

    /// The account's sessions that have ended (until the purge), last ended first, at most `limit`.
    async fn past(&self, account: AccountId, limit: u16) -> Result<Vec<SessionView>, StoreError>;

    /// All sessions that have not ended, newest first, at most `limit`.
    async fn list(&self, limit: u16) -> Result<Vec<SessionView>, StoreError>;

    /// Writes the last uses that changed since the last time. Called once a minute.
    async fn flush_last_used(&self) -> Result<(), StoreError>;

    /// Makes durable what has ended in memory alone. Called before the process ends, after which
    /// nobody knows of it any more.
    async fn settle(&self) -> Result<(), StoreError>;

    /// Ends what expired or idled until `now`, and forgets what ended before `forget_before`; where
    /// one of this fails, the rest is done all the same. Answers which sessions it ended. Called once
    /// a minute.
    async fn sweep(
        &self,
        now: Timestamp,
        forget_before: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError>;
}

/// SHA-256 of a token; the token itself is kept nowhere.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct TokenHash(pub(crate) [u8; 32]);

/// The most sessions of one account that live at a time. A person has a few browsers; without a
/// bound, one account that signs in again and again takes memory and disk from everybody.
pub(crate) const SESSIONS_PER_ACCOUNT_MAX: usize = 100;

/// What memory knows of a token.
#[derive(Clone)]
pub(crate) enum Cached {
    /// It is known. Whether it counts is for `policy` to judge.
    Hit(Arc<LiveToken>),
    /// Memory does not know; the store may ([`SessionStore::load`]).
    #[cfg_attr(
        not(test),
        expect(
            dead_code,
            reason = "the embedded store has every session in memory; one that several machines share has not, and the adversarial one of the tests stands for it"
        )
    )]
    Miss,
    /// There is no such token anywhere.
    KnownAbsent,
}

/// A sign-in that succeeded.
pub(crate) struct SessionOpening {
    /// The session.
    pub(crate) record: SessionRecord,
    /// Its first token.
    pub(crate) token: NewToken,
    /// Where from.
    pub(crate) origin: SessionOrigin,
    /// The session that this browser had, or the pending one that led here: ended in the same
    /// transaction. One that ended already is passed over.
    pub(crate) replaces: Option<(SessionId, EndCause)>,
    /// What becomes of the password that opened it.
    pub(crate) password: PasswordEffect,
    /// Counters that are cleared.
    pub(crate) forgives: Vec<ThrottleKey>,
    /// What the journal says of it.
    pub(crate) journal: Vec<Draft>,
}

/// A token to issue.
#[derive(Clone)]
pub(crate) struct NewToken {
    /// Its hash.
    pub(crate) hash: TokenHash,
    /// The host on which it counts, and what it proves.
    pub(crate) facts: TokenFacts,
}

/// Where a sign-in came from: personal data, sealed with the account's key.
#[derive(Clone, Default, Eq, PartialEq)]
pub(crate) struct SessionOrigin {
    /// The client's address.
    pub(crate) address: Option<IpAddr>,
    /// The browser as it names itself; at most [`SessionOrigin::BROWSER_LEN_MAX`] bytes are kept.
    pub(crate) browser: Option<Arc<str>>,
}

impl SessionOrigin {
    /// Longer names are cut: browsers need about 150 bytes.
    pub(crate) const BROWSER_LEN_MAX: usize = 512;
}

/// What becomes of the password at a sign-in.
#[derive(Clone)]
pub(crate) enum PasswordEffect {
    /// Nothing.
    Keep,
    /// It is kept under better parameters or a newer pepper.
    Rehash(PasswordHash),
    /// It was provisional and has served: one of many parallel sign-ins wins.
    SpendProvisional,
}

/// The end of one session.
pub(crate) struct SessionEnding {
    /// Which.
    pub(crate) session: SessionId,
    /// Why and when.
    pub(crate) reason: EndReason,
}

/// Why and when a session ended, and what the journal says of it.
pub(crate) struct EndReason {
    /// Why.
    pub(crate) cause: EndCause,
    /// When.
    pub(crate) at: Timestamp,
    /// What the journal says, once.
    pub(crate) journal: Vec<Draft>,
}

/// A session as lists show it.
#[derive(Clone)]
pub(crate) struct SessionView {
    /// What never changes.
    pub(crate) record: SessionRecord,
    /// Where it was opened from; empty once the account is erased.
    pub(crate) origin: SessionOrigin,
    /// When it was last used, to the minute once it has ended.
    pub(crate) last_used_at: Timestamp,
    /// The hosts on which it has a token.
    pub(crate) hosts: Vec<Host>,
    /// When and why it ended.
    pub(crate) ended: Option<(Timestamp, EndCause)>,
}

/// Declares a closed list of words that the store and the journal keep.
macro_rules! end_causes {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// Why a session ended (promise C4).
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub(crate) enum EndCause {
            $($(#[$doc])* $name,)*
        }

        impl EndCause {
            /// All of them.
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word for store, journal and API.
            pub(crate) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

end_causes! {
    /// The person signed out.
    SignedOut = "signed_out",
    /// The person ended it from another session.
    EndedElsewhere = "ended_elsewhere",
    /// An administrator ended it.
    Revoked = "revoked",
    /// The same browser signed in again, or the sign-in went on to its next stage.
    Replaced = "replaced",
    /// The password was changed.
    PasswordChanged = "password_changed",
    /// The password was taken away or set by somebody else.
    PasswordReset = "password_reset",
    /// The account was locked.
    AccountLocked = "account_locked",
    /// The account was unlocked, and what an attacker might have opened meanwhile is dead.
    AccountUnlocked = "account_unlocked",
    /// The account's roles changed.
    RolesChanged = "roles_changed",
    /// The account's rights on other tenants changed.
    GrantsChanged = "grants_changed",
    /// The account was erased.
    AccountErased = "account_erased",
    /// Its absolute life was over.
    Expired = "expired",
    /// It was not used for too long.
    Idle = "idle",
    /// The account had as many as one may have, and this one was unused for longest.
    TooMany = "too_many",
}

impl EndCause {
    /// The cause that this word names.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|cause| cause.as_str() == word)
    }
}
