//! What goes over the admin API and what the command line prints: plain words, RFC 3339 times.

mod journal;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

pub(crate) use self::journal::{JournalLine, JournalLines, Person, Verified};
use crate::identity::secret::TypedPassword;

/// A password on its way between command and gateway, over a socket that the two alone can open. Wiped
/// when dropped, like the secrets of identity; without `Debug`.
pub(crate) struct HandedPassword(Zeroizing<String>);

impl HandedPassword {
    /// Takes it from where it was read or made.
    pub(crate) const fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// The text, for whoever hands it to the person.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// The same, to be set.
    pub(crate) fn typed(&self) -> TypedPassword {
        TypedPassword::new(self.0.to_string())
    }
}

impl<'de> Deserialize<'de> for HandedPassword {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

impl Serialize for HandedPassword {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// An account, as `TENANT/LOGIN`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OneAccount {
    /// `TENANT/LOGIN`
    pub(crate) account: String,
}

/// What is known of a new account.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAccountRequest {
    /// `TENANT/LOGIN`
    pub(crate) account: String,
    /// The person's name.
    pub(crate) name: Option<String>,
    /// The person's address for mail.
    pub(crate) email: Option<String>,
    /// `fr` or `en`.
    pub(crate) language: Option<String>,
    /// The roles.
    pub(crate) roles: Vec<String>,
    /// Whether to make the tenant too where there is none of this name.
    pub(crate) new_tenant: bool,
}

/// `user add`.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddRequest {
    /// The account.
    pub(crate) new: NewAccountRequest,
    /// The provisional password; `None`: one is made.
    pub(crate) password: Option<HandedPassword>,
}

/// `user invite`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InviteRequest {
    /// The account, which is added where it is new.
    pub(crate) new: NewAccountRequest,
    /// How long the link works.
    pub(crate) hours: u16,
}

/// `user reset`.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResetRequest {
    /// `TENANT/LOGIN`
    pub(crate) account: String,
    /// The provisional password; `None`: one is made.
    pub(crate) password: Option<HandedPassword>,
}

/// `user roles`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RolesRequest {
    /// `TENANT/LOGIN`
    pub(crate) account: String,
    /// All roles that the account holds from now on.
    pub(crate) roles: Vec<String>,
}

/// `user grant`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantRequest {
    /// `TENANT/LOGIN`
    pub(crate) account: String,
    /// The tenant that is opened or closed.
    pub(crate) tenant: String,
    /// The roles there.
    pub(crate) roles: Vec<String>,
    /// For how long; `None` ends the grant.
    pub(crate) hours: Option<u16>,
}

/// `user list`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListAccountsRequest {
    /// Only this tenant's.
    pub(crate) tenant: Option<String>,
}

/// `session list`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListSessionsRequest {
    /// Only of this account, `TENANT/LOGIN`.
    pub(crate) account: Option<String>,
}

/// `session revoke`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RevokeRequest {
    /// All of this account, `TENANT/LOGIN`.
    Account(String),
    /// This one.
    Session(String),
}

/// `journal search` and `journal export`.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JournalRequest {
    /// From this time on.
    pub(crate) since: Option<String>,
    /// Before this time.
    pub(crate) until: Option<String>,
    /// About this account, `TENANT/LOGIN`.
    pub(crate) account: Option<String>,
    /// Done by: `os:1000`, `account:<id>`, `system`, `anonymous`.
    pub(crate) actor: Option<String>,
    /// Of this kind.
    pub(crate) kind: Option<String>,
    /// Older than this place.
    pub(crate) before: Option<u64>,
    /// At most so many.
    pub(crate) limit: Option<u16>,
    /// Whether this is an export: the journal keeps for what it was read.
    pub(crate) export: bool,
}

/// `journal verify`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyRequest {
    /// A head that was logged earlier, `SEQUENCE:CODE`.
    pub(crate) witness: Option<String>,
}

/// The API's own state.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Status {
    /// The version that answers.
    pub(crate) version: String,
    /// Whether a gateway runs.
    pub(crate) running: bool,
}

/// Something was done.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Done {
    /// What.
    pub(crate) done: String,
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.done)
    }
}

