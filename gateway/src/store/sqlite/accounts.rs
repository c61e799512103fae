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
    nobody::Nobody,
    origin::{profile_from_json, profile_to_json},
    rows::{Columns, integer, list_of, roles_to_json},
    statements::query,
};
use crate::{
    journal::Draft,
    keyring::{Purpose, sealing::SealingKey},
    store::{
        Conflict, StoreError,
        accounts::{
            Account, AccountCommand, AccountList, AccountPage, AccountStatus, AccountStore,
            Changed, Erased, HashCount, NewAccount, Password, PasswordHash, PasswordOrigin,
            Profile,
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
        let row = query(SELECT_BY_ID)
            .bind(account.as_bytes().as_slice())
            .fetch_optional(&mut *connection)
            .await
            .map_err(fault)?;
        match row {
            Some(row) => self.account(&mut connection, &row).await.map(Some),
            None => Ok(None),
        }
    }

    async fn by_login(&self, tenant: TenantId, login: &str) -> Result<Option<Account>, StoreError> {
        let mut connection = self.database.read().await?;
        let row = query(SELECT_BY_LOGIN)
            .bind(self.login_index(tenant, login).as_slice())
            .fetch_optional(&mut *connection)
            .await
            .map_err(fault)?;
        let Some(row) = row else {
            self.look_at_nobody(&mut connection).await?;
            return Ok(None);
        };
        self.account(&mut connection, &row).await.map(Some)
    }

    async fn list(&self, page: AccountPage) -> Result<AccountList, StoreError> {
        self.page(page).await
    }

    async fn hash_counts(&self) -> Result<Vec<HashCount>, StoreError> {
        let mut connection = self.database.read().await?;
        let rows = query(SELECT_HASH_COUNTS).fetch_all(&mut *connection);
        let rows = rows.await.map_err(fault)?;
        let counted = rows.iter().map(|row| {
            let row = Columns(row);
            Ok(HashCount {
                parameters: row.text("parameters")?,
                accounts: u64::try_from(row.integer("accounts")?)
                    .map_err(|_| damaged("a count is below zero"))?,
            })
        });
        counted.collect()
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
        key.await?.ok_or_else(key_is_missing)
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

    async fn page(&self, page: AccountPage) -> Result<AccountList, StoreError> {
        let mut connection = self.database.read().await?;
        // All ids follow the empty key.
        let after = page
            .after
            .map_or_else(Vec::new, |id| id.as_bytes().to_vec());
        let limit = i64::from(page.limit.min(AccountPage::LIMIT_MAX));
        let select = match page.tenant {
            Some(tenant) => query(SELECT_PAGE_OF_TENANT).bind(tenant.as_bytes().to_vec()),
            None => query(SELECT_PAGE),
        };
        let rows = select.bind(after).bind(limit).fetch_all(&mut *connection);
        let rows = rows.await.map_err(fault)?;
        let ids = rows.iter().map(|row| id_of(&Columns(row)));
        let ids: Vec<AccountId> = ids.collect::<Result<_, _>>()?;
        let last = ids.last().copied();
        let mut grants = grants_of(&mut connection, &ids).await?;
        let mut keys = self.scribe.personal_keys.of_accounts(&ids).await?;
        let mut accounts = Vec::with_capacity(rows.len());
        let mut unreadable = Vec::new();
        for (row, id) in rows.iter().zip(ids) {
            let grants = grants.remove(&id).unwrap_or_default();
            let key = keys.remove(&id).unwrap_or_else(|| Err(key_is_missing()));
            match key.and_then(|key| account(&Columns(row), &key, grants)) {
                // One that is damaged hides no other.
                Err(error @ StoreError::Corrupt(_)) => {
                    tracing::error!(account = %id, %error, "an account cannot be read, and is left out of a list");
                    unreadable.push(id);
                }
                read => accounts.push(read?),
            }
        }
        Ok(AccountList {
            accounts,
            unreadable,
            last,
        })
    }

    async fn account(
        &self,
        connection: &mut SqliteConnection,
        row: &SqliteRow,
    ) -> Result<Account, StoreError> {
        let row = Columns(row);
        let id = id_of(&row)?;
        let key = self.account_key(id).await?;
        let grants = grants_of(connection, &[id]).await?.remove(&id);
        account(&row, &key, grants.unwrap_or_default())
    }

    /// The work of [`SqliteStore::account`], where there is none.
    async fn look_at_nobody(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let Nobody {
            id,
            key,
            login,
            profile,
        } = &self.nobody;
        let keys = &self.scribe.personal_keys;
        let key = keys.find_or(KeyName::Account(*id), key).await?;
        grants_of(connection, &[*id]).await?;
        open_personal(&key, *id, login, profile)?;
        Ok(())
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
        let inserted = query(
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
    let row = query(sql).bind(id.as_slice()).fetch_optional(&mut **tx);
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
    query(
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

/// The account of a row that one of the statements below selected.
fn account(
    row: &Columns<'_>,
    key: &SealingKey,
    grants: Box<[TenantGrant]>,
) -> Result<Account, StoreError> {
    let id = id_of(row)?;
    let (login, profile) = (row.bytes("login")?, row.bytes("profile")?);
    let (login, profile) = open_personal(key, id, &login, &profile)?;
    Ok(Account {
        id,
        tenant: TenantId::from_bytes(row.fixed("tenant")?),
        tenant_name: row.parsed("tenant_name")?,
        login,
        profile,
        roles: row.roles("roles")?,
        grants,
        status: match row.optional_time("locked_at")? {
            Some(at) => AccountStatus::Locked { at },
            None => AccountStatus::Active,
        },
        password: password(row)?,
        epoch: row.epoch("epoch")?,
        created_at: row.time("created_at")?,
    })
}

fn key_is_missing() -> StoreError {
    damaged("keys.db does not hold the key of an account; restore its latest copy")
}

fn id_of(row: &Columns<'_>) -> Result<AccountId, StoreError> {
    row.fixed("id").map(AccountId::from_bytes)
}

fn open_personal(
    key: &SealingKey,
    id: AccountId,
    login: &[u8],
    profile: &[u8],
) -> Result<(Arc<str>, Profile), StoreError> {
    let open = |field: &[u8], sealed: &[u8]| {
        let opened = key.open(&personal_context(field, id), sealed);
        opened.map_err(|_| damaged("a personal field of an account does not open"))
    };
    let login = open(LOGIN, login)?;
    let login = std::str::from_utf8(&login);
    let login = login.map_err(|_| damaged("a login is not text"))?;
    let profile = profile_from_json(&open(PROFILE, profile)?);
    let profile = profile.ok_or_else(|| damaged("a profile does not read"))?;
    Ok((Arc::from(login), profile))
}

/// The rights on further tenants of all accounts.
pub(super) async fn all_grants(connection: &mut SqliteConnection) -> Result<Grants, StoreError> {
    let rows = query(SELECT_ALL_GRANTS).fetch_all(connection);
    read_grants(&rows.await.map_err(fault)?)
}

/// The rights on further tenants of these accounts.
pub(super) async fn grants_of(
    connection: &mut SqliteConnection,
    accounts: &[AccountId],
) -> Result<Grants, StoreError> {
    let rows = query(SELECT_GRANTS_OF)
        .bind(list_of(accounts.iter().map(AccountId::as_bytes)))
        .fetch_all(connection)
        .await
        .map_err(fault)?;
    read_grants(&rows)
}

fn read_grants(rows: &[SqliteRow]) -> Result<Grants, StoreError> {
    let mut grants: HashMap<AccountId, Vec<TenantGrant>> = HashMap::new();
    for row in rows {
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
pub(super) fn personal_context(field: &[u8], account: AccountId) -> Vec<u8> {
    [field, account.as_bytes()].concat()
}

pub(super) const LOGIN: &[u8] = b"account login ";
pub(super) const PROFILE: &[u8] = b"account profile ";

pub(super) const SELECT_BY_ID: &str = "SELECT account.*, tenant.name AS tenant_name
     FROM account JOIN tenant ON tenant.id = account.tenant
     WHERE account.id = $1 AND account.erased_at IS NULL";

pub(super) const SELECT_BY_LOGIN: &str = "SELECT account.*, tenant.name AS tenant_name
     FROM account JOIN tenant ON tenant.id = account.tenant
     WHERE account.login_index = $1";

pub(super) const SELECT_PAGE: &str = "SELECT account.*, tenant.name AS tenant_name
     FROM account JOIN tenant ON tenant.id = account.tenant
     WHERE account.id > $1 AND account.erased_at IS NULL
     ORDER BY account.id LIMIT $2";

pub(super) const SELECT_PAGE_OF_TENANT: &str = "SELECT account.*, tenant.name AS tenant_name
     FROM account JOIN tenant ON tenant.id = account.tenant
     WHERE account.tenant = $1 AND account.id > $2 AND account.erased_at IS NULL
     ORDER BY account.id LIMIT $3";

/// Every hash of ours names its pepper after its cost.
const SELECT_HASH_COUNTS: &str =
    "SELECT substr(password_hash, 1, instr(password_hash, ',keyid=') - 1) AS parameters,
            count(*) AS accounts
     FROM account
     WHERE instr(password_hash, ',keyid=') > 0 AND erased_at IS NULL
     GROUP BY 1 ORDER BY 1";

const SELECT_ALL_GRANTS: &str =
    "SELECT tenant_grant.account, tenant.name, tenant_grant.roles, tenant_grant.ends_at
     FROM tenant_grant JOIN tenant ON tenant.id = tenant_grant.tenant
     ORDER BY tenant.name";

pub(super) const SELECT_GRANTS_OF: &str =
    "SELECT tenant_grant.account, tenant.name, tenant_grant.roles, tenant_grant.ends_at
     FROM json_each($1) AS wanted
     CROSS JOIN tenant_grant ON tenant_grant.account = unhex(wanted.value)
     CROSS JOIN tenant ON tenant.id = tenant_grant.tenant
     ORDER BY tenant.name";
