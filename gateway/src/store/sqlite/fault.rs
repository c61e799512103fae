//! From SQLite's result codes to what the caller can do about them.

use crate::store::{FaultText, StoreError};

/// What an error of the database means.
#[expect(
    clippy::needless_pass_by_value,
    clippy::wildcard_enum_match_arm,
    reason = "it stands in `map_err`; the library's list of errors is open"
)]
pub(super) fn fault(error: sqlx::Error) -> StoreError {
    match &error {
        sqlx::Error::Database(reported) => {
            let code = reported.code().and_then(|code| code.parse::<i32>().ok());
            match code.map(|code| code & PRIMARY) {
                Some(FULL) => StoreError::Full,
                Some(CORRUPT | NOT_A_DATABASE | CONSTRAINT) => corrupt(&error),
                Some(READ_ONLY) => unavailable(
                    "the database cannot be written: check owner and permissions of the data directory",
                    &error,
                ),
                Some(BUSY | LOCKED) => unavailable(
                    "another program holds a lock on the database: end it",
                    &error,
                ),
                Some(IO_ERROR) => unavailable("the disk failed to read or write", &error),
                Some(CANNOT_OPEN) => unavailable(
                    "the database cannot be opened: check that it exists and may be read and written",
                    &error,
                ),
                Some(_) | None => unavailable("the database refused", &error),
            }
        }
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::Decode(_)
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::ColumnIndexOutOfBounds { .. } => corrupt(&error),
        sqlx::Error::PoolTimedOut => unavailable("the database was too slow", &error),
        _ => unavailable("the database cannot be used", &error),
    }
}

/// Whether the statement failed because a unique value exists already.
pub(super) fn is_taken(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// What is stored cannot be what was written.
pub(super) fn damaged(what: &str) -> StoreError {
    StoreError::Corrupt(FaultText::new(format_args!(
        "{what}; restore the data directory from a backup"
    )))
}

fn corrupt(error: &sqlx::Error) -> StoreError {
    StoreError::Corrupt(FaultText::new(format_args!(
        "{error}; restore the data directory from a backup"
    )))
}

fn unavailable(what: &str, error: &sqlx::Error) -> StoreError {
    StoreError::Unavailable(FaultText::new(format_args!("{what} ({error})")))
}

// Primary result codes: https://www.sqlite.org/rescode.html
const PRIMARY: i32 = 0xff;
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READ_ONLY: i32 = 8;
const IO_ERROR: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANNOT_OPEN: i32 = 14;
const CONSTRAINT: i32 = 19;
const NOT_A_DATABASE: i32 = 26;
