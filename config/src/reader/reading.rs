//! What all readers of a document share: where they note what they find, and how they meet files.

use std::{
    cell::{Cell, RefCell},
    path::PathBuf,
};

use super::value::tidy;
use crate::{
    problem::Severity,
    source::{At, Finding},
};

/// Everything that readers share: what was found, and where relative paths begin.
#[derive(Debug)]
pub(crate) struct Reading {
    findings: RefCell<Vec<Finding>>,
    error_count: Cell<usize>,
    /// The directory of the configuration file.
    pub(crate) directory: PathBuf,
    /// Whether files that the configuration names are looked at.
    pub(crate) files: Files,
    /// Which keys were asked for, so that a test can compare them with the reference.
    #[cfg(test)]
    pub(crate) asked: RefCell<std::collections::BTreeSet<(&'static str, String)>>,
}

/// Whether files that a configuration names are looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Files {
    /// They have to be there and to be safe.
    Inspected,
    /// Only what the text says counts.
    Unseen,
}

impl Reading {
    pub(crate) fn new(directory: PathBuf, files: Files) -> Self {
        Self {
            findings: RefCell::default(),
            error_count: Cell::new(0),
            directory,
            files,
            #[cfg(test)]
            asked: RefCell::default(),
        }
    }

    /// Notes something that keeps the configuration from being used.
    pub(crate) fn error(&self, at: At, what: impl Into<String>, remedy: impl Into<String>) {
        self.note(Severity::Error, at, what.into(), remedy.into(), None);
    }

    /// Notes that what stands at `at` contradicts what stands at `other`.
    pub(crate) fn contradiction(
        &self,
        at: At,
        other: At,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.note(Severity::Error, at, what.into(), remedy.into(), Some(other));
    }

    /// Notes something that somebody will miss.
    pub(crate) fn warning(&self, at: At, what: impl Into<String>, remedy: impl Into<String>) {
        self.note(Severity::Warning, at, what.into(), remedy.into(), None);
    }

    fn note(&self, severity: Severity, at: At, what: String, remedy: String, other: Option<At>) {
        if severity == Severity::Error {
            self.error_count.set(self.error_count.get() + 1);
        }
        self.findings.borrow_mut().push(Finding {
            severity,
            at,
            what,
            remedy,
            other,
        });
    }

    /// What `read` returns; where that is nothing, a problem has been noted. A part that went
    /// missing without a word would leave a door as nobody wanted it.
    pub(crate) fn insist<T>(
        &self,
        at: At,
        what: &str,
        read: impl FnOnce() -> Option<T>,
    ) -> Option<T> {
        let before = self.error_count.get();
        let part = read();
        if part.is_none() && self.error_count.get() == before {
            self.error(
                at,
                format!("{what} cannot be read, for a reason that octroi failed to tell"),
                "report this as a fault of octroi, with the file",
            );
        }
        part
    }

    pub(crate) fn into_findings(self) -> Vec<Finding> {
        self.findings.into_inner()
    }

    /// A path as it was written, taken from the directory of the file.
    pub(crate) fn locate(&self, path: &str) -> PathBuf {
        tidy(&self.directory.join(path))
    }
}
