//! The visitor book of a building (promise D3): a visitor only registers, a tenant sees its own
//! visitors, reception sees the building's, IT may also erase.
//!
//! Who may use which method of which path is the gateway's business; what is left to the service
//! is to show each organisation its own lines.

use std::sync::{Arc, Mutex, PoisonError};

use askama::Template;
use axum::{
    Form, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;

use super::{caller::Caller, page};
use crate::clock::Clock;

/// `/` the form, `POST /visits` one line more, `GET /visits` the lines, `POST /admin/erase/{n}`
/// one line less.
pub(super) fn router(clock: Arc<dyn Clock>) -> Router {
    let book = Arc::new(Book {
        clock,
        visits: Mutex::default(),
    });
    let own = Router::new()
        .route("/", get(form))
        .route("/visits", get(list).post(register))
        .route("/admin/erase/{number}", post(erase))
        .with_state(book);
    page::styled().merge(own)
}

struct Book {
    clock: Arc<dyn Clock>,
    visits: Mutex<Vec<Visit>>,
}

#[derive(Clone)]
struct Visit {
    number: u64,
    visitor: String,
    host_tenant: String,
    minute_of_day: i64,
}

impl Visit {
    fn time(&self) -> String {
        format!(
            "{:02}:{:02} UTC",
            self.minute_of_day / 60,
            self.minute_of_day % 60
        )
    }
}

#[derive(Deserialize)]
struct Registration {
    visitor: String,
    host_tenant: String,
}

async fn form(caller: Caller) -> Response {
    page::answer(
        StatusCode::OK,
        &FormPage {
            may_list: ["occupant", "reception", "it"]
                .iter()
                .any(|role| caller.holds(role)),
            caller,
        },
    )
}

async fn register(
    State(book): State<Arc<Book>>,
    caller: Caller,
    Form(registration): Form<Registration>,
) -> Response {
    let visitor = registration.visitor.trim();
    let refused = visitor.is_empty()
        || visitor.chars().count() > NAME_CHARS_MAX
        || visitor.chars().any(char::is_control)
        || !TENANTS.contains(&registration.host_tenant.as_str());
    if refused {
        return page::answer(
            StatusCode::UNPROCESSABLE_ENTITY,
            &RegisteredPage {
                caller,
                visitor: None,
            },
        );
    }
    let mut visits = book.visits.lock().unwrap_or_else(PoisonError::into_inner);
    if visits.len() >= VISITS_MAX {
        visits.remove(0);
    }
    let number = visits.last().map_or(1, |last| last.number + 1);
    visits.push(Visit {
        number,
        visitor: visitor.to_owned(),
        host_tenant: registration.host_tenant,
        minute_of_day: book.clock.now().as_unix_seconds().rem_euclid(86_400) / 60,
    });
    drop(visits);
    let visitor = Some(visitor.to_owned());
    page::answer(StatusCode::CREATED, &RegisteredPage { caller, visitor })
}

async fn list(State(book): State<Arc<Book>>, caller: Caller) -> Response {
    let sees_all = caller.holds("reception") || caller.holds("it");
    let visits = book.visits.lock().unwrap_or_else(PoisonError::into_inner);
    let visits: Vec<_> = visits
        .iter()
        .rev()
        .filter(|visit| sees_all || visit.host_tenant == caller.tenant)
        .cloned()
        .collect();
    page::answer(
        StatusCode::OK,
        &ListPage {
            may_erase: caller.holds("it"),
            caller,
            visits,
        },
    )
}

async fn erase(State(book): State<Arc<Book>>, Path(number): Path<u64>) -> Response {
    let mut visits = book.visits.lock().unwrap_or_else(PoisonError::into_inner);
    visits.retain(|visit| visit.number != number);
    Redirect::to("/visits").into_response()
}

#[derive(Template)]
#[template(path = "demo/visitor_form.html")]
struct FormPage {
    caller: Caller,
    may_list: bool,
}

#[derive(Template)]
#[template(path = "demo/visitor_registered.html")]
struct RegisteredPage {
    caller: Caller,
    visitor: Option<String>,
}

#[derive(Template)]
#[template(path = "demo/visitor_list.html")]
struct ListPage {
    caller: Caller,
    visits: Vec<Visit>,
    may_erase: bool,
}

/// The organisations in the building.
const TENANTS: [&str; 2] = ["acme", "globex"];
/// The longest name that is written down.
const NAME_CHARS_MAX: usize = 80;
/// Lines that are kept; the oldest go first.
const VISITS_MAX: usize = 500;
