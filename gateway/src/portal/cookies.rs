//! The portal's own cookies. All bear `__Host-`, so that no sibling host can set one (B2).

use std::{fmt::Write as _, time::Duration};

use http::{HeaderMap, HeaderValue, header};

/// The session's token on this host.
pub(crate) const SESSION: &str = "__Host-octroi";
/// What a form is bound to while nobody is signed in.
pub(super) const BEFORE_SIGN_IN: &str = "__Host-octroi-form";
/// The chosen language (promise C3).
pub(super) const LANGUAGE: &str = "__Host-octroi-lang";
/// That this browser was said to be the person's own (promise C3); grants nothing.
pub(super) const COMPUTER: &str = "__Host-octroi-computer";
/// Followed by its id: where a person wanted to go when they were sent to sign in.
pub(super) const ENTER: &str = "__Host-octroi-enter-";

/// How long a preference is remembered: a little under twelve months (promise C3; the CNIL says
/// thirteen, browsers 400 days).
pub(super) const PREFERENCE_LIFE: Duration = Duration::from_hours(24 * 360);

/// The value of the one cookie of this name. `None` where there is none, and where there are two:
/// which one counts would be a guess.
pub(super) fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = all(headers).filter(|(found, _)| *found == name);
    let (_, value) = values.next()?;
    values.next().is_none().then_some(value)
}

/// Every cookie, name and value, in the order sent.
pub(super) fn all(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|field| field.to_str().ok())
        .flat_map(in_field)
}

/// The cookies of one `Cookie` field (RFC 6265, section 4.2.1).
pub(super) fn in_field(field: &str) -> impl Iterator<Item = (&str, &str)> {
    field
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='))
}

/// A cookie that script cannot read and other hosts cannot set. `life`: how long the browser keeps
/// it; `None` until it is closed.
pub(super) fn set(name: &str, value: &str, life: Option<Duration>) -> Option<HeaderValue> {
    let mut field = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax");
    if let Some(life) = life {
        // Writing to a String cannot fail.
        let _ = write!(field, "; Max-Age={}", life.as_secs());
    }
    HeaderValue::try_from(field).ok()
}

/// Makes the browser forget a cookie.
pub(super) fn clear(name: &str) -> Option<HeaderValue> {
    set(name, "", Some(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[&str]) -> HeaderMap {
        fields
            .iter()
            .map(|field| (header::COOKIE, HeaderValue::from_str(field).unwrap()))
            .collect()
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name_and_only_if_it_is_the_only_one() {
        let sent = headers(&["a=1; __Host-octroi-lang=fr", "b=2"]);
        assert_eq!(read(&sent, LANGUAGE), Some("fr"));
        assert_eq!(read(&sent, "__Host-octroi"), None);
        let twice = headers(&["__Host-octroi-lang=fr", "__Host-octroi-lang=en"]);
        assert_eq!(read(&twice, LANGUAGE), None);
        assert_eq!(read(&HeaderMap::new(), LANGUAGE), None);
    }

    #[test]
    fn a_preference_lives_less_than_twelve_months_and_a_cleared_cookie_not_at_all() {
        let kept = set(LANGUAGE, "fr", Some(PREFERENCE_LIFE)).unwrap();
        assert_eq!(
            kept,
            "__Host-octroi-lang=fr; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=31104000"
        );
        let cleared = clear(SESSION).unwrap();
        assert_eq!(
            cleared,
            "__Host-octroi=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"
        );
    }
}
