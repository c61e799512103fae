//! Opening a data directory: lock, schema, keyring, and the sessions that live.

mod load;

use std::{
    borrow::Cow,
    fs::{DirBuilder, File},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use octroi_policy::time::Timestamp;
use sqlx::{
    SqlSafeStr as _, SqlitePool,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};
use tokio::runtime::Handle;

use super::{
    SqliteStore,
    database::{self, Database},
    ends::Unsettled,
    erasure::Unfinished,
    fault::fault,
    journal::JournalWriter,
    nobody::Nobody,
    personal_keys::PersonalKeys,
    reserve::Reserve,
    scribe::Scribe,
    statements::query,
};
use crate::{
    entropy::{Entropy, EntropyUnavailable, random},
    journal::{
        chain::{Chain, Head},
        tally::Tally,
    },
    keyring::{Keyring, Purpose},
    store::{StoreError, roster::Roster},
};

/// What to open.
#[derive(Clone, Debug)]
pub(crate) struct OpenOptions {
    /// The data directory; made if its parent exists.
    pub(crate) data: PathBuf,
    /// The time now: sessions that expired meanwhile are ended.
    pub(crate) now: Timestamp,
    /// The size of the reserve in bytes.
    pub(crate) reserve_len: u64,
}

impl OpenOptions {
    /// The usual options for a data directory.
    pub(crate) const fn new(data: PathBuf, now: Timestamp) -> Self {
        Self {
            data,
            now,
            reserve_len: Reserve::LEN,
        }
    }
}

/// Why the store cannot be opened, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// The system refused.
    #[error("cannot use {path}: check that it exists, and that its owner runs octroi")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another process has it open.
    #[error(
        "the data directory {0} is in use by another octroi: end that one, or talk to it through its socket"
    )]
    InUse(PathBuf),
    /// The SQLite that was linked has a known fault.
    #[error("SQLite {0} is linked, which can damage a write-ahead log; build with 3.51.3 or newer")]
    OldSqlite(String),
    /// A newer octroi has written it.
    #[error(
        "{path} was written by a newer octroi (schema {found}, this one knows {known}): install that version again, or restore a backup made before the upgrade"
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest that this binary knows.
        known: i64,
    },
    /// It is a database, and not of octroi.
    #[error("{0} is not a database of octroi: set `server.data` to octroi's own directory")]
    ForeignSchema(PathBuf),
    /// It was sealed with another keyring.
    #[error(
        "the keyring does not belong to the data directory {0}: put back the keyring file that was made with it (`server.keyring`); without it the data cannot be read"
    )]
    WrongKeyring(PathBuf),
    /// The file of personal keys is missing, or another installation's.
    #[error("{0} is missing or belongs to another installation: restore its latest copy")]
    WrongKeys(PathBuf),
    /// The database failed.
    #[error("cannot open {path}: {source}")]
    Store {
        /// The file.
        path: PathBuf,
        /// What failed.
        #[source]
        source: StoreError,
    },
    /// The system gave no random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyUnavailable),
}

pub(super) async fn open(
    options: OpenOptions,
    keyring: Arc<Keyring>,
    entropy: Arc<dyn Entropy>,
) -> Result<SqliteStore, OpenError> {
    open_under(main_migrations(), options, keyring, entropy).await
}

