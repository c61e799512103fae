//! Reading the journal, which is itself journaled, and checking its chain.

use std::collections::{HashMap, HashSet};

use axum::{Extension, Json, Router, extract::State, routing::post};
use octroi_policy::id::AccountId;

use super::{
    Desk,
    accounts::name_of,
    facts::{JournalLine, JournalLines, JournalRequest, Person, Verified, VerifyRequest},
    refusal::Refusal,
    times,
};
use crate::{
    identity::client::Operator,
    journal::{
        Draft,
        entry::{Entry, JournalQuery, OpenedPersonal, SignedHead, Verification},
        event::{Actor, Event, EventKind, ReadPurpose},
    },
};

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route("/v1/journal/search", post(search))
        .route("/v1/journal/verify", post(verify))
}

async fn search(
    State(desk): State<Desk>,
    Extension(operator): Extension<Operator>,
    Json(request): Json<JournalRequest>,
) -> Result<Json<JournalLines>, Refusal> {
    let query = query_of(&desk, &request).await?;
    let page = desk.journal.search(&query).await?;
    // Nobody is handed a line before it is kept that they read it.
    let purpose = if request.export {
        ReadPurpose::Export
    } else {
        ReadPurpose::Search
    };
    let entries = u64::try_from(page.entries.len()).unwrap_or(u64::MAX);
    let mut read = Draft::new(
        desk.clock.now(),
        operator.into(),
        Event::JournalRead { purpose, entries },
    );
    read.account = query.account;
    desk.journal.append(vec![read]).await?;
    let names = names_of(&desk, &page.entries).await;
    Ok(Json(JournalLines {
        lines: page
            .entries
            .into_iter()
            .map(|entry| shown(entry, &names))
            .collect(),
        next: page.next,
    }))
}

/// How the accounts of these lines are named now. One that is erased, or cannot be read, keeps its id.
async fn names_of(desk: &Desk, entries: &[Entry]) -> HashMap<AccountId, String> {
    let ids: HashSet<AccountId> = entries.iter().filter_map(|entry| entry.account).collect();
    let mut names = HashMap::new();
    for id in ids {
        if let Ok(account) = desk.identity.account(id).await {
            names.insert(id, name_of(&account));
        }
    }
    names
}

async fn verify(
    State(desk): State<Desk>,
    Json(request): Json<VerifyRequest>,
) -> Result<Json<Verified>, Refusal> {
    let witness = request.witness.as_deref().map(head_of).transpose()?;
    let found = desk.journal.verify(witness.as_ref()).await?;
    Ok(Json(match found {
        Verification::Intact {
            entries,
            purged,
            head,
        } => Verified {
            intact: true,
            lines: entries,
            purged,
            head: Some(format!("{}:{}", head.sequence, head.code)),
            flaw: None,
        },
        Verification::Broken { sequence, flaw } => Verified {
            intact: false,
            lines: 0,
            purged: 0,
            head: None,
            flaw: Some(format!("at line {sequence}: {flaw}")),
        },
    }))
}

async fn query_of(desk: &Desk, request: &JournalRequest) -> Result<JournalQuery, Refusal> {
    let time = |text: &Option<String>| {
        let read = text.as_deref().map(times::read).transpose();
        read.map_err(Refusal::refused)
    };
    let unknown = |what: &str, word: &str| Refusal::refused(format!("there is no {what} {word:?}"));
    let kind = match request.kind.as_deref() {
        Some(word) => Some(EventKind::from_word(word).ok_or_else(|| unknown("kind", word))?),
        None => None,
    };
    let actor = match request.actor.as_deref() {
        Some(word) => Some(Actor::from_word(word).ok_or_else(|| unknown("actor", word))?),
        None => None,
    };
    let account = match &request.account {
        Some(account) => Some(desk.identity.find_account(account).await?.id),
        None => None,
    };
    Ok(JournalQuery {
        account,
        actor,
        kind,
        from: time(&request.since)?,
        until: time(&request.until)?,
        before_sequence: request.before,
        limit: request.limit,
        ..JournalQuery::default()
    })
}

fn head_of(text: &str) -> Result<SignedHead, Refusal> {
    let malformed =
        || Refusal::refused("a witness is SEQUENCE:CODE, as the log and verify show it");
    let (sequence, code) = text.split_once(':').ok_or_else(malformed)?;
    Ok(SignedHead {
        sequence: sequence.parse().map_err(|_| malformed())?,
        code: code.to_owned(),
    })
}

fn shown(entry: Entry, names: &HashMap<AccountId, String>) -> JournalLine {
    let person = match entry.personal {
        OpenedPersonal::Absent => None,
        OpenedPersonal::Erased => Some(Person {
            erased: true,
            ..Person::default()
        }),
        OpenedPersonal::Known(known) => Some(Person {
            erased: false,
            login: known.login,
            name: known.name,
            email: known.email,
            address: known.address,
            browser: known.browser,
        }),
    };
    JournalLine {
        sequence: entry.sequence,
        at: times::written(entry.at),
        actor: entry.actor.to_word(),
        kind: entry.kind.as_str().to_owned(),
        fields: entry.fields,
        account_id: entry.account.map(|account| account.to_string()),
        account: entry.account.and_then(|id| names.get(&id).cloned()),
        session: entry.session.map(|session| session.to_string()),
        request: entry.request.map(|request| request.to_string()),
        identifier_hash: entry.identifier_hash,
        person,
    }
}
