//! The sessions that live, in memory: found by token without a lock, ended by session or account.
//!
//! Adapters put in what is durable, and take out before they make an end durable.

use std::{
    borrow::Borrow,
    collections::{BTreeSet, HashSet},
    hash::{BuildHasherDefault, Hash, Hasher},
    ops::RangeInclusive,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use octroi_policy::{
    host::Host,
    id::{AccountId, Role, SessionId, TenantName},
    session::{Over, SessionEpoch, SessionRecord, over},
    time::Timestamp,
};

use super::{
    live::{AccountState, LiveSession, LiveToken, TokenKey},
    sessions::{Cached, NewToken, TokenHash},
};

/// All sessions that live.
///
/// A hundred thousand of them are held, so each fact stands in one place: a token knows its key and
/// its session, a session its account's state, and the maps hold pointers to these alone.
pub(crate) struct Roster {
    tokens: papaya::HashSet<ByKey, BuildHasherDefault<TakeEightBytes>>,
    index: Mutex<Index>,
}

/// A token, found by its key.
struct ByKey(Arc<LiveToken>);

#[derive(Default)]
struct Index {
    sessions: HashSet<Entry>,
    /// A tree, which grows node by node, and not at once to twice its size.
    of_account: BTreeSet<(AccountId, SessionId)>,
    names: Names,
}

/// A session with its tokens, one a host; found by the session's id.
struct Entry {
    live: Arc<LiveSession>,
    tokens: Box<[Arc<LiveToken>]>,
}

/// One copy of each name and each list of roles, shared by all sessions: most bear the same few.
#[derive(Default)]
struct Names {
    roles: HashSet<Arc<[Role]>>,
    tenants: HashSet<TenantName>,
    hosts: HashSet<Host>,
}

impl Roster {
    /// Nobody is signed in.
    pub(crate) fn new() -> Self {
        Self {
            tokens: papaya::HashSet::builder()
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
            .map_or(Cached::KnownAbsent, |live| Cached::Hit(Arc::clone(&live.0)))
    }

    /// The session, if it lives.
    pub(crate) fn session(&self, session: SessionId) -> Option<Arc<LiveSession>> {
        self.index().live(session).cloned()
    }

    /// The account's sessions that live.
    pub(crate) fn of_account(&self, account: AccountId) -> Vec<Arc<LiveSession>> {
        self.index().of_account(account)
    }

    /// Puts in a session that the store holds; one that is here already is kept. Its epoch is one
    /// that the store has committed: earlier sessions of the account are dead from here on.
    pub(crate) fn insert(
        &self,
        record: SessionRecord,
        last_used_at: Timestamp,
    ) -> Arc<LiveSession> {
        let mut index = self.index();
        let (account, epoch) = (record.account, record.epoch);
        let state = index.state(account);
        let state = state.unwrap_or_else(|| Arc::new(AccountState::at(epoch)));
        state.raise(epoch);
        if let Some(live) = index.live(record.id) {
            return Arc::clone(live);
        }
        index.of_account.insert((account, record.id));
        let record = index.names.share(record);
        let live = Arc::new(LiveSession::new(record, last_used_at, state));
        index.sessions.insert(Entry {
            live: Arc::clone(&live),
            tokens: Box::default(),
        });
        live
    }

    /// Puts in a token of a session; the session's earlier token for that host dies. `None` when
    /// the session does not live.
    pub(crate) fn issue(&self, session: SessionId, mut token: NewToken) -> Option<Arc<LiveToken>> {
        let mut index = self.index();
        let mut entry = index.sessions.take(&session)?;
        token.facts.host = shared(&mut index.names.hosts, token.facts.host);
        let issued = Arc::new(LiveToken::new(Arc::clone(&entry.live), token));
        let known = self.tokens.pin();
        let (mut kept, replaced): (Vec<_>, Vec<_>) = entry
            .tokens
            .into_iter()
            .partition(|token| token.facts.host != issued.facts.host);
        for token in &replaced {
            known.remove(token.key());
        }
        kept.reserve_exact(1);
        kept.push(Arc::clone(&issued));
        entry.tokens = kept.into_boxed_slice();
        index.sessions.insert(entry);
        known.insert(ByKey(Arc::clone(&issued)));
        Some(issued)
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
        self.end_all_in(&mut index, account, except)
    }

    /// Ends all sessions of an account that was read under the epoch `expected`; none where the
    /// account is known to have changed since. `None` expects nothing.
    pub(crate) fn revoke(
        &self,
        account: AccountId,
        expected: Option<SessionEpoch>,
    ) -> Vec<Arc<LiveSession>> {
        let mut index = self.index();
        let Some(state) = index.state(account) else {
            return Vec::new();
        };
        if expected.is_some() && state.epoch() != expected {
            return Vec::new();
        }
        // For requests that hold one of them already.
        state.close();
        self.end_all_in(&mut index, account, None)
    }

    /// The uses that the store does not know yet.
    pub(crate) fn unflushed(&self) -> Vec<(SessionId, Timestamp)> {
        let index = self.index();
        let uses = index.sessions.iter().filter_map(|entry| {
            let last_used_at = entry.live.unflushed_use()?;
            Some((entry.live.record.id, last_used_at))
        });
        uses.collect()
    }

    /// The store knows these uses now.
    pub(crate) fn flushed(&self, uses: &[(SessionId, Timestamp)]) {
        let index = self.index();
        for (session, last_used_at) in uses {
            if let Some(live) = index.live(*session) {
                live.flushed(*last_used_at);
            }
        }
    }

    /// The sessions that `now` finds over.
    pub(crate) fn over(&self, now: Timestamp) -> Vec<(SessionId, Over)> {
        let index = self.index();
        let over = index.sessions.iter().filter_map(|entry| {
            let record = &entry.live.record;
            let why = over(record, entry.live.last_used_at(), now)?;
            Some((record.id, why))
        });
        over.collect()
    }

    /// How many sessions live.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.index().sessions.len()
    }

    fn end_all_in(
        &self,
        index: &mut Index,
        account: AccountId,
        except: Option<SessionId>,
    ) -> Vec<Arc<LiveSession>> {
        let of_account = index.of_account(account).into_iter();
        of_account
            .map(|live| live.record.id)
            .filter(|session| Some(*session) != except)
            .filter_map(|session| self.end_in(index, session))
            .collect()
    }

    fn end_in(&self, index: &mut Index, session: SessionId) -> Option<Arc<LiveSession>> {
        let Entry { live, tokens } = index.sessions.take(&session)?;
        live.end();
        let known = self.tokens.pin();
        for token in &tokens {
            known.remove(token.key());
        }
        index.of_account.remove(&(live.record.account, session));
        Some(live)
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        // A thread that panicked here left a session too few at worst, never one too many.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index {
    fn live(&self, session: SessionId) -> Option<&Arc<LiveSession>> {
        self.sessions.get(&session).map(|entry| &entry.live)
    }

    fn of_account(&self, account: AccountId) -> Vec<Arc<LiveSession>> {
        let ids = self.of_account.range(all_of(account));
        ids.filter_map(|(_, session)| self.live(*session).cloned())
            .collect()
    }

    /// The state that the account's sessions share; `None` where it has none.
    fn state(&self, account: AccountId) -> Option<Arc<AccountState>> {
        let (_, session) = self.of_account.range(all_of(account)).next()?;
        self.live(*session).map(|live| Arc::clone(live.account()))
    }
}

/// Where the index of accounts holds this one.
fn all_of(account: AccountId) -> RangeInclusive<(AccountId, SessionId)> {
    let (first, last) = ([u8::MIN; 16], [u8::MAX; 16]);
    (account, SessionId::from_bytes(first))..=(account, SessionId::from_bytes(last))
}

// A set finds what it holds by a part of it, as long as both are hashed and compared alike.

impl Borrow<TokenKey> for ByKey {
    fn borrow(&self) -> &TokenKey {
        self.0.key()
    }
}

impl PartialEq for ByKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.key() == other.0.key()
    }
}

impl Eq for ByKey {}

impl Hash for ByKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.key().hash(state);
    }
}

impl Borrow<SessionId> for Entry {
    fn borrow(&self) -> &SessionId {
        &self.live.record.id
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.live.record.id == other.live.record.id
    }
}

impl Eq for Entry {}

impl Hash for Entry {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.live.record.id.hash(state);
    }
}

impl Names {
    fn share(&mut self, mut record: SessionRecord) -> SessionRecord {
        record.tenant = shared(&mut self.tenants, record.tenant);
        record.roles = shared(&mut self.roles, record.roles);
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