/// Opens a data directory under a schema that need not be the newest.
pub(super) async fn open_under(
    migrations: Vec<Migration>,
    options: OpenOptions,
    keyring: Arc<Keyring>,
    entropy: Arc<dyn Entropy>,
) -> Result<SqliteStore, OpenError> {
    let directory_lock = lock(&options.data)?;
    let main_path = options.data.join("octroi.db");
    let keys_path = options.data.join("keys.db");
    let main = connect(&main_path, &Migrator::with_migrations(migrations)).await?;
    let keys = connect(&keys_path, &keys_migrations()).await?;
    let in_main = |source| OpenError::Store {
        path: main_path.clone(),
        source,
    };
    match (read_meta(&main).await.map_err(in_main)?, &*keyring) {
        (Some(meta), keyring) => {
            let check = [CHECK, meta.store_id.as_slice()].concat();
            keyring
                .open(Purpose::StoreCheck, &check, &meta.keyring_check)
                .map_err(|_| OpenError::WrongKeyring(options.data.clone()))?;
            if read_keys_owner(&keys).await.map_err(in_main)? != Some(meta.store_id) {
                return Err(OpenError::WrongKeys(keys_path));
            }
        }
        (None, keyring) => {
            let begun = begin(&main, &keys, keyring, &*entropy).await;
            // A key is never made for a store that holds something already.
            if !begun.map_err(in_main)? {
                return Err(OpenError::WrongKeyring(options.data.clone()));
            }
        }
    }
    let readers = database::reader_pool(database::connect_options(&main_path)).await;
    let readers = readers.map_err(|error| in_main(fault(error)))?;
    let reserve = Reserve::take(&options.data, options.reserve_len).await;
    let database = Arc::new(Database::new(main, readers, reserve, directory_lock));
    let personal_keys = PersonalKeys::new(keys, Arc::clone(&keyring), Arc::clone(&entropy));
    let nobody = Nobody::make(&personal_keys, &*entropy)?;
    let scribe = Arc::new(Scribe {
        keyring: Arc::clone(&keyring),
        entropy: Arc::clone(&entropy),
        personal_keys,
    });
    let store = SqliteStore {
        keyring,
        entropy,
        journal: Arc::new(JournalWriter::new(
            Arc::clone(&database),
            Arc::clone(&scribe),
            Handle::current(),
        )),
        database,
        scribe,
        roster: Roster::new(),
        tally: Mutex::new(Tally::default()),
        unsettled: Unsettled::default(),
        unfinished: Unfinished::default(),
        nobody,
    };
    store.load(options.now).await.map_err(in_main)?;
    Ok(store)
}

/// Takes the lock of a data directory; it is held until the file is closed.
fn lock(data: &Path) -> Result<File, OpenError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| OpenError::Io { path, source }
    };
    match DirBuilder::new().mode(0o700).create(data) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(io(data)(error)),
        Err(_) | Ok(()) => {}
    }
    let path = data.join("lock");
    let file = private_file(&path).map_err(io(&path))?;
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(OpenError::InUse(data.to_owned())),
        Err(errno) => Err(io(&path)(errno.into())),
    }
}

/// Opens a file that its owner alone may read, and makes it where there is none.
fn private_file(path: &Path) -> io::Result<File> {
    std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

/// Connects to a file and brings its schema up to date.
async fn connect(path: &Path, migrations: &Migrator) -> Result<SqlitePool, OpenError> {
    // SQLite would make it with the permissions of the process; its log inherits these.
    private_file(path).map_err(|source| OpenError::Io {
        path: path.to_owned(),
        source,
    })?;
    let store = |error| OpenError::Store {
        path: path.to_owned(),
        source: fault(error),
    };
    let pool = database::writer_pool(database::connect_options(path)).await;
    let pool = pool.map_err(store)?;
    check_version(&pool).await?;
    let known = migrations.iter().map(|migration| migration.version).max();
    let known = known.unwrap_or_default();
    let found = schema_of(&pool).await.map_err(store)?;
    if found.is_some_and(|found| found > known) {
        return Err(OpenError::NewerSchema {
            path: path.to_owned(),
            found: found.unwrap_or_default(),
            known,
        });
    }
    if found.is_none() && !is_empty(&pool).await.map_err(store)? {
        return Err(OpenError::ForeignSchema(path.to_owned()));
    }
    match migrations.run(&pool).await {
        Ok(()) => Ok(pool),
        Err(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) => {
            Err(store(error))
        }
        Err(_) => Err(OpenError::ForeignSchema(path.to_owned())),
    }
}

async fn check_version(pool: &SqlitePool) -> Result<(), OpenError> {
    let version: Result<String, _> = sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(pool)
        .await;
    let version = version.unwrap_or_default();
    let numbers: Vec<u32> = version.split('.').flat_map(str::parse).collect();
    if numbers.as_slice() >= SQLITE_MIN.as_slice() {
        Ok(())
    } else {
        Err(OpenError::OldSqlite(version))
    }
}

/// The newest migration that was applied.
async fn schema_of(pool: &SqlitePool) -> Result<Option<i64>, sqlx::Error> {
    let table: Option<i64> =
        sqlx::query_scalar("SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations'")
            .fetch_optional(pool)
            .await?;
    if table.is_none() {
        return Ok(None);
    }
    sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
        .fetch_one(pool)
        .await
}

async fn is_empty(pool: &SqlitePool) -> Result<bool, sqlx::Error> {
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
        .fetch_one(pool)
        .await?;
    Ok(tables == 0)
}

/// What ties a store to its keyring and its file of keys.
struct Meta {
    store_id: [u8; 16],
    keyring_check: Vec<u8>,
}

async fn read_meta(main: &SqlitePool) -> Result<Option<Meta>, StoreError> {
    let value = async |name: &'static str| {
        sqlx::query_scalar::<_, Vec<u8>>("SELECT value FROM meta WHERE name = $1")
            .bind(name)
            .fetch_optional(main)
            .await
            .map_err(fault)
    };
    let (store_id, keyring_check) = (value("store_id").await?, value("keyring_check").await?);
    let (Some(store_id), Some(keyring_check)) = (store_id, keyring_check) else {
        return Ok(None);
    };
    let store_id = <[u8; 16]>::try_from(store_id);
    let store_id = store_id.map_err(|_| super::fault::damaged("the store's id is not one"))?;
    Ok(Some(Meta {
        store_id,
        keyring_check,
    }))
}

