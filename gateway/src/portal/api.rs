//! The JSON API: signing in with a cookie jar, and how long a session still lives.

use axum::{
    body::Bytes,
    http::{StatusCode, header},
    response::Response,
};
use octroi_policy::session::Computer;
use serde::Deserialize;
use serde_json::json;

use super::{
    ask::Ask,
    dates::iso,
    failure::{json_ok, problem, retry_after, trail},
    forms::SEC_FETCH_SITE,
    frame::with_cookies,
};
use crate::identity::{
    Fault,
    secret::TypedPassword,
    sessions::Presence,
    sign_in::{SignInAttempt, SignInOutcome},
};

/// The body of `POST /.octroi/api/v1/login`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LoginRequest {
    login: String,
    password: TypedPassword,
    #[serde(default)]
    computer: ComputerField,
    tenant: Option<String>,
}

/// Whose computer it is; the careful choice unless said otherwise.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ComputerField {
    Private,
    #[default]
    Public,
}

/// `POST /.octroi/api/v1/login`.
pub(super) async fn login(ask: Ask, body: Bytes) -> Response {
    if !is_json(&ask) {
        return problem(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "json_wanted",
            "The body must be application/json.",
        );
    }
    if !comes_from_here(&ask) {
        return problem(
            StatusCode::FORBIDDEN,
            "foreign_origin",
            "Another site's page may not sign people in.",
        );
    }
    let Ok(request) = serde_json::from_slice::<LoginRequest>(&body) else {
        return problem(
            StatusCode::BAD_REQUEST,
            "malformed_body",
            "Wanted: {\"login\", \"password\", \"computer\"?: \"private\" or \"public\", \"tenant\"?}.",
        );
    };
    let attempt = SignInAttempt {
        login: request.login,
        password: request.password,
        tenant: request.tenant,
        computer: match request.computer {
            ComputerField::Private => Computer::Private,
            ComputerField::Public => Computer::Public,
        },
        host_asked: None,
        replaces: ask.visitor.token.clone(),
    };
    match ask.identity().sign_in(&ask.visitor.client, attempt).await {
        Ok(outcome) => respond(&ask, &outcome),
        Err(fault) => unavailable(&ask, &fault),
    }
}

fn respond(ask: &Ask, outcome: &SignInOutcome) -> Response {
    match outcome {
        SignInOutcome::SignedIn(session) => {
            let unused_until = ask.now.after(ask.site.idle_limit(session.computer));
            let body = json!({
                "status": "signed_in",
                "ends_at": iso(session.ends_at.min(unused_until)),
                "ends_at_latest": iso(session.ends_at),
            });
            with_cookies(json_ok(&body), [ask.session_cookie(session)])
        }
        SignInOutcome::PasswordChangeRequired(session, _) => with_cookies(
            json_ok(&json!({
                "status": "password_change_required",
                "ends_at": iso(session.ends_at),
                "continue": ask.site.portal_url("/.octroi/account/password"),
            })),
            [ask.session_cookie(session)],
        ),
        SignInOutcome::InvalidCredentials => problem(
            StatusCode::UNAUTHORIZED,
            "invalid_credentials",
            "The login or the password does not match.",
        ),
        SignInOutcome::TooManyAttempts { retry_at } => retry_after(
            problem(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_attempts",
                "Too many attempts.",
            ),
            retry_at.since(ask.now).as_secs().max(1),
        ),
        SignInOutcome::Busy {
            retry_after_seconds,
        } => retry_after(
            problem(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "Many people are signing in.",
            ),
            u64::from(*retry_after_seconds),
        ),
    }
}

/// `GET /.octroi/session`, on every host: how long the session still lives. Renews nothing.
pub(super) async fn session(ask: Ask) -> Response {
    match ask.presence().await {
        Err(fault) => unavailable(&ask, &fault),
        Ok(Presence::SignedIn(signed_in)) => json_ok(&json!({
            "status": "signed_in",
            "ends_at": iso(signed_in.ends_at()),
            "ends_at_latest": iso(signed_in.record().ends_at),
            "seconds_left": signed_in.ends_at().since(ask.now).as_secs(),
        })),
        Ok(Presence::MustChangePassword(pending)) => json_ok(&json!({
            "status": "password_change_required",
            "ends_at": iso(pending.ends_at()),
            "seconds_left": pending.ends_at().since(ask.now).as_secs(),
        })),
        Ok(Presence::NotPresented | Presence::Rejected(_)) => problem(
            StatusCode::UNAUTHORIZED,
            "sign_in_needed",
            "Nobody is signed in.",
        ),
    }
}

/// 404 for what the API does not have.
pub(super) async fn not_found(_ask: Ask) -> Response {
    problem(StatusCode::NOT_FOUND, "no_route", "There is nothing here.")
}

/// 405 for what the API does not do.
pub(super) async fn method_not_allowed(_ask: Ask) -> Response {
    problem(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This method is not served.",
    )
}

/// Whether the body is said to be JSON, once and without doubt: no page of another origin can
/// send that without asking first (Fetch, "CORS-safelisted request-header").
fn is_json(ask: &Ask) -> bool {
    let mut types = ask.headers.get_all(header::CONTENT_TYPE).into_iter();
    let (Some(first), None) = (types.next(), types.next()) else {
        return false;
    };
    first.to_str().is_ok_and(|text| {
        let media_type = text.split(';').next().unwrap_or_default();
        media_type.trim().eq_ignore_ascii_case("application/json")
    })
}

/// Whether the sender is no browser, or our own page in one.
fn comes_from_here(ask: &Ask) -> bool {
    let is_browser =
        ask.headers.contains_key(SEC_FETCH_SITE) || ask.headers.contains_key(header::ORIGIN);
    let origin = ask.site.origin(&ask.visitor.host);
    !is_browser || super::forms::is_same_origin(&ask.headers, &origin)
}

fn unavailable(ask: &Ask, fault: &Fault) -> Response {
    tracing::error!(
        error = %trail(fault),
        request.id = %ask.visitor.client.request,
        "the API could not answer"
    );
    let response = problem(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        "Sign-in cannot be checked at the moment.",
    );
    retry_after(response, RETRY_AFTER_FAULT_SECONDS)
}

/// When it is worth asking again after a fault of ours.
const RETRY_AFTER_FAULT_SECONDS: u64 = 30;
