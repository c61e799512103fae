//! The journal in SQLite: lines of many callers in one commit, reading, checking, purging.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use octroi_policy::time::Timestamp;
use sqlx::{Connection as _, QueryBuilder, Sqlite, SqliteConnection, sqlite::SqliteRow};
use tokio::{runtime::Handle, sync::oneshot};

use super::{
    SqliteStore,
    database::{Database, Weight},
    fault::fault,
    journal_time,
    rows::{Columns, integer},
    scribe::{self, Scribe},
    statements::query,
};
use crate::{
    journal::{
        Draft, FailureSource, JournalStore,
        chain::{Chain, Code, Head, Line, Verifier},
        entry::{ChainFlaw, Entry, JournalPage, JournalQuery, SignedHead, Verification},
        event::{Actor, Event},
        line,
        tally::Tally,
        time::JournalTime,
    },
    store::{
        FaultText, StoreError,
        fail_point::fail_point,
        personal_keys::{KeyName, Month},
    },
};

/// Writes lines that belong to no change. Those who wait while a commit is under way share the next.
pub(super) struct JournalWriter {
    database: Arc<Database>,
    scribe: Arc<Scribe>,
    queue: Mutex<Queue>,
    /// Where the store was opened, which outlives whoever asks: those may run on a thread of their
    /// own that stops while others still wait for their lines.
    runtime: Handle,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    is_being_written: bool,
}

struct Waiting {
    drafts: Vec<Draft>,
    done: oneshot::Sender<Result<(), StoreError>>,
}

impl JournalWriter {
    pub(super) fn new(database: Arc<Database>, scribe: Arc<Scribe>, runtime: Handle) -> Self {
        Self {
            database,
            scribe,
            queue: Mutex::default(),
            runtime,
        }
    }

    /// Appends lines; answers when they are durable.
    async fn append(self: &Arc<Self>, drafts: Vec<Draft>) -> Result<(), StoreError> {
        if drafts.is_empty() {
            return Ok(());
        }
        let (done, written) = oneshot::channel();
        let begins = {
            let mut queue = self.queue();
            queue.waiting.push(Waiting { drafts, done });
            !std::mem::replace(&mut queue.is_being_written, true)
        };
        if begins {
            // A task of its own: a caller that goes away must not take the others' lines along.
            // All callers wait for it, and shutdown waits for them.
            let writer = Arc::clone(self);
            self.runtime
                .spawn(async move { writer.write_queue().await });
        }
        written.await.unwrap_or_else(|_| {
            let text = FaultText::new("the journal's writer stopped");
            Err(StoreError::Unavailable(text))
        })
    }

    async fn write_queue(&self) {
        let mut stopped = Stopped {
            queue: &self.queue,
            in_order: false,
        };
        loop {
            let batch = {
                let mut queue = self.queue();
                queue.is_being_written = !queue.waiting.is_empty();
                std::mem::take(&mut queue.waiting)
            };
            if batch.is_empty() {
                stopped.in_order = true;
                return;
            }
            self.write_batch(batch).await;
        }
    }

    async fn write_batch(&self, batch: Vec<Waiting>) {
        let drafts: Vec<Draft> = batch
            .iter()
            .flat_map(|waiting| waiting.drafts.iter().cloned())
            .collect();
        let written = self.write(&drafts).await;
        // The line of one cannot be written, and is no reason to refuse the others'.
        let is_one_of_many = matches!(written, Err(StoreError::Corrupt(_))) && batch.len() > 1;
        for waiting in batch {
            let written = if is_one_of_many {
                self.write(&waiting.drafts).await
            } else {
                written.clone()
            };
            // Who does not wait any more does not want to know.
            let _ = waiting.done.send(written);
        }
    }

    async fn write(&self, drafts: &[Draft]) -> Result<(), StoreError> {
        let written = self.database.essential(|| self.try_write(drafts)).await;
        self.database.settled(Weight::Essential, written)
    }

    async fn try_write(&self, drafts: &[Draft]) -> Result<(), StoreError> {
        let prepared = self.scribe.prepare(drafts).await?;
        let mut tx = self.database.begin(Weight::Essential).await?;
        self.scribe.write(&mut tx, &prepared).await?;
        fail_point("journal_before_commit");
        tx.commit().await?;
        fail_point("journal_after_commit");
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn is_being_written(&self) -> bool {
        self.queue().is_being_written
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets the next caller begin anew when the task that writes ends in a panic, and tells those who
/// wait for it that it did.
struct Stopped<'a> {
    queue: &'a Mutex<Queue>,
    in_order: bool,
}

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        if !self.in_order {
            *self.queue.lock().unwrap_or_else(PoisonError::into_inner) = Queue::default();
        }
    }
}

