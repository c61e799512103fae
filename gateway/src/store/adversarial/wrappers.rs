//! Each trait over the wrapped store: weather first, then the call itself.

use std::{sync::Arc, time::Duration};

use octroi_policy::{
    id::{AccountId, SessionId, TenantId, TenantName},
    time::Timestamp,
};

use super::Weather;
use crate::{
    journal::{
        Draft, FailureSource, JournalStore,
        entry::{JournalPage, JournalQuery, SignedHead, Verification},
        time::JournalTime,
    },
    store::{
        StoreError, StoreHealth, Stores,
        accounts::{
            Account, AccountCommand, AccountList, AccountPage, AccountStore, Changed, Erased,
            HashCount, NewAccount,
        },
        invitations::{Invitation, InvitationHash, InvitationIssue, InvitationStore},
        live::{LiveSession, LiveToken},
        sessions::{
            Cached, EndReason, SessionEnding, SessionOpening, SessionStore, SessionView, TokenHash,
        },
        signing_keys::{SigningKey, SigningKeyStore},
        tenants::{Tenant, TenantStore},
        throttle::{PerCounter, Reservation, Reserved, ThrottleJudge, ThrottleKey, ThrottleStore},
        tickets::{Ticket, TicketRedemption, TicketStore},
    },
};

/// A store in some weather.
pub(super) struct Adversarial {
    pub(super) inner: Stores,
    pub(super) weather: Weather,
}

#[async_trait::async_trait]
impl AccountStore for Adversarial {
    async fn by_id(&self, account: AccountId) -> Result<Option<Account>, StoreError> {
        self.weather.read().await?;
        self.inner.accounts.by_id(account).await
    }

    async fn by_login(&self, tenant: TenantId, login: &str) -> Result<Option<Account>, StoreError> {
        self.weather.read().await?;
        self.inner.accounts.by_login(tenant, login).await
    }

    async fn list(&self, page: AccountPage) -> Result<AccountList, StoreError> {
        self.weather.read().await?;
        self.inner.accounts.list(page).await
    }

    async fn hash_counts(&self) -> Result<Vec<HashCount>, StoreError> {
        self.weather.read().await?;
        self.inner.accounts.hash_counts().await
    }

    async fn insert(&self, account: NewAccount, journal: Vec<Draft>) -> Result<(), StoreError> {
        self.weather.write().await?;
        self.inner.accounts.insert(account, journal).await
    }

    async fn change(&self, command: AccountCommand) -> Result<Changed, StoreError> {
        self.weather.write().await?;
        self.inner.accounts.change(command).await
    }

    async fn erase(
        &self,
        account: AccountId,
        at: Timestamp,
        journal: Vec<Draft>,
    ) -> Result<Erased, StoreError> {
        self.weather.write().await?;
        self.inner.accounts.erase(account, at, journal).await
    }
}

#[async_trait::async_trait]
impl TenantStore for Adversarial {
    async fn by_id(&self, tenant: TenantId) -> Result<Option<Tenant>, StoreError> {
        self.weather.read().await?;
        self.inner.tenants.by_id(tenant).await
    }

    async fn by_name(&self, name: &TenantName) -> Result<Option<Tenant>, StoreError> {
        self.weather.read().await?;
        self.inner.tenants.by_name(name).await
    }

    async fn list(&self) -> Result<Vec<Tenant>, StoreError> {
        self.weather.read().await?;
        self.inner.tenants.list().await
    }

    async fn insert(&self, tenant: Tenant, journal: Vec<Draft>) -> Result<(), StoreError> {
        self.weather.write().await?;
        self.inner.tenants.insert(tenant, journal).await
    }
}

#[async_trait::async_trait]
impl InvitationStore for Adversarial {
    async fn issue(&self, issue: InvitationIssue) -> Result<(), StoreError> {
        self.weather.write().await?;
        self.inner.invitations.issue(issue).await
    }

    async fn find(&self, hash: &InvitationHash) -> Result<Option<Invitation>, StoreError> {
        self.weather.read().await?;
        self.inner.invitations.find(hash).await
    }
}

#[async_trait::async_trait]
impl SessionStore for Adversarial {
    fn cached(&self, token: &TokenHash) -> Cached {
        if self.weather.forgets() {
            Cached::Miss
        } else {
            self.inner.sessions.cached(token)
        }
    }

    async fn load(&self, token: &TokenHash) -> Result<Option<Arc<LiveToken>>, StoreError> {
        self.weather.read().await?;
        self.inner.sessions.load(token).await
    }

    async fn open(&self, opening: SessionOpening) -> Result<Arc<LiveToken>, StoreError> {
        self.weather.write().await?;
        self.inner.sessions.open(opening).await
    }

    async fn end(&self, ending: SessionEnding) -> Result<bool, StoreError> {
        // As every adapter does: memory first.
        if let Some(live) = self.inner.sessions.live(ending.session) {
            live.end();
        }
        self.weather.write().await?;
        self.inner.sessions.end(ending).await
    }

