//! Tenants, throttle counters, signing keys.

use std::{sync::Arc, time::Duration};

use octroi_policy::id::TenantId;
use zeroize::Zeroizing;

use super::workbench::{NOW, Workbench, bytes, winners_of_fifty};
use crate::store::{
    Conflict,
    signing_keys::{SIGNING_KEYS_MAX, SigningKey},
    tenants::Tenant,
    throttle::{Reserved, THROTTLE_WINDOW, ThrottleCounter, ThrottleKey},
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
    let keys = [ThrottleKey([1; 16]), ThrottleKey([2; 16])];
    let winners = winners_of_fifty(|| {
        let throttle = Arc::clone(&bench.stores.throttle);
        async move {
            let reserved = throttle.reserve(&keys, NOW, &five_allowed).await.unwrap();
            let refused = Reserved::Refused {
                retry_after: Duration::from_mins(1),
            };
            assert!(reserved == Reserved::Granted || reserved == refused);
            reserved == Reserved::Granted
        }
    })
    .await;
    assert_eq!(winners, 5);
}

pub(super) async fn failures_are_forgotten_when_the_window_is_over(bench: Workbench) {
    let keys = [ThrottleKey([1; 16])];
    let failures_at = async |millis: u64| {
        let now = NOW.after(Duration::from_millis(millis));
        seen(&bench, &keys, now).await
    };
    let reserve = bench.stores.throttle.reserve(&keys, NOW, &|_| None);
    assert_eq!(reserve.await.unwrap(), Reserved::Granted);
    let window = u64::try_from(THROTTLE_WINDOW.as_millis()).unwrap();
    let failed = ThrottleCounter {
        failures: 1,
        first_failed_at: NOW,
        last_failed_at: NOW,
    };
    assert_eq!(failures_at(window - 1).await, [failed]);
    assert_eq!(failures_at(window).await, [ThrottleCounter::FRESH]);
}

pub(super) async fn an_attempt_that_was_not_made_is_given_back(bench: Workbench) {
    let keys = [ThrottleKey([1; 16])];
    let throttle = &bench.stores.throttle;
    for _ in 0..3 {
        throttle.reserve(&keys, NOW, &|_| None).await.unwrap();
    }
    throttle.give_back(&keys).await.unwrap();
    assert_eq!(seen(&bench, &keys, NOW).await[0].failures, 2);
    for _ in 0..5 {
        throttle.give_back(&keys).await.unwrap();
    }
    assert_eq!(seen(&bench, &keys, NOW).await[0].failures, 0);
}

pub(super) async fn forgiven_counters_begin_anew(bench: Workbench) {
    let account = bench.person().await;
    let keys = [ThrottleKey([1; 16]), ThrottleKey([2; 16])];
    let throttle = &bench.stores.throttle;
    throttle.reserve(&keys, NOW, &|_| None).await.unwrap();
    let mut first = bench.opening(&account);
    first.forgives = keys[..1].to_vec();
    bench.stores.sessions.open(first).await.unwrap();
    let failures = async || -> Vec<u32> {
        let counters = seen(&bench, &keys, NOW).await;
        counters.iter().map(|counter| counter.failures).collect()
    };
    assert_eq!(failures().await, [0, 1]);
    let mut opening = bench.opening(&account);
    opening.forgives = keys.to_vec();
    bench.stores.sessions.open(opening).await.unwrap();
    assert_eq!(failures().await, [0, 0], "a sign-in that succeeds forgives");
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

fn five_allowed(counters: &[ThrottleCounter]) -> Option<Duration> {
    let most = counters.iter().map(|counter| counter.failures).max();
    (most.unwrap_or(0) >= 5).then_some(Duration::from_mins(1))
}

/// The counters as a judge sees them; nothing is counted.
async fn seen(
    bench: &Workbench,
    keys: &[ThrottleKey],
    now: octroi_policy::time::Timestamp,
) -> Vec<ThrottleCounter> {
    let seen = std::sync::Mutex::new(Vec::new());
    let look = |counters: &[ThrottleCounter]| {
        *seen.lock().unwrap() = counters.to_vec();
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
