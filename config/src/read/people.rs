//! Reads how people sign in, for how long, and how long that is remembered.

use std::collections::BTreeMap;

use octroi_policy::{host::Host, id::TenantName, rule::HostPattern};
use toml::de::DeValue;

use super::route::Draft;
use crate::{
    reader::{Reader, Told},
    settings::{
        CookieLife, Hashing, Journal, Server, Sessions, Storage, Tenants, UnauthenticatedLimit,
    },
    source::At,
};

pub(super) fn tenants(reader: Reader<'_>) -> Option<Tenants> {
    let default = reader.parsed::<TenantName>("default");
    let by_host = tenants_by_host(reader);
    Some(Tenants {
        default: default?.value,
        by_host,
    })
}

/// A host that nobody asks for was meant to be another: people would sign in to the wrong tenant.
pub(super) fn check_hosts(reader: Reader<'_>, server: &Server, routes: &[Draft]) {
    let Some(DeValue::Table(table)) = reader.table_value("by_host") else {
        return;
    };
    for name in table.keys() {
        let Ok(host) = name.get_ref().parse::<Host>() else {
            continue;
        };
        let serves = |draft: &Draft| match &draft.route.host {
            HostPattern::Exact(exact) => *exact == host,
            HostPattern::Wildcard(parent) => host
                .as_str()
                .split_once('.')
                .is_some_and(|(_, rest)| rest == parent.as_str()),
        };
        if host != server.portal && !routes.iter().any(serves) {
            let at = At(name.span().start);
            reader.refuse(
                at,
                "by_host",
                format_args!("names {host}, which no route is for"),
            );
        }
    }
}

fn tenants_by_host(reader: Reader<'_>) -> BTreeMap<Host, TenantName> {
    let mut by_host = BTreeMap::new();
    let Some(value) = reader.told("by_host") else {
        return by_host;
    };
    let DeValue::Table(table) = value.get_ref() else {
        reader.refuse_type(At(value.span().start), "by_host", value.get_ref());
        return by_host;
    };
    for (host, tenant) in table {
        let host = Told {
            value: &**host.get_ref(),
            at: At(host.span().start),
        };
        let at = At(tenant.span().start);
        let DeValue::String(tenant) = tenant.get_ref() else {
            reader.refuse_type(at, "by_host", tenant.get_ref());
            continue;
        };
        let tenant = Told {
            value: &**tenant,
            at,
        };
        if let (Some(host), Some(tenant)) = (
            reader.parse::<Host>("by_host", host),
            reader.parse::<TenantName>("by_host", tenant),
        ) && by_host.insert(host.value, tenant.value).is_some()
        {
            reader.refuse(host.at, "by_host", "names a host twice");
        }
    }
    by_host
}

pub(super) fn sessions(reader: Reader<'_>) -> Option<Sessions> {
    let absolute = reader.duration("absolute");
    let idle_private = reader.duration("idle_private");
    let idle_public = reader.duration("idle_public");
    let cookie = reader.choice(
        "cookie",
        &[
            ("browser", CookieLife::Browser),
            ("session", CookieLife::Session),
        ],
    );
    let sessions = Sessions {
        absolute: absolute?,
        // An absolute life that is shorter than the idle limit's default simply ends first.
        idle_private: match reader.place_of("idle_private") {
            Some(_) => idle_private?,
            None => idle_private?.min(absolute?),
        },
        idle_public: match reader.place_of("idle_public") {
            Some(_) => idle_public?,
            None => idle_public?.min(idle_private?).min(absolute?),
        },
        cookie: cookie?,
    };
    let mut in_order = true;
    if sessions.idle_private > sessions.absolute {
        let at = reader.at_key("idle_private");
        reader.refuse(at, "idle_private", "is longer than `absolute`");
        in_order = false;
    }
    if sessions.idle_public > sessions.idle_private {
        let at = reader.at_key("idle_public");
        reader.refuse(at, "idle_public", "is longer than `idle_private`");
        in_order = false;
    }
    in_order.then_some(sessions)
}

pub(super) fn hashing(reader: Reader<'_>) -> Option<Hashing> {
    let memory_kib = reader.integer("memory_kib");
    let passes = reader.integer("passes");
    let threads = reader.integer("threads");
    let queue = reader.integer("queue");
    Some(Hashing {
        memory_kib: memory_kib?,
        passes: passes?,
        threads: threads?,
        queue: queue?,
    })
}

pub(super) fn limits(reader: Reader<'_>) -> Option<UnauthenticatedLimit> {
    let unauthenticated = reader.rate("unauthenticated");
    let burst = reader.integer::<u32>("unauthenticated_burst");
    let public = reader.rate("public");
    let public_burst = reader.integer::<u32>("public_burst");
    Some(UnauthenticatedLimit {
        unauthenticated: unauthenticated?,
        burst: burst?.try_into().ok()?,
        public: public?,
        public_burst: public_burst?.try_into().ok()?,
    })
}

pub(super) fn storage(reader: Reader<'_>) -> Option<Storage> {
    let embedded = [("embedded", Storage::Embedded)];
    let database = reader.choice("database", &embedded);
    let sessions = reader.choice("sessions", &embedded);
    sessions.and(database)
}

pub(super) fn journal(reader: Reader<'_>) -> Option<Journal> {
    let keep_months = reader.integer::<u16>("keep_months");
    let keep_reason = reader.text("keep_reason");
    if let Some(reason) = keep_reason.filter(|reason| reason.value.trim().is_empty()) {
        reader.refuse(reason.at, "keep_reason", "is empty");
        return None;
    }
    let keep_months = keep_months?;
    if keep_months > MONTHS_WITHOUT_REASON && keep_reason.is_none() {
        reader.reading().error(
            reader.at_key("keep_months"),
            format!("`journal.keep_months` is {keep_months}, and nothing says why"),
            "say why in `keep_reason`, or keep the journal for 12 months at most",
        );
        return None;
    }
    Some(Journal {
        keep_months,
        keep_reason: keep_reason.map(|reason| reason.value.to_owned()),
    })
}

/// What the French authority counts as the usual upper bound for journals (CNIL, délibération
/// n° 2021-122 of 14 October 2021: six months to one year).
const MONTHS_WITHOUT_REASON: u16 = 12;