#[async_trait::async_trait]
impl JournalStore for SqliteStore {
    async fn append(&self, drafts: Vec<Draft>) -> Result<(), StoreError> {
        self.journal.append(drafts).await
    }

    async fn append_failure(&self, draft: Draft, source: FailureSource) -> Result<(), StoreError> {
        let own_line = self.tally().note(draft, source);
        self.journal.append(own_line.into_iter().collect()).await
    }

    async fn flush_failures(&self, now: Timestamp) -> Result<(), StoreError> {
        let due = self.tally().take_due(now);
        let written = self.journal.append(due.lines()).await;
        if written.is_err() {
            self.tally().put_back(due);
        }
        written
    }

    async fn search(&self, query: &JournalQuery) -> Result<JournalPage, StoreError> {
        let mut connection = self.database.read().await?;
        let rows = select(query)
            .build()
            .fetch_all(&mut *connection)
            .await
            .map_err(fault)?;
        let mut entries = Vec::with_capacity(rows.len());
        for row in rows.iter().take(query.page_len()) {
            entries.push(self.entry(&read_line(row)?).await?);
        }
        let is_last = rows.len() <= query.page_len();
        let next = entries.last().map(|entry: &Entry| entry.sequence);
        Ok(JournalPage {
            next: next.filter(|_| !is_last),
            entries,
        })
    }

    async fn head(&self) -> Result<SignedHead, StoreError> {
        let mut connection = self.database.read().await?;
        Ok(scribe::read_head(&mut connection).await?.0.signed())
    }

    async fn verify(&self, witness: Option<&SignedHead>) -> Result<Verification, StoreError> {
        let mut connection = self.database.read().await?;
        // One snapshot, however long it takes: lines go on being written meanwhile.
        let mut snapshot = connection.begin().await.map_err(fault)?;
        let (checkpoint, seal) = scribe::read_checkpoint(&mut snapshot).await?;
        let (head, head_seal) = scribe::read_head(&mut snapshot).await?;
        let chain = Chain(&self.keyring);
        let purged = checkpoint.sequence;
        let verifier = Verifier::new(chain, checkpoint, Some(&seal), witness);
        let mut verifier = match verifier {
            Ok(verifier) => verifier,
            Err(flaw) => return Ok(broken(purged, flaw)),
        };
        if let Err((sequence, flaw)) = check_lines(&mut snapshot, &mut verifier).await? {
            return Ok(broken(sequence, flaw));
        }
        let next = verifier.next();
        Ok(match verifier.finish(&head, &head_seal) {
            Ok((entries, head)) => Verification::Intact {
                entries,
                purged,
                head: head.signed(),
            },
            Err(flaw) => broken(next, flaw),
        })
    }

    async fn tell_time(&self, now: Timestamp, ran: Duration) -> Result<JournalTime, StoreError> {
        let told = self
            .database
            .essential(|| journal_time::tell(&self.database, now, ran))
            .await;
        self.database.settled(Weight::Essential, told)
    }

    async fn purge(&self, before: Timestamp, now: Timestamp) -> Result<u64, StoreError> {
        let mut purged = 0_u64;
        loop {
            let batch = self
                .database
                .essential(|| self.try_purge(before, now))
                .await;
            let batch = self.database.settled(Weight::Essential, batch)?;
            purged = purged.saturating_add(batch);
            if batch < PURGE_BATCH {
                break;
            }
        }
        let personal_keys = &self.scribe.personal_keys;
        personal_keys
            .destroy_months_before(Month::of(before))
            .await?;
        Ok(purged)
    }
}

impl SqliteStore {
    async fn entry(&self, line: &Line) -> Result<Entry, StoreError> {
        let name = line
            .sealed
            .as_ref()
            .and_then(|(name, _)| KeyName::from_bytes(name));
        let key = match name {
            Some(name) => self.scribe.personal_keys.find(name).await?,
            None => None,
        };
        line::read(line, key.as_ref())
    }

