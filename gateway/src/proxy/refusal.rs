//! Why a request is not forwarded, and the one table that says what its sender is told.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use http::StatusCode;
use octroi_policy::{
    decision::DenyReason,
    host::Host,
    id::RequestId,
    request::{Malformed, MalformedKind},
    session::Rejection,
    time::Timestamp,
};

/// An expected reason for not forwarding a request. Closed; [`Refusal::outcome`] is the only place
/// that maps it to HTTP.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refusal {
    /// The request has no reading, or more than one.
    Malformed(Malformed),
    /// A route is for it, and nobody is signed in.
    SignInNeeded(Option<Rejection>),
    /// Somebody is signed in, less strongly than the route asks.
    StrongerSignInNeeded,
    /// Policy says no. Who asks is told "nothing here", "not this method" or "not open to you",
    /// never which role or tenant is missing.
    Denied(DenyReason),
    /// Our cookie more than once, or not readable as one.
    Cookie,
    /// An API token together with a cookie.
    TwoCredentials,
    /// An API token: not available in this version.
    ApiToken,
    /// An upgrade to anything but a WebSocket, or a malformed one.
    Upgrade,
    /// A WebSocket that uses our cookie from another origin.
    ForeignOrigin,
    /// The address asks too often.
    TooManyRequests {
        /// When it may ask again.
        retry_after: Duration,
    },
    /// The head is longer, or has more fields, than the door takes.
    HeadTooLarge,
    /// The head was not whole in time.
    HeadTooSlow,
    /// The body is longer than the in-process pages take.
    BodyTooLarge,
    /// The body did not arrive in time.
    BodyTooSlow,
    /// The upstream cannot be reached, or none of its addresses may be used.
    UpstreamUnreachable,
    /// The upstream answered with what is no HTTP.
    UpstreamBroken,
    /// The upstream did not answer in time.
    UpstreamTooSlow,
    /// The session store cannot be asked: the door stays shut.
    StoreUnavailable,
    /// No random bytes, or another fault of ours.
    Fault,
    /// A request was about to be forwarded without a permit.
    Invariant,
}

/// What the sender of a refused request is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Outcome {
    /// The status.
    pub(crate) status: StatusCode,
    /// The stable id in answers, access lines and metrics.
    pub(crate) id: &'static str,
    /// The fixed English title of problem+json (RFC 9457, section 3.1.3).
    pub(crate) title: &'static str,
    /// Which page people see.
    pub(crate) page: PageKind,
    /// Whether the connection is closed because its framing cannot be trusted any more.
    pub(crate) connection: AfterRefusal,
}

/// What becomes of the connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AfterRefusal {
    /// It may carry further requests.
    Keep,
    /// It is closed after the answer.
    Close,
}

/// Which error page people see.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum PageKind {
    /// 400, 405, 414, 421: the reason in words, and the id.
    BadRequest,
    /// 401 to what is no navigation, or to an upgrade.
    SignInNeeded,
    /// 403: the session is fine, this page is not open to you.
    Refused,
    /// 404.
    NotFound,
    /// 413.
    TooLarge,
    /// 408.
    TooSlow,
    /// 429, with the time after which to try again.
    TooManyRequests,
    /// 500: our fault.
    Fault,
    /// 502: the service does not answer.
    ServiceDown,
    /// 503: we are busy or cannot look sessions up.
    Busy,
    /// 504: the service is too slow.
    ServiceTooSlow,
}

/// What an error page may say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErrorPage<'a> {
    /// Which page.
    pub(crate) kind: PageKind,
    /// The reference that a person can quote.
    pub(crate) request_id: RequestId,
    /// When it happened.
    pub(crate) at: Timestamp,
    /// The host asked for, where it could be read.
    pub(crate) host: Option<&'a Host>,
    /// The canonical path and query, for "try again"; only for GET.
    pub(crate) retry: Option<&'a str>,
    /// Whether the request was to change something: a 504 then says that it may have been done.
    pub(crate) is_write: bool,
    /// When it may be tried again.
    pub(crate) retry_after: Option<Duration>,
    /// The client's `Accept-Language`.
    pub(crate) accept_language: Option<&'a str>,
    /// The client's `Cookie` field as it came: a remembered language may be in it.
    pub(crate) cookie: Option<&'a str>,
}

