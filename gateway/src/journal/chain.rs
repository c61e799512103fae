//! The chain: each line's authentication code covers the line before it, so that no line can be
//! edited, moved or taken out unseen. Pure.
//!
//! A code covers the public fields and the hash of the sealed ones: destroying a person's key makes
//! the sealed fields unreadable and leaves the chain whole.

use aws_lc_rs::digest;
use octroi_policy::time::Timestamp;

use super::entry::{ChainFlaw, SignedHead};
use crate::constant_time::are_equal;
use crate::keyring::{Keyring, Purpose};

/// A line's authentication code. Not a secret; compared in constant time all the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code(pub(crate) [u8; 32]);

/// The end of the chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    /// The last line's place; 0 before the first.
    pub(crate) sequence: u64,
    /// Its code.
    pub(crate) code: Code,
}

impl Head {
    /// Before the first line.
    pub(crate) const START: Self = Self {
        sequence: 0,
        code: Code([0; 32]),
    };

    /// As the log stream shows it.
    pub(crate) fn signed(&self) -> SignedHead {
        SignedHead {
            sequence: self.sequence,
            code: data_encoding::HEXLOWER.encode(&self.code.0),
        }
    }
}

/// A line as it is kept: what a code covers, in this order.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Its place, from 1.
    pub(crate) sequence: u64,
    /// When it happened.
    pub(crate) at: Timestamp,
    /// The word of the actor.
    pub(crate) actor: String,
    /// The word of the kind.
    pub(crate) kind: String,
    /// The public fields: a JSON object, as it was written.
    pub(crate) fields: String,
    /// The tenant's id.
    pub(crate) tenant: Option<[u8; 16]>,
    /// The account's id.
    pub(crate) account: Option<[u8; 16]>,
    /// The session's id.
    pub(crate) session: Option<[u8; 16]>,
    /// The request's id.
    pub(crate) request: Option<[u8; 16]>,
    /// The truncated keyed hash of an identifier that names no account.
    pub(crate) identifier_hash: Option<Vec<u8>>,
    /// The personal fields, sealed, and the name of their key.
    pub(crate) sealed: Option<(Vec<u8>, Vec<u8>)>,
    /// The code.
    pub(crate) code: Code,
}

/// The codes of the lines of one journal.
#[derive(Clone, Copy)]
pub(crate) struct Chain<'a>(pub(crate) &'a Keyring);

impl Chain<'_> {
    /// The code of `line` after a line with the code `previous`.
    pub(crate) fn code(self, previous: &Code, line: &Line) -> Code {
        let optional =
            |bytes: Option<&[u8]>| bytes.map_or_else(|| vec![0], |bytes| [&[1], bytes].concat());
        let id = |id: &Option<[u8; 16]>| optional(id.as_ref().map(<[u8; 16]>::as_slice));
        let (key_name, sealed_hash) = line
            .sealed
            .as_ref()
            .map(|(key_name, sealed)| {
                (key_name.as_slice(), digest::digest(&digest::SHA256, sealed))
            })
            .unzip();
        let hash = self.0.keyed_hash(
            Purpose::Journal,
            &[
                LINE,
                &previous.0,
                &line.sequence.to_be_bytes(),
                &line.at.as_unix_millis().to_be_bytes(),
                line.actor.as_bytes(),
                line.kind.as_bytes(),
                line.fields.as_bytes(),
                &id(&line.tenant),
                &id(&line.account),
                &id(&line.session),
                &id(&line.request),
                &optional(line.identifier_hash.as_deref()),
                &optional(key_name),
                &optional(sealed_hash.as_ref().map(AsRef::as_ref)),
            ],
        );
        Code(hash)
    }

    /// What vouches that the chain ended at `head`.
    pub(crate) fn head_seal(self, head: &Head) -> [u8; 32] {
        self.seal(HEAD, head)
    }

    /// What vouches that the lines up to `head` were purged.
    pub(crate) fn checkpoint_seal(self, head: &Head) -> [u8; 32] {
        self.seal(CHECKPOINT, head)
    }

    /// The keyed hash of an identifier that names no account, short enough that it proves nothing
    /// of the identifier, long enough to see the same one come back.
    pub(crate) fn identifier_hash(self, identifier: &str) -> Vec<u8> {
        let parts: &[&[u8]] = &[IDENTIFIER, identifier.as_bytes()];
        let hash = self.0.keyed_hash(Purpose::Journal, parts);
        hash.iter().copied().take(IDENTIFIER_HASH_LEN).collect()
    }

    fn seal(self, label: &[u8], head: &Head) -> [u8; 32] {
        let parts: &[&[u8]] = &[label, &head.sequence.to_be_bytes(), &head.code.0];
        self.0.keyed_hash(Purpose::Journal, parts)
    }
}

