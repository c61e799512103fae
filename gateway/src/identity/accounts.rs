//! Accounts: made, shown, locked, reset, erased by an operator; read by their owner.

pub(crate) mod changes;

use std::{collections::HashMap, sync::Arc};

use octroi_policy::{
    host::Host,
    id::{AccountId, Role, TenantId, TenantName},
    login::{Login, MalformedLogin, QualifiedLogin},
    password::{policy::Judged, verdict::Verdict},
    session::TenantGrant,
    time::Timestamp,
};

use super::{
    Fault, Identity, Services,
    client::Operator,
    passwords::{judging::Before, replacing::Owner},
    secret::TypedPassword,
    sessions::SignedIn,
    trace,
};
pub(crate) use crate::store::accounts::Language;
use crate::{
    entropy,
    journal::event::Event,
    store::{
        Conflict, StoreError,
        accounts::{
            Account, AccountPage, AccountStatus, NewAccount as AccountToKeep, PasswordOrigin,
            Profile,
        },
        tenants::Tenant,
    },
};

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
    /// No password that opens anything: an invitation is out, or has to be sent. A provisional
    /// password that was used counts as none.
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

impl AccountFacts {
    /// The login as it has to be typed: it works from whichever host the person comes, and
    /// whichever tenant a bare login means there.
    pub(crate) fn full_login(&self) -> String {
        format!("{}/{}", self.tenant, self.login)
    }
}

/// Why an operator's wish is not granted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum AdminRefusal {
    /// The address is not one.
    #[error("the e-mail address is not one: one '@', with a name before and a host after it")]
    MalformedEmail,
    /// The login cannot be one.
    #[error("the login cannot be one: {0}")]
    MalformedLogin(#[from] MalformedLogin),
    /// The name holds control characters or is too long.
    #[error("a name has 1 to 128 characters and no control characters")]
    MalformedName,
    /// The tenant holds this login already.
    #[error("the tenant has an account with this login")]
    LoginTaken,
    /// There is no default tenant, and none was named.
    #[error("name the tenant: tenant/login")]
    TenantMissing,
    /// A limit of the store.
    #[error("there are as many of them as the store takes")]
    TooMany,
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

impl Identity {
    /// Makes an account without a credential.
    pub(crate) async fn add_account(
        &self,
        operator: Operator,
        new: NewAccount,
    ) -> Result<AccountId, AdminError> {
        let services = &self.0;
        let tenant = services.known_tenant(&new.tenant).await?;
        let login = Login::for_new_account(&new.login).map_err(AdminRefusal::from)?;
        let profile = Profile {
            name: new.name.as_deref().map(parse_name).transpose()?,
            email: new.email.as_deref().map(parse_email).transpose()?,
            language: new.language,
        };
        let random = entropy::random(services.entropy.as_ref()).map_err(Fault::from)?;
        let now = services.clock.now();
        let id = AccountId::from_random(random);
        let mut roles = new.roles;
        roles.sort();
        roles.dedup();
        let event = Event::AccountCreated {
            roles: roles.clone(),
        };
        let kept = AccountToKeep {
            id,
            tenant: tenant.id,
            login: login.as_str().into(),
            profile,
            roles: roles.into(),
            password: None,
            created_at: now,
        };
        let line = trace::of_new_account(operator, &kept, event, now);
        match services.stores.accounts.insert(kept, vec![line]).await {
            Ok(()) => Ok(id),
            Err(StoreError::Conflict(Conflict::LoginTaken)) => Err(AdminRefusal::LoginTaken.into()),
            Err(StoreError::Conflict(Conflict::Missing)) => Err(AdminRefusal::UnknownTenant.into()),
            Err(error) => Err(admin_error(error)),
        }
    }

    /// Judges a provisional password before its account is made: where it is refused, nothing is.
    pub(crate) async fn judge_provisional(
        &self,
        new: &NewAccount,
        password: &TypedPassword,
    ) -> Result<(), AdminError> {
        let tenant = self.0.known_tenant(&new.tenant).await?;
        let owner = Owner {
            tenant: tenant.id,
            tenant_name: &tenant.name,
            login: &new.login,
            name: new.name.as_deref(),
            email: new.email.as_deref(),
            roles: &new.roles,
        };
        match self.0.judge(owner, password, Before::Nothing).await? {
            Judged::Acceptable(..) => Ok(()),
            Judged::Refused(verdict) => Err(AdminRefusal::Password(verdict).into()),
        }
    }

    /// The account that `tenant/login` (or a bare login of the default tenant) names.
    pub(crate) async fn find_account(&self, login: &str) -> Result<AccountFacts, AdminError> {
        let services = &self.0;
        let named = QualifiedLogin::parse(login).map_err(AdminRefusal::from)?;
        let tenant = named
            .tenant
            .or_else(|| services.settings.load().default_tenant.clone());
        let tenant = services
            .known_tenant(&tenant.ok_or(AdminRefusal::TenantMissing)?)
            .await?;
        let account = services
            .stores
            .accounts
            .by_login(tenant.id, named.login.as_str())
            .await;
        let account = account
            .map_err(Fault::from)?
            .ok_or(AdminRefusal::UnknownAccount)?;
        Ok(facts(account, &tenant.display_name))
    }

    /// One account.
    pub(crate) async fn account(&self, id: AccountId) -> Result<AccountFacts, AdminError> {
        let account = self.0.known_account(id).await?;
        Ok(self.0.account_facts(account).await?)
    }

    /// The person's own account.
    pub(crate) async fn own_account(&self, signed_in: &SignedIn) -> Result<AccountFacts, Fault> {
        let account = self.0.stores.accounts.by_id(signed_in.account()).await?;
        let account = account.ok_or(StoreError::Conflict(Conflict::Missing))?;
        self.0.account_facts(account).await
    }

    /// The accounts of a tenant, or all, by tenant and login; and those that are damaged.
    pub(crate) async fn accounts(
        &self,
        tenant: Option<&TenantName>,
    ) -> Result<(Vec<AccountFacts>, Vec<AccountId>), AdminError> {
        let services = &self.0;
        let tenants = services.stores.tenants.list().await.map_err(Fault::from)?;
        let organisations: HashMap<TenantId, Arc<str>> = tenants
            .iter()
            .map(|tenant| (tenant.id, tenant.display_name.clone()))
            .collect();
        let tenant = match tenant {
            Some(name) => Some(services.known_tenant(name).await?.id),
            None => None,
        };
        let (mut found, mut unreadable) = (Vec::new(), Vec::new());
        let mut after = None;
        loop {
            let page = AccountPage {
                tenant,
                after,
                limit: AccountPage::LIMIT_MAX,
            };
            let listed = services
                .stores
                .accounts
                .list(page)
                .await
                .map_err(Fault::from)?;
            after = listed.last;
            unreadable.extend(listed.unreadable);
            found.extend(listed.accounts.into_iter().map(|account| {
                let organisation = organisations
                    .get(&account.tenant)
                    .cloned()
                    .unwrap_or_default();
                facts(account, &organisation)
            }));
            if after.is_none() {
                break;
            }
        }
        found.sort_by(|one, other| (&one.tenant, &one.login).cmp(&(&other.tenant, &other.login)));
        Ok((found, unreadable))
    }
}

impl Services {
    pub(super) async fn known_account(&self, id: AccountId) -> Result<Account, AdminError> {
        let account = self.stores.accounts.by_id(id).await.map_err(Fault::from)?;
        Ok(account.ok_or(AdminRefusal::UnknownAccount)?)
    }

    async fn known_tenant(&self, name: &TenantName) -> Result<Tenant, AdminError> {
        let tenant = self
            .stores
            .tenants
            .by_name(name)
            .await
            .map_err(Fault::from)?;
        Ok(tenant.ok_or(AdminRefusal::UnknownTenant)?)
    }

    async fn account_facts(&self, account: Account) -> Result<AccountFacts, Fault> {
        let tenant = self.stores.tenants.by_id(account.tenant).await?;
        let organisation = tenant.map(|tenant| tenant.display_name).unwrap_or_default();
        Ok(facts(account, &organisation))
    }
}

/// A name of a person or an organisation: 1 to 128 characters, none of them a control character.
pub(super) fn parse_name(name: &str) -> Result<Arc<str>, AdminRefusal> {
    let name = name.trim();
    let fits = (1..=NAME_LEN_MAX).contains(&name.chars().count());
    if fits && !name.chars().any(char::is_control) {
        Ok(name.into())
    } else {
        Err(AdminRefusal::MalformedName)
    }
}

/// An e-mail address in the one form that mail to people takes: an ASCII dot-atom, one `@`, a host
/// name with a dot (RFC 5321, section 4.1.2, without quoted strings, comments and literals; attack
/// class D8).
fn parse_email(address: &str) -> Result<Arc<str>, AdminRefusal> {
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
    };
    let fits = |(local, host): (&str, &str)| {
        local.len() <= EMAIL_LOCAL_LEN_MAX
            && local.split('.').all(is_atom)
            && host.contains('.')
            && !host.ends_with('.')
            && host.parse::<Host>().is_ok()
    };
    if address.len() <= EMAIL_LEN_MAX && address.split_once('@').is_some_and(fits) {
        Ok(address.into())
    } else {
        Err(AdminRefusal::MalformedEmail)
    }
}

