//! Failures that come too fast for a line each are counted. Pure: `now` is an argument.

use std::{collections::HashMap, time::Duration};

use octroi_policy::time::Timestamp;

use super::{
    FAILURES_PER_MINUTE_MAX, FailureSource,
    event::{Actor, Draft, Event, Personal, SignInFailure},
};

/// The failures of the current minute, by source and reason.
#[derive(Default)]
pub(crate) struct Tally {
    counts: HashMap<(FailureSource, SignInFailure), Count>,
}

struct Count {
    minute_began_at: Timestamp,
    /// Those that got a line.
    written: u32,
    /// Those that did not.
    counted: u32,
    first_at: Timestamp,
    last_at: Timestamp,
    /// Where they came from, for the line that tells of them.
    sample: Personal,
}

impl Tally {
    /// The failure's own line, unless it is counted instead.
    pub(crate) fn note(&mut self, draft: Draft, source: FailureSource) -> Option<Draft> {
        let Event::SignInFailed { reason } = draft.event else {
            return Some(draft);
        };
        if self.counts.len() >= SOURCES_MAX && !self.counts.contains_key(&(source, reason)) {
            // A line too many is better than a failure that nobody sees.
            return Some(draft);
        }
        let at = draft.at;
        let count = self
            .counts
            .entry((source, reason))
            .or_insert_with(|| Count {
                minute_began_at: at,
                written: 0,
                counted: 0,
                first_at: at,
                last_at: at,
                // Of many accounts there is no one login to tell, nor a key to seal it with.
                sample: Personal {
                    address: draft.personal.address,
                    ..Personal::default()
                },
            });
        if count.written < FAILURES_PER_MINUTE_MAX {
            count.written += 1;
            return Some(draft);
        }
        if count.counted == 0 {
            count.first_at = at;
        }
        count.counted = count.counted.saturating_add(1);
        count.last_at = count.last_at.max(at);
        None
    }

    /// The lines of the minutes that are over at `now`; forgets those minutes.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Vec<Draft> {
        let mut due = Vec::new();
        self.counts.retain(|(_, reason), count| {
            let going_on = now.since(count.minute_began_at) < MINUTE
                // A clock set back must not keep a minute open for hours.
                && now >= count.minute_began_at;
            if !going_on && count.counted > 0 {
                due.push(summary(*reason, count, now));
            }
            going_on
        });
        due
    }
}

fn summary(reason: SignInFailure, count: &Count, now: Timestamp) -> Draft {
    let event = Event::SignInFailedRepeatedly {
        reason,
        count: count.counted,
        first_at: count.first_at,
        last_at: count.last_at,
    };
    let mut draft = Draft::new(now.min(count.last_at), Actor::Anonymous, event);
    draft.personal = count.sample.clone();
    draft
}

const MINUTE: Duration = Duration::from_mins(1);

/// The most sources counted at once, 150 bytes each.
const SOURCES_MAX: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(at: i64) -> Draft {
        let event = Event::SignInFailed {
            reason: SignInFailure::WrongPassword,
        };
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
        assert_eq!(tally.counts.len(), SOURCES_MAX);
    }
}
