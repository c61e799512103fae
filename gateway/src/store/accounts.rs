//! Accounts: what is kept of a person, and the commands that change it.

use std::sync::Arc;

use octroi_policy::{
    id::{AccountId, Role, SessionId, TenantId, TenantName},
    session::{SessionEpoch, TenantGrant},
    time::Timestamp,
};
use zeroize::Zeroizing;

use super::{
    StoreError,
    invitations::InvitationHash,
    sessions::{EndCause, SessionOpening},
    throttle::ThrottleKey,
};
use crate::journal::Draft;

/// Accounts. Lookups answer `Ok(None)` only when the store was read and holds no such account.
#[async_trait::async_trait]
pub(crate) trait AccountStore: Send + Sync + 'static {
    /// The account of this id; erased ones are not found.
    async fn by_id(&self, account: AccountId) -> Result<Option<Account>, StoreError>;

    /// The account with this canonical login in this tenant, and in no other.
    async fn by_login(&self, tenant: TenantId, login: &str) -> Result<Option<Account>, StoreError>;

    /// Accounts in the order of their ids: those of one tenant, or all. One that is damaged hides no other.
    async fn list(&self, page: AccountPage) -> Result<AccountList, StoreError>;

    /// How many accounts have a password hash of which parameters; erased ones are not counted.
    async fn hash_counts(&self) -> Result<Vec<HashCount>, StoreError>;

    /// Adds an account. [`super::Conflict::LoginTaken`], [`super::Conflict::Missing`] (the tenant).
    async fn insert(&self, account: NewAccount, journal: Vec<Draft>) -> Result<(), StoreError>;

    /// Changes what sessions rest on: raises the epoch, ends the account's sessions, spends what is
    /// to be spent, opens the session that replaces them, writes the journal; all or nothing.
    ///
    /// [`super::Conflict::AccountChanged`] when the epoch is not the expected one, or the change
    /// would open a session on a locked account; [`super::Conflict::Spent`] when the invitation is.
    async fn change(&self, command: AccountCommand) -> Result<Changed, StoreError>;

    /// Destroys the account's key, and with it every personal field of the account and of its
    /// journal lines; ends its sessions; frees the login. What a fault leaves half done is done by
    /// the sweep of sessions, or by asking again; [`super::Conflict::Missing`] once all is done.
    async fn erase(
        &self,
        account: AccountId,
        at: Timestamp,
        journal: Vec<Draft>,
    ) -> Result<Erased, StoreError>;
}

/// Which accounts to list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccountPage {
    /// Those of this tenant; `None` for all.
    pub(crate) tenant: Option<TenantId>,
    /// Those after this one.
    pub(crate) after: Option<AccountId>,
    /// At most so many; the store gives no more than [`AccountPage::LIMIT_MAX`].
    pub(crate) limit: u16,
}

/// Accounts of a page.
pub(crate) struct AccountList {
    /// Those that can be read.
    pub(crate) accounts: Vec<Account>,
    /// Those that are damaged.
    pub(crate) unreadable: Vec<AccountId>,
    /// The last of either kind: where the next page begins. `None` where there is nothing more.
    pub(crate) last: Option<AccountId>,
}

impl AccountPage {
    /// The most accounts on a page: each costs several decryptions.
    pub(crate) const LIMIT_MAX: u16 = 500;
}

/// A person, in one tenant. Without `Debug`: it holds personal data and a password hash.
#[derive(Clone)]
pub(crate) struct Account {
    /// Opaque, stable for life.
    pub(crate) id: AccountId,
    /// The home tenant.
    pub(crate) tenant: TenantId,
    /// The same, by name.
    pub(crate) tenant_name: TenantName,
    /// The canonical login.
    pub(crate) login: Arc<str>,
    /// What may be changed freely.
    pub(crate) profile: Profile,
    /// Roles in the home tenant.
    pub(crate) roles: Box<[Role]>,
    /// Rights on further tenants.
    pub(crate) grants: Box<[TenantGrant]>,
    /// Whether the person may sign in.
    pub(crate) status: AccountStatus,
    /// The password, once there is one.
    pub(crate) password: Option<Password>,
    /// Raised by each change of password, status, roles or grants.
    pub(crate) epoch: SessionEpoch,
    /// When the account was made.
    pub(crate) created_at: Timestamp,
}

/// An account to be added. It begins active, with epoch 1.
pub(crate) struct NewAccount {
    /// Drawn by the caller.
    pub(crate) id: AccountId,
    /// The home tenant.
    pub(crate) tenant: TenantId,
    /// The canonical login.
    pub(crate) login: Arc<str>,
    /// Name, e-mail, language.
    pub(crate) profile: Profile,
    /// Roles in the home tenant.
    pub(crate) roles: Box<[Role]>,
    /// A provisional password; usually none, an invitation follows.
    pub(crate) password: Option<Password>,
    /// Now.
    pub(crate) created_at: Timestamp,
}

