//! Rows of sessions.

use std::time::Duration;

use octroi_policy::{
    host::Host,
    id::{AccountId, SessionId, TenantId},
    session::{SessionRecord, TokenFacts},
    time::Timestamp,
};
use sqlx::{SqliteConnection, sqlite::SqliteRow};

use super::{
    accounts::Grants,
    database::Tx,
    fault::{damaged, fault, is_taken},
    rows::{self, Columns, integer},
    statements::query,
};
use crate::store::{
    Conflict, StoreError,
    sessions::{EndCause, NewToken, SessionOpening, TokenHash},
};

/// Inserts a session with its first token. Its origin is sealed already.
pub(super) async fn insert(
    tx: &mut Tx,
    opening: &SessionOpening,
    origin: Vec<u8>,
) -> Result<(), StoreError> {
    let record = &opening.record;
    let stage = rows::stage_word(record.stage)
        .ok_or_else(|| damaged("a session has a stage that this version does not keep"))?;
    let idle_limit = u64::try_from(record.idle_limit.as_millis()).unwrap_or(u64::MAX);
    let inserted = query(
        "INSERT INTO session (id, account, epoch, stage, computer, started_at, authenticated_at,
                              ends_at, idle_limit_ms, last_used_at, origin)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $6, $10)",
    )
    .bind(record.id.as_bytes().as_slice())
    .bind(record.account.as_bytes().as_slice())
    .bind(integer(record.epoch.0))
    .bind(stage)
    .bind(rows::computer_word(record.computer))
    .bind(record.started_at.as_unix_millis())
    .bind(record.authenticated_at.as_unix_millis())
    .bind(record.ends_at.as_unix_millis())
    .bind(integer(idle_limit))
    .bind(origin)
    .execute(&mut **tx)
    .await;
    taken_is_duplicate(inserted)?;
    let facts = &opening.token.facts;
    put_token(tx, record.id, opening.token.hash, facts).await
}

/// Sets the token of a session on a host, in place of an earlier one.
pub(super) async fn put_token(
    tx: &mut Tx,
    session: SessionId,
    token: TokenHash,
    facts: &TokenFacts,
) -> Result<(), StoreError> {
    let put = query(
        "INSERT INTO session_host (session, host, token_hash, assurance, issued_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (session, host) DO UPDATE
         SET token_hash = excluded.token_hash, assurance = excluded.assurance,
             issued_at = excluded.issued_at",
    )
    .bind(session.as_bytes().as_slice())
    .bind(facts.host.as_str())
    .bind(token.0.as_slice())
    .bind(facts.assurance.as_str())
    .bind(facts.issued_at.as_unix_millis())
    .execute(&mut **tx)
    .await;
    taken_is_duplicate(put)
}

/// Ends a session with its tokens and tickets; `false` when it had ended already, or never was.
pub(super) async fn end(
    tx: &mut Tx,
    session: SessionId,
    at: Timestamp,
    cause: EndCause,
) -> Result<bool, StoreError> {
    let id = session.as_bytes().as_slice();
    let ended = query(
        "UPDATE session SET ended_at = $2, end_cause = $3 WHERE id = $1 AND ended_at IS NULL",
    )
    .bind(id)
    .bind(at.as_unix_millis())
    .bind(cause.as_str())
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    if ended.rows_affected() == 0 {
        return Ok(false);
    }
    for sql in [
        "UPDATE session_host SET token_hash = NULL WHERE session = $1",
        "DELETE FROM ticket WHERE session = $1",
    ] {
        query(sql)
            .bind(id)
            .execute(&mut **tx)
            .await
            .map_err(fault)?;
    }
    Ok(true)
}

/// Writes when a session was last used; never moves it back.
pub(super) async fn set_last_used(
    tx: &mut Tx,
    session: SessionId,
    last_used_at: Timestamp,
) -> Result<(), StoreError> {
    query("UPDATE session SET last_used_at = max(last_used_at, $2) WHERE id = $1")
        .bind(session.as_bytes().as_slice())
        .bind(last_used_at.as_unix_millis())
        .execute(&mut **tx)
        .await
        .map_err(fault)?;
    Ok(())
}

/// The ids of the account's sessions that have not ended.
pub(super) async fn living_of(
    connection: &mut SqliteConnection,
    account: AccountId,
) -> Result<Vec<SessionId>, StoreError> {
    let rows = query("SELECT id FROM session WHERE account = $1 AND ended_at IS NULL")
        .bind(account.as_bytes().as_slice())
        .fetch_all(connection)
        .await
        .map_err(fault)?;
    rows.iter()
        .map(|row| Columns(row).fixed("id").map(SessionId::from_bytes))
        .collect()
}

/// The account's sessions that have not ended, with the last uses that were written.
pub(super) async fn uses_of(
    tx: &mut Tx,
    account: AccountId,
) -> Result<Vec<(Timestamp, SessionId)>, StoreError> {
    let sql = "SELECT id, last_used_at FROM session WHERE account = $1 AND ended_at IS NULL";
    let rows = query(sql)
        .bind(account.as_bytes().as_slice())
        .fetch_all(&mut **tx)
        .await
        .map_err(fault)?;
    let used = |row: &SqliteRow| {
        let row = Columns(row);
        let session = SessionId::from_bytes(row.fixed("id")?);
        Ok((row.time("last_used_at")?, session))
    };
    rows.iter().map(used).collect()
}

