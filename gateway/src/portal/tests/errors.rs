//! Pages for what the request path refuses.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use octroi_policy::id::RequestId;

use super::{host, site};
use crate::{
    identity::testing::START,
    portal::errors::PortalErrorPages,
    proxy::refusal::{ErrorPage, ErrorPages as _, PageKind},
};

const KINDS: [PageKind; 11] = [
    PageKind::BadRequest,
    PageKind::SignInNeeded,
    PageKind::Refused,
    PageKind::NotFound,
    PageKind::TooLarge,
    PageKind::TooSlow,
    PageKind::TooManyRequests,
    PageKind::Fault,
    PageKind::ServiceDown,
    PageKind::Busy,
    PageKind::ServiceTooSlow,
];

fn rendered(kind: PageKind, change: impl FnOnce(&mut ErrorPage<'_>)) -> String {
    let pages = PortalErrorPages::new(Arc::new(ArcSwap::from_pointee(site(""))));
    let host = host("paie.exemple.fr");
    let mut page = ErrorPage {
        kind,
        request_id: RequestId::from_random([7; 16]),
        at: START,
        host: Some(&host),
        retry: Some("/a?b=c&d=\"><script>"),
        is_write: false,
        retry_after: Some(Duration::from_mins(2)),
        accept_language: Some("en"),
        cookie: None,
    };
    // The lifetime of what is changed is that of the page.
    change(&mut page);
    let rendered = pages.render(&page);
    String::from_utf8(rendered.body.to_vec()).unwrap()
}

#[test]
fn every_refusal_has_a_page_with_a_reference_in_both_languages() {
    for kind in KINDS {
        for (language, words) in [("fr", "Référence à citer"), ("en", "Reference to quote")] {
            let page = rendered(kind, |page| page.accept_language = Some(language));
            assert!(
                page.contains(&format!("<html lang=\"{language}\">")),
                "{kind:?}"
            );
            assert!(page.contains(words), "{kind:?}");
            assert!(page.contains("<code id=\"reference\">07070707-0707-4707-8707-070707070707"));
            assert_eq!(page.matches("<h1").count(), 1, "{kind:?}");
            assert!(!page.contains("{$"), "{kind:?}");
            assert!(!page.contains("reason_of_the_log"), "{kind:?}");
            assert!(!page.contains("<script>"), "{kind:?}: escaped");
        }
    }
}

#[test]
fn a_remembered_language_holds_on_pages_of_refusal_too() {
    let page = rendered(PageKind::NotFound, |page| {
        page.cookie = Some("a=b; __Host-octroi-lang=fr");
    });
    assert!(page.contains("Cette page n’existe pas."));
}

#[test]
fn a_refused_person_can_write_look_elsewhere_or_come_as_somebody_else() {
    let page = rendered(PageKind::Refused, |_| {});
    for part in [
        "href=\"mailto:aide@exemple.fr?subject=Access%20refused%2C%20reference%2007070707-",
        "href=\"https://portail.exemple.fr/.octroi/account\">My services",
        "href=\"https://portail.exemple.fr/.octroi/logout\">Use another account",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    for secret in ["rh", "acme", "Acme", "organisation", "right"] {
        assert!(
            !page.contains(secret),
            "what is missing is not said: {secret}"
        );
    }
}

#[test]
fn a_write_that_was_cut_short_says_that_it_may_have_been_done() {
    let told = "What you sent may have been taken into account";
    let read = rendered(PageKind::ServiceTooSlow, |_| {});
    assert!(!read.contains(told) && read.contains(">Try again</a>"));
    let write = rendered(PageKind::ServiceTooSlow, |page| {
        page.is_write = true;
        page.retry = None;
    });
    assert!(write.contains(told) && !write.contains(">Try again</a>"));
}

#[test]
fn too_many_requests_says_until_when() {
    let page = rendered(PageKind::TooManyRequests, |_| {});
    assert!(
        page.contains("<time datetime=\"2027-01-15T08:02:00Z\">09:02 (Paris time)</time>"),
        "{page}"
    );
}
