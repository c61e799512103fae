//! Failures that come too fast for a line each are counted. Pure: `now` is an argument.

use std::{
    collections::{HashMap, hash_map::Entry},
    time::Duration,
};

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
    minutes: HashMap<Key, Minute>,
}

/// Minutes that are over, and no longer counted in.
pub(crate) struct Due {
    minutes: Vec<(Key, Minute)>,
    now: Timestamp,
}

/// Where failures came from, and what was answered.
type Key = (FailureSource, SignInFailure);

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
    times: u32,
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

    /// Takes out the minutes that are over at `now`.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Due {
        let is_over = |_: &Key, minute: &mut Minute| {
            // A clock set back must not keep a minute open for hours.
            now.since(minute.began_at) >= MINUTE || now < minute.began_at
        };
        Due {
            minutes: self.minutes.extract_if(is_over).collect(),
            now,
        }
    }

    /// Puts back what could not be written: it is due again at once, with whatever comes until then.
    pub(crate) fn put_back(&mut self, due: Due) {
        for (key, minute) in due.minutes {
            if minute.counts.is_empty() {
                continue;
            }
            match self.minutes.entry(key) {
                Entry::Vacant(vacant) => {
                    vacant.insert(minute);
                }
                Entry::Occupied(mut later) => later.get_mut().join(minute),
            }
        }
    }
}

impl Due {
    /// Their lines. A source with few failures has none beyond those that it got.
    pub(crate) fn lines(&self) -> Vec<Draft> {
        let minutes = self.minutes.iter();
        let lines = minutes.flat_map(|(_, minute)| {
            let counts = minute.counts.iter();
            counts.map(|count| count.line(&minute.sample, self.now))
        });
        lines.collect()
    }
}

impl Minute {
    fn count(&mut self, reason: SignInFailure, at: Timestamp) {
        match self.counts.iter_mut().find(|count| count.reason == reason) {
            Some(count) => {
                count.times = count.times.saturating_add(1);
                count.last_at = count.last_at.max(at);
            }
            None => self.counts.push(Count {
                reason,
                times: 1,
                first_at: at,
                last_at: at,
            }),
        }
    }

    /// Takes the counts of an earlier minute of the same source in.
    fn join(&mut self, earlier: Self) {
        for other in earlier.counts {
            let mut counts = self.counts.iter_mut();
            match counts.find(|count| count.reason == other.reason) {
                Some(count) => {
                    count.times = count.times.saturating_add(other.times);
                    count.first_at = count.first_at.min(other.first_at);
                    count.last_at = count.last_at.max(other.last_at);
                }
                None => self.counts.push(other),
            }
        }
    }
}

impl Count {
    fn line(&self, sample: &Personal, now: Timestamp) -> Draft {
        let event = Event::SignInFailedRepeatedly {
            reason: self.reason,
            count: self.times,
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
mod tests;
