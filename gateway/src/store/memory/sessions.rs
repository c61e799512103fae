//! Sessions and tickets in memory.

use std::sync::Arc;

use octroi_policy::{
    host::Host,
    id::{AccountId, SessionId},
    session::{Over, SessionRecord, TokenFacts},
    time::Timestamp,
};

use super::{MemoryStore, World, is_open};
use crate::journal::event::{Actor, Draft, Event};
use crate::store::{
    Conflict, StoreError,
    accounts::{AccountStatus, PasswordOrigin},
    live::{LiveSession, LiveToken},
    roster::Roster,
    sessions::{
        Cached, EndCause, EndReason, NewToken, PasswordEffect, SESSIONS_PER_ACCOUNT_MAX,
        SessionEnding, SessionOpening, SessionOrigin, SessionStore, SessionView, TokenHash,
    },
    tickets::{TICKETS_PER_SESSION_MAX, Ticket, TicketRedemption, TicketStore},
};

/// A session as it is kept.
pub(super) struct Kept {
    pub(super) record: SessionRecord,
    pub(super) origin: SessionOrigin,
    pub(super) last_used_at: Timestamp,
    pub(super) hosts: Vec<Host>,
    pub(super) ended: Option<(Timestamp, EndCause)>,
}

impl World {
    /// Whether this sign-in may open its session.
    pub(super) fn check_opening(&self, opening: &SessionOpening) -> Result<(), Conflict> {
        let record = &opening.record;
        let account = self.accounts.get(&record.account);
        let account = account.ok_or(Conflict::AccountChanged)?;
        if account.epoch != record.epoch || account.status != AccountStatus::Active {
            return Err(Conflict::AccountChanged);
        }
        if self.sessions.contains_key(&record.id) {
            return Err(Conflict::Duplicate);
        }
        let origin = account.password.as_ref().map(|password| password.origin);
        match (&opening.password, origin) {
            (
                PasswordEffect::SpendProvisional,
                Some(PasswordOrigin::Provisional {
                    expires_at,
                    spent: false,
                }),
            ) if is_open(expires_at, record.started_at) => Ok(()),
            (PasswordEffect::SpendProvisional, _) => Err(Conflict::Spent),
            (PasswordEffect::Keep | PasswordEffect::Rehash(_), _) => Ok(()),
        }
    }

    /// The account's longest unused sessions, as far as there would be too many with this one.
    fn crowded(&self, opening: &SessionOpening, roster: &Roster) -> Vec<SessionId> {
        let replaced = opening.replaces.map(|(session, _)| session);
        let mut living = self.living_of(opening.record.account);
        living.retain(|session| Some(*session) != replaced);
        let excess = (living.len() + 1).saturating_sub(SESSIONS_PER_ACCOUNT_MAX);
        living.sort_by_key(|session| {
            let used = roster.session(*session).map(|live| live.last_used_at());
            (used, *session)
        });
        living.truncate(excess);
        living
    }

    /// Keeps the session of a sign-in that was checked.
    pub(super) fn keep_opening(&mut self, opening: &SessionOpening) {
        let record = opening.record.clone();
        let account = self.accounts.get_mut(&record.account);
        if let Some(password) = account.and_then(|account| account.password.as_mut()) {
            match (&opening.password, &mut password.origin) {
                (PasswordEffect::Rehash(hash), _) => password.hash = hash.clone(),
                (PasswordEffect::SpendProvisional, PasswordOrigin::Provisional { spent, .. }) => {
                    *spent = true;
                }
                (PasswordEffect::Keep | PasswordEffect::SpendProvisional, _) => {}
            }
        }
        for key in &opening.forgives {
            self.throttle.remove(key);
        }
        if let Some((session, cause)) = opening.replaces {
            self.end(session, opening.record.started_at, cause);
        }
        let kept = Kept {
            last_used_at: record.started_at,
            origin: opening.origin.clone(),
            hosts: vec![opening.token.facts.host.clone()],
            ended: None,
            record,
        };
        self.sessions.insert(kept.record.id, kept);
    }

    /// Ends a session; `false` when it had ended already, or never was.
    pub(super) fn end(&mut self, session: SessionId, at: Timestamp, cause: EndCause) -> bool {
        self.tickets.retain(|_, ticket| ticket.session != session);
        match self.sessions.get_mut(&session) {
            Some(kept) if kept.ended.is_none() => {
                kept.ended = Some((at, cause));
                true
            }
            Some(_) | None => false,
        }
    }

