//! What every handler is given: the portal's parts, the visitor, and the page's language.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use octroi_policy::{
    session::{Computer, renewal::Use},
    time::Timestamp,
};

use super::{
    Portal, Visitor, cookies,
    dates::Calendar,
    forms::{Forgery, IssuedForm, SEC_FETCH_DEST},
    frame::{Frame, LanguageForm, SessionLine},
    language::Language,
    site::Site,
    texts::Texts,
};
use crate::identity::{
    Fault, Identity,
    secret::SessionToken,
    sessions::{Presence, SignedIn},
    sign_in::NewSession,
};

/// One request to the portal, with everything that a handler needs to answer it.
pub(super) struct Ask {
    pub(super) portal: Portal,
    pub(super) site: Arc<Site>,
    pub(super) visitor: Visitor,
    pub(super) headers: HeaderMap,
    pub(super) uri: Uri,
    pub(super) method: Method,
    pub(super) texts: &'static Texts,
    pub(super) now: Timestamp,
}

/// A page's frame, and the cookies that go with it.
pub(super) struct Framed {
    pub(super) frame: Frame,
    pub(super) cookie: Option<HeaderValue>,
}

impl Ask {
    pub(super) fn identity(&self) -> &Identity {
        &self.portal.identity
    }

    pub(super) fn language(&self) -> Language {
        self.texts.language()
    }

    /// Whether a browser goes here as a page. One that does not say is taken at its word, and so is
    /// a program; `HEAD` is nobody going anywhere.
    pub(super) fn is_page(&self) -> bool {
        let destination = self.headers.get(SEC_FETCH_DEST);
        self.method != Method::HEAD
            && destination.is_none_or(|destination| destination == "document")
    }

    pub(super) fn calendar(&self) -> Calendar<'_> {
        Calendar::new(self.texts, &self.site.zone)
    }

    pub(super) fn token(&self) -> Option<&SessionToken> {
        self.visitor.token.as_deref()
    }

    /// Renews a session where the request is use of it, by the rule that routes go by too: an image
    /// or a frame that points here keeps no forgotten session alive.
    pub(super) fn renew(&self, signed_in: &SignedIn) {
        if Use::of(&self.method, &self.headers, false).renews() {
            self.identity().renew(signed_in);
        }
    }

    /// Who stands behind the visitor's token.
    pub(super) async fn presence(&self) -> Result<Presence, Fault> {
        let presence = self
            .identity()
            .presence(self.token(), &self.visitor.host)
            .await;
        if let Ok(Presence::Rejected(rejection)) = &presence {
            let request = self.visitor.client.request;
            tracing::debug!(%request, because = rejection.as_str(), "a token does not count");
        }
        presence
    }

    /// Whether a form with this token was sent from our own page by the browser that has the page.
    pub(super) fn check_form(&self, token: &str) -> Result<(), Forgery> {
        let origin = self.site.origin(&self.visitor.host);
        self.portal
            .forms
            .check(token, &self.headers, self.token(), &origin)
    }

    /// The frame of a page for somebody who is not signed in.
    pub(super) fn frame(&self, title: String) -> Framed {
        match self.portal.forms.before_sign_in(&self.headers) {
            Ok(form) => self.framed(title, form, None),
            Err(fault) => {
                // The page is shown; its forms will be refused, since no token fits.
                tracing::error!(error = %fault, "no form token");
                let form = IssuedForm {
                    token: String::new(),
                    cookie: None,
                };
                self.framed(title, form, None)
            }
        }
    }

    /// The frame of a page for somebody who is signed in.
    pub(super) fn frame_in_session(&self, title: String, signed_in: &SignedIn) -> Framed {
        let line = SessionLine::new(
            self.calendar(),
            self.texts,
            signed_in.record().computer,
            (signed_in.ends_at(), signed_in.record().ends_at),
            self.now,
        );
        match self.token() {
            Some(token) => self.framed(title, self.portal.forms.for_session(token), Some(line)),
            None => self.frame(title),
        }
    }

    /// The frame of a page for somebody who has to choose a password first.
    pub(super) fn frame_in_pending_session(&self, title: String) -> Framed {
        match self.token() {
            Some(token) => self.framed(title, self.portal.forms.for_session(token), None),
            None => self.frame(title),
        }
    }

    /// The cookie of a session that was just opened here.
    pub(super) fn session_cookie(&self, session: &NewSession) -> Option<HeaderValue> {
        session_cookie(self, &session.token, session.computer, session.ends_at)
    }

    /// Remembers, or forgets, that this browser is the person's own.
    pub(super) fn computer_cookie(computer: Computer) -> Option<HeaderValue> {
        match computer {
            Computer::Private => {
                cookies::set(cookies::COMPUTER, "private", Some(cookies::PREFERENCE_LIFE))
            }
            Computer::Public => cookies::clear(cookies::COMPUTER),
        }
    }

    /// What is preselected: "shared", unless this browser was said to be the person's own.
    pub(super) fn likely_computer(&self) -> Computer {
        match cookies::read(&self.headers, cookies::COMPUTER) {
            Some("private") => Computer::Private,
            _ => Computer::Public,
        }
    }

    fn framed(&self, title: String, form: IssuedForm, session: Option<SessionLine>) -> Framed {
        let back = self
            .uri
            .path_and_query()
            .map_or("/", |place| place.as_str());
        // An application host serves no choice of language, and no account either.
        let is_portal = self.visitor.host == self.site.portal;
        let frame = Frame {
            site: Arc::clone(&self.site),
            texts: self.texts,
            title,
            has_problems: false,
            session: session.filter(|_| is_portal),
            language_form: Some(LanguageForm {
                token: form.token,
                back: back.to_owned(),
            }),
            offers_language: is_portal,
        };
        Framed {
            frame,
            cookie: form.cookie,
        }
    }
}

/// The cookie of a session's token on this host: until the browser is closed, or on the person's
/// own computer until the session ends.
pub(super) fn session_cookie(
    ask: &Ask,
    token: &SessionToken,
    computer: Computer,
    ends_at: Timestamp,
) -> Option<HeaderValue> {
    let life = ask
        .site
        .keeps_cookie(computer)
        .then(|| Duration::from_secs(ends_at.since(ask.now).as_secs()));
    cookies::set(cookies::SESSION, &token.expose(), life)
}

/// The language of a request: remembered, or asked for by the browser.
pub(super) fn language_of(headers: &HeaderMap) -> Language {
    let accepted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|field| field.to_str().ok());
    Language::negotiate(cookies::read(headers, cookies::LANGUAGE), accepted)
}

impl FromRequestParts<Portal> for Ask {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, portal: &Portal) -> Result<Self, Response> {
        let Some(visitor) = parts.extensions.get::<Visitor>().cloned() else {
            tracing::error!("a request reached the portal without its visitor");
            return Err(StatusCode::INTERNAL_SERVER_ERROR.into_response());
        };
        Ok(Self {
            portal: portal.clone(),
            site: portal.site.load_full(),
            texts: Texts::of(language_of(&parts.headers)),
            visitor,
            headers: parts.headers.clone(),
            uri: parts.uri.clone(),
            method: parts.method.clone(),
            now: portal.clock.now(),
        })
    }
}
