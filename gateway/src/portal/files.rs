//! Files without words: style, script, logo; and what researchers look for (RFC 9116).

use std::{fmt::Write as _, time::Duration};

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{ask::Ask, dates::iso, failure, frame::protect};

/// `GET /.octroi/assets/{name}`: never changes under its name.
pub(super) async fn asset(ask: Ask) -> Response {
    let Some(asset) = ask.site.look.asset(ask.uri.path()).cloned() else {
        return failure::not_found(ask).await;
    };
    let mut response = (StatusCode::OK, asset.bytes).into_response();
    let fields = response.headers_mut();
    fields.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(asset.content_type),
    );
    fields.insert(header::CACHE_CONTROL, IMMUTABLE);
    // A logo is a document, too, when it is opened by itself.
    fields.insert(header::CONTENT_SECURITY_POLICY, NOTHING_AT_ALL);
    protect(fields);
    response
}

/// `GET /.well-known/security.txt`.
pub(super) async fn security_txt(ask: Ask) -> Response {
    let Some(contact) = ask.site.contact.security.clone() else {
        return failure::not_found(ask).await;
    };
    // The time is rounded to the day, so that the file does not change with each request.
    let day = ask
        .now
        .as_unix_seconds()
        .div_euclid(86_400)
        .saturating_mul(86_400_000);
    let expires = octroi_policy::time::Timestamp::from_unix_millis(day).after(SECURITY_TXT_LIFE);
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "Contact: {contact}\nExpires: {}\nPreferred-Languages: fr, en\nCanonical: {}\n",
        iso(expires),
        ask.site.portal_url("/.well-known/security.txt"),
    );
    let mut response = (StatusCode::OK, text).into_response();
    let fields = response.headers_mut();
    fields.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    protect(fields);
    response
}

/// RFC 8246, section 2.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const NOTHING_AT_ALL: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox");
/// Less than a year, as RFC 9116, section 2.5.5, recommends; it is made anew at each request.
const SECURITY_TXT_LIFE: Duration = Duration::from_hours(24 * 90);