/// Checks lines one after the other. Holds a head at a time, however long the journal.
pub(crate) struct Verifier<'a> {
    chain: Chain<'a>,
    head: Head,
    checked: u64,
    witness: Option<&'a SignedHead>,
}

impl<'a> Verifier<'a> {
    /// Begins after `checkpoint`: the purge's, or [`Head::START`].
    pub(crate) fn new(
        chain: Chain<'a>,
        checkpoint: Head,
        checkpoint_seal: Option<&[u8]>,
        witness: Option<&'a SignedHead>,
    ) -> Result<Self, ChainFlaw> {
        let vouched = match checkpoint_seal {
            Some(seal) => are_equal(&chain.checkpoint_seal(&checkpoint), seal),
            None => checkpoint.sequence == 0 && checkpoint.code.0 == Head::START.code.0,
        };
        if vouched {
            Ok(Self {
                chain,
                head: checkpoint,
                checked: 0,
                // Nobody can say any more what stood before the checkpoint.
                witness: witness.filter(|witness| witness.sequence > checkpoint.sequence),
            })
        } else {
            Err(ChainFlaw::CheckpointAltered)
        }
    }

    /// Checks the next line.
    pub(crate) fn check(&mut self, line: &Line) -> Result<(), ChainFlaw> {
        if line.sequence != self.head.sequence.saturating_add(1) {
            return Err(ChainFlaw::Missing);
        }
        let code = self.chain.code(&self.head.code, line);
        if !are_equal(&code.0, &line.code.0) {
            return Err(ChainFlaw::Altered);
        }
        self.head = Head {
            sequence: line.sequence,
            code,
        };
        self.checked = self.checked.saturating_add(1);
        match self.witness {
            Some(witness)
                if witness.sequence == line.sequence && *witness != self.head.signed() =>
            {
                Err(ChainFlaw::WitnessAbsent)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// After the last line: whether the chain ends where the store says that it ends, and how many
    /// lines were checked.
    pub(crate) fn finish(
        self,
        stored: &Head,
        stored_seal: &[u8],
    ) -> Result<(u64, Head), ChainFlaw> {
        if !are_equal(&self.chain.head_seal(stored), stored_seal)
            || stored.sequence != self.head.sequence
            || !are_equal(&stored.code.0, &self.head.code.0)
        {
            return Err(ChainFlaw::Truncated);
        }
        if self
            .witness
            .is_some_and(|witness| witness.sequence > self.head.sequence)
        {
            return Err(ChainFlaw::WitnessAbsent);
        }
        Ok((self.checked, self.head))
    }

    /// The place that is checked next.
    pub(crate) const fn next(&self) -> u64 {
        self.head.sequence.saturating_add(1)
    }
}

const LINE: &[u8] = b"line";
const HEAD: &[u8] = b"head";
const CHECKPOINT: &[u8] = b"checkpoint";
const IDENTIFIER: &[u8] = b"identifier";

/// 40 bits.
const IDENTIFIER_HASH_LEN: usize = 5;