    /// Removes the first lines, as far as all are older, and journals it.
    async fn try_purge(&self, before: Timestamp, now: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.database.begin(Weight::Essential).await?;
        let from = scribe::read_checkpoint(&mut tx).await?.0.sequence;
        let row = query(
            "SELECT sequence, code FROM journal
             WHERE sequence < coalesce((SELECT min(sequence) FROM journal WHERE at >= $1),
                                       (SELECT max(sequence) + 1 FROM journal))
               AND sequence <= $2
             ORDER BY sequence DESC LIMIT 1",
        )
        .bind(before.as_unix_millis())
        .bind(integer(from.saturating_add(PURGE_BATCH)))
        .fetch_optional(&mut *tx)
        .await
        .map_err(fault)?;
        let Some(row) = row else { return Ok(0) };
        let row = Columns(&row);
        let last = Head {
            sequence: row.count("sequence")?,
            code: Code(row.fixed("code")?),
        };
        query("UPDATE journal_checkpoint SET sequence = $1, code = $2, seal = $3")
            .bind(integer(last.sequence))
            .bind(last.code.0.as_slice())
            .bind(Chain(&self.keyring).checkpoint_seal(&last).to_vec())
            .execute(&mut *tx)
            .await
            .map_err(fault)?;
        let deleted = query("DELETE FROM journal WHERE sequence <= $1")
            .bind(integer(last.sequence))
            .execute(&mut *tx)
            .await
            .map_err(fault)?;
        let entries = deleted.rows_affected();
        let event = Event::JournalPurged { before, entries };
        let prepared = self
            .scribe
            .prepare(&[Draft::new(now, Actor::System, event)])
            .await?;
        self.scribe.write(&mut tx, &prepared).await?;
        tx.commit().await?;
        Ok(entries)
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The lines that a query asks for, and one more to know whether there is another page.
fn select(query: &JournalQuery) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new("SELECT * FROM journal WHERE 1");
    for (column, id) in [
        ("account", query.account.map(|id| *id.as_bytes())),
        ("tenant", query.tenant.map(|id| *id.as_bytes())),
        ("session", query.session.map(|id| *id.as_bytes())),
        ("request", query.request.map(|id| *id.as_bytes())),
    ] {
        if let Some(id) = id {
            sql.push(" AND ")
                .push(column)
                .push(" = ")
                .push_bind(id.to_vec());
        }
    }
    if let Some(actor) = query.actor {
        sql.push(" AND actor = ").push_bind(actor.to_word());
    }
    if let Some(kind) = query.kind {
        sql.push(" AND kind = ").push_bind(kind.as_str());
    }
    if let Some(from) = query.from {
        sql.push(" AND at >= ").push_bind(from.as_unix_millis());
    }
    if let Some(until) = query.until {
        sql.push(" AND at < ").push_bind(until.as_unix_millis());
    }
    if let Some(before) = query.before_sequence {
        sql.push(" AND sequence < ").push_bind(integer(before));
    }
    let limit = i64::try_from(query.page_len()).unwrap_or(i64::MAX);
    sql.push(" ORDER BY sequence DESC LIMIT ")
        .push_bind(limit.saturating_add(1));
    sql
}

/// Checks all lines of the snapshot, some thousand at a time.
async fn check_lines(
    snapshot: &mut SqliteConnection,
    verifier: &mut Verifier<'_>,
) -> Result<Result<(), (u64, ChainFlaw)>, StoreError> {
    let mut after = verifier.next().saturating_sub(1);
    loop {
        let rows = query("SELECT * FROM journal WHERE sequence > $1 ORDER BY sequence LIMIT $2")
            .bind(integer(after))
            .bind(VERIFY_BATCH)
            .fetch_all(&mut *snapshot)
            .await
            .map_err(fault)?;
        if rows.is_empty() {
            return Ok(Ok(()));
        }
        for row in &rows {
            let line = read_line(row)?;
            after = line.sequence;
            if let Err(flaw) = verifier.check(&line) {
                return Ok(Err((verifier.next(), flaw)));
            }
        }
    }
}

fn read_line(row: &SqliteRow) -> Result<Line, StoreError> {
    let row = Columns(row);
    Ok(Line {
        sequence: row.count("sequence")?,
        at: row.time("at")?,
        actor: row.text("actor")?,
        kind: row.text("kind")?,
        fields: row.text("fields")?,
        tenant: row.optional_fixed("tenant")?,
        account: row.optional_fixed("account")?,
        session: row.optional_fixed("session")?,
        request: row.optional_fixed("request")?,
        identifier_hash: row.optional_bytes("identifier_hash")?,
        sealed: row
            .optional_bytes("key_name")?
            .zip(row.optional_bytes("sealed")?),
        code: Code(row.fixed("code")?),
    })
}

const fn broken(sequence: u64, flaw: ChainFlaw) -> Verification {
    Verification::Broken { sequence, flaw }
}

/// Lines that one transaction of a purge removes: sign-ins wait for it.
const PURGE_BATCH: u64 = 5_000;

/// Lines that are held at a time while the chain is checked.
const VERIFY_BATCH: i64 = 2_000;
