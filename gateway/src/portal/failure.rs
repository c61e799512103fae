//! What pages and the JSON API say when something cannot be done.

use std::time::Duration;

use askama::Template;
use axum::{
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    ask::{Ask, Framed},
    frame::{Frame, Sentence, answer, protect, with_cookies},
};
use crate::identity::Fault;

/// A page that says one thing.
#[derive(Template)]
#[template(path = "message.html")]
pub(crate) struct MessagePage {
    /// The frame.
    pub(crate) frame: Frame,
    /// What it says.
    pub(crate) paragraphs: Vec<Sentence>,
    /// What the person can quote.
    pub(crate) reference: Option<Reference>,
    /// Ways on, the likeliest first.
    pub(crate) actions: Vec<Action>,
}

/// A reference to quote, and when it was given.
pub(crate) struct Reference {
    /// The request's id.
    pub(crate) id: String,
    /// The words before and after it.
    pub(crate) before: String,
    /// See [`before`](Self::before).
    pub(crate) after: String,
    /// When.
    pub(crate) at: super::dates::Moment,
    /// The words before and after the time.
    pub(crate) time_before: String,
    /// See [`time_before`](Self::time_before).
    pub(crate) time_after: String,
}

/// A way on from a page.
pub(crate) struct Action {
    /// Where it leads.
    pub(crate) href: String,
    /// What it says.
    pub(crate) label: String,
}

impl Reference {
    /// The reference of a request.
    pub(super) fn new(
        calendar: super::dates::Calendar<'_>,
        texts: &super::texts::Texts,
        id: String,
        at: octroi_policy::time::Timestamp,
    ) -> Self {
        let (before, after) = texts.around("reference", "id");
        let (time_before, time_after) = texts.around("error-time", "time");
        Self {
            id,
            before,
            after,
            at: calendar.sentence(at),
            time_before,
            time_after,
        }
    }
}

/// Identity could not answer: the door stays shut, and the person is told that it is not them.
pub(super) fn fault(ask: &Ask, fault: &Fault) -> Response {
    tracing::error!(
        error = %trail(fault),
        request.id = %ask.visitor.client.request,
        "a page could not be answered"
    );
    closed(ask)
}

/// A fault and what caused it, for the log.
pub(super) fn trail(fault: &Fault) -> String {
    let causes = std::iter::successors(std::error::Error::source(fault), |cause| cause.source());
    causes.fold(fault.to_string(), |trail, cause| {
        format!("{trail}: {cause}")
    })
}

/// The page of a closed door: 503.
pub(super) fn closed(ask: &Ask) -> Response {
    let paragraphs = vec![
        Sentence::plain(ask.texts.get("error-closed")),
        Sentence::plain(ask.texts.get("error-down-what")),
    ];
    let mut page = Message::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "error-closed-title",
        paragraphs,
    );
    page.actions.extend(again(ask));
    page.actions.extend(support(ask, "error-support-subject"));
    retry_after(page.answer(ask), RETRY_AFTER_FAULT_SECONDS)
}

/// The same page again, where asking again changes nothing.
fn again(ask: &Ask) -> Option<Action> {
    let place = ask.uri.path_and_query()?;
    (ask.method == Method::GET).then(|| Action {
        href: place.as_str().to_owned(),
        label: ask.texts.get("try-again"),
    })
}

/// Writing to support, with the reference in the subject.
pub(super) fn support(ask: &Ask, subject: &str) -> Option<Action> {
    let id = ask.visitor.client.request.to_string();
    let subject = ask.texts.with(subject, "id", &id);
    Some(Action {
        href: ask.site.write_to_support(&subject)?,
        label: ask.texts.get("refused-support"),
    })
}

/// The page of somebody who comes too often: 429.
pub(super) fn too_many(ask: &Ask, wait: Duration) -> Response {
    let moment = ask.calendar().clock(ask.now.after(wait));
    let paragraphs = vec![Sentence::with_time(ask.texts, "limited", moment)];
    let page = Message::new(StatusCode::TOO_MANY_REQUESTS, "limited-title", paragraphs);
    retry_after(page.answer(ask), wait.as_secs().max(1))
}

