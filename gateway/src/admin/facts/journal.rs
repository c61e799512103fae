//! Lines of the journal, and what a check of it found.

use std::fmt;

use octroi_policy::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::admin::times;

/// A page of the journal.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct JournalLines {
    /// The lines, newest first.
    pub(crate) lines: Vec<JournalLine>,
    /// Where the next page begins; `None` on the last.
    pub(crate) next: Option<u64>,
}

/// A line of the journal.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct JournalLine {
    /// Its place in the chain.
    pub(crate) sequence: u64,
    /// When it happened.
    pub(crate) at: String,
    /// Who did it.
    pub(crate) actor: String,
    /// What happened.
    pub(crate) kind: String,
    /// The event's own fields.
    pub(crate) fields: serde_json::Map<String, serde_json::Value>,
    /// To whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account_id: Option<String>,
    /// The same as `TENANT/LOGIN`, as the account is named now; absent where it is erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<String>,
    /// In which session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<String>,
    /// With which request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<String>,
    /// The keyed hash of what was typed and names no account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) identifier_hash: Option<String>,
    /// Who it was; absent where nobody is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) person: Option<Person>,
}

/// The personal fields of a line.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Person {
    /// Whether they were erased, with the key that could read them.
    pub(crate) erased: bool,
    /// The login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) login: Option<String>,
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// The address for mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    /// The client's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    /// The browser, as it named itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) browser: Option<String>,
}

impl fmt::Display for JournalLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}\t{}\t{}\t{}",
            self.sequence, self.at, self.actor, self.kind
        )?;
        if let Some(account) = self.account.as_ref().or(self.account_id.as_ref()) {
            write!(f, "\taccount={account}")?;
        }
        for (name, value) in &self.fields {
            let millis = value.as_i64().filter(|_| name.ends_with("_at"));
            match (millis, value.as_str()) {
                (Some(millis), _) => {
                    let at = times::written(Timestamp::from_unix_millis(millis));
                    write!(f, "\t{name}={at}")?;
                }
                (None, Some(text)) => write!(f, "\t{name}={text}")?,
                (None, None) => write!(f, "\t{name}={value}")?,
            }
        }
        let Some(person) = &self.person else {
            return Ok(());
        };
        if person.erased {
            return f.write_str("\t(erased)");
        }
        let named = [
            ("login", &person.login),
            ("name", &person.name),
            ("email", &person.email),
            ("address", &person.address),
            ("browser", &person.browser),
        ];
        for (name, value) in named {
            if let Some(value) = value {
                write!(f, "\t{name}={value}")?;
            }
        }
        Ok(())
    }
}

/// What a check of the chain found.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Verified {
    /// Whether every line is as it was written, in its place, none missing.
    pub(crate) intact: bool,
    /// The lines that were checked.
    pub(crate) lines: u64,
    /// The lines that a signed checkpoint vouches for.
    pub(crate) purged: u64,
    /// The end of the chain, `SEQUENCE:CODE`: keep it elsewhere, and hand it in as witness later.
    pub(crate) head: Option<String>,
    /// The first place that is wrong, and what is.
    pub(crate) flaw: Option<String>,
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.flaw, &self.head) {
            (Some(flaw), _) => write!(f, "the journal is not as it was written: {flaw}"),
            (None, Some(head)) => write!(
                f,
                "the journal is intact: {} lines checked, {} purged before them, head {head}",
                self.lines, self.purged
            ),
            (None, None) => f.write_str("the journal is intact"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(account: Option<&str>) -> String {
        let line = serde_json::json!({
            "sequence": 26,
            "at": "2026-11-25T20:00:00Z",
            "actor": "os:0",
            "kind": "invitation_issued",
            "fields": { "expires_at": 1_795_356_300_250_i64, "count": 3, "cause": "revoked" },
            "account_id": "0190163d-8694-4a6c-9d5f-2b8f1c5e7a10",
            "account": account,
        });
        serde_json::from_value::<JournalLine>(line)
            .unwrap()
            .to_string()
    }

    #[test]
    fn a_line_names_whom_it_concerns_and_times_as_people_read_them() {
        assert_eq!(
            line(Some("acme/marie")),
            "26\t2026-11-25T20:00:00Z\tos:0\tinvitation_issued\taccount=acme/marie\tcause=revoked\tcount=3\texpires_at=2026-11-22T14:05:00.25Z"
        );
        let erased = line(None);
        assert!(
            erased.contains("\taccount=0190163d-8694-4a6c-9d5f-2b8f1c5e7a10\t"),
            "{erased}"
        );
    }
}
