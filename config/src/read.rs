//! From the tables of the file to [`Settings`]: each part reads its own section, and all problems
//! of all sections are found in one go.

mod brand;
mod certificates;
mod file;
mod password;
mod people;
mod route;
mod routes;
mod server;
mod upstream;

use std::path::PathBuf;

pub(crate) use file::check_configuration;

use toml::de::{DeTable, DeValue};

use crate::{
    reader::{Reader, Reading, Told, did_you_mean},
    reference::{self, Section},
    settings::Settings,
    source::At,
};

/// Reads the whole document. `None` where something is missing; what, the reading has noted.
pub(crate) fn settings<'d>(reading: &'d Reading, root: &'d DeTable<'d>) -> Option<Settings> {
    check_sections(reading, root);
    let empty = DeTable::new();
    let one = |section| single(reading, section, root, &empty);
    let server_section = one(&reference::SERVER);
    let server = server::server(server_section);
    let certificates = certificates::certificates(&many(reading, &reference::CERTIFICATE, root));
    let routes = routes::routes(&many(reading, &reference::ROUTE, root), server.as_ref());
    if let Some(server) = &server {
        certificates::check_coverage(server_section, server, &certificates, &routes);
    }
    let connections = server::connections(one(&reference::CONNECTIONS));
    let tenants_section = one(&reference::TENANTS);
    let tenants = people::tenants(tenants_section);
    if let Some(server) = &server {
        people::check_hosts(tenants_section, server, &routes);
    }
    let sessions = people::sessions(one(&reference::SESSIONS));
    let password = password::policies(one(&reference::PASSWORD));
    let hashing = people::hashing(one(&reference::HASHING));
    let limits = people::limits(one(&reference::LIMITS));
    let storage = people::storage(one(&reference::STORAGE));
    let journal = people::journal(one(&reference::JOURNAL));
    let brand = brand::brand(one(&reference::BRAND));
    let contact = brand::contact(one(&reference::CONTACT));
    Some(Settings {
        server: server?,
        connections: connections?,
        certificates: certificates.into_iter().map(|told| told.value).collect(),
        routes: routes::compile(reading, routes)?,
        tenants: tenants?,
        sessions: sessions?,
        password: password?,
        hashing: hashing?,
        limits: limits?,
        storage: storage?,
        journal: journal?,
        brand: brand?,
        contact,
        stated: crate::diff::stated(root),
    })
}

/// The admin socket, where the document says enough of it. What is wrong besides is nobody's business
/// here.
pub(crate) fn admin_socket<'d>(reading: &'d Reading, root: &'d DeTable<'d>) -> Option<PathBuf> {
    let empty = DeTable::new();
    let section = single(reading, &reference::SERVER, root, &empty);
    let data = server::data(section);
    server::admin_socket(section, data.as_deref())
}

/// Refuses sections that nobody knows.
fn check_sections(reading: &Reading, root: &DeTable<'_>) {
    for key in root.keys() {
        let name = key.get_ref();
        if reference::SECTIONS
            .iter()
            .all(|section| section.name != *name)
        {
            let at = At(key.span().start);
            let mut later = reference::LATER_SECTIONS.iter();
            if let Some(later) = later.find(|later| later.name == *name) {
                let what = format!("`{name}` is not available in this version");
                reading.error(at, what, later.remedy);
                continue;
            }
            let known = reference::SECTIONS.iter().map(|section| section.name);
            reading.error(
                at,
                format!("`{name}` is not a section"),
                did_you_mean(name, known)
                    .unwrap_or_else(|| "see the reference for the sections".to_owned()),
            );
        }
    }
}

/// The one table of a section; an empty one where the file has none.
fn single<'d>(
    reading: &'d Reading,
    section: &'static Section,
    root: &'d DeTable<'d>,
    empty: &'d DeTable<'d>,
) -> Reader<'d> {
    let Some(value) = root.get(section.name) else {
        return Reader::open(reading, section, empty, At(0));
    };
    let at = At(value.span().start);
    if let DeValue::Table(table) = value.get_ref() {
        return Reader::open(reading, section, table, at);
    }
    refuse_form(reading, section, at);
    Reader::open(reading, section, empty, at)
}

/// All tables of a section that may stand several times.
fn many<'d>(
    reading: &'d Reading,
    section: &'static Section,
    root: &'d DeTable<'d>,
) -> Vec<Reader<'d>> {
    let Some(value) = root.get(section.name) else {
        return Vec::new();
    };
    let DeValue::Array(items) = value.get_ref() else {
        refuse_form(reading, section, At(value.span().start));
        return Vec::new();
    };
    let mut tables = Vec::with_capacity(items.len());
    for item in items {
        let at = At(item.span().start);
        if let DeValue::Table(table) = item.get_ref() {
            tables.push(Reader::open(reading, section, table, at));
        } else {
            refuse_form(reading, section, at);
        }
    }
    tables
}

fn refuse_form(reading: &Reading, section: &Section, at: At) {
    reading.error(
        at,
        format!("`{}` is not written as {}", section.name, section.title()),
        format!("begin it with a line {}", section.title()),
    );
}

/// The values without their places.
fn values<T>(told: Vec<Told<T>>) -> Vec<T> {
    told.into_iter().map(|told| told.value).collect()
}
