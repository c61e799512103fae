//! Sessions as pages and the command line show them: each question one statement, and one each for
//! hosts, rights and keys, however many sessions there are.
//!
//! An origin that does not open is left out and told of in the log: a session is never hidden for it
//! from whoever may have to end it.

use std::collections::{BTreeSet, HashMap};

use octroi_policy::{
    host::Host,
    id::{AccountId, SessionId},
    session::SessionRecord,
    time::Timestamp,
};
use sqlx::{SqliteConnection, sqlite::SqliteRow};

use super::{
    SqliteStore,
    accounts::grants_of,
    fault::{damaged, fault},
    origin::origin_from_json,
    rows::{Columns, list_of},
    session_rows,
    statements::query,
};
use crate::{
    keyring::sealing::SealingKey,
    store::{
        StoreError,
        sessions::{EndCause, SessionOrigin, SessionView},
    },
};

impl SqliteStore {
    /// The session of this id, whether or not it has ended.
    pub(super) async fn view_of(
        &self,
        session: SessionId,
    ) -> Result<Option<SessionView>, StoreError> {
        let mut connection = self.database.read().await?;
        let rows = query(SELECT_ONE)
            .bind(session.as_bytes().as_slice())
            .fetch_all(&mut *connection)
            .await
            .map_err(fault)?;
        Ok(self.views(&mut connection, &rows).await?.pop())
    }

    /// The sessions of an account that live, latest first.
    pub(super) async fn living_views_of(
        &self,
        account: AccountId,
    ) -> Result<Vec<SessionView>, StoreError> {
        let mut connection = self.database.read().await?;
        let rows = query(SELECT_LIVING_OF)
            .bind(account.as_bytes().as_slice())
            .fetch_all(&mut *connection)
            .await
            .map_err(fault)?;
        self.views(&mut connection, &rows).await
    }

    /// The sessions of an account that have ended, last ended first.
    pub(super) async fn past_views_of(
        &self,
        account: AccountId,
        limit: u16,
    ) -> Result<Vec<SessionView>, StoreError> {
        let mut connection = self.database.read().await?;
        let rows = query(SELECT_PAST_OF)
            .bind(account.as_bytes().as_slice())
            .bind(i64::from(limit))
            .fetch_all(&mut *connection)
            .await
            .map_err(fault)?;
        self.views(&mut connection, &rows).await
    }

    /// All sessions that live, latest first.
    pub(super) async fn living_views(&self, limit: u16) -> Result<Vec<SessionView>, StoreError> {
        let mut connection = self.database.read().await?;
        let rows = query(SELECT_LIVING)
            .bind(i64::from(limit))
            .fetch_all(&mut *connection)
            .await
            .map_err(fault)?;
        self.views(&mut connection, &rows).await
    }

    async fn views(
        &self,
        connection: &mut SqliteConnection,
        rows: &[SqliteRow],
    ) -> Result<Vec<SessionView>, StoreError> {
        let keys = self.keys_of(rows).await?;
        let accounts: Vec<AccountId> = keys.keys().copied().collect();
        let grants = grants_of(connection, &accounts).await?;
        let mut views = Vec::with_capacity(rows.len());
        for row in rows {
            let record = session_rows::record(row, &grants)?;
            let key = keys.get(&record.account).and_then(Option::as_ref);
            let row = Columns(row);
            views.push(SessionView {
                origin: readable_origin(&row, &record, key)?,
                last_used_at: match self.roster.session(record.id) {
                    Some(live) => live.last_used_at(),
                    None => row.time("last_used_at")?,
                },
                ended: ended(&row)?,
                hosts: Vec::new(),
                record,
            });
        }
        let ids = views.iter().map(|view| view.record.id);
        let mut hosts = hosts_of(connection, ids).await?;
        for view in &mut views {
            view.hosts = hosts.remove(&view.record.id).unwrap_or_default();
        }
        Ok(views)
    }

