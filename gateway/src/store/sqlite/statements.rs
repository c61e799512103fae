//! The statements of the adapter. Tests look at which ones a command runs, so each goes through here:
//! a rule of the repository keeps `sqlx`'s own ways to run one to the few that no command runs.

use sqlx::{
    FromRow, Sqlite,
    query::{Query, QueryScalar},
    sqlite::{SqliteArguments, SqliteRow},
};

/// A statement with its place for values.
pub(super) fn query(sql: &'static str) -> Query<'static, Sqlite, SqliteArguments> {
    #[cfg(test)]
    counting::note(sql);
    sqlx::query(sql)
}

/// The same, where each row is one value.
pub(super) fn query_scalar<T>(sql: &'static str) -> QueryScalar<'static, Sqlite, T, SqliteArguments>
where
    (T,): for<'r> FromRow<'r, SqliteRow>,
{
    #[cfg(test)]
    counting::note(sql);
    sqlx::query_scalar(sql)
}

/// What this thread has run; a test of one thread runs everything on it.
#[cfg(test)]
pub(crate) mod counting {
    use std::cell::RefCell;

    thread_local! {
        static RUN: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn note(sql: &'static str) {
        RUN.with_borrow_mut(|run| run.push(sql));
    }

    /// The statements since the last time, in order.
    pub(crate) fn take() -> Vec<&'static str> {
        RUN.take()
    }
}
