//! The roster against a simple model, and its size.

use std::{collections::BTreeMap, time::Duration};

use octroi_policy::{
    assurance::Assurance,
    id::TenantId,
    session::{Computer, Stage, TokenFacts},
};
use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::from_unix_millis(1_795_305_600_000);

#[derive(Clone, Debug)]
enum Step {
    Open { session: u8, account: u8 },
    Issue { session: u8, host: u8 },
    End { session: u8 },
    EndAll { account: u8, except: Option<u8> },
    Close { account: u8 },
}

fn step() -> impl Strategy<Value = Step> {
    let (session, account, host) = (0..8_u8, 0..3_u8, 0..3_u8);
    prop_oneof![
        (session.clone(), account.clone())
            .prop_map(|(session, account)| Step::Open { session, account }),
        (session.clone(), host).prop_map(|(session, host)| Step::Issue { session, host }),
        session.clone().prop_map(|session| Step::End { session }),
        (account.clone(), prop::option::of(session))
            .prop_map(|(account, except)| Step::EndAll { account, except }),
        account.prop_map(|account| Step::Close { account }),
    ]
}

#[derive(Default)]
struct Model {
    accounts: BTreeMap<u8, u8>,
    tokens: BTreeMap<(u8, u8), TokenHash>,
}

impl Model {
    fn end(&mut self, session: u8) {
        self.accounts.remove(&session);
        self.tokens.retain(|(of, _), _| *of != session);
    }
}

proptest! {
    #[test]
    fn a_token_is_known_exactly_while_its_session_lives_and_no_newer_one_has_taken_its_place(
        steps in prop::collection::vec(step(), 1..60)
    ) {
        let (roster, mut model) = (Roster::new(), Model::default());
        let mut issued: Vec<TokenHash> = Vec::new();
        for step in steps {
            match step {
                Step::Open { session, account } => {
                    model.accounts.entry(session).or_insert_with(|| {
                        roster.insert(record(session, account), NOW, SessionEpoch(1));
                        account
                    });
                }
                Step::Issue { session, host } => {
                    let number = u8::try_from(issued.len()).unwrap();
                    let token = token(number, host);
                    issued.push(token.hash);
                    let hash = token.hash;
                    let live = roster.issue(id(session), token);
                    let lives = model.accounts.contains_key(&session);
                    prop_assert_eq!(live.is_some(), lives);
                    if lives {
                        model.tokens.insert((session, host), hash);
                    }
                }
                Step::End { session } => {
                    let ended = roster.end(id(session)).is_some();
                    prop_assert_eq!(ended, model.accounts.contains_key(&session));
                    model.end(session);
                }
                Step::EndAll { account, except } => {
                    roster.end_all(account_id(account), except.map(id));
                    let of_account: Vec<u8> = model.accounts.iter()
                        .filter(|(session, of)| **of == account && Some(**session) != except)
                        .map(|(session, _)| *session)
                        .collect();
                    for session in of_account {
                        model.end(session);
                    }
                }
                Step::Close { account } => roster.close(account_id(account)),
            }
        }
        prop_assert_eq!(roster.len(), model.accounts.len());
        for hash in &issued {
            let known = matches!(roster.cached(hash), Cached::Hit(_));
            prop_assert_eq!(known, model.tokens.values().any(|token| token == hash));
        }
    }
}

#[test]
fn a_closed_account_has_no_epoch_until_the_store_says_so_again() {
    let roster = Roster::new();
    let mut first = record(1, 1);
    first.epoch = SessionEpoch(4);
    let live = roster.insert(first, NOW, SessionEpoch(4));
    assert_eq!(live.standing().account_epoch, Some(SessionEpoch(4)));
    roster.close(account_id(1));
    assert_eq!(live.standing().account_epoch, None);
    let other = roster.insert(record(2, 1), NOW, SessionEpoch(5));
    assert_eq!(other.standing().account_epoch, Some(SessionEpoch(5)));
    assert_eq!(
        live.record.epoch,
        SessionEpoch(4),
        "which the first is not of"
    );
}

#[test]
fn a_hundred_thousand_sessions_stay_below_the_ceiling() {
    const SESSIONS: u32 = 100_000;
    const TOKENS_EACH: u8 = 1;
    /// May only fall; the aim is 60 MB. Measured 75 to 81 MB, growth of the maps included.
    const BYTES_MAX: usize = 95_000_000;
    let before = resident_bytes();
    let roster = Roster::new();
    for number in 0..SESSIONS {
        let mut of = record(0, 0);
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        of.id = SessionId::from_bytes(bytes);
        of.account = AccountId::from_bytes(bytes);
        // Names are parsed anew each time, as they are when a store is read.
        of.roles = Box::new(["accounting".parse().unwrap(), "staff".parse().unwrap()]);
        of.tenant = "acme".parse().unwrap();
        let session = of.id;
        roster.insert(of, NOW, SessionEpoch(1));
        for host in 0..TOKENS_EACH {
            let mut token = token(0, host);
            // Spread as hashes of tokens are.
            let spread = aws_lc_rs::digest::digest(
                &aws_lc_rs::digest::SHA256,
                &[number.to_be_bytes().as_slice(), &[host]].concat(),
            );
            token.hash.0.copy_from_slice(spread.as_ref());
            roster.issue(session, token).unwrap();
        }
    }
    assert_eq!(roster.len(), usize::try_from(SESSIONS).unwrap());
    let taken = resident_bytes().saturating_sub(before);
    assert!(taken <= BYTES_MAX, "{taken} bytes");
}

/// Memory of this process that is in use; each test is a process of its own under nextest.
fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = resident.and_then(|text| text.trim().strip_suffix(" kB"));
    kibibytes.unwrap().parse::<usize>().unwrap() * 1024
}

fn id(session: u8) -> SessionId {
    SessionId::from_bytes([session; 16])
}

fn account_id(account: u8) -> AccountId {
    AccountId::from_bytes([account; 16])
}

fn record(session: u8, account: u8) -> SessionRecord {
    SessionRecord {
        id: id(session),
        account: account_id(account),
        tenant_id: TenantId::from_bytes([1; 16]),
        tenant: "acme".parse().unwrap(),
        roles: Box::new(["rh".parse().unwrap()]),
        grants: Box::default(),
        epoch: SessionEpoch(1),
        stage: Stage::Full,
        computer: Computer::Private,
        started_at: NOW,
        authenticated_at: NOW,
        ends_at: NOW.after(Duration::from_hours(24)),
        idle_limit: Duration::from_hours(8),
    }
}

fn token(number: u8, host: u8) -> NewToken {
    let mut hash = [0; 32];
    hash[7] = number;
    NewToken {
        hash: TokenHash(hash),
        facts: TokenFacts {
            host: format!("host-{host}.example.com").parse().unwrap(),
            assurance: Assurance::Password,
            issued_at: NOW,
        },
    }
}