/// A form whose fields cannot be read: 400.
pub(super) fn unreadable_form(ask: &Ask) -> Response {
    let paragraphs = vec![
        Sentence::plain(ask.texts.get("error-bad")),
        Sentence::plain(ask.texts.get("error-bad-what")),
    ];
    Message::new(StatusCode::BAD_REQUEST, "error-bad-title", paragraphs).answer(ask)
}

/// A form that was not sent from our page: 403, and the way back to the page.
pub(super) fn distrusted_form(ask: &Ask, forgery: super::forms::Forgery, back: &str) -> Response {
    let notice = super::parts::distrust(ask, forgery);
    let mut page = Message::new(
        StatusCode::FORBIDDEN,
        "error-form-title",
        vec![Sentence::plain(notice.before)],
    );
    page.actions.push(Action {
        href: back.to_owned(),
        label: ask.texts.get("start-again"),
    });
    page.answer(ask)
}

/// 404.
pub(super) async fn not_found(ask: Ask) -> Response {
    let paragraphs = vec![Sentence::plain(ask.texts.get("error-missing"))];
    let mut page = Message::new(StatusCode::NOT_FOUND, "error-missing-title", paragraphs);
    page.actions.push(Action {
        href: ask.site.portal_url("/.octroi/account"),
        label: ask.texts.get("refused-services"),
    });
    page.answer(&ask)
}

/// 405.
pub(super) async fn method_not_allowed(ask: Ask) -> Response {
    let paragraphs = vec![Sentence::plain(ask.texts.get("error-method"))];
    Message::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "error-method-title",
        paragraphs,
    )
    .answer(&ask)
}

/// A page that says one thing, before it is framed.
pub(super) struct Message {
    pub(super) status: StatusCode,
    pub(super) title: &'static str,
    pub(super) paragraphs: Vec<Sentence>,
    pub(super) actions: Vec<Action>,
    /// Where a choice of language leads back to, if not to the page's own address.
    pub(super) back: Option<&'static str>,
}

impl Message {
    pub(super) const fn new(
        status: StatusCode,
        title: &'static str,
        paragraphs: Vec<Sentence>,
    ) -> Self {
        Self {
            status,
            title,
            paragraphs,
            actions: Vec::new(),
            back: None,
        }
    }

    pub(super) fn answer(self, ask: &Ask) -> Response {
        let Framed { mut frame, cookie } = ask.frame(ask.texts.get(self.title));
        if let Some(form) = &mut frame.language_form {
            // An answer to a form has no address to come back to, and a dead link shall not be
            // written into a page.
            let is_answer = ask.headers.contains_key(header::CONTENT_TYPE);
            match self.back {
                Some(back) => back.clone_into(&mut form.back),
                None if is_answer => "/".clone_into(&mut form.back),
                None => {}
            }
        }
        let id = ask.visitor.client.request.to_string();
        let page = MessagePage {
            frame,
            paragraphs: self.paragraphs,
            reference: Some(Reference::new(ask.calendar(), ask.texts, id, ask.now)),
            actions: self.actions,
        };
        with_cookies(answer(self.status, ask.language(), &page), [cookie])
    }
}

/// Says when to try again (RFC 9110, section 10.2.3).
pub(super) fn retry_after(mut response: Response, seconds: u64) -> Response {
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// A problem for programs (RFC 9457). `error` is the stable id; `title` is for people who debug.
pub(super) fn problem(status: StatusCode, error: &str, title: &str) -> Response {
    json_answer(
        status,
        HeaderValue::from_static("application/problem+json"),
        &json!({"type": "about:blank", "title": title, "status": status.as_u16(), "error": error}),
    )
}

/// An answer for programs.
pub(super) fn json_ok(body: &Value) -> Response {
    json_answer(
        StatusCode::OK,
        HeaderValue::from_static("application/json"),
        body,
    )
}

fn json_answer(status: StatusCode, content_type: HeaderValue, body: &Value) -> Response {
    let mut response = (status, body.to_string()).into_response();
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, content_type);
    if status == StatusCode::UNAUTHORIZED {
        fields.insert(header::WWW_AUTHENTICATE, CHALLENGE);
    }
    protect(fields);
    response
}

/// What a 401 asks for; browsers know no scheme of this name, so no dialog opens.
pub(super) const CHALLENGE: HeaderValue = HeaderValue::from_static("Octroi");

/// When it is worth asking again after a fault of ours.
const RETRY_AFTER_FAULT_SECONDS: u64 = 30;