/// Sessions that have not ended and whose time is over.
pub(super) async fn due(
    connection: &mut SqliteConnection,
    now: Timestamp,
) -> Result<Vec<SessionId>, StoreError> {
    let rows = query(SELECT_DUE)
        .bind(now.as_unix_millis())
        .fetch_all(connection)
        .await
        .map_err(fault)?;
    let id = |row: &SqliteRow| Columns(row).fixed("id").map(SessionId::from_bytes);
    rows.iter().map(id).collect()
}

/// Whether the session has not ended.
pub(super) async fn lives(tx: &mut Tx, session: SessionId) -> Result<bool, StoreError> {
    let row = query("SELECT 1 FROM session WHERE id = $1 AND ended_at IS NULL")
        .bind(session.as_bytes().as_slice())
        .fetch_optional(&mut **tx)
        .await
        .map_err(fault)?;
    Ok(row.is_some())
}

/// Sessions that have not ended and whose account is as it was, with their last use: those whose
/// ids follow `after`, in the order of ids, at most [`PAGE`].
pub(super) async fn living(
    connection: &mut SqliteConnection,
    grants: &Grants,
    after: Option<SessionId>,
) -> Result<Vec<(SessionRecord, Timestamp)>, StoreError> {
    let rows = query(
        "SELECT session.*, account.roles, account.tenant, tenant.name AS tenant_name
         FROM session
         JOIN account ON account.id = session.account AND account.epoch = session.epoch
         JOIN tenant ON tenant.id = account.tenant
         WHERE session.id > $1 AND session.ended_at IS NULL AND account.locked_at IS NULL
               AND account.erased_at IS NULL
         ORDER BY session.id LIMIT $2",
    )
    .bind(key_after(after))
    .bind(PAGE)
    .fetch_all(&mut *connection)
    .await
    .map_err(fault)?;
    rows.iter()
        .map(|row| Ok((record(row, grants)?, Columns(row).time("last_used_at")?)))
        .collect()
}

/// Tokens that count, by session: those that follow this session's token on this host, in the order
/// of both, at most [`PAGE`].
pub(super) async fn tokens(
    connection: &mut SqliteConnection,
    after: Option<&(SessionId, Host)>,
) -> Result<Vec<(SessionId, NewToken)>, StoreError> {
    let rows = query(
        "SELECT session, host, token_hash, assurance, issued_at
         FROM session_host
         WHERE (session, host) > ($1, $2) AND token_hash IS NOT NULL
         ORDER BY session, host LIMIT $3",
    )
    .bind(key_after(after.map(|(session, _)| *session)))
    .bind(after.map_or("", |(_, host)| host.as_str()))
    .bind(PAGE)
    .fetch_all(&mut *connection)
    .await
    .map_err(fault)?;
    let token = |row: &SqliteRow| {
        let row = Columns(row);
        let token = NewToken {
            hash: TokenHash(row.fixed("token_hash")?),
            facts: TokenFacts {
                host: row.parsed("host")?,
                assurance: row.word("assurance", rows::assurance)?,
                issued_at: row.time("issued_at")?,
            },
        };
        Ok((SessionId::from_bytes(row.fixed("session")?), token))
    };
    rows.iter().map(token).collect()
}

/// A key that all ids follow which follow this one; no id is shorter than another.
fn key_after(session: Option<SessionId>) -> Vec<u8> {
    session.map_or_else(Vec::new, |session| session.as_bytes().to_vec())
}

/// How many rows are held at a time while memory is filled: what a start takes for a moment stays
/// with the process, and must not grow with the number of sessions. Tests turn more pages.
pub(super) const PAGE: i64 = if cfg!(test) { 4 } else { 1_000 };

/// The record of a row that bears the roles and the tenant of its account.
pub(super) fn record(row: &SqliteRow, grants: &Grants) -> Result<SessionRecord, StoreError> {
    let row = Columns(row);
    let account = AccountId::from_bytes(row.fixed("account")?);
    Ok(SessionRecord {
        id: SessionId::from_bytes(row.fixed("id")?),
        account,
        tenant_id: TenantId::from_bytes(row.fixed("tenant")?),
        tenant: row.parsed("tenant_name")?,
        roles: row.roles("roles")?.into(),
        grants: grants.get(&account).cloned().unwrap_or_default(),
        epoch: row.epoch("epoch")?,
        stage: row.word("stage", rows::stage)?,
        computer: row.word("computer", rows::computer)?,
        started_at: row.time("started_at")?,
        authenticated_at: row.time("authenticated_at")?,
        ends_at: row.time("ends_at")?,
        idle_limit: Duration::from_millis(row.count("idle_limit_ms")?),
    })
}

fn taken_is_duplicate<T>(outcome: Result<T, sqlx::Error>) -> Result<(), StoreError> {
    match outcome {
        Ok(_) => Ok(()),
        Err(error) if is_taken(&error) => Err(Conflict::Duplicate.into()),
        Err(error) => Err(fault(error)),
    }
}

pub(super) const SELECT_DUE: &str =
    "SELECT id FROM session WHERE ended_at IS NULL AND ends_at <= $1";
