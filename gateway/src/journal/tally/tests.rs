//! What gets a line, and what is counted.

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
            .lines()
            .is_empty()
    );
    let due = tally.take_due(Timestamp::from_unix_millis(60_000)).lines();
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
fn what_could_not_be_written_is_due_again_with_what_came_meanwhile() {
    let mut tally = Tally::default();
    let (source, quiet) = (FailureSource([1; 16]), FailureSource([2; 16]));
    let at = Timestamp::from_unix_millis;
    for millis in 0..15 {
        tally.note(failure(millis), source);
    }
    tally.note(failure(0), quiet);
    let due = tally.take_due(at(60_000));
    for millis in 60_000..60_013 {
        tally.note(failure(millis), source);
    }
    tally.put_back(due);
    assert_eq!(tally.minutes.len(), 1, "what has no line is not kept");
    let due = tally.take_due(at(120_000)).lines();
    let told: Vec<&Event> = due.iter().map(|line| &line.event).collect();
    let reason = SignInFailure::WrongPassword;
    let (count, first_at, last_at) = (5 + 3, at(10), at(60_012));
    assert_eq!(
        told,
        [&Event::SignInFailedRepeatedly {
            reason,
            count,
            first_at,
            last_at,
        }]
    );
    assert!(tally.take_due(at(i64::MAX)).lines().is_empty());
    // Nothing came meanwhile: it is due again at once.
    for millis in 0..12 {
        tally.note(failure(millis), source);
    }
    let due = tally.take_due(at(60_000));
    tally.put_back(due);
    assert_eq!(tally.take_due(at(60_000)).lines().len(), 1);
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
        let due = tally.take_due(Timestamp::from_unix_millis(60_000)).lines();
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