    /// The account's sessions that have not ended.
    pub(super) fn living_of(&self, account: AccountId) -> Vec<SessionId> {
        let of_account = self
            .sessions
            .values()
            .filter(|kept| kept.record.account == account && kept.ended.is_none());
        of_account.map(|kept| kept.record.id).collect()
    }
}

impl MemoryStore {
    /// Puts a session that was kept into the memory of the request path.
    pub(super) fn enlist(&self, opening: SessionOpening) -> Result<Arc<LiveToken>, StoreError> {
        if let Some((replaced, _)) = opening.replaces {
            self.roster.end(replaced);
        }
        let record = opening.record;
        let (session, started_at) = (record.id, record.started_at);
        self.roster.insert(record, started_at);
        let live = self.roster.issue(session, opening.token);
        live.ok_or(StoreError::Conflict(Conflict::Missing))
    }

    fn view(&self, kept: &Kept) -> SessionView {
        let live = self.roster.session(kept.record.id);
        SessionView {
            record: kept.record.clone(),
            origin: kept.origin.clone(),
            last_used_at: live.map_or(kept.last_used_at, |live| live.last_used_at()),
            hosts: kept.hosts.clone(),
            ended: kept.ended,
        }
    }

    fn views(&self, wanted: impl Fn(&SessionRecord) -> bool, limit: usize) -> Vec<SessionView> {
        let world = self.world();
        let kept = world.sessions.values();
        let mut views: Vec<SessionView> = kept
            .filter(|kept| kept.ended.is_none() && wanted(&kept.record))
            .map(|kept| self.view(kept))
            .collect();
        views.sort_by_key(|view| std::cmp::Reverse((view.record.started_at, view.record.id)));
        views.truncate(limit);
        views
    }
}

#[async_trait::async_trait]
impl SessionStore for MemoryStore {
    fn cached(&self, token: &TokenHash) -> Cached {
        self.roster.cached(token)
    }

    async fn load(&self, token: &TokenHash) -> Result<Option<Arc<LiveToken>>, StoreError> {
        match self.roster.cached(token) {
            Cached::Hit(live) => Ok(Some(live)),
            Cached::Miss | Cached::KnownAbsent => Ok(None),
        }
    }

    async fn open(&self, opening: SessionOpening) -> Result<Arc<LiveToken>, StoreError> {
        let mut world = self.world();
        world.check_opening(&opening)?;
        let (at, cause) = (opening.record.started_at, EndCause::TooMany);
        let crowded = world.crowded(&opening, &self.roster);
        let line = |session: &SessionId| Draft {
            tenant: Some(opening.record.tenant_id),
            account: Some(opening.record.account),
            session: Some(*session),
            ..Draft::new(at, Actor::System, Event::SessionEnded { cause })
        };
        let mut drafts: Vec<Draft> = crowded.iter().map(line).collect();
        drafts.extend(opening.journal.iter().cloned());
        let lines = world.lines_of(&self.keyring, &*self.entropy, &drafts)?;
        for session in crowded {
            self.roster.end(session);
            world.end(session, at, cause);
        }
        world.keep_opening(&opening);
        world.append(lines);
        self.enlist(opening)
    }

    async fn end(&self, ending: SessionEnding) -> Result<bool, StoreError> {
        self.roster.end(ending.session);
        let EndReason { cause, at, journal } = ending.reason;
        let mut world = self.world();
        if world.living(ending.session).is_none() {
            return Ok(false);
        }
        let lines = world.lines_of(&self.keyring, &*self.entropy, &journal)?;
        world.end(ending.session, at, cause);
        world.append(lines);
        Ok(true)
    }

    async fn end_all(
        &self,
        account: AccountId,
        except: Option<SessionId>,
        reason: EndReason,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.roster.end_all(account, except);
        let mut world = self.world();
        let mut ended = world.living_of(account);
        ended.retain(|session| Some(*session) != except);
        let lines = world.lines_of(&self.keyring, &*self.entropy, &reason.journal)?;
        for session in &ended {
            world.end(*session, reason.at, reason.cause);
            self.roster.end(*session);
        }
        world.append(lines);
        Ok(ended)
    }

    fn live(&self, session: SessionId) -> Option<Arc<LiveSession>> {
        self.roster.session(session)
    }

