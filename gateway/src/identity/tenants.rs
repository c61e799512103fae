//! Tenants: the organisations whose accounts are kept apart.

use octroi_policy::{
    id::{TenantId, TenantName},
    time::Timestamp,
};

use super::{
    Fault, Identity,
    accounts::{AdminError, AdminRefusal, admin_error, parse_name},
    client::Operator,
};
use crate::{
    entropy,
    journal::event::{Draft, Event},
    store::{Conflict, StoreError, tenants::Tenant},
};

/// One tenant, as an operator sees it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct TenantFacts {
    /// The tenant.
    pub(crate) id: TenantId,
    /// As routes and logins name it.
    pub(crate) name: TenantName,
    /// As people name it.
    pub(crate) display_name: String,
    /// When it was made.
    pub(crate) created_at: Timestamp,
}

impl Identity {
    /// Makes a tenant.
    pub(crate) async fn add_tenant(
        &self,
        operator: Operator,
        name: TenantName,
        display_name: String,
    ) -> Result<TenantId, AdminError> {
        let services = &self.0;
        let display_name = parse_name(&display_name)?;
        let random = entropy::random(services.entropy.as_ref()).map_err(Fault::from)?;
        let id = TenantId::from_random(random);
        let now = services.clock.now();
        let event = Event::TenantCreated { name: name.clone() };
        let mut line = Draft::new(now, operator.into(), event);
        line.tenant = Some(id);
        let tenant = Tenant {
            id,
            name,
            display_name,
            created_at: now,
        };
        match services.stores.tenants.insert(tenant, vec![line]).await {
            Ok(()) => Ok(id),
            Err(StoreError::Conflict(Conflict::TenantNameTaken)) => {
                Err(AdminRefusal::TenantTaken.into())
            }
            Err(error) => Err(admin_error(error)),
        }
    }

    /// All tenants, by name.
    pub(crate) async fn tenants(&self) -> Result<Vec<TenantFacts>, Fault> {
        let tenants = self.0.stores.tenants.list().await?;
        Ok(tenants.into_iter().map(facts).collect())
    }
}

fn facts(tenant: Tenant) -> TenantFacts {
    TenantFacts {
        id: tenant.id,
        name: tenant.name,
        display_name: tenant.display_name.as_ref().to_owned(),
        created_at: tenant.created_at,
    }
}