    async fn end_all(
        &self,
        account: AccountId,
        except: Option<SessionId>,
        reason: EndReason,
    ) -> Result<Vec<SessionId>, StoreError> {
        let ending = self.inner.sessions.live_of(account).into_iter();
        ending
            .filter(|live| Some(live.record.id) != except)
            .for_each(|live| live.end());
        self.weather.write().await?;
        self.inner.sessions.end_all(account, except, reason).await
    }

    fn live(&self, session: SessionId) -> Option<Arc<LiveSession>> {
        self.inner.sessions.live(session)
    }

    fn live_of(&self, account: AccountId) -> Vec<Arc<LiveSession>> {
        self.inner.sessions.live_of(account)
    }

    async fn find(&self, session: SessionId) -> Result<Option<SessionView>, StoreError> {
        self.weather.read().await?;
        self.inner.sessions.find(session).await
    }

    async fn of_account(&self, account: AccountId) -> Result<Vec<SessionView>, StoreError> {
        self.weather.read().await?;
        self.inner.sessions.of_account(account).await
    }

    async fn past(&self, account: AccountId, limit: u16) -> Result<Vec<SessionView>, StoreError> {
        self.weather.read().await?;
        self.inner.sessions.past(account, limit).await
    }

    async fn list(&self, limit: u16) -> Result<Vec<SessionView>, StoreError> {
        self.weather.read().await?;
        self.inner.sessions.list(limit).await
    }

    async fn flush_last_used(&self) -> Result<(), StoreError> {
        self.weather.write().await?;
        self.inner.sessions.flush_last_used().await
    }

    async fn settle(&self) -> Result<(), StoreError> {
        self.weather.write().await?;
        self.inner.sessions.settle().await
    }

    async fn sweep(
        &self,
        now: Timestamp,
        forget_before: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.weather.write().await?;
        self.inner.sessions.sweep(now, forget_before).await
    }
}

#[async_trait::async_trait]
impl TicketStore for Adversarial {
    async fn insert(&self, ticket: Ticket) -> Result<(), StoreError> {
        self.weather.write().await?;
        self.inner.tickets.insert(ticket).await
    }

    async fn redeem(
        &self,
        redemption: TicketRedemption,
    ) -> Result<Option<Arc<LiveToken>>, StoreError> {
        self.weather.write().await?;
        self.inner.tickets.redeem(redemption).await
    }
}

#[async_trait::async_trait]
impl ThrottleStore for Adversarial {
    async fn reserve(
        &self,
        keys: PerCounter<ThrottleKey>,
        now: Timestamp,
        judge: &ThrottleJudge<'_>,
    ) -> Result<Reserved, StoreError> {
        self.weather.write().await?;
        self.inner.throttle.reserve(keys, now, judge).await
    }

    async fn give_back(&self, reservation: &Reservation) -> Result<(), StoreError> {
        self.weather.write().await?;
        self.inner.throttle.give_back(reservation).await
    }
}

#[async_trait::async_trait]
impl SigningKeyStore for Adversarial {
    async fn list(&self) -> Result<Vec<SigningKey>, StoreError> {
        self.weather.read().await?;
        self.inner.signing_keys.list().await
    }

    async fn insert(&self, key: SigningKey, journal: Vec<Draft>) -> Result<(), StoreError> {
        self.weather.write().await?;
        self.inner.signing_keys.insert(key, journal).await
    }

    async fn remove(&self, key_id: &str, journal: Vec<Draft>) -> Result<bool, StoreError> {
        self.weather.write().await?;
        self.inner.signing_keys.remove(key_id, journal).await
    }
}

#[async_trait::async_trait]
impl JournalStore for Adversarial {
    async fn append(&self, drafts: Vec<Draft>) -> Result<(), StoreError> {
        self.weather.write().await?;
        self.inner.journal.append(drafts).await
    }

    async fn append_failure(&self, draft: Draft, source: FailureSource) -> Result<(), StoreError> {
        self.weather.write().await?;
        self.inner.journal.append_failure(draft, source).await
    }

    async fn flush_failures(&self, now: Timestamp) -> Result<(), StoreError> {
        self.weather.write().await?;
        self.inner.journal.flush_failures(now).await
    }

    async fn search(&self, query: &JournalQuery) -> Result<JournalPage, StoreError> {
        self.weather.read().await?;
        self.inner.journal.search(query).await
    }

    async fn head(&self) -> Result<SignedHead, StoreError> {
        self.weather.read().await?;
        self.inner.journal.head().await
    }

    async fn verify(&self, witness: Option<&SignedHead>) -> Result<Verification, StoreError> {
        self.weather.read().await?;
        self.inner.journal.verify(witness).await
    }

    async fn tell_time(&self, now: Timestamp, ran: Duration) -> Result<JournalTime, StoreError> {
        self.weather.write().await?;
        self.inner.journal.tell_time(now, ran).await
    }

    async fn purge(&self, before: Timestamp, now: Timestamp) -> Result<u64, StoreError> {
        self.weather.write().await?;
        self.inner.journal.purge(before, now).await
    }
}

#[async_trait::async_trait]
impl StoreHealth for Adversarial {
    fn fault(&self) -> Option<StoreError> {
        if self.weather.is_failing() {
            return Some(super::fault());
        }
        self.inner.health.fault()
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.weather.write().await?;
        self.inner.health.probe().await
    }
}
