//! Writes journal lines within the transaction of the change that they tell of.

use std::sync::Arc;

use sqlx::SqliteConnection;

use super::{
    database::Tx,
    fault::fault,
    personal_keys::PersonalKeys,
    rows::{Columns, integer},
    statements::query,
};
use crate::{
    entropy::Entropy,
    journal::{
        Draft,
        chain::{Chain, Code, Head, Line},
        line,
    },
    keyring::{Keyring, sealing::SealingKey},
    store::{StoreError, personal_keys::KeyName},
};

/// Who writes lines.
pub(super) struct Scribe {
    pub(super) keyring: Arc<Keyring>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) personal_keys: PersonalKeys,
}

/// Drafts with the keys that seal them, ready to be written.
pub(super) struct Prepared(Vec<(Draft, Option<(KeyName, SealingKey)>)>);

impl Scribe {
    /// Fetches the keys. Done before the transaction begins: they are in another file.
    pub(super) async fn prepare(&self, drafts: &[Draft]) -> Result<Prepared, StoreError> {
        let mut prepared = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let key = match line::key_name(draft) {
                // An erased person's key is never made again.
                Some(name @ KeyName::Account(_)) => self.personal_keys.find(name).await?,
                Some(name @ KeyName::Month(_)) => {
                    Some(self.personal_keys.find_or_create(name).await?)
                }
                None => None,
            };
            prepared.push((draft.clone(), line::key_name(draft).zip(key)));
        }
        Ok(Prepared(prepared))
    }

    /// The same for what has to be written whatever is damaged: where a key does not open, the
    /// lines are written without what it would seal.
    pub(super) async fn prepare_at_any_rate(
        &self,
        drafts: &[Draft],
    ) -> Result<Prepared, StoreError> {
        let refused = match self.prepare(drafts).await {
            Err(error @ StoreError::Corrupt(_)) => error,
            other => return other,
        };
        tracing::error!(
            error = %refused,
            account = ?drafts.iter().find_map(|draft| draft.account),
            "a line of the journal is written without its personal part"
        );
        let bare: Vec<Draft> = drafts.iter().cloned().map(Draft::impersonal).collect();
        self.prepare(&bare).await
    }

    /// Writes the lines and moves the chain's head.
    pub(super) async fn write(&self, tx: &mut Tx, prepared: &Prepared) -> Result<(), StoreError> {
        if prepared.0.is_empty() {
            return Ok(());
        }
        let chain = Chain(&self.keyring);
        let mut head = read_head(tx).await?.0;
        for (draft, key) in &prepared.0 {
            let key = key.as_ref().map(|(name, key)| (*name, key));
            let line = line::write(chain, &head, draft, key, &*self.entropy)?;
            insert(tx, &line).await?;
            head = Head {
                sequence: line.sequence,
                code: line.code,
            };
        }
        query("UPDATE journal_head SET sequence = $1, code = $2, seal = $3")
            .bind(integer(head.sequence))
            .bind(head.code.0.as_slice())
            .bind(chain.head_seal(&head).as_slice())
            .execute(&mut **tx)
            .await
            .map_err(fault)?;
        Ok(())
    }
}

/// The chain's end, and what vouches for it.
pub(super) async fn read_head(
    connection: &mut SqliteConnection,
) -> Result<(Head, Vec<u8>), StoreError> {
    let row = query("SELECT sequence, code, seal FROM journal_head")
        .fetch_one(connection)
        .await
        .map_err(fault)?;
    head_of(&Columns(&row))
}

/// Up to where the chain was purged, and what vouches for it.
pub(super) async fn read_checkpoint(
    connection: &mut SqliteConnection,
) -> Result<(Head, Vec<u8>), StoreError> {
    let row = query("SELECT sequence, code, seal FROM journal_checkpoint")
        .fetch_one(connection)
        .await
        .map_err(fault)?;
    head_of(&Columns(&row))
}

fn head_of(row: &Columns<'_>) -> Result<(Head, Vec<u8>), StoreError> {
    let head = Head {
        sequence: row.count("sequence")?,
        code: Code(row.fixed("code")?),
    };
    Ok((head, row.bytes("seal")?))
}

async fn insert(tx: &mut Tx, line: &Line) -> Result<(), StoreError> {
    let (key_name, sealed) = line
        .sealed
        .as_ref()
        .map(|(name, sealed)| (name, sealed))
        .unzip();
    query(
        "INSERT INTO journal (sequence, at, actor, kind, fields, tenant, account, session, request,
                              identifier_hash, key_name, sealed, code)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(integer(line.sequence))
    .bind(line.at.as_unix_millis())
    .bind(&line.actor)
    .bind(&line.kind)
    .bind(&line.fields)
    .bind(line.tenant.as_ref().map(<[u8; 16]>::as_slice))
    .bind(line.account.as_ref().map(<[u8; 16]>::as_slice))
    .bind(line.session.as_ref().map(<[u8; 16]>::as_slice))
    .bind(line.request.as_ref().map(<[u8; 16]>::as_slice))
    .bind(line.identifier_hash.as_deref())
    .bind(key_name)
    .bind(sealed)
    .bind(line.code.0.as_slice())
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
