//! Lines of the journal as they are read back.

use octroi_policy::{
    id::{AccountId, RequestId, SessionId, TenantId},
    time::Timestamp,
};
use serde_json::{Map, Value};

use super::event::{Actor, EventKind};

/// A line that was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// Its place in the chain, from 1, without gaps.
    pub(crate) sequence: u64,
    /// When it happened.
    pub(crate) at: Timestamp,
    /// Who did it.
    pub(crate) actor: Actor,
    /// What happened.
    pub(crate) kind: EventKind,
    /// The event's public fields.
    pub(crate) fields: Map<String, Value>,
    /// In which tenant.
    pub(crate) tenant: Option<TenantId>,
    /// To whom.
    pub(crate) account: Option<AccountId>,
    /// In which session.
    pub(crate) session: Option<SessionId>,
    /// With which request.
    pub(crate) request: Option<RequestId>,
    /// The truncated keyed hash of an identifier that names no account, in hexadecimal.
    pub(crate) identifier_hash: Option<String>,
    /// What identifies the person.
    pub(crate) personal: OpenedPersonal,
}

/// The personal fields of a line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum OpenedPersonal {
    /// The line has none.
    Absent,
    /// As they were written.
    Known(PersonalFields),
    /// Their key was destroyed: nobody can read them any more.
    Erased,
}

/// Personal fields as text.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct PersonalFields {
    /// The login.
    pub(crate) login: Option<String>,
    /// The name.
    pub(crate) name: Option<String>,
    /// The e-mail address.
    pub(crate) email: Option<String>,
    /// The client's address.
    pub(crate) address: Option<String>,
    /// The browser as it names itself.
    pub(crate) browser: Option<String>,
}

/// Which lines to read. All conditions hold together.
#[derive(Clone, Debug, Default)]
pub(crate) struct JournalQuery {
    /// About this account.
    pub(crate) account: Option<AccountId>,
    /// Done by this actor.
    pub(crate) actor: Option<Actor>,
    /// In this tenant.
    pub(crate) tenant: Option<TenantId>,
    /// In this session.
    pub(crate) session: Option<SessionId>,
    /// With this request.
    pub(crate) request: Option<RequestId>,
    /// Of this kind.
    pub(crate) kind: Option<EventKind>,
    /// From this time on.
    pub(crate) from: Option<Timestamp>,
    /// Before this time.
    pub(crate) until: Option<Timestamp>,
    /// Older than this place: the cursor of the page before.
    pub(crate) before_sequence: Option<u64>,
    /// At most so many; `None` and anything above mean [`JournalQuery::LIMIT_MAX`].
    pub(crate) limit: Option<u16>,
}

impl JournalQuery {
    /// The most lines on a page.
    pub(crate) const LIMIT_MAX: u16 = 500;

    /// The lines that a page holds at most.
    pub(crate) fn page_len(&self) -> usize {
        usize::from(self.limit.unwrap_or(Self::LIMIT_MAX).min(Self::LIMIT_MAX))
    }
}

/// Lines, newest first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct JournalPage {
    /// The lines.
    pub(crate) entries: Vec<Entry>,
    /// For [`JournalQuery::before_sequence`] of the next page; `None` on the last.
    pub(crate) next: Option<u64>,
}

/// The end of the chain at some time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SignedHead {
    /// The last line's place; 0 before the first.
    pub(crate) sequence: u64,
    /// That line's authentication code, in hexadecimal.
    pub(crate) code: String,
}

/// What a check of the chain found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Verification {
    /// Every line is as it was written, in its place, none missing.
    Intact {
        /// The lines that were checked.
        entries: u64,
        /// The lines that the signed checkpoint vouches for.
        purged: u64,
        /// The end of the chain.
        head: SignedHead,
    },
    /// It was tampered with, or damaged.
    Broken {
        /// The first place that is wrong.
        sequence: u64,
        /// What is wrong there.
        flaw: ChainFlaw,
    },
}

/// What can be wrong with the chain.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub(crate) enum ChainFlaw {
    /// A line is not as it was written, or stands in another's place.
    #[error("the line was edited or moved")]
    Altered,
    /// A line is missing.
    #[error("a line is missing")]
    Missing,
    /// The end of the journal is missing: the store remembers a later line.
    #[error("the end of the journal was cut off")]
    Truncated,
    /// The head that was logged is not in the chain.
    #[error("the chain does not hold the head that was logged earlier")]
    WitnessAbsent,
    /// The checkpoint of a purge is missing or was edited.
    #[error("the checkpoint that a purge left was altered")]
    CheckpointAltered,
}