/// A page, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct RenderedPage {
    /// The HTML.
    pub(crate) body: Bytes,
    /// The page's content security policy.
    pub(crate) content_security_policy: Cow<'static, str>,
    /// `Content-Language`.
    pub(crate) language: &'static str,
}

/// Writes error pages: what the request path knows of HTML.
pub(crate) trait ErrorPages: Send + Sync + 'static {
    /// The page for `page`. Never fails: where a template does, plain words are shown.
    fn render(&self, page: &ErrorPage<'_>) -> RenderedPage;
}

impl Refusal {
    /// THE table.
    pub(crate) const fn outcome(self) -> Outcome {
        match self {
            Self::Malformed(reason) => malformed(reason),
            Self::Denied(reason) => denied(reason),
            Self::SignInNeeded(None) => sign_in("sign_in_needed"),
            Self::SignInNeeded(Some(rejection)) => sign_in(rejection.as_str()),
            Self::StrongerSignInNeeded => sign_in("stronger_sign_in_needed"),
            Self::Cookie => COOKIE,
            Self::TwoCredentials => TWO_CREDENTIALS,
            Self::ApiToken => API_TOKEN,
            Self::Upgrade => UPGRADE,
            Self::ForeignOrigin => FOREIGN_ORIGIN,
            Self::TooManyRequests { .. } => TOO_MANY_REQUESTS,
            Self::HeadTooLarge => HEAD_TOO_LARGE,
            Self::HeadTooSlow => HEAD_TOO_SLOW,
            Self::BodyTooLarge => BODY_TOO_LARGE,
            Self::BodyTooSlow => BODY_TOO_SLOW,
            Self::UpstreamUnreachable => UPSTREAM_UNREACHABLE,
            Self::UpstreamBroken => UPSTREAM_BROKEN,
            Self::UpstreamTooSlow => UPSTREAM_TOO_SLOW,
            Self::StoreUnavailable => STORE_UNAVAILABLE,
            Self::Fault => FAULT,
            Self::Invariant => INVARIANT,
        }
    }

    /// What the refusal rests on, for the log alone.
    pub(crate) const fn because(self) -> Option<&'static str> {
        if let Self::Denied(reason) = self {
            Some(reason.as_str())
        } else {
            None
        }
    }

    /// When it may be tried again, as `Retry-After` says.
    pub(crate) const fn retry_after(self) -> Option<Duration> {
        if let Self::TooManyRequests { retry_after } = self {
            Some(retry_after)
        } else if matches!(self, Self::StoreUnavailable) {
            Some(STORE_RETRY)
        } else {
            None
        }
    }
}

const fn denied(reason: DenyReason) -> Outcome {
    use AfterRefusal::Keep;
    match reason {
        DenyReason::HostUnknown | DenyReason::PathUnknown => row(
            404,
            "no_route",
            "There is nothing here.",
            PageKind::NotFound,
            Keep,
        ),
        DenyReason::MethodNotRouted => row(
            405,
            "method_not_allowed",
            "This method is not served here.",
            PageKind::BadRequest,
            Keep,
        ),
        DenyReason::GrantEnded | DenyReason::RoleMissing | DenyReason::TenantNotListed => row(
            403,
            "not_allowed",
            "This is not open to you.",
            PageKind::Refused,
            Keep,
        ),
    }
}

const fn sign_in(id: &'static str) -> Outcome {
    row(
        401,
        id,
        "Sign in first.",
        PageKind::SignInNeeded,
        AfterRefusal::Keep,
    )
}

