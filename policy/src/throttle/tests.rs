//! Waits, sources and nets.

use proptest::prelude::*;

use super::*;

const START: Timestamp = Timestamp::from_unix_millis(1_700_000_000_000);

fn failed(count: u32) -> Failures {
    Failures {
        count,
        first_at: START,
        last_at: START,
    }
}

#[test]
fn four_failures_cost_nothing_and_the_fifth_more_than_a_minute() {
    for count in 0..=4 {
        assert_eq!(failed(count).retry_at(START), None, "{count}");
    }
    let wait = failed(5).retry_at(START).unwrap().since(START);
    assert!(wait > Duration::from_mins(1));
    let retry_at = START.after(wait);
    assert!(
        failed(5)
            .retry_at(retry_at.before(Duration::from_millis(1)))
            .is_some()
    );
    assert_eq!(failed(5).retry_at(retry_at), None, "Retry-After is honest");
}

#[test]
fn the_wait_grows_to_an_hour_and_no_further() {
    let waits: Vec<u64> = (5..=12).map(|count| wait_after(count).as_secs()).collect();
    assert_eq!(waits, [64, 128, 256, 512, 1024, 2048, 3600, 3600]);
    assert_eq!(wait_after(u32::MAX), WAIT_MAX);
}

#[test]
fn the_26th_attempt_in_24_hours_is_refused_until_they_are_over() {
    let much_later = START.after(Duration::from_hours(23));
    assert_eq!(failed(24).retry_at(much_later), None);
    assert_eq!(failed(25).retry_at(much_later), Some(START.after(WINDOW)));
    assert_eq!(failed(25).retry_at(START.after(WINDOW)), None);
}

/// How many attempts somebody makes in 24 hours who tries as soon as it is allowed.
fn attempts_in_a_day(counted: fn(Failures) -> Failures) -> u32 {
    let mut made = failed(0);
    let mut now = START;
    loop {
        let next = counted(made).retry_at(now).unwrap_or(now);
        if next >= START.after(WINDOW) {
            return made.count;
        }
        now = next;
        made.count += 1;
        made.last_at = now;
    }
}

#[test]
fn the_failures_of_a_net_count_a_sixteenth_for_each_of_its_sources() {
    let of_net = |count| failed(count).of_net().retry_at(START);
    assert_eq!(of_net(79), None);
    assert_eq!(of_net(80), Some(START.after(FIRST_WAIT)));
    let last = ATTEMPTS_MAX * SOURCES_OF_A_NET;
    assert_eq!(of_net(last - 1), Some(START.after(WAIT_MAX)));
    assert_eq!(of_net(last), Some(START.after(WINDOW)));
}

#[test]
fn a_day_has_25_attempts_for_a_source_and_182_for_a_net() {
    assert_eq!(attempts_in_a_day(|failures| failures), ATTEMPTS_MAX);
    assert_eq!(attempts_in_a_day(Failures::of_net), 182);
}

#[test]
fn a_clock_that_was_set_back_does_not_shorten_the_wait() {
    let earlier = START.before(Duration::from_hours(1));
    assert_eq!(failed(5).retry_at(earlier), Some(START.after(FIRST_WAIT)));
}

#[test]
fn all_that_one_party_is_given_is_one_net() {
    let net = |text: &str| Net::of(text.parse().unwrap());
    assert_eq!(net("2001:db8:1::1"), net("2001:db8:1:ffff::1"));
    assert_ne!(net("2001:db8:1::1"), net("2001:db8:2::1"));
    assert_eq!(net("192.0.2.1"), None);
    assert_eq!(net("::ffff:192.0.2.1"), None);
    for address in ["2001:db8:1:2::1", "192.0.2.1"] {
        let address = address.parse().unwrap();
        assert_eq!(Source::of(address).net(), Net::of(address));
    }
    let bytes = |text: &str| net(text).unwrap().to_bytes();
    assert_ne!(bytes("2001:db8:1::"), bytes("2001:db8:2::"));
}

#[test]
fn one_subscriber_is_one_source() {
    let source = |text: &str| Source::of(text.parse().unwrap());
    assert_eq!(source("2001:db8::1"), source("2001:db8::ffff:1"));
    assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
    assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
    assert_ne!(
        source("192.0.2.1").to_bytes(),
        source("192.0.2.2").to_bytes()
    );
}

proptest! {
    #[test]
    fn more_failures_never_mean_a_shorter_wait(count in 0_u32..100, later in 0_i64..90_000_000) {
        let now = Timestamp::from_unix_millis(START.as_unix_millis() + later);
        prop_assert!(failed(count).retry_at(now) <= failed(count + 1).retry_at(now));
    }
}
