//! Tenants, throttle counters, signing keys.

use std::{sync::Arc, time::Duration};

use octroi_policy::id::TenantId;
use zeroize::Zeroizing;

use super::workbench::{NOW, Workbench, bytes, winners_of_fifty};
use crate::store::{
    Conflict,
    signing_keys::{SIGNING_KEYS_MAX, SigningKey},
    tenants::Tenant,
    throttle::{PerCounter, Reservation, Reserved, THROTTLE_WINDOW, ThrottleCounter, ThrottleKey},
};

pub(super) async fn a_tenant_is_found_by_id_and_by_name(bench: Workbench) {
    let tenants = &bench.stores.tenants;
    assert_eq!(tenants.by_id(bench.tenant.id).await.unwrap(), None);
    tenants
        .insert(bench.tenant.clone(), Vec::new())
        .await
        .unwrap();
    let found = Some(bench.tenant.clone());
    assert_eq!(tenants.by_id(bench.tenant.id).await.unwrap(), found);
    assert_eq!(tenants.by_name(&bench.tenant.name).await.unwrap(), found);
    assert_eq!(
        tenants.by_name(&"globex".parse().unwrap()).await.unwrap(),
        None
    );
    assert_eq!(tenants.list().await.unwrap(), [bench.tenant]);
}

pub(super) async fn a_tenants_name_is_unique(bench: Workbench) {
    let tenants = &bench.stores.tenants;
    tenants
        .insert(bench.tenant.clone(), Vec::new())
        .await
        .unwrap();
    let namesake = Tenant {
        id: TenantId::from_random(bytes()),
        ..bench.tenant.clone()
    };
    let same_id = Tenant {
        name: "globex".parse().unwrap(),
        ..bench.tenant.clone()
    };
    assert_eq!(
        tenants.insert(namesake, Vec::new()).await,
        Err(Conflict::TenantNameTaken.into())
    );
    assert_eq!(
        tenants.insert(same_id, Vec::new()).await,
        Err(Conflict::Duplicate.into())
    );
}

pub(super) async fn five_of_fifty_attempts_at_once_are_granted_where_five_are_allowed(
    bench: Workbench,
) {
    let winners = winners_of_fifty(|| {
        let throttle = Arc::clone(&bench.stores.throttle);
        async move {
            let reserved = throttle.reserve(KEYS, NOW, &five_allowed).await.unwrap();
            let refused = Reserved::Refused {
                retry_after: Duration::from_mins(1),
            };
            let is_granted = matches!(reserved, Reserved::Granted(_));
            assert!(is_granted || reserved == refused);
            is_granted
        }
    })
    .await;
    assert_eq!(winners, 5);
}

pub(super) async fn failures_are_forgotten_when_the_window_is_over(bench: Workbench) {
    let failures_at = async |millis: u64| {
        let now = NOW.after(Duration::from_millis(millis));
        seen(&bench, KEYS, now).await
    };
    counted(&bench, NOW).await;
    let window = u64::try_from(THROTTLE_WINDOW.as_millis()).unwrap();
    let failed = ThrottleCounter {
        failures: 1,
        first_failed_at: NOW,
        last_failed_at: NOW,
    };
    assert_eq!(failures_at(window - 1).await, each(failed));
    assert_eq!(failures_at(window).await, each(ThrottleCounter::FRESH));
}

pub(super) async fn an_attempt_that_was_not_made_is_given_back(bench: Workbench) {
    let throttle = &bench.stores.throttle;
    let first = counted(&bench, NOW).await;
    assert_eq!(first.before, each(ThrottleCounter::FRESH));
    let failed = seen(&bench, KEYS, NOW).await;
    let later = NOW.after(Duration::from_mins(5));
    let second = counted(&bench, later).await;
    assert_eq!(second.before, failed);
    throttle.give_back(&second).await.unwrap();
    assert_eq!(
        seen(&bench, KEYS, later).await,
        failed,
        "the wait counts from the failure that there was"
    );
    throttle.give_back(&first).await.unwrap();
    assert_eq!(
        seen(&bench, KEYS, later).await,
        each(ThrottleCounter::FRESH)
    );
    throttle.give_back(&first).await.unwrap();
    assert_eq!(
        seen(&bench, KEYS, later).await,
        each(ThrottleCounter::FRESH)
    );
}

pub(super) async fn of_fifty_attempts_at_once_what_is_given_back_is_not_counted_and_the_rest_is(
    bench: Workbench,
) {
    let given_back = winners_of_fifty(|| {
        let throttle = Arc::clone(&bench.stores.throttle);
        async move {
            let Reserved::Granted(reservation) =
                throttle.reserve(KEYS, NOW, &|_| None).await.unwrap()
            else {
                panic!("everybody may");
            };
            let is_even = reservation.before.source.failures % 2 == 0;
            if is_even {
                throttle.give_back(&reservation).await.unwrap();
            }
            is_even
        }
    })
    .await;
    let stays = u32::try_from(50 - given_back).unwrap();
    let failures = seen(&bench, KEYS, NOW)
        .await
        .map(|counter| counter.failures);
    assert_eq!(failures, each(stays));
}

pub(super) async fn what_failed_after_a_success_is_not_given_back_by_an_attempt_before_it(
    bench: Workbench,
) {
    let account = bench.person().await;
    let early = counted(&bench, NOW).await;
    let mut opening = bench.opening(&account);
    opening.forgives = KEYS.into_each().collect();
    bench.stores.sessions.open(opening).await.unwrap();
    let later = NOW.after(Duration::from_secs(1));
    counted(&bench, later).await;
    let failed = seen(&bench, KEYS, later).await;
    bench.stores.throttle.give_back(&early).await.unwrap();
    assert_eq!(seen(&bench, KEYS, later).await, failed, "no free attempt");
}

