//! What the journal can say: a closed list of events. Public fields are chained in the clear;
//! what identifies a person is kept apart and sealed.

use std::{net::IpAddr, sync::Arc};

use octroi_policy::{
    assurance::Assurance,
    host::Host,
    id::{AccountId, RequestId, Role, SessionId, TenantId, TenantName},
    session::Computer,
    time::Timestamp,
};
use serde_json::{Map, Value, json};

pub(crate) use super::words::{ChangeDemand, EventKind, ReadPurpose, SignInFailure};
use crate::store::sessions::EndCause;

/// A line to be written.
#[derive(Clone)]
pub(crate) struct Draft {
    /// When it happened.
    pub(crate) at: Timestamp,
    /// Who did it.
    pub(crate) actor: Actor,
    /// What happened.
    pub(crate) event: Event,
    /// In which tenant.
    pub(crate) tenant: Option<TenantId>,
    /// To whom: the account whose key seals [`Draft::personal`].
    pub(crate) account: Option<AccountId>,
    /// In which session.
    pub(crate) session: Option<SessionId>,
    /// With which request.
    pub(crate) request: Option<RequestId>,
    /// What identifies the person; sealed.
    pub(crate) personal: Personal,
}

impl Draft {
    /// A line with nothing but actor and event.
    pub(crate) fn new(at: Timestamp, actor: Actor, event: Event) -> Self {
        Self {
            at,
            actor,
            event,
            tenant: None,
            account: None,
            session: None,
            request: None,
            personal: Personal::default(),
        }
    }

    /// The same line without what is sealed.
    pub(crate) fn impersonal(self) -> Self {
        Self {
            personal: Personal::default(),
            ..self
        }
    }
}

/// Who did it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Actor {
    /// octroi itself: start, expiry, purge.
    System,
    /// A person who is signed in, or signs in.
    Account(AccountId),
    /// Somebody on the machine, through the socket or the command line.
    Operator {
        /// The user id that the operating system vouches for.
        uid: u32,
    },
    /// Somebody who proved nothing.
    Anonymous,
}

impl Actor {
    /// As the journal keeps it: `system`, `account:<id>`, `os:<uid>`, `anonymous`.
    pub(crate) fn to_word(self) -> String {
        match self {
            Self::System => "system".to_owned(),
            Self::Account(account) => format!("account:{account}"),
            Self::Operator { uid } => format!("os:{uid}"),
            Self::Anonymous => "anonymous".to_owned(),
        }
    }

    /// Reads [`Actor::to_word`] back.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        match word.split_once(':') {
            None if word == "system" => Some(Self::System),
            None if word == "anonymous" => Some(Self::Anonymous),
            Some(("account", id)) => id.parse().ok().map(Self::Account),
            Some(("os", uid)) => uid.parse().ok().map(|uid| Self::Operator { uid }),
            _ => None,
        }
    }
}

/// What identifies a person. Sealed with the key of the draft's account, or with the month's key
/// where no account is known.
#[derive(Clone, Default)]
pub(crate) struct Personal {
    /// The login of the account that the line is about.
    pub(crate) login: Option<Arc<str>>,
    /// The person's name.
    pub(crate) name: Option<Arc<str>>,
    /// The person's e-mail address.
    pub(crate) email: Option<Arc<str>>,
    /// The client's address.
    pub(crate) address: Option<IpAddr>,
    /// The browser as it names itself.
    pub(crate) browser: Option<Arc<str>>,
    /// What was typed as a login and names no account. Kept as a truncated keyed hash alone:
    /// people type passwords into login fields.
    pub(crate) unknown_identifier: Option<Arc<str>>,
}

/// What happened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Event {
    /// A sign-in succeeded.
    SignedIn {
        assurance: Assurance,
        computer: Computer,
        host: Host,
    },
    /// The first factor was right, and the person must choose a password first.
    PasswordChangeDemanded { reason: ChangeDemand },
    /// A sign-in failed.
    SignInFailed { reason: SignInFailure },
    /// Sign-ins failed too often for a line each.
    SignInFailedRepeatedly {
        reason: SignInFailure,
        count: u32,
        first_at: Timestamp,
        last_at: Timestamp,
    },
    /// A session was carried to another host.
    HostEntered { host: Host },
    /// A session ended.
    SessionEnded { cause: EndCause },
    /// Several sessions ended at once.
    SessionsEnded {
        cause: EndCause,
        kept: Option<SessionId>,
    },
    /// The person chose a password.
    PasswordChanged { by_invitation: bool },
    /// Somebody else set a provisional password.
    PasswordProvided { expires_at: Timestamp },
    /// An account was made.
    AccountCreated { roles: Vec<Role> },
    /// An account was locked.
    AccountLocked,
    /// An account was unlocked.
    AccountUnlocked,
    /// An account's roles were changed.
    RolesChanged { before: Vec<Role>, after: Vec<Role> },
    /// An account's rights on other tenants were changed.
    GrantsChanged {
        before: Vec<TenantName>,
        after: Vec<TenantName>,
    },
    /// An account was erased.
    AccountErased,
    /// An invitation was made.
    InvitationIssued { expires_at: Timestamp },
    /// A tenant was added.
    TenantCreated { name: TenantName },
    /// A key that signs assertions was made.
    SigningKeyCreated {
        key_id: String,
        signs_from: Timestamp,
    },
    /// A key that signed assertions was removed.
    SigningKeyRemoved { key_id: String },
    /// The gateway started.
    Started { version: &'static str },
    /// The gateway stopped in good order.
    Stopped,
    /// Another configuration is in force.
    ConfigurationLoaded { digest: String },
    /// A configuration was refused, and the old one stays.
    ConfigurationRefused { problems: u32 },
    /// Somebody read the journal.
    JournalRead { purpose: ReadPurpose, entries: u64 },
    /// Old lines were removed.
    JournalPurged { before: Timestamp, entries: u64 },
}

