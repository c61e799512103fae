//! The frame that every page stands in: head, header, footer; and the fields that answers bear.

use std::sync::Arc;

use askama::Template;
use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use octroi_policy::{session::Computer, time::Timestamp};

use super::{
    dates::{Calendar, Moment},
    language::Language,
    look::Look,
    site::{FooterLink, Site},
    texts::{Texts, Variable},
};

/// What a page's frame shows.
pub(crate) struct Frame {
    /// The installation.
    pub(crate) site: Arc<Site>,
    /// The sentences of the page's language.
    pub(crate) texts: &'static Texts,
    /// The page's heading.
    pub(crate) title: String,
    /// Whether the page answers a form with problems: its title says so.
    pub(crate) has_problems: bool,
    /// When the session ends, where there is one.
    pub(crate) session: Option<SessionLine>,
    /// The page's form token, and where to come back to once a language is chosen.
    pub(crate) language_form: Option<LanguageForm>,
    /// Whether the language can be chosen here.
    pub(crate) offers_language: bool,
}

/// What the header says of a session, and what the banner will say shortly before its end.
pub(crate) struct SessionLine {
    /// When it ends.
    pub(crate) ends: Moment,
    /// The header's words before and after that time.
    pub(crate) before: String,
    /// See [`before`](Self::before).
    pub(crate) after: String,
    /// The banner's words before and after that time.
    pub(crate) ending_before: String,
    /// See [`ending_before`](Self::ending_before).
    pub(crate) ending_after: String,
    /// How long before the end the banner comes.
    pub(crate) lead_seconds: u64,
}

/// The form by which a language is chosen.
pub(crate) struct LanguageForm {
    /// The page's form token.
    pub(crate) token: String,
    /// The page to come back to.
    pub(crate) back: String,
}

/// A sentence with a time in it.
pub(crate) struct Sentence {
    /// The words before the time.
    pub(crate) before: String,
    /// The time.
    pub(crate) time: Option<Moment>,
    /// The words after it.
    pub(crate) after: String,
}

impl Frame {
    /// The sentence named `key`.
    pub(crate) fn text(&self, key: &str) -> String {
        self.texts.get(key)
    }

    /// The sentence named `key` with words put in.
    pub(crate) fn text_with(&self, key: &str, name: &str, value: &str) -> String {
        self.texts.with(key, name, value)
    }

    /// The sentence named `key` with a number put in.
    pub(crate) fn text_number(&self, key: &str, name: &str, value: u64) -> String {
        self.texts.with(key, name, value)
    }

    /// The language's tag.
    pub(crate) fn language(&self) -> &'static str {
        self.texts.language().tag()
    }

    /// What pages look like.
    pub(crate) fn look(&self) -> &Look {
        &self.site.look
    }

    /// The document's title: page, then brand, with a warning first where something is wrong.
    pub(crate) fn document_title(&self) -> String {
        let title = self.texts.fill(
            "page-title",
            [
                ("page", (&self.title).into()),
                ("brand", self.site.look.name().into()),
            ],
        );
        if self.has_problems {
            self.texts.with("error-title", "title", &title)
        } else {
            title
        }
    }

    /// The footer's links.
    pub(crate) fn footer(&self) -> Vec<FooterLink> {
        self.site.footer(self.texts)
    }

    /// The form by which a language is chosen, where it can be.
    pub(crate) fn offered_language(&self) -> Option<&LanguageForm> {
        self.language_form.as_ref().filter(|_| self.offers_language)
    }

    /// The token of the page's forms; empty on pages that have none.
    pub(crate) fn form_token(&self) -> &str {
        self.language_form
            .as_ref()
            .map_or("", |form| form.token.as_str())
    }
}

impl SessionLine {
    /// The line for a session that ends at `ends_at` unless it is used, and at `latest` in any case:
    /// which of the two it names it says.
    pub(crate) fn new(
        calendar: Calendar<'_>,
        texts: &Texts,
        computer: Computer,
        (ends_at, latest): (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Self {
        let (ends, is_another_day) = calendar.soon(ends_at, now);
        let (line, banner) = match (ends_at < latest, is_another_day) {
            (true, true) => ("session-idle-day", "ending-soon-day"),
            (true, false) => ("session-idle", "ending-soon"),
            (false, true) => ("session-until-day", "ending-soon-day"),
            (false, false) => ("session-until", "ending-soon"),
        };
        let (before, after) = texts.around(line, "time");
        let (ending_before, ending_after) = texts.around(banner, "time");
        let lead_seconds = match computer {
            Computer::Private => 5 * 60,
            Computer::Public => 2 * 60,
        };
        Self {
            ends,
            before,
            after,
            ending_before,
            ending_after,
            lead_seconds,
        }
    }
}

impl Sentence {
    /// A sentence without a time.
    pub(crate) fn plain(text: String) -> Self {
        Self {
            before: text,
            time: None,
            after: String::new(),
        }
    }

    /// The sentence named `key`, whose variable `time` is `moment`.
    pub(crate) fn with_time(texts: &Texts, key: &str, moment: Moment) -> Self {
        let (before, after) = texts.around(key, "time");
        Self {
            before,
            time: Some(moment),
            after,
        }
    }
}

/// The page as an answer. Where the template fails the answer is a plain 500.
pub(super) fn answer(status: StatusCode, language: Language, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => {
            let mut response = (status, html).into_response();
            let fields = response.headers_mut();
            fields.insert(header::CONTENT_TYPE, HTML);
            fields.insert(
                header::CONTENT_LANGUAGE,
                HeaderValue::from_static(language.tag()),
            );
            fields.insert(header::VARY, VARY);
            protect(fields);
            response
        }
        Err(fault) => {
            tracing::error!(error = %fault, "a page cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Puts on an answer what keeps other sites, caches and sniffers away from it.
pub(super) fn protect(fields: &mut HeaderMap) {
    for (name, value) in PROTECTION {
        fields
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
}

/// Adds cookies to an answer; one that cannot be written is left out, and the person signs in again.
pub(super) fn with_cookies(
    mut response: Response,
    cookies: impl IntoIterator<Item = Option<HeaderValue>>,
) -> Response {
    for cookie in cookies.into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Sends the browser on with a GET (RFC 9110, section 15.4.4): the one status by which we send anybody
/// on, since no client may repeat elsewhere what was posted here.
pub(super) fn see_other(location: &str) -> Response {
    let Ok(location) = HeaderValue::try_from(location) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = StatusCode::SEE_OTHER.into_response();
    let fields = response.headers_mut();
    fields.insert(header::LOCATION, location);
    fields.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    protect(fields);
    response
}

/// What pages may load and do: our own sheet, script and pictures, forms to ourselves, frames nowhere.
pub(super) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
    frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; \
    trusted-types 'none'";

/// `Referrer-Policy` is not `no-referrer`: under that one browsers send `Origin: null` with our own
/// forms (Fetch, "append a request Origin header").
const PROTECTION: [(HeaderName, &str); 7] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
         magnetometer=(), microphone=(), midi=(), payment=(), usb=()",
    ),
];

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const VARY: HeaderValue = HeaderValue::from_static("accept-language, cookie");

impl<'a> From<&'a Moment> for Variable<'a> {
    fn from(moment: &'a Moment) -> Self {
        Self::from(moment.text.as_str())
    }
}
