//! Accounts in SQLite: looked up by a keyed hash of the login, personal fields sealed.

use std::{collections::HashMap, sync::Arc};

use octroi_policy::{
    id::{AccountId, TenantId},
    session::TenantGrant,
    time::Timestamp,
};
use sqlx::{SqliteConnection, sqlite::SqliteRow};
use zeroize::Zeroizing;

use super::{
    SqliteStore,
    database::{Tx, Weight},
    fault::{damaged, fault, is_taken},
    origin::{profile_from_json, profile_to_json},
    rows::{Columns, integer, roles_to_json},
};
use crate::{
    journal::Draft,
    keyring::{Purpose, sealing::SealingKey},
    store::{
        Conflict, StoreError,
        accounts::{
            Account, AccountCommand, AccountPage, AccountStatus, AccountStore, Changed, Erased,
            NewAccount, Password, PasswordHash, PasswordOrigin,
        },
        personal_keys::KeyName,
    },
};

/// Rights on further tenants, by account.
pub(super) type Grants = HashMap<AccountId, Box<[TenantGrant]>>;

#[async_trait::async_trait]
impl AccountStore for SqliteStore {
    async fn by_id(&self, account: AccountId) -> Result<Option<Account>, StoreError> {
        let mut connection = self.database.read().await?;
        let row = sqlx::query(SELECT_BY_ID)
            .bind(account.as_bytes().as_slice())
            .fetch_optional(&mut *connection)
            .await
            .map_err(fault)?;
        self.account(&mut connection, row).await
    }

    async fn by_login(&self, tenant: TenantId, login: &str) -> Result<Option<Account>, StoreError> {
        let mut connection = self.database.read().await?;
        let row = sqlx::query(SELECT_BY_LOGIN)
            .bind(self.login_index(tenant, login).as_slice())
            .fetch_optional(&mut *connection)
            .await
            .map_err(fault)?;
        self.account(&mut connection, row).await
    }

    async fn list(&self, page: AccountPage) -> Result<Vec<Account>, StoreError> {
        let mut connection = self.database.read().await?;
        let rows = sqlx::query(SELECT_PAGE)
            .bind(page.tenant.map(|id| id.as_bytes().to_vec()))
            .bind(page.after.map(|id| id.as_bytes().to_vec()))
            .bind(i64::from(page.limit.min(AccountPage::LIMIT_MAX)))
            .fetch_all(&mut *connection)
            .await
            .map_err(fault)?;
        let mut accounts = Vec::with_capacity(rows.len());
        for row in rows {
            accounts.extend(self.account(&mut connection, Some(row)).await?);
        }
        Ok(accounts)
    }

    async fn insert(&self, account: NewAccount, journal: Vec<Draft>) -> Result<(), StoreError> {
        let inserted = self.try_insert(&account, &journal).await;
        self.database.settled(Weight::Ordinary, inserted)
    }

    async fn change(&self, command: AccountCommand) -> Result<Changed, StoreError> {
        self.change_account(command).await
    }

    async fn erase(
        &self,
        account: AccountId,
        at: Timestamp,
        journal: Vec<Draft>,
    ) -> Result<Erased, StoreError> {
        self.erase_account(account, at, &journal).await
    }
}

impl SqliteStore {
    /// What a login is found by: nobody who has the file alone can tell which logins it holds.
    fn login_index(&self, tenant: TenantId, login: &str) -> [u8; 32] {
        let parts: &[&[u8]] = &[tenant.as_bytes(), login.as_bytes()];
        self.keyring.keyed_hash(Purpose::LoginIndex, parts)
    }

    /// The key of an account that was not erased.
    pub(super) async fn account_key(&self, account: AccountId) -> Result<SealingKey, StoreError> {
        let key = self.scribe.personal_keys.find(KeyName::Account(account));
        key.await?.ok_or_else(|| {
            damaged("keys.db does not hold the key of an account; restore its latest copy")
        })
    }

