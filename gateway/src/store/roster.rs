//! The sessions that live, in memory: found by token without a lock, ended by session or account.
//!
//! Adapters put in what is durable, and take out before they make an end durable.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasherDefault, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use octroi_policy::{
    host::Host,
    id::{AccountId, Role, SessionId, TenantName},
    session::{SessionEpoch, SessionRecord},
    time::Timestamp,
};

use super::{
    live::{AccountState, LiveSession, LiveToken},
    sessions::{Cached, NewToken, TokenHash},
};

/// All sessions that live.
pub(crate) struct Roster {
    tokens: papaya::HashMap<TokenKey, Arc<LiveToken>, BuildHasherDefault<TakeEightBytes>>,
    index: Mutex<Index>,
}

#[derive(Default)]
struct Index {
    sessions: HashMap<SessionId, Entry>,
    accounts: HashMap<AccountId, AccountEntry>,
    names: Names,
}

struct Entry {
    live: Arc<LiveSession>,
    /// One a host, at most.
    tokens: Vec<TokenKey>,
}

/// Half of a token's hash: 128 bits that nobody guesses, and 50 bytes less a session.
#[derive(Clone, Copy, Eq, PartialEq)]
struct TokenKey([u8; 16]);

impl TokenKey {
    fn of(token: &TokenHash) -> Self {
        let mut key = [0; 16];
        for (to, from) in key.iter_mut().zip(token.0) {
            *to = from;
        }
        Self(key)
    }
}

impl Hash for TokenKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0);
    }
}

struct AccountEntry {
    state: Arc<AccountState>,
    sessions: Vec<SessionId>,
}

/// One copy of each name, shared by all sessions: most bear the same few.
#[derive(Default)]
struct Names {
    roles: HashSet<Role>,
    tenants: HashSet<TenantName>,
    hosts: HashSet<Host>,
}

impl Roster {
    /// Nobody is signed in.
    pub(crate) fn new() -> Self {
        Self {
            tokens: papaya::HashMap::builder()
                .hasher(BuildHasherDefault::default())
                .build(),
            index: Mutex::default(),
        }
    }

    /// What is known of a token. All there are, are here: an absent one exists nowhere.
    pub(crate) fn cached(&self, token: &TokenHash) -> Cached {
        self.tokens
            .pin()
            .get(&TokenKey::of(token))
            .map_or(Cached::KnownAbsent, |live| Cached::Hit(Arc::clone(live)))
    }

    /// The session, if it lives.
    pub(crate) fn session(&self, session: SessionId) -> Option<Arc<LiveSession>> {
        let index = self.index();
        index
            .sessions
            .get(&session)
            .map(|entry| Arc::clone(&entry.live))
    }

    /// Puts in a session that the store holds. The account's epoch is `epoch`, as the store has
    /// committed it; a session that is here already is kept.
    pub(crate) fn insert(
        &self,
        record: SessionRecord,
        last_used_at: Timestamp,
        epoch: SessionEpoch,
    ) -> Arc<LiveSession> {
        let mut index = self.index();
        let Index {
            sessions,
            accounts,
            names,
        } = &mut *index;
        let account = accounts
            .entry(record.account)
            .or_insert_with(|| AccountEntry {
                state: Arc::new(AccountState::at(epoch)),
                sessions: Vec::new(),
            });
        account.state.set(epoch);
        let entry = sessions.entry(record.id).or_insert_with(|| {
            // Most people have one session: room for four would cost more than the session's ids.
            account.sessions.reserve_exact(1);
            account.sessions.push(record.id);
            let record = names.share(record);
            let state = Arc::clone(&account.state);
            Entry {
                live: Arc::new(LiveSession::new(record, last_used_at, state)),
                tokens: Vec::new(),
            }
        });
        Arc::clone(&entry.live)
    }

    /// Puts in a token of a session; the session's earlier token for that host dies. `None` when
    /// the session does not live.
    pub(crate) fn issue(&self, session: SessionId, token: NewToken) -> Option<Arc<LiveToken>> {
        let mut index = self.index();
        let Index {
            sessions, names, ..
        } = &mut *index;
        let entry = sessions.get_mut(&session)?;
        let mut facts = token.facts;
        facts.host = shared(&mut names.hosts, facts.host);
        let tokens = self.tokens.pin();
        entry.tokens.retain(|key| {
            let kept = tokens
                .get(key)
                .is_some_and(|live| live.facts.host != facts.host);
            if !kept {
                tokens.remove(key);
            }
            kept
        });
        let key = TokenKey::of(&token.hash);
        entry.tokens.reserve_exact(1);
        entry.tokens.push(key);
        let live = Arc::new(LiveToken {
            session: Arc::clone(&entry.live),
            facts,
        });
        tokens.insert(key, Arc::clone(&live));
        Some(live)
    }

