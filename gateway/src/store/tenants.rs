//! Tenants: organisations whose accounts are kept apart.

use std::sync::Arc;

use octroi_policy::{
    id::{TenantId, TenantName},
    time::Timestamp,
};

use super::StoreError;
use crate::journal::Draft;

/// Tenants. There are few: lists are whole.
#[async_trait::async_trait]
pub(crate) trait TenantStore: Send + Sync + 'static {
    /// The tenant of this id.
    async fn by_id(&self, tenant: TenantId) -> Result<Option<Tenant>, StoreError>;

    /// The tenant of this name.
    async fn by_name(&self, name: &TenantName) -> Result<Option<Tenant>, StoreError>;

    /// All tenants, by name.
    async fn list(&self) -> Result<Vec<Tenant>, StoreError>;

    /// Adds a tenant. [`super::Conflict::TenantNameTaken`]; [`super::Conflict::LimitReached`]
    /// above [`TENANTS_MAX`].
    async fn insert(&self, tenant: Tenant, journal: Vec<Draft>) -> Result<(), StoreError>;
}

/// The most tenants: lists of them are read whole.
pub(crate) const TENANTS_MAX: usize = 10_000;

/// An organisation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Tenant {
    /// Opaque, stable.
    pub(crate) id: TenantId,
    /// As logins, routes and upstreams name it.
    pub(crate) name: TenantName,
    /// As people read it: "Acme SARL".
    pub(crate) display_name: Arc<str>,
    /// When it was added.
    pub(crate) created_at: Timestamp,
}