    fn live_of(&self, account: AccountId) -> Vec<Arc<LiveSession>> {
        self.roster.of_account(account)
    }

    async fn find(&self, session: SessionId) -> Result<Option<SessionView>, StoreError> {
        let world = self.world();
        Ok(world.sessions.get(&session).map(|kept| self.view(kept)))
    }

    async fn of_account(&self, account: AccountId) -> Result<Vec<SessionView>, StoreError> {
        Ok(self.views(|record| record.account == account, usize::MAX))
    }

    async fn past(&self, account: AccountId, limit: u16) -> Result<Vec<SessionView>, StoreError> {
        let world = self.world();
        let kept = world.sessions.values();
        let ended = |kept: &&Kept| kept.record.account == account && kept.ended.is_some();
        let mut views: Vec<SessionView> = kept.filter(ended).map(|kept| self.view(kept)).collect();
        views.sort_by_key(|view| {
            let ended_at = view.ended.map(|(at, _)| at);
            std::cmp::Reverse((ended_at, view.record.id))
        });
        views.truncate(usize::from(limit));
        Ok(views)
    }

    async fn list(&self, limit: u16) -> Result<Vec<SessionView>, StoreError> {
        Ok(self.views(|_| true, usize::from(limit)))
    }

    async fn flush_last_used(&self) -> Result<(), StoreError> {
        let uses = self.roster.unflushed();
        let mut world = self.world();
        for (session, last_used_at) in &uses {
            if let Some(kept) = world.sessions.get_mut(session) {
                kept.last_used_at = *last_used_at;
            }
        }
        self.roster.flushed(&uses);
        Ok(())
    }

    async fn settle(&self) -> Result<(), StoreError> {
        // Nothing ends in memory that does not end here.
        Ok(())
    }

    async fn sweep(
        &self,
        now: Timestamp,
        forget_before: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let over = self.roster.over(now);
        let mut world = self.world();
        for (session, why) in &over {
            self.roster.end(*session);
            let cause = match why {
                Over::Expired => EndCause::Expired,
                Over::Idle => EndCause::Idle,
            };
            world.end(*session, now, cause);
        }
        world
            .tickets
            .retain(|_, ticket| is_open(ticket.expires_at, now));
        world
            .sessions
            .retain(|_, kept| kept.ended.is_none_or(|(at, _)| at >= forget_before));
        Ok(over.into_iter().map(|(session, _)| session).collect())
    }
}

#[async_trait::async_trait]
impl TicketStore for MemoryStore {
    async fn insert(&self, ticket: Ticket) -> Result<(), StoreError> {
        let mut world = self.world();
        world.living(ticket.session).ok_or(Conflict::Missing)?;
        let open = world.tickets.values();
        if open.filter(|open| open.session == ticket.session).count() >= TICKETS_PER_SESSION_MAX {
            return Err(Conflict::LimitReached.into());
        }
        if world.tickets.contains_key(&ticket.hash) {
            return Err(Conflict::Duplicate.into());
        }
        world.tickets.insert(ticket.hash, ticket);
        Ok(())
    }

    async fn redeem(
        &self,
        redemption: TicketRedemption,
    ) -> Result<Option<Arc<LiveToken>>, StoreError> {
        let mut world = self.world();
        let Some(ticket) = world.tickets.get(&redemption.hash).cloned() else {
            return Ok(None);
        };
        let fits = ticket.host == redemption.host
            && crate::constant_time::are_equal(&ticket.nonce_hash, &redemption.nonce_hash)
            && is_open(ticket.expires_at, redemption.at);
        let Some(record) = world.living(ticket.session).filter(|_| fits) else {
            return Ok(None);
        };
        let drafts = redemption.drafts(record);
        let lines = world.lines_of(&self.keyring, &*self.entropy, &drafts)?;
        world.tickets.remove(&redemption.hash);
        if let Some(kept) = world.sessions.get_mut(&ticket.session)
            && !kept.hosts.contains(&ticket.host)
        {
            kept.hosts.push(ticket.host.clone());
        }
        world.append(lines);
        let facts = TokenFacts {
            host: ticket.host,
            assurance: ticket.assurance,
            issued_at: redemption.at,
        };
        let token = NewToken {
            hash: redemption.token,
            facts,
        };
        Ok(self.roster.issue(ticket.session, token))
    }
}
