//! Pages for what the request path refuses: each says what happened, whose doing it is not, what
//! to do next, and a reference to quote.

use std::{borrow::Cow, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use askama::Template;
use bytes::Bytes;

use super::{
    cookies,
    dates::Calendar,
    failure::{Action, MessagePage, Reference},
    frame::{CONTENT_SECURITY_POLICY, Frame, Sentence},
    language::Language,
    site::Site,
    texts::Texts,
};
use crate::proxy::refusal::{ErrorPage, ErrorPages, PageKind, RenderedPage};

/// Writes the pages in the installation's look.
pub(crate) struct PortalErrorPages {
    site: Arc<ArcSwap<Site>>,
}

impl PortalErrorPages {
    /// Pages for this site, which is swapped by whoever reloads the configuration.
    pub(crate) const fn new(site: Arc<ArcSwap<Site>>) -> Self {
        Self { site }
    }
}

impl ErrorPages for PortalErrorPages {
    fn render(&self, page: &ErrorPage<'_>) -> RenderedPage {
        let language = language_of(page);
        let site = self.site.load_full();
        let message = Words {
            texts: Texts::of(language),
            site,
            page,
        }
        .message();
        let body = message.render().map_or_else(
            |fault| {
                tracing::error!(error = %fault, "an error page cannot be rendered");
                Bytes::from_static(PLAIN_WORDS)
            },
            Bytes::from,
        );
        RenderedPage {
            body,
            content_security_policy: Cow::Borrowed(CONTENT_SECURITY_POLICY),
            language: language.tag(),
        }
    }
}

fn language_of(page: &ErrorPage<'_>) -> Language {
    let mut remembered = page
        .cookie
        .into_iter()
        .flat_map(cookies::in_field)
        .filter(|(name, _)| *name == cookies::LANGUAGE)
        .map(|(_, value)| value);
    Language::negotiate(remembered.next(), page.accept_language)
}

/// What a page is written from.
struct Words<'a> {
    texts: &'static Texts,
    site: Arc<Site>,
    page: &'a ErrorPage<'a>,
}

impl Words<'_> {
    fn message(self) -> MessagePage {
        let (title, paragraphs) = self.said();
        let actions = self.actions();
        let calendar = Calendar::new(self.texts, &self.site.zone);
        let reference = Reference::new(
            calendar,
            self.texts,
            self.page.request_id.to_string(),
            self.page.at,
        );
        let frame = Frame {
            title: self.texts.get(title),
            texts: self.texts,
            has_problems: false,
            session: None,
            language_form: None,
            offers_language: false,
            site: self.site,
        };
        MessagePage {
            frame,
            paragraphs,
            reference: Some(reference),
            actions,
        }
    }

    /// Title and sentences of each kind of page.
    fn said(&self) -> (&'static str, Vec<Sentence>) {
        match self.page.kind {
            PageKind::BadRequest => (
                "error-bad-title",
                self.all(&["error-bad", "error-bad-what"]),
            ),
            PageKind::SignInNeeded => ("signin-needed-title", self.all(&["signin-needed"])),
            PageKind::Refused => ("refused-title", self.all(&["refused-body"])),
            PageKind::NotFound => ("error-missing-title", self.all(&["error-missing"])),
            PageKind::TooLarge => ("error-large-title", self.all(&["error-large"])),
            // Part of a body may have reached the service before its time was over.
            PageKind::TooSlow if self.page.is_write => (
                "error-late-title",
                self.all(&["error-late", "error-slow-write"]),
            ),
            PageKind::TooSlow => ("error-late-title", self.all(&["error-late"])),
            PageKind::TooManyRequests => ("limited-title", vec![self.limited()]),
            PageKind::Fault => (
                "error-fault-title",
                self.all(&["error-fault", "error-down-what"]),
            ),
            PageKind::ServiceDown => {
                let mut said = self.about_host("error-down");
                said.extend(self.all(&["error-down-what"]));
                ("error-down-title", said)
            }
            PageKind::Busy => (
                "error-closed-title",
                self.all(&["error-closed", "error-down-what"]),
            ),
            PageKind::ServiceTooSlow => {
                let mut said = self.about_host("error-slow");
                if self.page.is_write {
                    said.extend(self.all(&["error-slow-write"]));
                } else {
                    said.extend(self.all(&["error-not-you", "error-down-what"]));
                }
                ("error-slow-title", said)
            }
        }
    }

    fn all(&self, keys: &[&str]) -> Vec<Sentence> {
        keys.iter()
            .map(|key| Sentence::plain(self.texts.get(key)))
            .collect()
    }

    fn about_host(&self, key: &str) -> Vec<Sentence> {
        let host = self.page.host.map_or("", |host| host.as_str());
        vec![Sentence::plain(self.texts.with(key, "host", host))]
    }

    fn limited(&self) -> Sentence {
        let again_at = self
            .page
            .at
            .after(self.page.retry_after.unwrap_or(Duration::ZERO));
        let moment = Calendar::new(self.texts, &self.site.zone).clock(again_at);
        Sentence::with_time(self.texts, "limited", moment)
    }

    fn actions(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        let mut add = |href: String, key: &str| {
            actions.push(Action {
                href,
                label: self.texts.get(key),
            });
        };
        let portal = |path: &str| self.site.portal_url(path);
        match self.page.kind {
            PageKind::Refused => {
                if let Some(support) = self.support("refused-support-subject") {
                    add(support, "refused-support");
                }
                add(portal("/.octroi/account"), "refused-services");
                add(portal("/.octroi/logout"), "refused-other");
            }
            PageKind::SignInNeeded => {
                add("/.octroi/login".to_owned(), "signin-button");
            }
            PageKind::Busy
            | PageKind::Fault
            | PageKind::ServiceDown
            | PageKind::ServiceTooSlow
            | PageKind::TooManyRequests
            | PageKind::TooSlow => {
                if let Some(target) = self.page.retry {
                    add(target.to_owned(), "try-again");
                }
                if self.page.kind != PageKind::TooManyRequests
                    && let Some(support) = self.support("error-support-subject")
                {
                    add(support, "refused-support");
                }
            }
            PageKind::NotFound => add(portal("/.octroi/account"), "refused-services"),
            PageKind::BadRequest | PageKind::TooLarge => {
                if let Some(support) = self.support("error-support-subject") {
                    add(support, "refused-support");
                }
            }
        }
        actions
    }

    fn support(&self, subject: &str) -> Option<String> {
        let id = self.page.request_id.to_string();
        self.site
            .write_to_support(&self.texts.with(subject, "id", &id))
    }
}

/// What is shown when the page itself cannot be written.
const PLAIN_WORDS: &[u8] = b"<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
    <title>octroi</title><p>This page cannot be shown. This is not your doing.</p></html>";
