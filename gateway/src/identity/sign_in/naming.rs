//! Whom an attempt to sign in names.

use octroi_policy::{
    id::{TenantId, TenantName},
    login::{self, Login, QualifiedLogin},
};

use super::SignInAttempt;
use crate::{
    identity::{Fault, Services},
    store::accounts::Account,
};

/// Whom an attempt names; `None` where what was typed can be no name.
pub(super) struct Named {
    pub(super) tenant: Option<TenantName>,
    login: Option<Login>,
    typed: String,
}

impl Named {
    /// The text that names the counters: the canonical login, or what was typed instead of one.
    pub(super) fn counted(&self) -> &str {
        self.login.as_ref().map_or(&self.typed, Login::as_str)
    }
}

impl Services {
    /// Whom an attempt names. Tenants are never searched in turn: what was typed decides, then the
    /// host asked for, then the default.
    pub(super) fn named(&self, attempt: &SignInAttempt) -> Named {
        let typed = attempt.login.clone();
        let settings = self.settings.load();
        let Ok(parsed) = QualifiedLogin::parse(&attempt.login) else {
            return Named {
                tenant: None,
                login: None,
                typed,
            };
        };
        let tenant = match (parsed.tenant, attempt.tenant.as_deref()) {
            (Some(tenant), None) => Some(tenant),
            (None, Some(sent)) => login::parse_tenant(sent).ok(),
            (Some(tenant), Some(sent)) => login::parse_tenant(sent)
                .ok()
                .filter(|sent| *sent == tenant),
            (None, None) => attempt
                .host_asked
                .as_ref()
                .and_then(|host| settings.tenant_of_host.get(host))
                .or(settings.default_tenant.as_ref())
                .cloned(),
        };
        Named {
            tenant,
            login: Some(parsed.login),
            typed,
        }
    }

    /// The account that is named. How often the store is asked depends on what was typed alone,
    /// never on what is found.
    pub(super) async fn look_up(&self, named: &Named) -> Result<Option<Account>, Fault> {
        let tenant = match &named.tenant {
            Some(tenant) => self.stores.tenants.by_name(tenant).await?,
            None => None,
        };
        let tenant = tenant.map_or(NO_TENANT, |tenant| tenant.id);
        let login = named.login.as_ref().map_or("", Login::as_str);
        Ok(self.stores.accounts.by_login(tenant, login).await?)
    }
}

/// No tenant has it: identifiers are version 4 UUIDs.
const NO_TENANT: TenantId = TenantId::from_bytes([0; 16]);