    /// Ends a session: from here on no request is let through on it. `None` if it did not live.
    pub(crate) fn end(&self, session: SessionId) -> Option<Arc<LiveSession>> {
        let mut index = self.index();
        self.end_in(&mut index, session)
    }

    /// Ends all sessions of an account but one. Answers which.
    pub(crate) fn end_all(
        &self,
        account: AccountId,
        except: Option<SessionId>,
    ) -> Vec<Arc<LiveSession>> {
        let mut index = self.index();
        let of_account = index.accounts.get(&account);
        let mut ended = of_account.map_or_else(Vec::new, |entry| entry.sessions.clone());
        ended.retain(|session| Some(*session) != except);
        ended
            .into_iter()
            .filter_map(|session| self.end_in(&mut index, session))
            .collect()
    }

    /// No session of the account counts from here on, not even one that is just being opened.
    pub(crate) fn close(&self, account: AccountId) {
        if let Some(entry) = self.index().accounts.get(&account) {
            entry.state.close();
        }
    }

    /// The uses that the store does not know yet.
    pub(crate) fn unflushed(&self) -> Vec<(SessionId, Timestamp)> {
        let index = self.index();
        let uses = index.sessions.iter().filter_map(|(session, entry)| {
            let last_used_at = entry.live.unflushed_use()?;
            Some((*session, last_used_at))
        });
        uses.collect()
    }

    /// The store knows these uses now.
    pub(crate) fn flushed(&self, uses: &[(SessionId, Timestamp)]) {
        let index = self.index();
        for (session, last_used_at) in uses {
            if let Some(entry) = index.sessions.get(session) {
                entry.live.flushed(*last_used_at);
            }
        }
    }

    /// The sessions that `now` finds over.
    pub(crate) fn over(&self, now: Timestamp) -> Vec<(SessionId, Over)> {
        let index = self.index();
        let over = index.sessions.values().filter_map(|entry| {
            let record = &entry.live.record;
            let last_used_at = entry.live.last_used_at();
            let now = now.max(last_used_at);
            if now >= record.ends_at {
                Some((record.id, Over::Expired))
            } else if now.since(last_used_at) >= record.idle_limit {
                Some((record.id, Over::Idle))
            } else {
                None
            }
        });
        over.collect()
    }

    /// How many sessions live.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.index().sessions.len()
    }

    fn end_in(&self, index: &mut Index, session: SessionId) -> Option<Arc<LiveSession>> {
        let entry = index.sessions.remove(&session)?;
        entry.live.end();
        let tokens = self.tokens.pin();
        for key in &entry.tokens {
            tokens.remove(key);
        }
        let account = entry.live.record.account;
        if let Some(of_account) = index.accounts.get_mut(&account) {
            of_account.sessions.retain(|other| *other != session);
            if of_account.sessions.is_empty() {
                index.accounts.remove(&account);
            }
        }
        Some(entry.live)
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        // A thread that panicked here left a session too few at worst, never one too many.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a session is over without anybody having ended it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Over {
    /// Its absolute life.
    Expired,
    /// Its idle time.
    Idle,
}

impl Names {
    fn share(&mut self, mut record: SessionRecord) -> SessionRecord {
        record.tenant = shared(&mut self.tenants, record.tenant);
        for role in &mut record.roles {
            *role = shared(&mut self.roles, role.clone());
        }
        record
    }
}

fn shared<T: Clone + Eq + Hash>(names: &mut HashSet<T>, name: T) -> T {
    if let Some(known) = names.get(&name) {
        return known.clone();
    }
    if names.len() < NAMES_MAX {
        names.insert(name.clone());
    }
    name
}

/// Names beyond are not shared, which costs memory and nothing else.
const NAMES_MAX: usize = 10_000;

/// The keys are SHA-256 of tokens that octroi drew itself: eight of their bytes are spread as well
/// as any hash, and nobody outside chooses which keys are put in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TakeEightBytes(u64);

impl Hasher for TakeEightBytes {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some((first, _)) = bytes.split_first_chunk() {
            self.0 = u64::from_ne_bytes(*first);
        }
    }
}

#[cfg(test)]
mod tests;
