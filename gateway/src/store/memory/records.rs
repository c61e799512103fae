//! Tenants, throttle counters and signing keys in memory.

use octroi_policy::{
    id::{TenantId, TenantName},
    time::Timestamp,
};

use super::MemoryStore;
use crate::{
    journal::Draft,
    store::{
        Conflict, StoreError,
        signing_keys::{SIGNING_KEYS_MAX, SigningKey, SigningKeyStore},
        tenants::{TENANTS_MAX, Tenant, TenantStore},
        throttle::{
            PerCounter, Reservation, Reserved, THROTTLE_KEYS_MAX, ThrottleCounter, ThrottleJudge,
            ThrottleKey, ThrottleStore,
        },
    },
};

#[async_trait::async_trait]
impl TenantStore for MemoryStore {
    async fn by_id(&self, tenant: TenantId) -> Result<Option<Tenant>, StoreError> {
        Ok(self.world().tenants.get(&tenant).cloned())
    }

    async fn by_name(&self, name: &TenantName) -> Result<Option<Tenant>, StoreError> {
        let world = self.world();
        let mut tenants = world.tenants.values();
        Ok(tenants.find(|tenant| tenant.name == *name).cloned())
    }

    async fn list(&self) -> Result<Vec<Tenant>, StoreError> {
        let mut tenants: Vec<Tenant> = self.world().tenants.values().cloned().collect();
        tenants.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(tenants)
    }

    async fn insert(&self, tenant: Tenant, journal: Vec<Draft>) -> Result<(), StoreError> {
        let mut world = self.world();
        if world
            .tenants
            .values()
            .any(|other| other.name == tenant.name)
        {
            return Err(Conflict::TenantNameTaken.into());
        }
        if world.tenants.contains_key(&tenant.id) {
            return Err(Conflict::Duplicate.into());
        }
        if world.tenants.len() >= TENANTS_MAX {
            return Err(Conflict::LimitReached.into());
        }
        let lines = world.lines_of(&self.keyring, &*self.entropy, &journal)?;
        world.tenants.insert(tenant.id, tenant);
        world.append(lines);
        Ok(())
    }
}

#[async_trait::async_trait]
impl ThrottleStore for MemoryStore {
    async fn reserve(
        &self,
        keys: PerCounter<ThrottleKey>,
        now: Timestamp,
        judge: &ThrottleJudge<'_>,
    ) -> Result<Reserved, StoreError> {
        let mut world = self.world();
        let counter = |key| {
            world
                .throttle
                .get(&key)
                .map_or(ThrottleCounter::FRESH, |found| found.at(now))
        };
        let before = keys.map(counter);
        if let Some(retry_after) = judge(&before) {
            return Ok(Reserved::Refused { retry_after });
        }
        for (key, counter) in keys.into_each().zip(before.into_each()) {
            if world.throttle.len() >= THROTTLE_KEYS_MAX && !world.throttle.contains_key(&key) {
                let oldest = world
                    .throttle
                    .iter()
                    .min_by_key(|(_, counter)| counter.last_failed_at);
                let oldest = oldest.map(|(key, _)| *key);
                oldest.and_then(|oldest| world.throttle.remove(&oldest));
            }
            world.throttle.insert(key, counter.failed(now));
        }
        let at = now;
        Ok(Reserved::Granted(Reservation { keys, before, at }))
    }

    async fn give_back(&self, reservation: &Reservation) -> Result<(), StoreError> {
        let mut world = self.world();
        for (key, undo) in reservation.undone() {
            if let Some(counter) = world.throttle.get_mut(&key) {
                *counter = undo(*counter);
            }
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl SigningKeyStore for MemoryStore {
    async fn list(&self) -> Result<Vec<SigningKey>, StoreError> {
        Ok(self.world().signing_keys.clone())
    }

    async fn insert(&self, key: SigningKey, journal: Vec<Draft>) -> Result<(), StoreError> {
        let mut world = self.world();
        if world
            .signing_keys
            .iter()
            .any(|other| other.key_id == key.key_id)
        {
            return Err(Conflict::Duplicate.into());
        }
        if world.signing_keys.len() >= SIGNING_KEYS_MAX {
            return Err(Conflict::LimitReached.into());
        }
        let lines = world.lines_of(&self.keyring, &*self.entropy, &journal)?;
        world.signing_keys.push(key);
        world.signing_keys.sort_by_key(|key| key.created_at);
        world.append(lines);
        Ok(())
    }

    async fn remove(&self, key_id: &str, journal: Vec<Draft>) -> Result<bool, StoreError> {
        let mut world = self.world();
        let Some(position) = world
            .signing_keys
            .iter()
            .position(|key| key.key_id == key_id)
        else {
            return Ok(false);
        };
        let lines = world.lines_of(&self.keyring, &*self.entropy, &journal)?;
        world.signing_keys.remove(position);
        world.append(lines);
        Ok(true)
    }
}