impl NewAccount {
    /// The epoch of an account that was never changed.
    pub(crate) const FIRST_EPOCH: SessionEpoch = SessionEpoch(1);
}

/// What a person, or an administrator, may change without ending sessions.
#[derive(Clone, Default)]
pub(crate) struct Profile {
    /// As the person wants to be called.
    pub(crate) name: Option<Arc<str>>,
    /// E-mail address.
    pub(crate) email: Option<Arc<str>>,
    /// The language of letters and mail.
    pub(crate) language: Option<Language>,
}

/// A language in which octroi speaks to people.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Language {
    /// English.
    English,
    /// French.
    French,
}

impl Language {
    /// The BCP 47 tag.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }

    /// The language of this tag.
    pub(crate) fn from_tag(tag: &str) -> Option<Self> {
        [Self::English, Self::French]
            .into_iter()
            .find(|language| language.as_str() == tag)
    }
}

/// Whether the person may sign in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AccountStatus {
    /// Yes.
    Active,
    /// Not until somebody unlocks the account.
    Locked {
        /// Since when.
        at: Timestamp,
    },
}

/// A password as it is kept.
#[derive(Clone)]
pub(crate) struct Password {
    /// The hash, with its parameters and the pepper's key id.
    pub(crate) hash: PasswordHash,
    /// When it was set.
    pub(crate) set_at: Timestamp,
    /// Who chose it.
    pub(crate) origin: PasswordOrigin,
}

/// Who chose a password.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PasswordOrigin {
    /// The person.
    Own,
    /// Somebody else: good for one sign-in, which leads to choosing an own one.
    Provisional {
        /// Until when it opens that one sign-in.
        expires_at: Timestamp,
        /// Whether it has opened it.
        spent: bool,
    },
}

/// A password hash in PHC string form. Without `Debug`, `Display` or `PartialEq`; wiped when dropped.
#[derive(Clone)]
pub(crate) struct PasswordHash(Zeroizing<String>);

impl PasswordHash {
    /// The hash in this PHC string.
    pub(crate) const fn from_phc(phc: Zeroizing<String>) -> Self {
        Self(phc)
    }

    /// The PHC string, for the verifier.
    pub(crate) fn expose_phc(&self) -> &str {
        &self.0
    }
}

/// How many accounts have a password hash of these parameters.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct HashCount {
    /// The PHC string up to its parameters of cost: `$argon2id$v=19$m=19456,t=2,p=1`.
    pub(crate) parameters: String,
    /// So many.
    pub(crate) accounts: u64,
}

/// A change after which no earlier session of the account counts.
pub(crate) struct AccountCommand {
    /// Whose.
    pub(crate) account: AccountId,
    /// The epoch under which the caller read the account.
    pub(crate) expected_epoch: SessionEpoch,
    /// What changes.
    pub(crate) change: AccountChange,
    /// What the account's sessions end with.
    pub(crate) ends_with: EndCause,
    /// A single-use link that pays for the change.
    pub(crate) spends: Option<InvitationHash>,
    /// The session that goes on in place of the ended ones; its record bears the raised epoch
    /// ([`AccountCommand::raised`]).
    pub(crate) opens: Option<SessionOpening>,
    /// Counters that are cleared.
    pub(crate) forgives: Vec<ThrottleKey>,
    /// Now.
    pub(crate) at: Timestamp,
    /// What the journal says of it.
    pub(crate) journal: Vec<Draft>,
}

impl AccountCommand {
    /// The epoch that follows `epoch`.
    pub(crate) const fn raised(epoch: SessionEpoch) -> SessionEpoch {
        SessionEpoch(epoch.0.saturating_add(1))
    }

    /// All that the journal says of it and of the session that it opens, in order.
    pub(super) fn drafts(&self, opens: Option<&SessionOpening>) -> Vec<Draft> {
        let opening = opens.iter().flat_map(|opening| &opening.journal);
        self.journal.iter().chain(opening).cloned().collect()
    }
}

/// What changes on an account.
#[derive(Clone)]
pub(crate) enum AccountChange {
    /// A new password, own or provisional; open invitations are withdrawn.
    Password(Password),
    /// The person may not sign in.
    Lock,
    /// The person may sign in again.
    Unlock,
    /// Other roles in the home tenant.
    Roles(Box<[Role]>),
    /// Other rights on further tenants.
    Grants(Box<[TenantGrant]>),
}

/// What a change did.
pub(crate) struct Changed {
    /// The sessions that it ended: their open requests must be ended too.
    pub(crate) ended: Vec<SessionId>,
}

/// What an erasure did.
pub(crate) struct Erased {
    /// The sessions that it ended: their open requests must be ended too.
    pub(crate) ended: Vec<SessionId>,
    /// Whether the key is destroyed, and nothing of the person left in the files. Otherwise the
    /// account is gone, and the rest is tried again each minute and at the next start.
    pub(crate) is_complete: bool,
}
