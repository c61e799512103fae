//! Reads one `[[route]]`.

use std::sync::Arc;

use http::{HeaderName, Method};
use octroi_policy::{
    assurance::Assurance,
    host::Host,
    id::{Role, RouteName, TenantName},
    path::PathPrefix,
    rule::{Access, Allow, HostPattern, Roles, Route, Tenants},
};
use toml::de::DeValue;

use super::{upstream, values};
use crate::{
    reader::{Reader, Told},
    reference,
    settings::{IdentityHeaders, RouteSettings, SecurityHeaders, Server, Timeouts},
    source::At,
};

/// A route that was read and is not compiled yet.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) route: Route,
    pub(super) settings: RouteSettings,
    /// Whether its name was made up from host, path and methods.
    pub(super) named_by_us: bool,
    pub(super) at: At,
}

pub(super) fn route(reader: Reader<'_>, server: Option<&Server>) -> Option<Draft> {
    let host = host(reader, server);
    let path = path(reader);
    let methods = methods(reader);
    let access = access(reader);
    let to = upstream::upstreams(reader, server);
    let timeouts = timeouts(reader);
    let identity = identity(reader);
    let protocol = upstream::protocol(reader);
    let security_headers = reader.choice(
        "security_headers",
        &[
            ("off", SecurityHeaders::Off),
            ("standard", SecurityHeaders::Standard),
        ],
    );
    let named_by_us = reader.told("name").is_none();
    let given_name = reader.parsed::<RouteName>("name");
    let (host, path, methods) = (host?, path?, methods?);
    let (name, audience) = if named_by_us {
        let name = made_up_name(reader, &host, &path, &methods)?;
        (name, format!("{host}{path}"))
    } else {
        let name = given_name?.value;
        let audience = name.to_string();
        (name, audience)
    };
    let access = access?;
    check_public(reader, &access);
    let (to, tls) = to?;
    Some(Draft {
        settings: RouteSettings {
            to,
            protocol: protocol?,
            tls,
            expose_ok: reader.boolean("expose_ok"),
            audience: Arc::from(audience),
            background: reader.boolean("background"),
            websocket_origins: values(reader.list("websocket_origins")).into(),
            identity,
            timeouts: timeouts?,
            security_headers: security_headers?,
        },
        route: Route {
            name,
            host,
            path,
            methods,
            access,
        },
        named_by_us,
        at: reader.at(),
    })
}

fn host(reader: Reader<'_>, server: Option<&Server>) -> Option<HostPattern> {
    let text = reader.required_text("host")?;
    let pattern = host_pattern(reader, "host", text)?;
    let portal = server.map(|server| &server.portal);
    if let HostPattern::Exact(host) = &pattern
        && Some(host) == portal
    {
        reader.reading().error(
            text.at,
            format!("`route.host` is the portal, {host}: a service there could run script where passwords are typed"),
            "give the service a host of its own",
        );
        return None;
    }
    Some(pattern)
}

/// Reads a host, or `*.` and a host.
pub(super) fn host_pattern(
    reader: Reader<'_>,
    name: &str,
    text: Told<&str>,
) -> Option<HostPattern> {
    let (below, value) = match text.value.strip_prefix("*.") {
        Some(parent) => (true, parent),
        None => (false, text.value),
    };
    // What is quoted is what stands in the file, star and all.
    let host = match value.parse::<Host>() {
        Ok(host) => host,
        Err(error) => {
            reader.refuse(text.at, name, format_args!("is {:?}: {error}", text.value));
            return None;
        }
    };
    Some(if below {
        HostPattern::Wildcard(host)
    } else {
        HostPattern::Exact(host)
    })
}

fn path(reader: Reader<'_>) -> Option<PathPrefix> {
    let text = reader.text("path")?;
    // A slash at the end means nothing, so that `/a/` and `/a` are seen to be the same.
    let trimmed = match text.value.strip_suffix('/') {
        Some("") | None => text.value,
        Some(trimmed) => trimmed,
    };
    let path = match PathPrefix::parse(trimmed) {
        Ok(path) => path,
        Err(_) if !trimmed.starts_with('/') => {
            let why = format_args!("is {:?}, which does not begin with \"/\"", text.value);
            reader.refuse(text.at, "path", why);
            return None;
        }
        Err(error) => {
            let why = format_args!("is {:?}, which no request can have ({error})", text.value);
            reader.refuse(text.at, "path", why);
            return None;
        }
    };
    if text.value.contains('?') {
        reader.refuse(text.at, "path", "holds a query, which no rule looks at");
        return None;
    }
    let mut segments = path.as_str().split('/').skip(1);
    if segments.next() == Some(RESERVED_SEGMENT) {
        reader.reading().error(
            text.at,
            format!("`route.path` lies below /{RESERVED_SEGMENT}, which the gateway answers itself on every host"),
            "give the service another path",
        );
        return None;
    }
    Some(path)
}