    /// Seals a value with the account's key.
    pub(super) async fn seal_personal(
        &self,
        account: AccountId,
        context: &[u8],
        value: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        let key = self.account_key(account).await?;
        Ok(key.seal(context, value, &*self.entropy)?)
    }

    async fn account(
        &self,
        connection: &mut SqliteConnection,
        row: Option<SqliteRow>,
    ) -> Result<Option<Account>, StoreError> {
        let Some(row) = row else { return Ok(None) };
        let row = Columns(&row);
        let id = AccountId::from_bytes(row.fixed("id")?);
        let key = self.account_key(id).await?;
        let open = |context: &[u8], sealed: Vec<u8>| {
            let opened = key.open(&personal_context(context, id), &sealed);
            opened.map_err(|_| damaged("a personal field of an account does not open"))
        };
        let login = open(LOGIN, row.bytes("login")?)?;
        let login = std::str::from_utf8(&login);
        let login = login.map_err(|_| damaged("a login is not text"))?;
        let profile = profile_from_json(&open(PROFILE, row.bytes("profile")?)?);
        Ok(Some(Account {
            id,
            tenant: TenantId::from_bytes(row.fixed("tenant")?),
            tenant_name: row.parsed("tenant_name")?,
            login: Arc::from(login),
            profile: profile.ok_or_else(|| damaged("a profile does not read"))?,
            roles: row.roles("roles")?,
            grants: grants(connection, Some(id))
                .await?
                .remove(&id)
                .unwrap_or_default(),
            status: match row.optional_time("locked_at")? {
                Some(at) => AccountStatus::Locked { at },
                None => AccountStatus::Active,
            },
            password: password(&row)?,
            epoch: row.epoch("epoch")?,
            created_at: row.time("created_at")?,
        }))
    }