async fn read_keys_owner(keys: &SqlitePool) -> Result<Option<[u8; 16]>, StoreError> {
    let owner: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT value FROM meta WHERE name = 'store_id'")
            .fetch_optional(keys)
            .await
            .map_err(fault)?;
    Ok(owner.and_then(|owner| owner.try_into().ok()))
}

/// Makes an empty store the keyring's; `false` where it is not empty. The file of keys first: it may
/// be left over from a start that was cut short, as long as it holds no key.
async fn begin(
    main: &SqlitePool,
    keys: &SqlitePool,
    keyring: &Keyring,
    entropy: &dyn Entropy,
) -> Result<bool, StoreError> {
    let store_id: [u8; 16] = random(entropy)?;
    let check = [CHECK, store_id.as_slice()].concat();
    let keyring_check = keyring.seal(Purpose::StoreCheck, &check, b"octroi", entropy)?;
    let start = Head::START;
    let chain = Chain(keyring);
    let begun = async {
        let any: i64 = sqlx::query_scalar("SELECT (SELECT count(*) FROM personal_key)")
            .fetch_one(keys)
            .await?;
        if any > 0 {
            return Ok(false);
        }
        query("INSERT OR REPLACE INTO meta (name, value) VALUES ('store_id', $1)")
            .bind(store_id.as_slice())
            .execute(keys)
            .await?;
        let mut tx = main.begin_with("BEGIN IMMEDIATE").await?;
        let any: i64 = sqlx::query_scalar(
            "SELECT (SELECT count(*) FROM tenant) + (SELECT count(*) FROM journal)",
        )
        .fetch_one(&mut *tx)
        .await?;
        if any > 0 {
            return Ok(false);
        }
        query("INSERT INTO meta (name, value) VALUES ('store_id', $1), ('keyring_check', $2)")
            .bind(store_id.as_slice())
            .bind(keyring_check)
            .execute(&mut *tx)
            .await?;
        for (sql, seal) in [
            (INSERT_HEAD, chain.head_seal(&start)),
            (INSERT_CHECKPOINT, chain.checkpoint_seal(&start)),
        ] {
            query(sql)
                .bind(start.code.0.as_slice())
                .bind(seal.as_slice())
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(true)
    };
    begun.await.map_err(fault)
}

/// What was applied anywhere is never edited: a change is another migration.
pub(super) fn main_migrations() -> Vec<Migration> {
    vec![
        migration(
            1,
            "first",
            include_str!("../../../migrations/sqlite/0001_first.sql"),
        ),
        migration(
            2,
            "indexes",
            include_str!("../../../migrations/sqlite/0002_indexes.sql"),
        ),
    ]
}

fn keys_migrations() -> Migrator {
    Migrator::with_migrations(vec![migration(
        1,
        "first",
        include_str!("../../../migrations/sqlite/keys_0001_first.sql"),
    )])
}

fn migration(version: i64, description: &'static str, sql: &'static str) -> Migration {
    Migration::new(
        version,
        Cow::Borrowed(description),
        MigrationType::Simple,
        sql.into_sql_str(),
        false,
    )
}

const CHECK: &[u8] = b"store check ";

const INSERT_HEAD: &str =
    "INSERT INTO journal_head (only, sequence, code, seal) VALUES (1, 0, $1, $2)";

const INSERT_CHECKPOINT: &str =
    "INSERT INTO journal_checkpoint (only, sequence, code, seal) VALUES (1, 0, $1, $2)";

/// Before it, a checkpoint and a reset of the log at the same moment could damage the database
/// (<https://www.sqlite.org/wal.html>, "WAL-reset bug").
const SQLITE_MIN: [u32; 3] = [3, 51, 3];
