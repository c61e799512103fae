//! Accounts: made, shown, locked, reset, erased by an operator; read by their owner.

use std::fmt;

use octroi_policy::{
    id::{AccountId, Role, TenantName},
    password::verdict::Verdict,
    session::TenantGrant,
    time::Timestamp,
};

use super::{Fault, Identity, client::Operator, secret::TypedPassword, sessions::SignedIn};

/// A language in which people are addressed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Language {
    /// `en`
    English,
    /// `fr`
    French,
}

impl Language {
    /// The code of BCP 47.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }

    /// The language with this code.
    pub(crate) fn from_code(code: &str) -> Option<Self> {
        [Self::English, Self::French]
            .into_iter()
            .find(|language| language.as_str() == code)
    }
}

/// What an account is made of. It has no credential yet: [`Identity::invite`] or
/// [`Identity::reset_password`] gives it one.
#[derive(Clone, Debug)]
pub(crate) struct NewAccount {
    /// The home tenant.
    pub(crate) tenant: TenantName,
    /// The login, as typed; kept in its canonical form.
    pub(crate) login: String,
    /// The person's name.
    pub(crate) name: Option<String>,
    /// The person's e-mail address.
    pub(crate) email: Option<String>,
    /// The person's language.
    pub(crate) language: Option<Language>,
    /// The roles in the home tenant.
    pub(crate) roles: Vec<Role>,
}

/// What an account can do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Standing {
    /// No password yet: an invitation is out, or has to be sent.
    AwaitingPassword,
    /// Somebody else chose the password; it has to be replaced before this time.
    Provisional {
        /// When it stops working.
        expires_at: Timestamp,
    },
    /// Ready.
    Ready,
    /// Locked by an operator.
    Locked {
        /// Since when.
        locked_at: Timestamp,
    },
}

/// One account, as an operator or its owner sees it.
#[derive(Clone, Debug)]
pub(crate) struct AccountFacts {
    /// The account.
    pub(crate) id: AccountId,
    /// The home tenant, as routes name it.
    pub(crate) tenant: TenantName,
    /// The organisation, as people name it.
    pub(crate) organisation: String,
    /// The login in its canonical form.
    pub(crate) login: String,
    /// The person's name.
    pub(crate) name: Option<String>,
    /// The person's e-mail address.
    pub(crate) email: Option<String>,
    /// The person's language.
    pub(crate) language: Option<Language>,
    /// The roles in the home tenant.
    pub(crate) roles: Vec<Role>,
    /// Rights on further tenants.
    pub(crate) grants: Vec<TenantGrant>,
    /// What the account can do.
    pub(crate) standing: Standing,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// When the password was last changed.
    pub(crate) password_changed_at: Option<Timestamp>,
}

/// Why an operator's wish is not granted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum AdminRefusal {
    /// The address is not one.
    #[error("the e-mail address is not one: one '@', with a name before and a host after it")]
    MalformedEmail,
    /// The login cannot be one.
    #[error("the login cannot be one: {0}")]
    MalformedLogin(MalformedLogin),
    /// The name holds control characters or is too long.
    #[error("a name has 1 to 128 characters and no control characters")]
    MalformedName,
    /// The tenant holds this login already.
    #[error("the tenant has an account with this login, or one that looks like it")]
    LoginTaken,
    /// The tenant exists already.
    #[error("there is a tenant of this name")]
    TenantTaken,
    /// No such account.
    #[error("there is no such account")]
    UnknownAccount,
    /// No such tenant.
    #[error("there is no such tenant")]
    UnknownTenant,
    /// The password breaks rules.
    #[error("the password breaks {} rule(s)", .0.reasons().count())]
    Password(Verdict),
    /// More passwords than can be hashed at present.
    #[error("too many passwords are being hashed; try again in {retry_after_seconds} s")]
    Busy {
        /// Seconds until it is worth trying again.
        retry_after_seconds: u32,
    },
}

/// Why a text cannot be a login; replaced by the type of the policy crate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct MalformedLogin;

impl fmt::Display for MalformedLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a login")
    }
}

/// An operator's wish was refused, or could not be carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdminError {
    /// It cannot be carried out at present.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// It is not granted.
    #[error(transparent)]
    Refused(#[from] AdminRefusal),
}

/// A reset: a new link, or a password that somebody else chose.
pub(crate) struct ProvisionalPassword {
    /// When it stops working.
    pub(crate) expires_at: Timestamp,
}

impl Identity {
    /// Makes an account without a credential.
    pub(crate) async fn add_account(
        &self,
        operator: Operator,
        new: NewAccount,
    ) -> Result<AccountId, AdminError> {
        let _ = (operator, new);
        Err(Fault::NotAvailable.into())
    }

    /// The account that `tenant/login` (or a bare login of the default tenant) names.
    pub(crate) async fn find_account(&self, login: &str) -> Result<AccountFacts, AdminError> {
        let _ = login;
        Err(Fault::NotAvailable.into())
    }

    /// One account.
    pub(crate) async fn account(&self, id: AccountId) -> Result<AccountFacts, AdminError> {
        let _ = id;
        Err(Fault::NotAvailable.into())
    }

    /// The person's own account.
    pub(crate) async fn own_account(&self, signed_in: &SignedIn) -> Result<AccountFacts, Fault> {
        let _ = signed_in;
        Err(Fault::NotAvailable)
    }

    /// The accounts of a tenant, or all, by tenant and login.
    pub(crate) async fn accounts(
        &self,
        tenant: Option<&TenantName>,
    ) -> Result<Vec<AccountFacts>, AdminError> {
        let _ = tenant;
        Err(Fault::NotAvailable.into())
    }

    /// Locks an account and ends its sessions, with all that they have open.
    pub(crate) async fn lock_account(
        &self,
        operator: Operator,
        id: AccountId,
    ) -> Result<(), AdminError> {
        let _ = (operator, id);
        Err(Fault::NotAvailable.into())
    }

    /// Unlocks an account; its old sessions stay dead.
    pub(crate) async fn unlock_account(
        &self,
        operator: Operator,
        id: AccountId,
    ) -> Result<(), AdminError> {
        let _ = (operator, id);
        Err(Fault::NotAvailable.into())
    }

    /// Sets a provisional password: good for 24 h and one use, and only for choosing another
    /// (promise B4). Sessions end.
    pub(crate) async fn reset_password(
        &self,
        operator: Operator,
        id: AccountId,
        password: TypedPassword,
    ) -> Result<ProvisionalPassword, AdminError> {
        let _ = (operator, id, password);
        Err(Fault::NotAvailable.into())
    }

    /// Replaces the roles in the home tenant. Sessions end.
    pub(crate) async fn set_roles(
        &self,
        operator: Operator,
        id: AccountId,
        roles: Vec<Role>,
    ) -> Result<(), AdminError> {
        let _ = (operator, id, roles);
        Err(Fault::NotAvailable.into())
    }

    /// Erases an account by destroying its key: nothing personal can be read any more, in the
    /// journal and in old backups neither. Sessions end.
    pub(crate) async fn delete_account(
        &self,
        operator: Operator,
        id: AccountId,
    ) -> Result<(), AdminError> {
        let _ = (operator, id);
        Err(Fault::NotAvailable.into())
    }
}
