//! From a draft to a line, and from a line to what is read back.

use octroi_policy::id::{AccountId, RequestId, SessionId, TenantId};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{
    chain::{Chain, Code, Head, Line},
    entry::{Entry, OpenedPersonal, PersonalFields},
    event::{Actor, Draft, EventKind, Personal},
};
use crate::{
    entropy::{Entropy, EntropyUnavailable},
    keyring::sealing::SealingKey,
    store::{
        FaultText, StoreError,
        personal_keys::{KeyName, Month},
    },
};

/// The key that seals the draft's personal fields: the account's, else the month's. `None` where
/// there are no personal fields.
pub(crate) fn key_name(draft: &Draft) -> Option<KeyName> {
    if is_empty(&draft.personal) {
        return None;
    }
    let month = || KeyName::Month(Month::of(draft.at));
    Some(draft.account.map_or_else(month, KeyName::Account))
}

/// Writes the line that follows `head`. Without a key (its account was erased meanwhile) the
/// personal fields are left out.
pub(crate) fn write(
    chain: Chain<'_>,
    head: &Head,
    draft: &Draft,
    key: Option<(KeyName, &SealingKey)>,
    entropy: &dyn Entropy,
) -> Result<Line, EntropyUnavailable> {
    let sequence = head.sequence.saturating_add(1);
    let sealed = match key {
        Some((name, key)) => {
            let plaintext = Zeroizing::new(personal_json(&draft.personal));
            let sealed = key.seal(&context(sequence), plaintext.as_bytes(), entropy)?;
            Some((name.to_bytes(), sealed))
        }
        None => None,
    };
    let unknown = draft.personal.unknown_identifier.as_deref();
    let mut line = Line {
        sequence,
        at: draft.at,
        actor: draft.actor.to_word(),
        kind: draft.event.kind().as_str().to_owned(),
        fields: Value::Object(draft.event.fields()).to_string(),
        tenant: draft.tenant.map(|id| *id.as_bytes()),
        account: draft.account.map(|id| *id.as_bytes()),
        session: draft.session.map(|id| *id.as_bytes()),
        request: draft.request.map(|id| *id.as_bytes()),
        identifier_hash: unknown.map(|identifier| chain.identifier_hash(identifier)),
        sealed,
        code: Code([0; 32]),
    };
    line.code = chain.code(&head.code, &line);
    Ok(line)
}

/// Reads a line back. `key` is the key that [`Line::sealed`] names, if it still exists.
pub(crate) fn read(line: &Line, key: Option<&SealingKey>) -> Result<Entry, StoreError> {
    let damaged = |what: &str| {
        let text = format!(
            "journal line {}: {what}; run `octroi journal verify`",
            line.sequence
        );
        StoreError::Corrupt(FaultText::new(text))
    };
    let personal = match (&line.sealed, key) {
        (None, _) => OpenedPersonal::Absent,
        (Some(_), None) => OpenedPersonal::Erased,
        (Some((_, sealed)), Some(key)) => {
            let opened = key.open(&context(line.sequence), sealed);
            let opened = opened.map_err(|_| damaged("its personal fields do not open"))?;
            let fields = serde_json::from_slice(&opened);
            OpenedPersonal::Known(fields_of(
                &fields.map_err(|_| damaged("its personal fields do not read"))?,
            ))
        }
    };
    Ok(Entry {
        sequence: line.sequence,
        at: line.at,
        actor: Actor::from_word(&line.actor).ok_or_else(|| damaged("unknown actor"))?,
        kind: EventKind::from_word(&line.kind).ok_or_else(|| damaged("unknown kind of event"))?,
        fields: serde_json::from_str(&line.fields)
            .map_err(|_| damaged("its fields do not read"))?,
        tenant: line.tenant.map(TenantId::from_bytes),
        account: line.account.map(AccountId::from_bytes),
        session: line.session.map(SessionId::from_bytes),
        request: line.request.map(RequestId::from_bytes),
        identifier_hash: line
            .identifier_hash
            .as_deref()
            .map(|hash| data_encoding::HEXLOWER.encode(hash)),
        personal,
    })
}

fn is_empty(personal: &Personal) -> bool {
    let Personal {
        login,
        name,
        email,
        address,
        browser,
        unknown_identifier: _,
    } = personal;
    login.is_none() && name.is_none() && email.is_none() && address.is_none() && browser.is_none()
}

fn personal_json(personal: &Personal) -> String {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), Value::String(value));
        }
    };
    let text = |text: &Option<std::sync::Arc<str>>| text.as_deref().map(str::to_owned);
    put("login", text(&personal.login));
    put("name", text(&personal.name));
    put("email", text(&personal.email));
    put(
        "address",
        personal.address.map(|address| address.to_string()),
    );
    put("browser", text(&personal.browser));
    Value::Object(fields).to_string()
}

fn fields_of(fields: &Map<String, Value>) -> PersonalFields {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
    PersonalFields {
        login: text("login"),
        name: text("name"),
        email: text("email"),
        address: text("address"),
        browser: text("browser"),
    }
}

/// Sealed fields open in their own line alone.
fn context(sequence: u64) -> Vec<u8> {
    [b"journal line ".as_slice(), &sequence.to_be_bytes()].concat()
}