pub(super) async fn a_source_without_a_net_leaves_the_counter_of_nets_alone(bench: Workbench) {
    let throttle = &bench.stores.throttle;
    let alone = PerCounter { net: None, ..KEYS };
    let reserved = throttle.reserve(alone, NOW, &|_| None).await.unwrap();
    let Reserved::Granted(reservation) = reserved else {
        panic!("nobody refused it");
    };
    assert_eq!(reservation.before.net, None);
    let counted = seen(&bench, KEYS, NOW)
        .await
        .map(|counter| counter.failures);
    let expected = PerCounter {
        net: Some(0),
        ..each(1)
    };
    assert_eq!(counted, expected);
    assert_eq!(seen(&bench, alone, NOW).await.net, None);
}

pub(super) async fn forgiven_counters_begin_anew(bench: Workbench) {
    let account = bench.person().await;
    let keys = KEYS;
    counted(&bench, NOW).await;
    let mut first = bench.opening(&account);
    first.forgives = vec![keys.source];
    bench.stores.sessions.open(first).await.unwrap();
    let failures = async || -> Vec<u32> {
        let counters = seen(&bench, keys, NOW).await;
        counters
            .into_each()
            .map(|counter| counter.failures)
            .collect()
    };
    assert_eq!(failures().await, [0, 1, 1]);
    let mut opening = bench.opening(&account);
    opening.forgives = keys.into_each().collect();
    bench.stores.sessions.open(opening).await.unwrap();
    assert_eq!(
        failures().await,
        [0, 0, 0],
        "a sign-in that succeeds forgives"
    );
}

pub(super) async fn signing_keys_are_kept_and_removed(bench: Workbench) {
    let keys = &bench.stores.signing_keys;
    let (older, newer) = (key("older", 0), key("newer", 1));
    keys.insert(newer.clone(), Vec::new()).await.unwrap();
    keys.insert(older.clone(), Vec::new()).await.unwrap();
    assert_eq!(
        keys.insert(older.clone(), Vec::new()).await,
        Err(Conflict::Duplicate.into())
    );
    let read = keys.list().await.unwrap();
    let ids: Vec<&str> = read.iter().map(|key| key.key_id.as_str()).collect();
    assert_eq!(ids, ["older", "newer"]);
    assert_eq!(read[1].pkcs8.as_slice(), newer.pkcs8.as_slice());
    assert_eq!(read[1].signs_from, newer.signs_from);
    assert!(keys.remove("older", Vec::new()).await.unwrap());
    assert!(!keys.remove("older", Vec::new()).await.unwrap());
    assert_eq!(keys.list().await.unwrap().len(), 1);
}

pub(super) async fn the_number_of_signing_keys_is_bounded(bench: Workbench) {
    for number in 0..SIGNING_KEYS_MAX {
        let key = key(&format!("key-{number}"), 0);
        bench
            .stores
            .signing_keys
            .insert(key, Vec::new())
            .await
            .unwrap();
    }
    let beyond = bench
        .stores
        .signing_keys
        .insert(key("beyond", 0), Vec::new());
    assert_eq!(beyond.await, Err(Conflict::LimitReached.into()));
}

const KEYS: PerCounter<ThrottleKey> = PerCounter {
    source: ThrottleKey([1; 16]),
    account: ThrottleKey([2; 16]),
    net: Some(ThrottleKey([3; 16])),
};

const fn each<T: Copy>(one: T) -> PerCounter<T> {
    PerCounter {
        source: one,
        account: one,
        net: Some(one),
    }
}

/// One attempt that is let through.
async fn counted(bench: &Workbench, now: octroi_policy::time::Timestamp) -> Reservation {
    let throttle = &bench.stores.throttle;
    match throttle.reserve(KEYS, now, &|_| None).await.unwrap() {
        Reserved::Granted(reservation) => reservation,
        Reserved::Refused { .. } => panic!("nobody refused it"),
    }
}

fn five_allowed(counters: &PerCounter<ThrottleCounter>) -> Option<Duration> {
    let most = counters.into_each().map(|counter| counter.failures).max();
    (most.unwrap_or(0) >= 5).then_some(Duration::from_mins(1))
}

/// The counters as a judge sees them; nothing is counted.
async fn seen(
    bench: &Workbench,
    keys: PerCounter<ThrottleKey>,
    now: octroi_policy::time::Timestamp,
) -> PerCounter<ThrottleCounter> {
    let seen = std::sync::Mutex::new(each(ThrottleCounter::FRESH));
    let look = |counters: &PerCounter<ThrottleCounter>| {
        *seen.lock().unwrap() = *counters;
        Some(Duration::ZERO)
    };
    bench
        .stores
        .throttle
        .reserve(keys, now, &look)
        .await
        .unwrap();
    seen.into_inner().unwrap()
}

fn key(key_id: &str, minutes: u64) -> SigningKey {
    let created_at = NOW.after(Duration::from_mins(minutes));
    SigningKey {
        key_id: key_id.to_owned(),
        pkcs8: Zeroizing::new(bytes::<64>().to_vec()),
        created_at,
        signs_from: created_at.after(Duration::from_hours(1)),
    }
}