    async fn try_insert(&self, new: &NewAccount, journal: &[Draft]) -> Result<(), StoreError> {
        // The key first: an account without a key cannot be read, a key without an account harms nobody.
        let name = KeyName::Account(new.id);
        let key = self.scribe.personal_keys.find_or_create(name).await?;
        let prepared = self.scribe.prepare(journal).await?;
        let mut tx = self.database.begin(Weight::Ordinary).await?;
        if !exists(
            &mut tx,
            "SELECT 1 FROM tenant WHERE id = $1",
            new.tenant.as_bytes(),
        )
        .await?
        {
            return Err(Conflict::Missing.into());
        }
        if exists(
            &mut tx,
            "SELECT 1 FROM account WHERE id = $1",
            new.id.as_bytes(),
        )
        .await?
        {
            return Err(Conflict::Duplicate.into());
        }
        let entropy = &*self.entropy;
        let login = key.seal(
            &personal_context(LOGIN, new.id),
            new.login.as_bytes(),
            entropy,
        )?;
        let profile = profile_to_json(&new.profile);
        let profile = key.seal(
            &personal_context(PROFILE, new.id),
            profile.as_bytes(),
            entropy,
        )?;
        let inserted = sqlx::query(
            "INSERT INTO account (id, tenant, login_index, login, profile, roles, epoch, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(new.id.as_bytes().as_slice())
        .bind(new.tenant.as_bytes().as_slice())
        .bind(self.login_index(new.tenant, &new.login).to_vec())
        .bind(login)
        .bind(profile)
        .bind(roles_to_json(&new.roles))
        .bind(integer(NewAccount::FIRST_EPOCH.0))
        .bind(new.created_at.as_unix_millis())
        .execute(&mut *tx)
        .await;
        match inserted {
            Ok(_) => {}
            Err(error) if is_taken(&error) => return Err(Conflict::LoginTaken.into()),
            Err(error) => return Err(fault(error)),
        }
        if let Some(password) = &new.password {
            set_password(&mut tx, new.id, Some(password)).await?;
        }
        self.scribe.write(&mut tx, &prepared).await?;
        tx.commit().await
    }
}

/// Whether a row with this id exists.
pub(super) async fn exists(
    tx: &mut Tx,
    sql: &'static str,
    id: &[u8; 16],
) -> Result<bool, StoreError> {
    let row = sqlx::query(sql)
        .bind(id.as_slice())
        .fetch_optional(&mut **tx);
    Ok(row.await.map_err(fault)?.is_some())
}

/// Sets a password, or takes it away.
pub(super) async fn set_password(
    tx: &mut Tx,
    account: AccountId,
    password: Option<&Password>,
) -> Result<(), StoreError> {
    let provisional = password.map(|password| password.origin);
    let (until, spent) = match provisional {
        Some(PasswordOrigin::Provisional { expires_at, spent }) => {
            (Some(expires_at.as_unix_millis()), spent)
        }
        Some(PasswordOrigin::Own) | None => (None, false),
    };
    sqlx::query(
        "UPDATE account SET password_hash = $2, password_set_at = $3, provisional_until = $4,
                            provisional_spent = $5
         WHERE id = $1",
    )
    .bind(account.as_bytes().as_slice())
    .bind(password.map(|password| password.hash.expose_phc()))
    .bind(password.map(|password| password.set_at.as_unix_millis()))
    .bind(until)
    .bind(spent)
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// The rights on further tenants of one account, or of all.
pub(super) async fn grants(
    connection: &mut SqliteConnection,
    account: Option<AccountId>,
) -> Result<Grants, StoreError> {
    let rows = sqlx::query(
        "SELECT tenant_grant.account, tenant.name, tenant_grant.roles, tenant_grant.ends_at
         FROM tenant_grant JOIN tenant ON tenant.id = tenant_grant.tenant
         WHERE $1 IS NULL OR tenant_grant.account = $1
         ORDER BY tenant.name",
    )
    .bind(account.map(|id| id.as_bytes().to_vec()))
    .fetch_all(connection)
    .await
    .map_err(fault)?;
    let mut grants: HashMap<AccountId, Vec<TenantGrant>> = HashMap::new();
    for row in &rows {
        let row = Columns(row);
        let grant = TenantGrant {
            tenant: row.parsed("name")?,
            roles: row.roles("roles")?,
            ends_at: row.time("ends_at")?,
        };
        let account = AccountId::from_bytes(row.fixed("account")?);
        grants.entry(account).or_default().push(grant);
    }
    let boxed = grants
        .into_iter()
        .map(|(account, grants)| (account, grants.into()));
    Ok(boxed.collect())
}

fn password(row: &Columns<'_>) -> Result<Option<Password>, StoreError> {
    let Some(hash) = row.optional_text("password_hash")? else {
        return Ok(None);
    };
    let origin = match row.optional_time("provisional_until")? {
        Some(expires_at) => PasswordOrigin::Provisional {
            expires_at,
            spent: row.integer("provisional_spent")? != 0,
        },
        None => PasswordOrigin::Own,
    };
    Ok(Some(Password {
        hash: PasswordHash::from_phc(Zeroizing::new(hash)),
        set_at: row.time("password_set_at")?,
        origin,
    }))
}

/// A personal field opens in its own place of its own account alone.
fn personal_context(field: &[u8], account: AccountId) -> Vec<u8> {
    [field, account.as_bytes()].concat()
}

const LOGIN: &[u8] = b"account login ";
const PROFILE: &[u8] = b"account profile ";

const SELECT_BY_ID: &str = "SELECT account.*, tenant.name AS tenant_name
     FROM account JOIN tenant ON tenant.id = account.tenant
     WHERE account.id = $1 AND account.erased_at IS NULL";

const SELECT_BY_LOGIN: &str = "SELECT account.*, tenant.name AS tenant_name
     FROM account JOIN tenant ON tenant.id = account.tenant
     WHERE account.login_index = $1";

const SELECT_PAGE: &str = "SELECT account.*, tenant.name AS tenant_name
     FROM account JOIN tenant ON tenant.id = account.tenant
     WHERE account.erased_at IS NULL
       AND ($1 IS NULL OR account.tenant = $1)
       AND ($2 IS NULL OR account.id > $2)
     ORDER BY account.id LIMIT $3";
