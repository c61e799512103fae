//! Tenants: the organisations whose accounts are kept apart.

use octroi_policy::{
    id::{TenantId, TenantName},
    time::Timestamp,
};

use super::{Fault, Identity, accounts::AdminError, client::Operator};

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
        let _ = (operator, name, display_name);
        Err(Fault::NotAvailable.into())
    }

    /// All tenants, by name.
    pub(crate) async fn tenants(&self) -> Result<Vec<TenantFacts>, Fault> {
        Err(Fault::NotAvailable)
    }
}
