//! Tenants in SQLite.

use octroi_policy::id::{TenantId, TenantName};
use sqlx::sqlite::SqliteRow;

use super::{
    SqliteStore,
    accounts::exists,
    database::Weight,
    fault::fault,
    rows::Columns,
    statements::{query, query_scalar},
};
use crate::{
    journal::Draft,
    store::{
        Conflict, StoreError,
        tenants::{TENANTS_MAX, Tenant, TenantStore},
    },
};

#[async_trait::async_trait]
impl TenantStore for SqliteStore {
    async fn by_id(&self, tenant: TenantId) -> Result<Option<Tenant>, StoreError> {
        let mut connection = self.database.read().await?;
        let row = query("SELECT * FROM tenant WHERE id = $1")
            .bind(tenant.as_bytes().as_slice())
            .fetch_optional(&mut *connection)
            .await
            .map_err(fault)?;
        row.as_ref().map(read).transpose()
    }

    async fn by_name(&self, name: &TenantName) -> Result<Option<Tenant>, StoreError> {
        let mut connection = self.database.read().await?;
        let row = query("SELECT * FROM tenant WHERE name = $1")
            .bind(name.as_str())
            .fetch_optional(&mut *connection)
            .await
            .map_err(fault)?;
        row.as_ref().map(read).transpose()
    }

    async fn list(&self) -> Result<Vec<Tenant>, StoreError> {
        let mut connection = self.database.read().await?;
        let rows = query("SELECT * FROM tenant ORDER BY name")
            .fetch_all(&mut *connection)
            .await
            .map_err(fault)?;
        rows.iter().map(read).collect()
    }

    async fn insert(&self, tenant: Tenant, journal: Vec<Draft>) -> Result<(), StoreError> {
        let inserted = self.try_insert_tenant(&tenant, &journal).await;
        self.database.settled(Weight::Ordinary, inserted)
    }
}

impl SqliteStore {
    async fn try_insert_tenant(
        &self,
        tenant: &Tenant,
        journal: &[Draft],
    ) -> Result<(), StoreError> {
        let prepared = self.scribe.prepare(journal).await?;
        let mut tx = self.database.begin(Weight::Ordinary).await?;
        let named: Option<i64> = query_scalar("SELECT 1 FROM tenant WHERE name = $1")
            .bind(tenant.name.as_str())
            .fetch_optional(&mut *tx)
            .await
            .map_err(fault)?;
        if named.is_some() {
            return Err(Conflict::TenantNameTaken.into());
        }
        if exists(
            &mut tx,
            "SELECT 1 FROM tenant WHERE id = $1",
            tenant.id.as_bytes(),
        )
        .await?
        {
            return Err(Conflict::Duplicate.into());
        }
        let count: i64 = query_scalar("SELECT count(*) FROM tenant")
            .fetch_one(&mut *tx)
            .await
            .map_err(fault)?;
        if usize::try_from(count).unwrap_or(usize::MAX) >= TENANTS_MAX {
            return Err(Conflict::LimitReached.into());
        }
        query("INSERT INTO tenant (id, name, display_name, created_at) VALUES ($1, $2, $3, $4)")
            .bind(tenant.id.as_bytes().as_slice())
            .bind(tenant.name.as_str())
            .bind(&*tenant.display_name)
            .bind(tenant.created_at.as_unix_millis())
            .execute(&mut *tx)
            .await
            .map_err(fault)?;
        self.scribe.write(&mut tx, &prepared).await?;
        tx.commit().await
    }
}

fn read(row: &SqliteRow) -> Result<Tenant, StoreError> {
    let row = Columns(row);
    Ok(Tenant {
        id: TenantId::from_bytes(row.fixed("id")?),
        name: row.parsed("name")?,
        display_name: row.text("display_name")?.into(),
        created_at: row.time("created_at")?,
    })
}