const fn malformed(reason: Malformed) -> Outcome {
    let (status, title) = match reason.kind() {
        MalformedKind::Unreadable => (400, "The request cannot be read in one way only."),
        MalformedKind::MethodNotAllowed => (405, "This method is not served."),
        MalformedKind::TooLong => (414, "The address is too long."),
        MalformedKind::ExpectationUnmet => (417, "Nothing but 100-continue may be expected."),
        MalformedKind::Misdirected => (421, "This connection is for another host."),
    };
    row(
        status,
        reason.as_str(),
        title,
        PageKind::BadRequest,
        AfterRefusal::Close,
    )
}

const fn row(
    status: u16,
    id: &'static str,
    title: &'static str,
    page: PageKind,
    connection: AfterRefusal,
) -> Outcome {
    let status = match StatusCode::from_u16(status) {
        Ok(status) => status,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Outcome {
        status,
        id,
        title,
        page,
        connection,
    }
}

// The rows: status, id, English title, page, what becomes of the connection.
const COOKIE: Outcome = row(
    400,
    "cookie_repeated",
    "The session cookie came more than once.",
    PageKind::BadRequest,
    AfterRefusal::Keep,
);
const TWO_CREDENTIALS: Outcome = row(
    400,
    "two_credentials",
    "A cookie and an API token came together.",
    PageKind::BadRequest,
    AfterRefusal::Keep,
);
const API_TOKEN: Outcome = row(
    401,
    "api_token",
    "API tokens are not available in this version.",
    PageKind::SignInNeeded,
    AfterRefusal::Keep,
);
const UPGRADE: Outcome = row(
    400,
    "upgrade",
    "Only WebSocket upgrades are served.",
    PageKind::BadRequest,
    AfterRefusal::Close,
);
const FOREIGN_ORIGIN: Outcome = row(
    403,
    "foreign_origin",
    "A WebSocket is opened from its own origin.",
    PageKind::Refused,
    AfterRefusal::Close,
);
const TOO_MANY_REQUESTS: Outcome = row(
    429,
    "too_many_requests",
    "Too many requests.",
    PageKind::TooManyRequests,
    AfterRefusal::Keep,
);
const HEAD_TOO_LARGE: Outcome = row(
    431,
    "head_too_large",
    "The request's header is too large.",
    PageKind::TooLarge,
    AfterRefusal::Close,
);
const HEAD_TOO_SLOW: Outcome = row(
    408,
    "head_too_slow",
    "The request's header did not arrive in time.",
    PageKind::TooSlow,
    AfterRefusal::Close,
);
const BODY_TOO_LARGE: Outcome = row(
    413,
    "body_too_large",
    "The body is too large.",
    PageKind::TooLarge,
    AfterRefusal::Close,
);
const BODY_TOO_SLOW: Outcome = row(
    408,
    "body_too_slow",
    "The body did not arrive in time.",
    PageKind::TooSlow,
    AfterRefusal::Close,
);
const UPSTREAM_UNREACHABLE: Outcome = row(
    502,
    "upstream_unreachable",
    "The service does not answer.",
    PageKind::ServiceDown,
    AfterRefusal::Keep,
);
const UPSTREAM_BROKEN: Outcome = row(
    502,
    "upstream_broken",
    "The service's answer cannot be read.",
    PageKind::ServiceDown,
    AfterRefusal::Close,
);
const UPSTREAM_TOO_SLOW: Outcome = row(
    504,
    "upstream_too_slow",
    "The service did not answer in time.",
    PageKind::ServiceTooSlow,
    AfterRefusal::Close,
);
const STORE_UNAVAILABLE: Outcome = row(
    503,
    "store_unavailable",
    "Sessions cannot be looked up now.",
    PageKind::Busy,
    AfterRefusal::Keep,
);
const FAULT: Outcome = row(
    500,
    "fault",
    "Something went wrong here.",
    PageKind::Fault,
    AfterRefusal::Close,
);
const INVARIANT: Outcome = row(
    500,
    "invariant",
    "Something went wrong here.",
    PageKind::Fault,
    AfterRefusal::Close,
);

/// A store that is away for a restart is back by then.
const STORE_RETRY: Duration = Duration::from_secs(5);