/// What an operator is told of a store that did not do as it was asked.
pub(super) fn admin_error(error: StoreError) -> AdminError {
    match error {
        StoreError::Conflict(Conflict::Missing) => AdminRefusal::UnknownAccount.into(),
        StoreError::Conflict(Conflict::LimitReached) => AdminRefusal::TooMany.into(),
        StoreError::Conflict(_)
        | StoreError::Unavailable(_)
        | StoreError::Full
        | StoreError::Corrupt(_) => AdminError::Fault(error.into()),
    }
}

/// Long enough for any person and most company names.
const NAME_LEN_MAX: usize = 128;
/// RFC 5321, section 4.5.3.1.1.
const EMAIL_LOCAL_LEN_MAX: usize = 64;
/// RFC 5321, section 4.5.3.1.3, less the angle brackets.
const EMAIL_LEN_MAX: usize = 254;

fn facts(account: Account, organisation: &str) -> AccountFacts {
    let origin = account.password.as_ref().map(|password| password.origin);
    let standing = match (account.status, origin) {
        (AccountStatus::Locked { at }, _) => Standing::Locked { locked_at: at },
        (AccountStatus::Active, None | Some(PasswordOrigin::Provisional { spent: true, .. })) => {
            Standing::AwaitingPassword
        }
        (AccountStatus::Active, Some(PasswordOrigin::Provisional { expires_at, .. })) => {
            Standing::Provisional { expires_at }
        }
        (AccountStatus::Active, Some(PasswordOrigin::Own)) => Standing::Ready,
    };
    AccountFacts {
        id: account.id,
        tenant: account.tenant_name,
        organisation: organisation.to_owned(),
        login: account.login.as_ref().to_owned(),
        name: account.profile.name.as_deref().map(str::to_owned),
        email: account.profile.email.as_deref().map(str::to_owned),
        language: account.profile.language,
        roles: account.roles.into_vec(),
        grants: account.grants.into_vec(),
        standing,
        created_at: account.created_at,
        password_changed_at: account.password.map(|password| password.set_at),
    }
}
