//! Every key of the configuration, described once: the loader takes defaults and bounds from here,
//! and the manual's reference is written from here.

mod markdown;
mod password;
mod people;
mod route;
mod server;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use markdown::markdown;
pub(crate) use password::{PASSWORD, ROLE as PASSWORD_ROLE, TENANT as PASSWORD_TENANT};
pub(crate) use people::{BRAND, CONTACT, HASHING, JOURNAL, LIMITS, SESSIONS, STORAGE, TENANTS};
pub(crate) use route::{ALLOW, IDENTITY, ROUTE, TIMEOUTS, UPSTREAM_TLS};
pub(crate) use server::{CERTIFICATE, CONNECTIONS, SERVER};

/// A table of the file.
#[derive(Debug)]
pub(crate) struct Section {
    /// Its name in the file.
    pub(crate) name: &'static str,
    /// The table that it is written in, if it is not at the top.
    pub(crate) within: Option<&'static str>,
    /// Whether there may be several (`[[name]]`).
    pub(crate) repeated: bool,
    /// What it is about.
    pub(crate) doc: &'static str,
    /// What may stand in it.
    pub(crate) keys: &'static [Key],
    /// What will stand in it one day: refused, never ignored.
    pub(crate) later: &'static [Later],
}

/// One key.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    /// What it takes, with an example; it follows "write …".
    pub(crate) takes: &'static str,
    pub(crate) kind: Kind,
    /// What counts where the file says nothing; text without its quotes.
    pub(crate) default: Option<&'static str>,
    /// Values that a later version will take; each is the beginning of such a value.
    pub(crate) later: &'static [&'static str],
    /// Whether a reload is enough for a change to count.
    pub(crate) effect: Effect,
    pub(crate) doc: &'static str,
}

/// How a key's value is written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Boolean,
    Duration {
        min: Duration,
        max: Duration,
    },
    Integer {
        min: i64,
        max: i64,
    },
    /// A list of texts.
    List,
    /// A text, or a list of texts.
    OneOrMany,
    Table,
    Text,
}

/// When a change of a key counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effect {
    /// At once, by a reload.
    Reload,
    /// At the next start.
    Restart,
}

/// A key that a later version will know.
#[derive(Debug)]
pub(crate) struct Later {
    pub(crate) name: &'static str,
    pub(crate) remedy: &'static str,
}

impl Section {
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// A key's name with the way to it: `server.portal`.
    pub(crate) fn path_of(&self, key: &str) -> String {
        match self.within {
            Some(outer) => format!("{outer}.{}.{key}", self.name),
            None => format!("{}.{key}", self.name),
        }
    }

    /// The section as the file writes it.
    pub(crate) fn title(&self) -> String {
        match (self.within, self.repeated) {
            (Some(_), _) => format!("`{}`", self.name),
            (None, true) => format!("`[[{}]]`", self.name),
            (None, false) => format!("`[{}]`", self.name),
        }
    }
}

impl Key {
    /// A key that takes this kind of value, needs no default and counts at a reload.
    const fn new(name: &'static str, kind: Kind, takes: &'static str, doc: &'static str) -> Self {
        Self {
            name,
            takes,
            kind,
            default: None,
            later: &[],
            effect: Effect::Reload,
            doc,
        }
    }

    const fn or(self, default: &'static str) -> Self {
        Self {
            default: Some(default),
            ..self
        }
    }

    const fn later(self, later: &'static [&'static str]) -> Self {
        Self { later, ..self }
    }

    const fn at_restart(self) -> Self {
        Self {
            effect: Effect::Restart,
            ..self
        }
    }
}

impl Kind {
    /// Whether an environment variable is taken as it is.
    pub(crate) const fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Duration { .. })
    }

    pub(crate) const fn duration_bounds(self) -> Option<(Duration, Duration)> {
        if let Self::Duration { min, max } = self {
            return Some((min, max));
        }
        None
    }

    pub(crate) const fn integer_bounds(self) -> Option<(i64, i64)> {
        if let Self::Integer { min, max } = self {
            return Some((min, max));
        }
        None
    }

    pub(crate) const fn is_one_or_many(self) -> bool {
        matches!(self, Self::OneOrMany)
    }
}

const fn seconds(min: u64, max: u64) -> Kind {
    Kind::Duration {
        min: Duration::from_secs(min),
        max: Duration::from_secs(max),
    }
}

const fn integer(min: i64, max: i64) -> Kind {
    Kind::Integer { min, max }
}

/// The sections that may stand at the top of the file, in the order of the manual.
pub(crate) const SECTIONS: &[&Section] = &[
    &SERVER,
    &CERTIFICATE,
    &ROUTE,
    &TENANTS,
    &SESSIONS,
    &PASSWORD,
    &HASHING,
    &LIMITS,
    &CONNECTIONS,
    &STORAGE,
    &JOURNAL,
    &BRAND,
    &CONTACT,
];

/// Sections that a later version will know, and the names by which people ask for them.
pub(crate) const LATER_SECTIONS: &[Later] = &[
    Later {
        name: "acme",
        remedy: "name `chain` and `key_file` in `[[certificate]]`; certbot or lego can renew them through `server.acme_webroot`",
    },
    Later {
        name: "admin",
        remedy: ADMINISTRATION,
    },
    Later {
        name: "api",
        remedy: ADMINISTRATION,
    },
    Later {
        name: "console",
        remedy: ADMINISTRATION,
    },
    Later {
        name: "cluster",
        remedy: "leave it out; one machine serves, and keeps everything in `server.data`",
    },
    Later {
        name: "postgres",
        remedy: STORES,
    },
    Later {
        name: "redis",
        remedy: STORES,
    },
    Later {
        name: "passkey",
        remedy: FACTORS,
    },
    Later {
        name: "passkeys",
        remedy: FACTORS,
    },
    Later {
        name: "second_factor",
        remedy: FACTORS,
    },
    Later {
        name: "totp",
        remedy: FACTORS,
    },
    Later {
        name: "two_factor",
        remedy: FACTORS,
    },
    Later {
        name: "webauthn",
        remedy: FACTORS,
    },
];

const ADMINISTRATION: &str = "leave it out; `octroi user`, `session` and `journal` do what it would, with `--json` for programs";
const FACTORS: &str = "leave it out; people sign in by password";
const STORES: &str = "leave it out; everything is kept in `server.data`";

/// The tables that stand within others.
pub(crate) const INNER: &[&Section] = &[
    &ALLOW,
    &IDENTITY,
    &TIMEOUTS,
    &UPSTREAM_TLS,
    &PASSWORD_ROLE,
    &PASSWORD_TENANT,
];

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
