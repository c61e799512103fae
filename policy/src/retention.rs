//! How long what is kept is kept, and from when on it may be removed.

use std::time::Duration;

use crate::time::Timestamp;

/// A kind of data that has an end.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kept {
    /// Lines of the journal.
    Journal,
    /// Sessions that ended, with their start, last use, end and cause (promise C4).
    EndedSessions,
    /// Counters of failed attempts.
    ThrottleCounters,
}

/// How long each kind is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Retention {
    journal: Duration,
    reason: Option<Box<str>>,
}

impl Retention {
    /// 12 months: what French and Belgian authorities recommend for journals of access, and the
    /// most that is kept without a stated reason.
    pub const JOURNAL_DEFAULT: Duration = Duration::from_hours(365 * 24);
    /// Less would leave nothing to look into an incident with (CNIL, deliberation 2021-122: six
    /// months at least).
    pub const JOURNAL_MIN: Duration = Duration::from_hours(183 * 24);
    /// Five years: above it, keeping personal data has no purpose that a gateway could have.
    pub const JOURNAL_MAX: Duration = Duration::from_hours(5 * 366 * 24);

    /// Keeps the journal for `journal`; more than 12 months needs a reason, which reports show.
    pub fn new(journal: Duration, reason: Option<&str>) -> Result<Self, RetentionRefusal> {
        let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
        if journal < Self::JOURNAL_MIN {
            Err(RetentionRefusal::TooShort)
        } else if journal > Self::JOURNAL_MAX {
            Err(RetentionRefusal::TooLong)
        } else if journal > Self::JOURNAL_DEFAULT && reason.is_none() {
            Err(RetentionRefusal::ReasonMissing)
        } else {
            Ok(Self {
                journal,
                reason: reason.map(Into::into),
            })
        }
    }

    /// Why the journal is kept longer than 12 months.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// What of this kind is older than the answer may be removed at `now`.
    pub fn keep_from(&self, kept: Kept, now: Timestamp) -> Timestamp {
        now.before(match kept {
            Kept::Journal | Kept::EndedSessions => self.journal,
            Kept::ThrottleCounters => crate::throttle::WINDOW,
        })
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            journal: Self::JOURNAL_DEFAULT,
            reason: None,
        }
    }
}

/// Why a retention is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RetentionRefusal {
    /// More than 12 months without saying why.
    #[error("keeping the journal for more than 12 months needs a reason")]
    ReasonMissing,
    /// More than [`Retention::JOURNAL_MAX`].
    #[error("the journal is kept for at most 5 years")]
    TooLong,
    /// Less than [`Retention::JOURNAL_MIN`].
    #[error("the journal is kept for at least 6 months")]
    TooShort,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_months_need_no_reason_and_a_moment_more_does() {
        let twelve_months = Retention::JOURNAL_DEFAULT;
        let more = twelve_months + Duration::from_millis(1);
        assert_eq!(
            Retention::new(twelve_months, None),
            Ok(Retention::default())
        );
        assert_eq!(
            Retention::new(more, None),
            Err(RetentionRefusal::ReasonMissing)
        );
        assert_eq!(
            Retention::new(more, Some(" ")),
            Err(RetentionRefusal::ReasonMissing)
        );
        assert_eq!(
            Retention::new(more, Some("audit 2027")).unwrap().reason(),
            Some("audit 2027")
        );
    }

    #[test]
    fn the_ends_are_at_below_and_above() {
        let reason = Some("law");
        let moment = Duration::from_millis(1);
        assert!(Retention::new(Retention::JOURNAL_MIN, reason).is_ok());
        assert_eq!(
            Retention::new(Retention::JOURNAL_MIN.saturating_sub(moment), reason),
            Err(RetentionRefusal::TooShort)
        );
        assert!(Retention::new(Retention::JOURNAL_MAX, reason).is_ok());
        assert_eq!(
            Retention::new(Retention::JOURNAL_MAX + moment, reason),
            Err(RetentionRefusal::TooLong)
        );
    }

    #[test]
    fn nothing_younger_than_its_retention_is_removed() {
        let now = Timestamp::from_unix_millis(1_800_000_000_000);
        let retention = Retention::default();
        assert_eq!(
            now.since(retention.keep_from(Kept::Journal, now)),
            Retention::JOURNAL_DEFAULT
        );
        assert_eq!(
            now.since(retention.keep_from(Kept::ThrottleCounters, now)),
            Duration::from_hours(24)
        );
    }
}
