//! Tests of the limit by address.

use octroi_policy::time::Timestamp;

use super::*;
use crate::clock::ManualClock;

fn limit(clock: &ManualClock) -> AddressLimit {
    let count = NonZeroU32::new(60).unwrap();
    let burst = NonZeroU32::new(3).unwrap();
    AddressLimit::new(
        count,
        Duration::from_mins(1),
        burst,
        Arc::new(clock.clone()),
    )
    .unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn invariant_8_the_burst_passes_one_more_does_not_and_the_wait_told_is_honest() {
    let clock = ManualClock::at(Timestamp::from_unix_millis(1_700_000_000_000));
    let limit = limit(&clock);
    let client = address("192.0.2.1");
    for _ in 0..3 {
        assert_eq!(limit.check(client), Ok(()));
    }
    let wait = limit.check(client).unwrap_err();
    assert_eq!(limit.check(address("192.0.2.2")), Ok(()));
    clock.advance(wait);
    assert_eq!(limit.check(client), Ok(()));
    assert!(limit.check(client).is_err());
}

#[test]
fn a_subscriber_cannot_walk_through_the_addresses_of_its_network() {
    let clock = ManualClock::at(Timestamp::from_unix_millis(1_700_000_000_000));
    let limit = limit(&clock);
    for last in 1..=3 {
        assert_eq!(
            limit.check(address(&format!("2001:db8:0:1::{last}"))),
            Ok(())
        );
    }
    assert!(limit.check(address("2001:db8:0:1:ffff::9")).is_err());
    assert_eq!(limit.check(address("2001:db8:0:2::1")), Ok(()));
}

#[test]
fn a_clock_set_back_forgives_nothing_and_idle_addresses_are_forgotten() {
    let start = Timestamp::from_unix_millis(1_700_000_000_000);
    let clock = ManualClock::at(start);
    let limit = limit(&clock);
    let client = address("::ffff:192.0.2.1");
    for _ in 0..3 {
        assert_eq!(limit.check(client), Ok(()));
    }
    clock.set(Timestamp::EPOCH);
    assert!(limit.check(address("192.0.2.1")).is_err());
    clock.set(start.after(Duration::from_hours(1)));
    limit.forget_idle();
    assert_eq!(limit.len(), 0);
}
