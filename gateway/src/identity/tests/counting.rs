//! Stores that count what they are asked.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use octroi_policy::{
    id::{AccountId, TenantId, TenantName},
    time::Timestamp,
};

use crate::{
    journal::{
        Draft, FailureSource, JournalStore,
        entry::{JournalPage, JournalQuery, SignedHead, Verification},
        time::JournalTime,
    },
    store::{
        StoreError, Stores,
        accounts::{
            Account, AccountCommand, AccountList, AccountPage, AccountStore, Changed, Erased,
            HashCount, NewAccount,
        },
        tenants::{Tenant, TenantStore},
        throttle::{PerCounter, Reservation, Reserved, ThrottleJudge, ThrottleKey, ThrottleStore},
    },
};

/// The names of the calls, in order.
#[derive(Clone, Default)]
pub(super) struct Calls(Arc<Mutex<Vec<&'static str>>>);

impl Calls {
    /// The calls since the last time.
    pub(super) fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// `stores`, with the ones that a sign-in asks counted.
    pub(super) fn wrap(&self, stores: Stores) -> Stores {
        Stores {
            accounts: Arc::new(Counted {
                inner: stores.accounts,
                calls: self.clone(),
            }),
            tenants: Arc::new(Counted {
                inner: stores.tenants,
                calls: self.clone(),
            }),
            throttle: Arc::new(Counted {
                inner: stores.throttle,
                calls: self.clone(),
            }),
            journal: Arc::new(Counted {
                inner: stores.journal,
                calls: self.clone(),
            }),
            ..stores
        }
    }

    fn note(&self, call: &'static str) {
        self.0.lock().unwrap().push(call);
    }
}

struct Counted<S: ?Sized> {
    calls: Calls,
    inner: Arc<S>,
}

#[async_trait::async_trait]
impl AccountStore for Counted<dyn AccountStore> {
    async fn by_id(&self, account: AccountId) -> Result<Option<Account>, StoreError> {
        self.calls.note("accounts.by_id");
        self.inner.by_id(account).await
    }

    async fn by_login(&self, tenant: TenantId, login: &str) -> Result<Option<Account>, StoreError> {
        self.calls.note("accounts.by_login");
        self.inner.by_login(tenant, login).await
    }

    async fn list(&self, page: AccountPage) -> Result<AccountList, StoreError> {
        self.calls.note("accounts.list");
        self.inner.list(page).await
    }

    async fn hash_counts(&self) -> Result<Vec<HashCount>, StoreError> {
        self.calls.note("accounts.hash_counts");
        self.inner.hash_counts().await
    }

    async fn insert(&self, account: NewAccount, journal: Vec<Draft>) -> Result<(), StoreError> {
        self.calls.note("accounts.insert");
        self.inner.insert(account, journal).await
    }

    async fn change(&self, command: AccountCommand) -> Result<Changed, StoreError> {
        self.calls.note("accounts.change");
        self.inner.change(command).await
    }

    async fn erase(
        &self,
        account: AccountId,
        at: Timestamp,
        journal: Vec<Draft>,
    ) -> Result<Erased, StoreError> {
        self.calls.note("accounts.erase");
        self.inner.erase(account, at, journal).await
    }
}

#[async_trait::async_trait]
impl TenantStore for Counted<dyn TenantStore> {
    async fn by_id(&self, tenant: TenantId) -> Result<Option<Tenant>, StoreError> {
        self.calls.note("tenants.by_id");
        self.inner.by_id(tenant).await
    }

    async fn by_name(&self, name: &TenantName) -> Result<Option<Tenant>, StoreError> {
        self.calls.note("tenants.by_name");
        self.inner.by_name(name).await
    }

    async fn list(&self) -> Result<Vec<Tenant>, StoreError> {
        self.calls.note("tenants.list");
        self.inner.list().await
    }

    async fn insert(&self, tenant: Tenant, journal: Vec<Draft>) -> Result<(), StoreError> {
        self.calls.note("tenants.insert");
        self.inner.insert(tenant, journal).await
    }
}

#[async_trait::async_trait]
impl ThrottleStore for Counted<dyn ThrottleStore> {
    async fn reserve(
        &self,
        keys: PerCounter<ThrottleKey>,
        now: Timestamp,
        judge: &ThrottleJudge<'_>,
    ) -> Result<Reserved, StoreError> {
        self.calls.note("throttle.reserve");
        self.inner.reserve(keys, now, judge).await
    }

    async fn give_back(&self, reservation: &Reservation) -> Result<(), StoreError> {
        self.calls.note("throttle.give_back");
        self.inner.give_back(reservation).await
    }
}

#[async_trait::async_trait]
impl JournalStore for Counted<dyn JournalStore> {
    async fn append(&self, drafts: Vec<Draft>) -> Result<(), StoreError> {
        self.calls.note("journal.append");
        self.inner.append(drafts).await
    }

    async fn append_failure(&self, draft: Draft, source: FailureSource) -> Result<(), StoreError> {
        self.calls.note("journal.append_failure");
        self.inner.append_failure(draft, source).await
    }

    async fn flush_failures(&self, now: Timestamp) -> Result<(), StoreError> {
        self.inner.flush_failures(now).await
    }

    async fn search(&self, query: &JournalQuery) -> Result<JournalPage, StoreError> {
        self.inner.search(query).await
    }

    async fn head(&self) -> Result<SignedHead, StoreError> {
        self.inner.head().await
    }

    async fn verify(&self, witness: Option<&SignedHead>) -> Result<Verification, StoreError> {
        self.inner.verify(witness).await
    }

    async fn tell_time(&self, now: Timestamp, ran: Duration) -> Result<JournalTime, StoreError> {
        self.inner.tell_time(now, ran).await
    }

    async fn purge(&self, before: Timestamp, now: Timestamp) -> Result<u64, StoreError> {
        self.inner.purge(before, now).await
    }
}
