//! Tests of the limit by address.

use super::*;

fn limit_of(count: u32, burst: u32) -> AddressLimit {
    let count = NonZeroU32::new(count).unwrap();
    let burst = NonZeroU32::new(burst).unwrap();
    AddressLimit::new(count, Duration::from_mins(1), burst).unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn invariant_8_the_burst_passes_one_more_does_not_and_the_wait_told_is_honest() {
    let limit = limit_of(60, 3);
    let client = address("192.0.2.1");
    for _ in 0..3 {
        assert_eq!(limit.check(client), Ok(()));
    }
    let wait = limit.check(client).unwrap_err();
    assert_eq!(limit.check(address("192.0.2.2")), Ok(()));
    tokio::time::advance(wait).await;
    assert_eq!(limit.check(client), Ok(()));
    assert!(limit.check(client).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_cannot_walk_through_the_addresses_of_its_network() {
    let limit = limit_of(60, 3);
    for last in 1..=3 {
        assert_eq!(
            limit.check(address(&format!("2001:db8:0:1::{last}"))),
            Ok(())
        );
    }
    assert!(limit.check(address("2001:db8:0:1:ffff::9")).is_err());
    assert_eq!(limit.check(address("2001:db8:0:2::1")), Ok(()));
}

/// Whoever holds a /48 has 65,536 networks of one subscriber each.
#[tokio::test(start_paused = true)]
async fn a_party_cannot_walk_through_its_networks_and_one_of_them_does_not_use_up_the_others_share()
{
    let limit = limit_of(60, 3);
    let of = |party: u32, network: u32| address(&format!("2001:db8:{party}:{network}::1"));
    // What one network is refused is not counted to all of them.
    let alone = (0..100).filter(|_| limit.check(of(1, 0)).is_ok()).count();
    assert_eq!(alone, 3);
    let networks = (1..100).flat_map(|network| [network; 3]);
    let passed = networks.filter(|network| limit.check(of(1, *network)).is_ok());
    assert_eq!(passed.count(), 15 * 3);
    let wait = limit.check(of(1, 200)).unwrap_err();
    assert_eq!(limit.check(of(2, 1)), Ok(()), "another party");
    tokio::time::advance(wait).await;
    assert_eq!(limit.check(of(1, 201)), Ok(()));
    tokio::time::advance(Duration::from_hours(1)).await;
    limit.forget_idle();
    assert_eq!((limit.len(), limit.of_nets.len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn both_spellings_of_an_address_are_one_and_idle_addresses_are_forgotten() {
    let limit = limit_of(60, 3);
    for _ in 0..3 {
        assert_eq!(limit.check(address("::ffff:192.0.2.1")), Ok(()));
    }
    assert!(limit.check(address("192.0.2.1")).is_err());
    limit.forget_idle();
    assert_eq!(limit.len(), 1);
    tokio::time::advance(Duration::from_hours(1)).await;
    limit.forget_idle();
    assert_eq!(limit.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_reload_forgives_nobody_unless_it_changes_the_figures() {
    let in_force = ArcSwap::from_pointee(limit_of(60, 1));
    let client = address("192.0.2.1");
    assert_eq!(in_force.load().check(client), Ok(()));
    AddressLimit::replace(&in_force, limit_of(60, 1));
    assert!(in_force.load().check(client).is_err());
    AddressLimit::replace(&in_force, limit_of(60, 2));
    assert_eq!(in_force.load().check(client), Ok(()));
    assert_eq!(in_force.load().check(client), Ok(()));
    assert!(in_force.load().check(client).is_err());
}
