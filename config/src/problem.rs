//! What is wrong with a configuration, so that who reads it knows where to go and what to do.

use std::{fmt, path::PathBuf};

/// Everything found in one reading; never empty where it is an error.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{}", in_lines(.0))]
pub struct Problems(pub Vec<Problem>);

/// One thing that is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// Whether the configuration can be used all the same.
    pub severity: Severity,
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub remedy: String,
    /// Where the other half stands, where two places contradict each other.
    pub other: Option<Place>,
}

/// Whether a configuration can be used in spite of a problem.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// No.
    Error,
    /// Yes, but somebody will miss something.
    Warning,
}

/// Where a problem is.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Place {
    /// In the file.
    File {
        /// Which.
        path: PathBuf,
        /// Its line, from 1.
        line: usize,
        /// The character in that line, from 1.
        column: usize,
    },
    /// In an environment variable.
    Environment {
        /// Which.
        variable: String,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line, column } => {
                write!(f, "{}:{line}:{column}", path.display())
            }
            Self::Environment { variable } => write!(f, "environment variable {variable}"),
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            severity,
            place,
            what,
            remedy,
            other,
        } = self;
        write!(f, "{place}: {severity}: {what}")?;
        if let Some(other) = other {
            write!(f, " (see {other})")?;
        }
        write!(f, "; {remedy}")
    }
}

fn in_lines(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
