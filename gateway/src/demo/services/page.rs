//! The look that the demo's services share: plain, readable, in French and English.

use axum::{
    Router,
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};

/// A language of the demo's services.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Language {
    /// English.
    English,
    /// French.
    French,
}

impl Language {
    /// The one that `Accept-Language` names first, of those that are spoken here; English where it
    /// names neither.
    pub(super) fn preferred(accept: &str) -> Self {
        let primary = |range: &str| {
            let tag = range.split(';').next().unwrap_or_default().trim();
            let tag = tag.split('-').next().unwrap_or_default();
            match tag.to_ascii_lowercase().as_str() {
                "fr" => Some(Self::French),
                "en" => Some(Self::English),
                _ => None,
            }
        };
        accept.split(',').find_map(primary).unwrap_or(Self::English)
    }

    /// The code for `lang`.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }

    /// The text in this language.
    pub(super) const fn pick(self, english: &'static str, french: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::French => french,
        }
    }
}

/// Answers with a page.
pub(super) fn answer<T: askama::Template>(status: StatusCode, page: &T) -> Response {
    match page.render() {
        Ok(html) => (status, [(header::CACHE_CONTROL, "no-store")], Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page of the demo cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A router with the style sheet that all pages link to.
pub(super) fn styled() -> Router {
    let css = [(header::CONTENT_TYPE, "text/css; charset=utf-8")];
    Router::new().route("/style.css", get(async move || (css, STYLE)))
}

const STYLE: &str = include_str!("../../../templates/demo/style.css");
