//! Where a session was opened from, and what an account may change freely, as sealed JSON.

use serde_json::{Value, json};

use crate::store::{
    accounts::{Language, Profile},
    sessions::SessionOrigin,
};

/// The text that is sealed for an origin. An overlong name of a browser is cut.
pub(super) fn origin_to_json(origin: &SessionOrigin) -> String {
    let browser = origin.browser.as_deref().map(|browser| {
        let end = browser.floor_char_boundary(SessionOrigin::BROWSER_LEN_MAX);
        browser.get(..end).unwrap_or_default()
    });
    json!({
        "address": origin.address.map(|address| address.to_string()),
        "browser": browser,
    })
    .to_string()
}

/// Reads [`origin_to_json`] back.
pub(super) fn origin_from_json(text: &[u8]) -> Option<SessionOrigin> {
    let value: Value = serde_json::from_slice(text).ok()?;
    let field = |name: &str| value.get(name).and_then(Value::as_str);
    Some(SessionOrigin {
        address: field("address").map(str::parse).transpose().ok()?,
        browser: field("browser").map(Into::into),
    })
}

/// The text that is sealed for a profile.
pub(super) fn profile_to_json(profile: &Profile) -> String {
    json!({
        "name": profile.name.as_deref(),
        "email": profile.email.as_deref(),
        "language": profile.language.map(Language::as_str),
    })
    .to_string()
}

/// Reads [`profile_to_json`] back.
pub(super) fn profile_from_json(text: &[u8]) -> Option<Profile> {
    let value: Value = serde_json::from_slice(text).ok()?;
    let field = |name: &str| value.get(name).and_then(Value::as_str);
    Some(Profile {
        name: field("name").map(Into::into),
        email: field("email").map(Into::into),
        language: field("language").and_then(Language::from_tag),
    })
}
