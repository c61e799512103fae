//! The journal in memory.

use std::time::Duration;

use octroi_policy::{id::AccountId, time::Timestamp};

use super::{MemoryStore, World};
use crate::{
    entropy::{Entropy, EntropyUnavailable},
    journal::{
        Draft, FailureSource, JournalStore,
        chain::{Chain, Head, Line, Verifier},
        entry::{ChainFlaw, Entry, JournalPage, JournalQuery, SignedHead, Verification},
        event::{Actor, Event},
        line,
        time::{JournalTime, LAST_LINES, moved_on},
    },
    keyring::{Keyring, sealing::SealingKey},
    store::{
        StoreError,
        personal_keys::{KeyName, Month},
    },
};

impl World {
    /// The lines of these drafts, not yet in the journal: a command writes them when nothing can
    /// fail any more.
    pub(super) fn lines_of(
        &mut self,
        keyring: &Keyring,
        entropy: &dyn Entropy,
        drafts: &[Draft],
    ) -> Result<Vec<Line>, EntropyUnavailable> {
        let mut head = self.head;
        let mut lines = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let name = line::key_name(draft);
            if let Some(name @ KeyName::Month(_)) = name
                && !self.personal_keys.contains_key(&name)
            {
                self.personal_keys
                    .insert(name, SealingKey::generate(entropy)?);
            }
            let key = name.and_then(|name| Some((name, self.personal_keys.get(&name)?)));
            let line = line::write(Chain(keyring), &head, draft, key, entropy)?;
            head = Head {
                sequence: line.sequence,
                code: line.code,
            };
            lines.push(line);
        }
        Ok(lines)
    }

    /// Appends lines that [`World::lines_of`] made.
    pub(super) fn append(&mut self, lines: Vec<Line>) {
        if let Some(last) = lines.last() {
            self.head = Head {
                sequence: last.sequence,
                code: last.code,
            };
        }
        self.lines.extend(lines);
    }

    fn entry(&self, line: &Line) -> Result<Entry, StoreError> {
        let name = line
            .sealed
            .as_ref()
            .and_then(|(name, _)| KeyName::from_bytes(name));
        line::read(line, name.and_then(|name| self.personal_keys.get(&name)))
    }

    fn verify(
        &self,
        keyring: &Keyring,
        witness: Option<&SignedHead>,
    ) -> Result<Verification, (u64, ChainFlaw)> {
        let chain = Chain(keyring);
        let seal = chain.checkpoint_seal(&self.checkpoint);
        let mut verifier = Verifier::new(chain, self.checkpoint, Some(&seal), witness)
            .map_err(|flaw| (self.checkpoint.sequence, flaw))?;
        for line in &self.lines {
            verifier
                .check(line)
                .map_err(|flaw| (verifier.next(), flaw))?;
        }
        let next = verifier.next();
        let (entries, head) = verifier
            .finish(&self.head, &chain.head_seal(&self.head))
            .map_err(|flaw| (next, flaw))?;
        Ok(Verification::Intact {
            entries,
            purged: self.checkpoint.sequence,
            head: head.signed(),
        })
    }
}

#[async_trait::async_trait]
impl JournalStore for MemoryStore {
    async fn append(&self, drafts: Vec<Draft>) -> Result<(), StoreError> {
        let mut world = self.world();
        let lines = world.lines_of(&self.keyring, &*self.entropy, &drafts)?;
        world.append(lines);
        Ok(())
    }

    async fn append_failure(&self, draft: Draft, source: FailureSource) -> Result<(), StoreError> {
        let own_line = self.tally().note(draft, source);
        JournalStore::append(self, own_line.into_iter().collect()).await
    }

    async fn flush_failures(&self, now: Timestamp) -> Result<(), StoreError> {
        let due = self.tally().take_due(now);
        let written = JournalStore::append(self, due.lines()).await;
        if written.is_err() {
            self.tally().put_back(due);
        }
        written
    }

    async fn search(&self, query: &JournalQuery) -> Result<JournalPage, StoreError> {
        let world = self.world();
        let mut matching = world.lines.iter().rev().filter(|line| matches(line, query));
        let mut entries = Vec::new();
        let mut last = None;
        for line in matching.by_ref().take(query.page_len()) {
            entries.push(world.entry(line)?);
            last = Some(line.sequence);
        }
        let next = matching.next().and(last);
        Ok(JournalPage { entries, next })
    }

    async fn head(&self) -> Result<SignedHead, StoreError> {
        Ok(self.world().head.signed())
    }

    async fn verify(&self, witness: Option<&SignedHead>) -> Result<Verification, StoreError> {
        let world = self.world();
        Ok(world
            .verify(&self.keyring, witness)
            .unwrap_or_else(|(sequence, flaw)| Verification::Broken { sequence, flaw }))
    }

    async fn tell_time(&self, now: Timestamp, ran: Duration) -> Result<JournalTime, StoreError> {
        let mut world = self.world();
        let known = world.time.unwrap_or(now);
        let moved = moved_on(known, now, ran);
        world.time = Some(moved);
        let last = world.lines.iter().rev().take(LAST_LINES);
        Ok(JournalTime {
            at: moved.min(now),
            last_line: last.map(|line| line.at).max(),
        })
    }

    async fn purge(&self, before: Timestamp, now: Timestamp) -> Result<u64, StoreError> {
        let mut world = self.world();
        let kept_from = world.lines.iter().position(|line| line.at >= before);
        let count = kept_from.unwrap_or(world.lines.len());
        let entries = u64::try_from(count).unwrap_or(u64::MAX);
        if entries > 0 {
            let event = Event::JournalPurged { before, entries };
            let draft = Draft::new(now, Actor::System, event);
            let lines = world.lines_of(&self.keyring, &*self.entropy, &[draft])?;
            world.append(lines);
        }
        let purged: Vec<Line> = world.lines.drain(..count).collect();
        if let Some(last) = purged.last() {
            world.checkpoint = Head {
                sequence: last.sequence,
                code: last.code,
            };
        }
        let kept_month = Month::of(before);
        world.personal_keys.retain(|name, _| match name {
            KeyName::Account(_) => true,
            KeyName::Month(month) => *month >= kept_month,
        });
        Ok(entries)
    }
}

impl MemoryStore {
    fn tally(&self) -> std::sync::MutexGuard<'_, crate::journal::tally::Tally> {
        self.tally
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn matches(line: &Line, query: &JournalQuery) -> bool {
    let same =
        |wanted: Option<[u8; 16]>, found: Option<[u8; 16]>| wanted.is_none() || wanted == found;
    same(
        query.account.map(|id: AccountId| *id.as_bytes()),
        line.account,
    ) && same(query.tenant.map(|id| *id.as_bytes()), line.tenant)
        && same(query.session.map(|id| *id.as_bytes()), line.session)
        && same(query.request.map(|id| *id.as_bytes()), line.request)
        && query
            .actor
            .is_none_or(|actor| actor.to_word() == line.actor)
        && query.kind.is_none_or(|kind| kind.as_str() == line.kind)
        && query.from.is_none_or(|from| line.at >= from)
        && query.until.is_none_or(|until| line.at < until)
        && query
            .before_sequence
            .is_none_or(|before| line.sequence < before)
}