    /// The keys of the accounts of these rows; none for those that were erased.
    async fn keys_of(
        &self,
        rows: &[SqliteRow],
    ) -> Result<HashMap<AccountId, Option<SealingKey>>, StoreError> {
        let accounts = rows.iter().map(|row| Columns(row).fixed("account"));
        let accounts = accounts.map(|account| account.map(AccountId::from_bytes));
        let accounts: BTreeSet<AccountId> = accounts.collect::<Result<_, _>>()?;
        let accounts: Vec<AccountId> = accounts.into_iter().collect();
        let mut found = self.scribe.personal_keys.of_accounts(&accounts).await?;
        let key_of = |account| match found.remove(&account) {
            Some(Ok(key)) => (account, Some(key)),
            Some(Err(error)) => {
                tracing::error!(%account, %error, "where its sessions were opened from cannot be read");
                (account, None)
            }
            None => (account, None),
        };
        Ok(accounts.into_iter().map(key_of).collect())
    }
}

/// The same as [`origin`], or nothing where it is damaged.
fn readable_origin(
    row: &Columns<'_>,
    record: &SessionRecord,
    key: Option<&SealingKey>,
) -> Result<SessionOrigin, StoreError> {
    match origin(row, record.id, key) {
        Err(error @ StoreError::Corrupt(_)) => {
            tracing::error!(account = %record.account, %error, "where a session was opened from cannot be read");
            Ok(SessionOrigin::default())
        }
        other => other,
    }
}

/// Where a session was opened from; nothing, once its account's key is destroyed.
fn origin(
    row: &Columns<'_>,
    session: SessionId,
    key: Option<&SealingKey>,
) -> Result<SessionOrigin, StoreError> {
    let Some((key, sealed)) = key.zip(row.optional_bytes("origin")?) else {
        return Ok(SessionOrigin::default());
    };
    let opened = key.open(&origin_context(session), &sealed);
    let opened = opened.map_err(|_| damaged("the origin of a session does not open"))?;
    origin_from_json(&opened).ok_or_else(|| damaged("the origin of a session does not read"))
}

fn ended(row: &Columns<'_>) -> Result<Option<(Timestamp, EndCause)>, StoreError> {
    let Some(at) = row.optional_time("ended_at")? else {
        return Ok(None);
    };
    Ok(Some((at, row.word("end_cause", EndCause::from_word)?)))
}

/// The hosts on which sessions have, or had, a token.
async fn hosts_of(
    connection: &mut SqliteConnection,
    sessions: impl Iterator<Item = SessionId>,
) -> Result<HashMap<SessionId, Vec<Host>>, StoreError> {
    let sessions: Vec<[u8; 16]> = sessions.map(|session| *session.as_bytes()).collect();
    let rows = query(SELECT_HOSTS_OF)
        .bind(list_of(&sessions))
        .fetch_all(connection)
        .await
        .map_err(fault)?;
    let mut hosts: HashMap<SessionId, Vec<Host>> = HashMap::new();
    for row in &rows {
        let row = Columns(row);
        let session = SessionId::from_bytes(row.fixed("session")?);
        hosts.entry(session).or_default().push(row.parsed("host")?);
    }
    Ok(hosts)
}

/// The origin of a session opens in its own place alone.
pub(super) fn origin_context(session: SessionId) -> Vec<u8> {
    [b"session origin ".as_slice(), session.as_bytes()].concat()
}

/// Sessions with what [`session_rows::record`] reads of their accounts.
macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT session.*, account.roles, account.tenant, tenant.name AS tenant_name
             FROM session
             JOIN account ON account.id = session.account
             JOIN tenant ON tenant.id = account.tenant ",
            $which
        )
    };
}

pub(super) const SELECT_ONE: &str = select!("WHERE session.id = $1");

pub(super) const SELECT_LIVING_OF: &str = select!(
    "WHERE session.account = $1 AND session.ended_at IS NULL
     ORDER BY session.started_at DESC, session.id DESC"
);

pub(super) const SELECT_PAST_OF: &str = select!(
    "WHERE session.account = $1 AND session.ended_at IS NOT NULL
     ORDER BY session.ended_at DESC, session.id DESC LIMIT $2"
);

pub(super) const SELECT_LIVING: &str = select!(
    "WHERE session.ended_at IS NULL
     ORDER BY session.started_at DESC, session.id DESC LIMIT $1"
);

pub(super) const SELECT_HOSTS_OF: &str = "SELECT session_host.session, session_host.host
     FROM json_each($1) AS wanted
     CROSS JOIN session_host ON session_host.session = unhex(wanted.value)
     ORDER BY session_host.session, session_host.host";
