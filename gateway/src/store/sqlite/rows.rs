//! Columns as values, checked on the way out of the database.

use std::str::FromStr;

use octroi_policy::{
    assurance::Assurance,
    id::Role,
    session::{Computer, SessionEpoch, Stage},
    time::Timestamp,
};
use sqlx::{Row as _, sqlite::SqliteRow};

use super::fault::{damaged, fault};
use crate::store::StoreError;

/// A row, read by column names.
pub(super) struct Columns<'a>(pub(super) &'a SqliteRow);

impl Columns<'_> {
    pub(super) fn text(&self, column: &str) -> Result<String, StoreError> {
        self.0.try_get(column).map_err(fault)
    }

    pub(super) fn optional_text(&self, column: &str) -> Result<Option<String>, StoreError> {
        self.0.try_get(column).map_err(fault)
    }

    pub(super) fn bytes(&self, column: &str) -> Result<Vec<u8>, StoreError> {
        self.0.try_get(column).map_err(fault)
    }

    pub(super) fn optional_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.try_get(column).map_err(fault)
    }

    pub(super) fn fixed<const N: usize>(&self, column: &str) -> Result<[u8; N], StoreError> {
        let bytes: &[u8] = self.0.try_get(column).map_err(fault)?;
        <[u8; N]>::try_from(bytes).map_err(|_| self.wrong(column))
    }

    pub(super) fn optional_fixed<const N: usize>(
        &self,
        column: &str,
    ) -> Result<Option<[u8; N]>, StoreError> {
        let bytes: Option<&[u8]> = self.0.try_get(column).map_err(fault)?;
        let fixed = bytes.map(<[u8; N]>::try_from).transpose();
        fixed.map_err(|_| self.wrong(column))
    }

    pub(super) fn integer(&self, column: &str) -> Result<i64, StoreError> {
        self.0.try_get(column).map_err(fault)
    }

    pub(super) fn count(&self, column: &str) -> Result<u64, StoreError> {
        u64::try_from(self.integer(column)?).map_err(|_| self.wrong(column))
    }

    pub(super) fn epoch(&self, column: &str) -> Result<SessionEpoch, StoreError> {
        self.count(column).map(SessionEpoch)
    }

    pub(super) fn time(&self, column: &str) -> Result<Timestamp, StoreError> {
        self.integer(column).map(Timestamp::from_unix_millis)
    }

    pub(super) fn optional_time(&self, column: &str) -> Result<Option<Timestamp>, StoreError> {
        let millis: Option<i64> = self.0.try_get(column).map_err(fault)?;
        Ok(millis.map(Timestamp::from_unix_millis))
    }

    pub(super) fn parsed<T: FromStr>(&self, column: &str) -> Result<T, StoreError> {
        self.text(column)?.parse().map_err(|_| self.wrong(column))
    }

    pub(super) fn word<T>(
        &self,
        column: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, StoreError> {
        read(&self.text(column)?).ok_or_else(|| self.wrong(column))
    }

    pub(super) fn roles(&self, column: &str) -> Result<Box<[Role]>, StoreError> {
        roles_from_json(&self.text(column)?).ok_or_else(|| self.wrong(column))
    }

    #[expect(
        clippy::unused_self,
        reason = "it reads as a part of the row's methods"
    )]
    pub(super) fn wrong(&self, column: &str) -> StoreError {
        damaged(&format!(
            "the column {column} holds what was never written there"
        ))
    }
}

/// Roles as they are kept: a JSON array of their names.
pub(super) fn roles_to_json(roles: &[Role]) -> String {
    let names: Vec<&str> = roles.iter().map(Role::as_str).collect();
    serde_json::Value::from(names).to_string()
}

/// Reads [`roles_to_json`] back.
pub(super) fn roles_from_json(text: &str) -> Option<Box<[Role]>> {
    let names: Vec<String> = serde_json::from_str(text).ok()?;
    names.iter().map(|name| name.parse().ok()).collect()
}

/// Identifiers as one value: `unhex(value)` gives each of `json_each`.
pub(super) fn list_of<'a>(ids: impl IntoIterator<Item = &'a [u8; 16]>) -> String {
    let ids = ids.into_iter().map(|id| data_encoding::HEXUPPER.encode(id));
    serde_json::Value::from(ids.collect::<Vec<_>>()).to_string()
}

/// A count as SQLite keeps it.
pub(super) fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The assurance that this word names.
pub(super) fn assurance(word: &str) -> Option<Assurance> {
    [
        Assurance::Password,
        Assurance::TwoFactor,
        Assurance::Passkey,
    ]
    .into_iter()
    .find(|assurance| assurance.as_str() == word)
}

/// The word for a computer.
pub(super) const fn computer_word(computer: Computer) -> &'static str {
    match computer {
        Computer::Private => "private",
        Computer::Public => "public",
    }
}

/// The computer that this word names.
pub(super) fn computer(word: &str) -> Option<Computer> {
    [Computer::Private, Computer::Public]
        .into_iter()
        .find(|computer| computer_word(*computer) == word)
}

/// The word for a stage; `None` for one that this version does not keep.
pub(super) const fn stage_word(stage: Stage) -> Option<&'static str> {
    match stage {
        Stage::Full => Some("full"),
        Stage::MustChangePassword => Some("must_change_password"),
        _ => None,
    }
}

/// The stage that this word names.
pub(super) fn stage(word: &str) -> Option<Stage> {
    [Stage::Full, Stage::MustChangePassword]
        .into_iter()
        .find(|stage| stage_word(*stage) == Some(word))
}