/// A provisional password, shown once.
#[derive(Deserialize, Serialize)]
pub(crate) struct Provisional {
    /// `TENANT/LOGIN`
    pub(crate) account: String,
    /// The password, where it was made here and not handed in.
    pub(crate) password: Option<HandedPassword>,
    /// When it stops working.
    pub(crate) expires_at: String,
}

impl fmt::Display for Provisional {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            account,
            password,
            expires_at,
        } = self;
        if let Some(password) = password {
            let password = password.expose();
            writeln!(
                f,
                "{account}: provisional password, shown this once:\n\n    {password}\n"
            )?;
        }
        write!(
            f,
            "{account} must change it at the first sign-in, once and before {expires_at}"
        )
    }
}

/// An invitation, shown once.
#[derive(Deserialize, Serialize)]
pub(crate) struct Invitation {
    /// `TENANT/LOGIN`
    pub(crate) account: String,
    /// The link.
    pub(crate) link: String,
    /// Until when it works.
    pub(crate) expires_at: String,
    /// The letter to hand over, in the person's language.
    pub(crate) letter: String,
    /// The same as a sheet to print, HTML.
    pub(crate) sheet: String,
}

impl fmt::Display for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            account,
            link,
            expires_at,
            ..
        } = self;
        write!(
            f,
            "{account}: a link by which the person chooses a password, good once and until {expires_at}:\n\n    {link}\n"
        )
    }
}

/// An account.
#[expect(
    clippy::struct_field_names,
    reason = "`account` is the word of the API, in every document that names one"
)]
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Account {
    /// `TENANT/LOGIN`
    pub(crate) account: String,
    /// The opaque id that services are told.
    pub(crate) id: String,
    /// The organisation, as people name it.
    pub(crate) organisation: String,
    /// The person's name.
    pub(crate) name: Option<String>,
    /// The person's address for mail.
    pub(crate) email: Option<String>,
    /// `fr` or `en`.
    pub(crate) language: Option<String>,
    /// The roles.
    pub(crate) roles: Vec<String>,
    /// Rights on further tenants.
    pub(crate) grants: Vec<Grant>,
    /// `ready`, `provisional`, `awaiting_password` or `locked`.
    pub(crate) standing: String,
    /// When a provisional password stops working.
    pub(crate) expires_at: Option<String>,
    /// Since when it is locked.
    pub(crate) locked_at: Option<String>,
    /// When it was made.
    pub(crate) created_at: String,
    /// When the password was last changed.
    pub(crate) password_changed_at: Option<String>,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let roles = self.roles.join(",");
        let roles = if roles.is_empty() { "-" } else { &roles };
        write!(f, "{}\t{}\t{roles}", self.account, self.standing)?;
        match &self.name {
            Some(name) => write!(f, "\t{name}"),
            None => Ok(()),
        }
    }
}

/// What `user list` found.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Accounts {
    /// The accounts.
    pub(crate) accounts: Vec<Account>,
    /// The ids of those that are damaged, and whose names nobody can read.
    pub(crate) unreadable: Vec<String>,
}

/// Rights of an account on a further tenant.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Grant {
    /// The tenant.
    pub(crate) tenant: String,
    /// The roles there.
    pub(crate) roles: Vec<String>,
    /// Until when.
    pub(crate) ends_at: String,
}

/// A session.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Session {
    /// Its public id.
    pub(crate) id: String,
    /// Whose it is: the account's id.
    pub(crate) account_id: String,
    /// When the person signed in.
    pub(crate) started_at: String,
    /// When it was last used.
    pub(crate) last_used_at: String,
    /// When it ends whatever happens.
    pub(crate) ends_at: String,
    /// `private` or `public`.
    pub(crate) computer: String,
    /// How the person proved who they are.
    pub(crate) assurance: String,
    /// Where it was opened from.
    pub(crate) address: Option<String>,
    /// The browser, as it named itself.
    pub(crate) user_agent: Option<String>,
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}\tsince {}\tlast used {}\t{}\t{}",
            self.id,
            self.started_at,
            self.last_used_at,
            self.computer,
            self.address.as_deref().unwrap_or("-"),
        )
    }
}

/// How many sessions were ended.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Revoked {
    /// How many.
    pub(crate) ended: usize,
}

impl fmt::Display for Revoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ended {
            1 => f.write_str("1 session ended"),
            ended => write!(f, "{ended} sessions ended"),
        }
    }
}