/// The methods in alphabetical order; none means all.
fn methods(reader: Reader<'_>) -> Option<Box<[Method]>> {
    if reader.told("methods").is_none() {
        return Some(Box::default());
    }
    let texts = reader.some_texts("methods", ", so no request could pass");
    let mut methods: Vec<Method> = Vec::with_capacity(texts.len());
    for text in &texts {
        match Method::from_bytes(text.value.as_bytes()) {
            Ok(Method::CONNECT | Method::TRACE) => {
                let why = format_args!("holds {}, which is never passed on", text.value);
                reader.refuse(text.at, "methods", why);
            }
            Ok(method) if methods.contains(&method) => {
                reader.refuse(text.at, "methods", format_args!("says {method} twice"));
            }
            Ok(method)
                if text
                    .value
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte == b'-') =>
            {
                methods.push(method);
            }
            Ok(_) => {
                let why = format_args!("holds {:?}, and capitals are wanted", text.value);
                reader.refuse(text.at, "methods", why);
            }
            Err(_) => reader.refuse(text.at, "methods", format_args!("holds {:?}", text.value)),
        }
    }
    if methods.is_empty() {
        return None;
    }
    methods.sort_by(|one, other| one.as_str().cmp(other.as_str()));
    Some(methods.into())
}

fn access(reader: Reader<'_>) -> Option<Access> {
    let sign_in = reader.choice(
        "sign_in",
        &[("password", Some(Assurance::Password)), ("public", None)],
    );
    if sign_in == Some(None) {
        return Some(Access::Public);
    }
    let allow = allow(reader);
    Some(Access::SignedIn {
        assurance: sign_in??,
        allow: allow?,
    })
}

fn allow(reader: Reader<'_>) -> Option<Allow> {
    let Some(value) = reader.told("allow") else {
        reader.reading().error(
            reader.at(),
            "`route.allow` is missing, so it is not known who may pass",
            "add `allow = { roles = [\"…\"] }`, or `allow = \"everyone\"` for everyone who is signed in",
        );
        return None;
    };
    if let DeValue::String(word) = value.get_ref() {
        if word == EVERYONE {
            return Some(Allow {
                roles: Roles::Any,
                tenants: Tenants::Any,
            });
        }
        reader.refuse(At(value.span().start), "allow", format_args!("is {word:?}"));
        return None;
    }
    let table = reader.table("allow", &reference::ALLOW)?;
    let roles = names::<Role>(table, "roles");
    let tenants = names::<TenantName>(table, "tenants");
    if roles == Names::Unsaid && tenants == Names::Unsaid {
        reader.refuse(table.at(), "allow", "names neither roles nor tenants");
        return None;
    }
    Some(Allow {
        roles: match roles {
            Names::Unsaid => Roles::Any,
            Names::These(roles) => Roles::OneOf(roles),
            Names::Wrong => return None,
        },
        tenants: match tenants {
            Names::Unsaid => Tenants::Any,
            Names::These(tenants) => Tenants::OneOf(tenants),
            Names::Wrong => return None,
        },
    })
}

/// A list of names that may be left out, but not left empty: what lets nobody in was meant to let
/// somebody in.
#[derive(Debug, Eq, PartialEq)]
enum Names<T> {
    Unsaid,
    These(Box<[T]>),
    Wrong,
}

