//! The time that the journal goes by. What it destroys is gone for good, so it does not believe a
//! clock at once that stands far ahead, as one does without its battery or before it is set.

use std::{fmt, time::Duration};

use octroi_policy::time::Timestamp;

/// What is known of the time beside the clock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct JournalTime {
    /// The time by which lines grow old: the clock's, or behind it.
    pub(crate) at: Timestamp,
    /// The latest time that one of the last lines bears.
    pub(crate) last_line: Option<Timestamp>,
}

/// How many of the last lines are looked at for their time: those of a start may already bear the
/// time of a clock that was set back.
pub(crate) const LAST_LINES: usize = 1_000;

/// The time that is believed in after `known`, when the gateway has run for `ran` since: that of the
/// clock, as far as twice the time that passed reaches. What a machine missed while it was off is
/// caught up with, and a clock that stood wrong for an hour costs an hour.
pub(crate) fn moved_on(known: Timestamp, now: Timestamp, ran: Duration) -> Timestamp {
    // Never back: a clock without its battery begins in 1970, and is set right a minute later.
    known.max(now.min(known.after(ran.saturating_mul(2))))
}

impl JournalTime {
    /// What is wrong with the clock, as far as the journal can tell.
    pub(crate) fn concern(&self, now: Timestamp) -> Option<Concern> {
        if let Some(behind) = self.last_line.map(|last| last.since(now))
            && behind > BEHIND_BORNE
        {
            return Some(Concern::Behind(behind));
        }
        let ahead = now.since(self.at);
        (ahead > AHEAD_BORNE).then_some(Concern::Ahead(ahead))
    }
}

/// Why a clock looks wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Concern {
    /// It stands this long before something that has happened.
    Behind(Duration),
    /// It stands this long after the time up to which the gateway has run.
    Ahead(Duration),
}

impl fmt::Display for Concern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Behind(by) => write!(
                f,
                "the clock stands {} before the last line of the journal: set it right (timedatectl); if it is right, it stood ahead when that line was written",
                Rough(*by)
            ),
            Self::Ahead(by) => write!(
                f,
                "the clock stands {} after the time up to which the gateway has run: set it right (timedatectl), unless the machine was off for so long; no line of the journal is removed for its age before the gateway has run for half of that",
                Rough(*by)
            ),
        }
    }
}

/// A span of time as people say it.
struct Rough(Duration);

impl fmt::Display for Rough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.0.as_secs() / 60;
        match (minutes / (60 * 24), minutes / 60) {
            (0, 0) => write!(f, "{minutes} min"),
            (0, hours) => write!(f, "{hours} h"),
            (days, _) => write!(f, "{days} d"),
        }
    }
}

/// Clocks are set by moments all the time.
const BEHIND_BORNE: Duration = Duration::from_mins(1);
/// Machines are off for some days.
const AHEAD_BORNE: Duration = Duration::from_hours(7 * 24);

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);
    const NOW: Timestamp = Timestamp::from_unix_millis(1_795_305_600_000);

    #[test]
    fn time_goes_with_the_clock_and_follows_a_leap_no_faster_than_twice() {
        assert_eq!(moved_on(NOW, NOW.after(HOUR), HOUR), NOW.after(HOUR));
        let year_ahead = NOW.after(HOUR * 24 * 365);
        assert_eq!(moved_on(NOW, year_ahead, Duration::ZERO), NOW);
        assert_eq!(moved_on(NOW, year_ahead, HOUR), NOW.after(HOUR * 2));
        // A machine that was off for a day.
        assert_eq!(
            moved_on(NOW, NOW.after(HOUR * 25), HOUR * 25),
            NOW.after(HOUR * 25)
        );
        assert_eq!(moved_on(NOW, Timestamp::EPOCH, HOUR), NOW, "never back");
        assert_eq!(moved_on(NOW, year_ahead, Duration::MAX), year_ahead);
    }

    #[test]
    fn a_clock_that_cannot_be_right_is_told_of_with_the_remedy() {
        let time = |last_line: Timestamp, at: Timestamp| JournalTime {
            at,
            last_line: Some(last_line),
        };
        assert_eq!(time(NOW, NOW).concern(NOW), None);
        assert_eq!(time(NOW.after(BEHIND_BORNE), NOW).concern(NOW), None);
        assert_eq!(time(NOW, NOW.before(AHEAD_BORNE)).concern(NOW), None);
        let empty = JournalTime {
            at: NOW,
            last_line: None,
        };
        assert_eq!(empty.concern(NOW), None);

        let behind = time(NOW.after(HOUR * 3), NOW).concern(NOW);
        assert_eq!(behind, Some(Concern::Behind(HOUR * 3)));
        let told = behind.unwrap().to_string();
        assert!(
            told.contains("3 h before the last line of the journal"),
            "{told}"
        );
        assert!(told.contains("timedatectl"), "{told}");
        let ahead = time(NOW, NOW).concern(NOW.after(HOUR * 24 * 400));
        let told = ahead.unwrap().to_string();
        assert!(told.contains("400 d after the time"), "{told}");
        assert!(told.contains("timedatectl"), "{told}");
    }
}
