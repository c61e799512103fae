//! Failures that come too fast for a line each are counted. Pure: `now` is an argument.

use std::{collections::HashMap, time::Duration};

use octroi_policy::time::Timestamp;

use super::{
    FAILURES_PER_MINUTE_MAX, FailureSource,
    event::{Actor, Draft, Event, Personal, SignInFailure},
};

/// The failures of the current minute, by source and by what was answered.
///
/// Whether a line is written takes time that can be seen from outside. So it depends on nothing
/// that is not answered either: all that is wrong with a login and its password shares one number
/// of lines (attack class C5).
#[derive(Default)]
pub(crate) struct Tally {
    minutes: HashMap<(FailureSource, SignInFailure), Minute>,
}

struct Minute {
    began_at: Timestamp,
    /// How many failures got a line.
    written: u32,
    /// Those that did not, by reason.
    counts: Vec<Count>,
    /// Where they came from, for the lines that tell of them.
    sample: Personal,
}

struct Count {
    reason: SignInFailure,
    count: u32,
    first_at: Timestamp,
    last_at: Timestamp,
}

impl Tally {
    /// The failure's own line, unless it is counted instead.
    pub(crate) fn note(&mut self, draft: Draft, source: FailureSource) -> Option<Draft> {
        let Event::SignInFailed { reason } = draft.event else {
            return Some(draft);
        };
        let key = (source, reason.as_answered());
        if self.minutes.len() >= SOURCES_MAX && !self.minutes.contains_key(&key) {
            // A line too many is better than a failure that nobody sees.
            return Some(draft);
        }
        let minute = self.minutes.entry(key).or_insert_with(|| Minute {
            began_at: draft.at,
            written: 0,
            counts: Vec::new(),
            // Of many accounts there is no one login to tell, nor a key to seal it with.
            sample: Personal {
                address: draft.personal.address,
                ..Personal::default()
            },
        });
        if minute.written < FAILURES_PER_MINUTE_MAX {
            minute.written += 1;
            return Some(draft);
        }
        minute.count(reason, draft.at);
        None
    }

    /// The lines of the minutes that are over at `now`; forgets those minutes.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Vec<Draft> {
        let mut due = Vec::new();
        self.minutes.retain(|_, minute| {
            let going_on = now.since(minute.began_at) < MINUTE
                // A clock set back must not keep a minute open for hours.
                && now >= minute.began_at;
            if !going_on {
                let sample = &minute.sample;
                due.extend(minute.counts.iter().map(|count| count.line(sample, now)));
            }
            going_on
        });
        due
    }
}

impl Minute {
    fn count(&mut self, reason: SignInFailure, at: Timestamp) {
        match self.counts.iter_mut().find(|count| count.reason == reason) {
            Some(count) => {
                count.count = count.count.saturating_add(1);
                count.last_at = count.last_at.max(at);
            }
            None => self.counts.push(Count {
                reason,
                count: 1,
                first_at: at,
                last_at: at,
            }),
        }
    }
}

impl Count {
    fn line(&self, sample: &Personal, now: Timestamp) -> Draft {
        let event = Event::SignInFailedRepeatedly {
            reason: self.reason,
            count: self.count,
            first_at: self.first_at,
            last_at: self.last_at,
        };
        let mut draft = Draft::new(now.min(self.last_at), Actor::Anonymous, event);
        draft.personal = sample.clone();
        draft
    }
}

const MINUTE: Duration = Duration::from_mins(1);

/// The most sources counted at once, 150 bytes each.
const SOURCES_MAX: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(at: i64) -> Draft {
        failed(at, SignInFailure::WrongPassword)
    }

    fn failed(at: i64, reason: SignInFailure) -> Draft {
        let event = Event::SignInFailed { reason };
        Draft::new(Timestamp::from_unix_millis(at), Actor::Anonymous, event)
    }

    #[test]
    fn ten_failures_a_minute_get_a_line_each_and_the_rest_one_line_with_their_count() {
        let mut tally = Tally::default();
        let source = FailureSource([1; 16]);
        let lines = (0..25)
            .filter_map(|at| tally.note(failure(at), source))
            .count();
        assert_eq!(lines, 10);
        assert!(tally.note(failure(25), FailureSource([2; 16])).is_some());
        assert!(
            tally
                .take_due(Timestamp::from_unix_millis(59_999))
                .is_empty()
        );
        let due = tally.take_due(Timestamp::from_unix_millis(60_000));
        assert_eq!(
            due.len(),
            1,
            "a source with few failures has no second line"
        );
        assert_eq!(
            due[0].event,
            Event::SignInFailedRepeatedly {
                reason: SignInFailure::WrongPassword,
                count: 15,
                first_at: Timestamp::from_unix_millis(10),
                last_at: Timestamp::from_unix_millis(24),
            }
        );
        assert!(
            tally.note(failure(60_001), source).is_some(),
            "a new minute"
        );
    }

    /// Whoever has used up the lines of a minute with logins that nobody has must not see by the
    /// time that a line takes which other login somebody has.
    #[test]
    fn c5_what_is_answered_alike_is_written_alike() {
        let alike = [
            SignInFailure::UnknownLogin,
            SignInFailure::WrongPassword,
            SignInFailure::NoPassword,
            SignInFailure::Locked,
            SignInFailure::ProvisionalOver,
            SignInFailure::ChangedMeanwhile,
        ];
        let source = FailureSource([1; 16]);
        for first in alike {
            let mut tally = Tally::default();
            for at in 0..10 {
                assert!(tally.note(failed(at, first), source).is_some());
            }
            for reason in alike {
                assert!(tally.note(failed(10, reason), source).is_none());
            }
            for reason in SignInFailure::ALL {
                let is_written = tally.note(failed(11, *reason), source).is_some();
                assert_eq!(is_written, !alike.contains(reason), "{reason:?}");
            }
            let due = tally.take_due(Timestamp::from_unix_millis(60_000));
            let mut told: Vec<SignInFailure> = due
                .iter()
                .map(|line| {
                    let Event::SignInFailedRepeatedly { reason, count, .. } = line.event else {
                        panic!("{:?}", line.event)
                    };
                    assert_eq!(count, 2, "{reason:?}");
                    reason
                })
                .collect();
            told.sort_by_key(|reason| reason.as_str());
            let mut expected = alike;
            expected.sort_by_key(|reason| reason.as_str());
            assert_eq!(told, expected, "each reason has a line of its own");
        }
    }

    #[test]
    fn more_sources_than_can_be_counted_get_a_line_each() {
        let mut tally = Tally::default();
        for number in 0..SOURCES_MAX + 20 {
            let mut source = [0; 16];
            source[..8].copy_from_slice(&number.to_be_bytes());
            assert!(tally.note(failure(0), FailureSource(source)).is_some());
        }
        let mut beyond = [0xff; 16];
        beyond[0] = 1;
        for _ in 0..30 {
            assert!(tally.note(failure(0), FailureSource(beyond)).is_some());
        }
        assert_eq!(tally.minutes.len(), SOURCES_MAX);
    }
}