fn names<T>(reader: Reader<'_>, name: &str) -> Names<T>
where
    T: std::str::FromStr<Err: std::fmt::Display> + PartialEq,
{
    if reader.told(name).is_none() {
        return Names::Unsaid;
    }
    let texts = reader.some_texts(name, ", which lets nobody in");
    let told = texts.len();
    let names = values(reader.list_of::<T>(name, texts));
    if names.is_empty() || names.len() < told {
        return Names::Wrong;
    }
    Names::These(names.into())
}

/// What a public route cannot keep, it must not promise.
fn check_public(reader: Reader<'_>, access: &Access) {
    if *access != Access::Public {
        return;
    }
    for name in ["allow", "background", "identity", "websocket_origins"] {
        if let Some(at) = reader.place_of(name) {
            reader.reading().error(
                at,
                format!(
                    "`route.{name}` is about people who are signed in, and on this route nobody is"
                ),
                format!("leave `{name}` out, or `sign_in = \"public\"`"),
            );
        }
    }
}

fn timeouts(reader: Reader<'_>) -> Option<Timeouts> {
    let empty = toml::de::DeTable::new();
    let table = match reader.told("timeouts") {
        Some(_) => reader.table("timeouts", &reference::TIMEOUTS)?,
        None => Reader::open(reader.reading(), &reference::TIMEOUTS, &empty, reader.at()),
    };
    let connect = table.duration("connect");
    let response = table.duration("response");
    let idle = table.duration("idle");
    Some(Timeouts {
        connect: connect?,
        response: response?,
        idle: idle?,
    })
}

fn identity(reader: Reader<'_>) -> IdentityHeaders {
    let Some(table) = reader.table("identity", &reference::IDENTITY) else {
        return IdentityHeaders::default();
    };
    let headers = IdentityHeaders {
        login: identity_header(table, "login"),
        email: identity_header(table, "email"),
        name: identity_header(table, "name"),
    };
    let named = [&headers.login, &headers.email, &headers.name];
    let named: Vec<&HeaderName> = named.into_iter().flatten().collect();
    let repeated = named
        .iter()
        .enumerate()
        .any(|(place, name)| named.iter().take(place).any(|earlier| earlier == name));
    if repeated {
        reader.refuse(table.at(), "identity", "gives one field to two facts");
    }
    headers
}

/// A field that tells identity. The gateway's own and those that mean something else to HTTP are
/// kept out by asking for a beginning that they do not have.
fn identity_header(reader: Reader<'_>, name: &str) -> Option<HeaderName> {
    let header = reader.parsed::<HeaderName>(name)?;
    let text = header.value.as_str();
    let begins_well = text.starts_with("remote-") || text.starts_with("x-");
    let taken = text.starts_with("x-forwarded-") || TAKEN_HEADERS.contains(&text);
    if !begins_well || taken || text.contains(['_', '.']) {
        reader.reading().error(
            header.at,
            format!("`route.identity.{name}` is {text:?}, which is not free for that"),
            "write a field that begins with `Remote-` or `X-`, such as \"Remote-User\"",
        );
        return None;
    }
    Some(header.value)
}

/// A name made of host, path and methods: stable when other routes come and go.
fn made_up_name(
    reader: Reader<'_>,
    host: &HostPattern,
    path: &PathPrefix,
    methods: &[Method],
) -> Option<RouteName> {
    let mut name = match host {
        HostPattern::Exact(host) => host.to_string(),
        HostPattern::Wildcard(parent) => format!("any.{parent}"),
    };
    for segment in path
        .as_str()
        .split('/')
        .filter(|segment| !segment.is_empty())
    {
        name.push('.');
        name.extend(segment.chars().map(as_in_a_name));
    }
    for method in methods {
        name.push('.');
        name.push_str(&method.as_str().to_ascii_lowercase());
    }
    name.parse().map_or_else(
        |_| {
            reader.reading().error(
                reader.at(),
                format!("no name can be made for this route: {name:?} is too long for one"),
                "add a `name` of 1 to 64 of a-z, 0-9, '-', '_' and '.'",
            );
            None
        },
        Some,
    )
}

/// A character of a path as a name may hold it. Where two names become the same by it, that is told.
fn as_in_a_name(character: char) -> char {
    let lower = character.to_ascii_lowercase();
    if lower.is_ascii_alphanumeric() || "-_.".contains(lower) {
        lower
    } else {
        '-'
    }
}

const EVERYONE: &str = "everyone";
/// The first segment of the paths that the gateway answers itself on every host.
const RESERVED_SEGMENT: &str = ".octroi";
/// Fields that the gateway or its neighbours fill with something else.
const TAKEN_HEADERS: [&str; 5] = [
    "remote-groups",
    "remote-tenant",
    "x-http-method-override",
    "x-real-ip",
    "x-request-id",
];