impl Event {
    /// Which kind of event it is.
    pub(crate) const fn kind(&self) -> EventKind {
        match self {
            Self::SignedIn { .. } => EventKind::SignedIn,
            Self::PasswordChangeDemanded { .. } => EventKind::PasswordChangeDemanded,
            Self::SignInFailed { .. } => EventKind::SignInFailed,
            Self::SignInFailedRepeatedly { .. } => EventKind::SignInFailedRepeatedly,
            Self::HostEntered { .. } => EventKind::HostEntered,
            Self::SessionEnded { .. } => EventKind::SessionEnded,
            Self::SessionsEnded { .. } => EventKind::SessionsEnded,
            Self::PasswordChanged { .. } => EventKind::PasswordChanged,
            Self::PasswordProvided { .. } => EventKind::PasswordProvided,
            Self::AccountCreated { .. } => EventKind::AccountCreated,
            Self::AccountLocked => EventKind::AccountLocked,
            Self::AccountUnlocked => EventKind::AccountUnlocked,
            Self::RolesChanged { .. } => EventKind::RolesChanged,
            Self::GrantsChanged { .. } => EventKind::GrantsChanged,
            Self::AccountErased => EventKind::AccountErased,
            Self::InvitationIssued { .. } => EventKind::InvitationIssued,
            Self::TenantCreated { .. } => EventKind::TenantCreated,
            Self::SigningKeyCreated { .. } => EventKind::SigningKeyCreated,
            Self::SigningKeyRemoved { .. } => EventKind::SigningKeyRemoved,
            Self::Started { .. } => EventKind::Started,
            Self::Stopped => EventKind::Stopped,
            Self::ConfigurationLoaded { .. } => EventKind::ConfigurationLoaded,
            Self::ConfigurationRefused { .. } => EventKind::ConfigurationRefused,
            Self::JournalRead { .. } => EventKind::JournalRead,
            Self::JournalPurged { .. } => EventKind::JournalPurged,
        }
    }

    /// The public fields, as they are chained and exported. Times are milliseconds since 1970, UTC.
    pub(crate) fn fields(&self) -> Map<String, Value> {
        let value = match self {
            Self::SignedIn {
                assurance,
                computer,
                host,
            } => json!({
                "assurance": assurance.as_str(),
                "computer": match computer { Computer::Private => "private", Computer::Public => "public" },
                "host": host.as_str(),
            }),
            Self::PasswordChangeDemanded { reason } => json!({ "reason": reason.as_str() }),
            Self::SignInFailed { reason } => json!({ "reason": reason.as_str() }),
            Self::SignInFailedRepeatedly {
                reason,
                count,
                first_at,
                last_at,
            } => json!({
                "reason": reason.as_str(),
                "count": count,
                "first_at": first_at.as_unix_millis(),
                "last_at": last_at.as_unix_millis(),
            }),
            Self::HostEntered { host } => json!({ "host": host.as_str() }),
            Self::SessionEnded { cause } => json!({ "cause": cause.as_str() }),
            Self::SessionsEnded { cause, kept } => {
                json!({ "cause": cause.as_str(), "kept": kept.map(|kept| kept.to_string()) })
            }
            Self::PasswordChanged { by_invitation } => json!({ "by_invitation": by_invitation }),
            Self::PasswordProvided { expires_at } | Self::InvitationIssued { expires_at } => {
                json!({ "expires_at": expires_at.as_unix_millis() })
            }
            Self::AccountCreated { roles } => json!({ "roles": role_words(roles) }),
            Self::RolesChanged { before, after } => {
                json!({ "before": role_words(before), "after": role_words(after) })
            }
            Self::GrantsChanged { before, after } => {
                json!({ "before": tenant_words(before), "after": tenant_words(after) })
            }
            Self::TenantCreated { name } => json!({ "name": name.as_str() }),
            Self::SigningKeyCreated { key_id, signs_from } => {
                json!({ "key_id": key_id, "signs_from": signs_from.as_unix_millis() })
            }
            Self::SigningKeyRemoved { key_id } => json!({ "key_id": key_id }),
            Self::Started { version } => json!({ "version": version }),
            Self::ConfigurationLoaded { digest } => json!({ "digest": digest }),
            Self::ConfigurationRefused { problems } => json!({ "problems": problems }),
            Self::JournalRead { purpose, entries } => {
                json!({ "purpose": purpose.as_str(), "entries": entries })
            }
            Self::JournalPurged { before, entries } => {
                json!({ "before": before.as_unix_millis(), "entries": entries })
            }
            Self::AccountLocked | Self::AccountUnlocked | Self::AccountErased | Self::Stopped => {
                json!({})
            }
        };
        if let Value::Object(fields) = value {
            fields
        } else {
            Map::new()
        }
    }
}

fn role_words(roles: &[Role]) -> Vec<&str> {
    roles.iter().map(Role::as_str).collect()
}

fn tenant_words(tenants: &[TenantName]) -> Vec<&str> {
    tenants.iter().map(TenantName::as_str).collect()
}
