//! The payroll: payslips of one's own organisation, for those who run it.

use std::fmt::Write;

use askama::Template;
use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use super::{caller::Caller, page};

/// `/` shows the month, `/payslips.csv` hands it out.
pub(super) fn router() -> Router {
    page::styled()
        .route("/", get(month))
        .route("/payslips.csv", get(table))
}

async fn month(caller: Caller) -> Response {
    let payslips = payslips_of(&caller.tenant);
    let total_cents = payslips.iter().map(|payslip| payslip.gross_cents).sum();
    page::answer(
        StatusCode::OK,
        &MonthPage {
            total: euros(total_cents, &caller),
            rows: payslips
                .iter()
                .map(|payslip| Row {
                    employee: payslip.employee,
                    gross: euros(payslip.gross_cents, &caller),
                })
                .collect(),
            caller,
        },
    )
}

async fn table(caller: Caller) -> Response {
    let mut csv = String::from("employee,gross_eur\r\n");
    for payslip in payslips_of(&caller.tenant) {
        // Writing to a string cannot fail.
        let _ = write!(
            csv,
            "{},{}.{:02}\r\n",
            payslip.employee,
            payslip.gross_cents / 100,
            payslip.gross_cents % 100
        );
    }
    let kind = (header::CONTENT_TYPE, "text/csv; charset=utf-8");
    let name = (
        header::CONTENT_DISPOSITION,
        "attachment; filename=\"payslips.csv\"",
    );
    ([kind, name], csv).into_response()
}

#[derive(Template)]
#[template(path = "demo/payroll.html")]
struct MonthPage {
    caller: Caller,
    rows: Vec<Row>,
    total: String,
}

struct Row {
    employee: &'static str,
    gross: String,
}

#[derive(Clone, Copy)]
struct Payslip {
    employee: &'static str,
    gross_cents: u32,
}

/// Each organisation has people of its own; one that is unknown here has none.
fn payslips_of(tenant: &str) -> &'static [Payslip] {
    match tenant {
        "acme" => &ACME,
        "globex" => &GLOBEX,
        _ => &[],
    }
}

/// `1 234,56 €` in French (U+202F groups, U+00A0 before the sign), `€1,234.56` in English.
fn euros(cents: u32, caller: &Caller) -> String {
    let (whole, rest) = (cents / 100, cents % 100);
    let group = caller.language.pick(",", "\u{202f}");
    let whole = match (whole / 1000, whole % 1000) {
        (0, units) => units.to_string(),
        (thousands, units) => format!("{thousands}{group}{units:03}"),
    };
    match caller.language {
        page::Language::English => format!("€{whole}.{rest:02}"),
        page::Language::French => format!("{whole},{rest:02}\u{a0}€"),
    }
}

const ACME: [Payslip; 4] = [
    payslip("A. Bernard", 312_000),
    payslip("C. Dubois", 287_550),
    payslip("M. Dupont", 341_200),
    payslip("S. Haddad", 405_075),
];

const GLOBEX: [Payslip; 3] = [
    payslip("I. Claes", 356_000),
    payslip("M. Peeters", 298_900),
    payslip("T. Wouters", 301_425),
];

const fn payslip(employee: &'static str, gross_cents: u32) -> Payslip {
    Payslip {
        employee,
        gross_cents,
    }
}
