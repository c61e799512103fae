//! What a reload changes, in words for the log.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
};

use octroi_policy::rule::Route;
use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

pub use crate::reference::Effect;
use crate::{
    reference,
    settings::{
        IdentityHeaders, Origin, RouteSettings, SecurityHeaders, Settings, Timeouts,
        UpstreamProtocol, UpstreamTls,
    },
};

/// What the file said, by `section.key`; routes and certificates are not in it.
pub(crate) type Stated = BTreeMap<String, String>;

/// One difference between two configurations.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// What differs: `sessions.idle_public`, `route paie.example.com`.
    pub what: String,
    /// How it was; `None`: it was not there.
    pub from: Option<String>,
    /// How it is; `None`: it is gone.
    pub to: Option<String>,
    /// When it counts.
    pub effect: Effect,
}

impl Settings {
    /// What is different in `new`, in alphabetical order: keys, then certificates, then routes.
    pub fn diff(&self, new: &Self) -> Vec<Change> {
        let mut changes = keys(&self.stated, &new.stated);
        changes.extend(certificates(self, new));
        changes.extend(routes(self, new));
        changes
    }
}

/// What each key of the single sections was given. There are no secrets among them: those stand in
/// files of their own.
pub(crate) fn stated(root: &DeTable<'_>) -> Stated {
    let mut stated = Stated::new();
    for section in reference::SECTIONS
        .iter()
        .filter(|section| !section.repeated)
    {
        let Some(DeValue::Table(table)) = root.get(section.name).map(Spanned::get_ref) else {
            continue;
        };
        for (key, value) in table {
            stated.insert(section.path_of(key.get_ref()), in_words(value.get_ref()));
        }
    }
    stated
}

fn keys(old: &Stated, new: &Stated) -> Vec<Change> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| Change {
            what: name.clone(),
            from: old.get(name).cloned().or_else(|| default_of(name)),
            to: new.get(name).cloned().or_else(|| default_of(name)),
            effect: effect_of(name),
        })
        .filter(|change| change.from != change.to)
        .collect()
}

fn key(path: &str) -> Option<&'static reference::Key> {
    let (section, key) = path.split_once('.')?;
    let mut sections = reference::SECTIONS.iter();
    sections.find(|known| known.name == section)?.key(key)
}

fn default_of(path: &str) -> Option<String> {
    key(path)?.default.map(ToOwned::to_owned)
}

fn effect_of(path: &str) -> Effect {
    key(path).map_or(Effect::Reload, |key| key.effect)
}

fn certificates(old: &Settings, new: &Settings) -> Vec<Change> {
    let by_names = |settings: &Settings| -> BTreeMap<String, String> {
        let certificates = settings.certificates.iter();
        certificates
            .map(|it| {
                let default = if it.default { ", default" } else { "" };
                (
                    it.names.join(" "),
                    format!("{}, {}{default}", it.chain.display(), it.key_file.display()),
                )
            })
            .collect()
    };
    let (old, new) = (by_names(old), by_names(new));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| Change {
            what: format!("certificate {name}"),
            from: old.get(name).cloned(),
            to: new.get(name).cloned(),
            effect: Effect::Reload,
        })
        .collect()
}

fn routes(old: &Settings, new: &Settings) -> Vec<Change> {
    fn by_name(settings: &Settings) -> HashMap<&str, (&Route, &RouteSettings)> {
        let routes = settings.routes.iter();
        routes.map(|route| (route.0.name.as_str(), route)).collect()
    }
    let (old, new) = (by_name(old), by_name(new));
    let names: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    let of_route = |name| match (old.get(name), new.get(name)) {
        (Some(old), Some(new)) => aspects_that_differ(name, *old, *new),
        (old, new) => vec![Change {
            what: format!("route {name}"),
            from: old.map(|(route, settings)| describe(route, settings)),
            to: new.map(|(route, settings)| describe(route, settings)),
            effect: Effect::Reload,
        }],
    };
    names.into_iter().flat_map(of_route).collect()
}

/// What differs of a route that stays: a line for each, so that "who passes" stands by itself.
fn aspects_that_differ(
    name: &str,
    old: (&Route, &RouteSettings),
    new: (&Route, &RouteSettings),
) -> Vec<Change> {
    let of_both = aspects(old.0, old.1).into_iter().zip(aspects(new.0, new.1));
    of_both
        .filter(|((_, from), (_, to))| from != to)
        .map(|((aspect, from), (_, to))| Change {
            what: format!("route {name}, {aspect}"),
            from: Some(from),
            to: Some(to),
            effect: Effect::Reload,
        })
        .collect()
}

/// A route in one line: which requests it is for, who passes, and where they go.
fn describe(route: &Route, settings: &RouteSettings) -> String {
    format!(
        "{}{}, {}, for {}, to {}",
        route.host,
        route.path,
        methods(route),
        route.access,
        in_a_row(&settings.to),
    )
}

/// Everything that a route says, under the names of its keys.
fn aspects(route: &Route, settings: &RouteSettings) -> [(&'static str, String); 14] {
    // Taken apart, so that what is added one day has its line.
    let RouteSettings {
        to,
        protocol,
        tls,
        expose_ok,
        audience,
        background,
        websocket_origins,
        identity,
        timeouts,
        security_headers,
    } = settings;
    let tls = tls.as_deref();
    let origins: Vec<&str> = websocket_origins.iter().map(Origin::as_str).collect();
    [
        ("host", route.host.to_string()),
        ("path", route.path.to_string()),
        ("methods", methods(route)),
        ("who passes", route.access.to_string()),
        ("to", in_a_row(to)),
        ("protocol", protocol_in_words(*protocol).to_owned()),
        ("upstream_tls", tls.map_or_else(none, tls_in_words)),
        ("expose_ok", expose_ok.to_string()),
        ("audience", audience.to_string()),
        ("background", background.to_string()),
        ("websocket_origins", origins.join(" ")),
        ("identity", identity_in_words(identity)),
        ("timeouts", timeouts_in_words(*timeouts)),
        (
            "security_headers",
            match security_headers {
                SecurityHeaders::Off => "off",
                SecurityHeaders::Standard => "standard",
            }
            .to_owned(),
        ),
    ]
}

fn methods(route: &Route) -> String {
    if route.methods.is_empty() {
        "every method".to_owned()
    } else {
        in_a_row(&route.methods)
    }
}

const fn protocol_in_words(protocol: UpstreamProtocol) -> &'static str {
    match protocol {
        UpstreamProtocol::Http1 => "http1",
        UpstreamProtocol::Http2 => "http2",
    }
}

fn tls_in_words(tls: &UpstreamTls) -> String {
    let UpstreamTls {
        name,
        ca,
        client_certificate,
    } = tls;
    let ca = ca.as_ref().map_or_else(
        || "the system's authorities".to_owned(),
        |ca| ca.display().to_string(),
    );
    let client = client_certificate
        .as_ref()
        .map_or_else(none, |(chain, key)| {
            format!("{}, {}", chain.display(), key.display())
        });
    format!("name {name}, by {ca}, client certificate {client}")
}

fn identity_in_words(identity: &IdentityHeaders) -> String {
    let IdentityHeaders { login, email, name } = identity;
    let told: Vec<String> = [("login", login), ("email", email), ("name", name)]
        .into_iter()
        .filter_map(|(fact, field)| Some(format!("{fact} in {}", field.as_ref()?)))
        .collect();
    if told.is_empty() {
        none()
    } else {
        told.join(", ")
    }
}

fn timeouts_in_words(timeouts: Timeouts) -> String {
    let Timeouts {
        connect,
        response,
        idle,
    } = timeouts;
    format!("connect {connect:?}, response {response:?}, idle {idle:?}")
}

fn none() -> String {
    "none".to_owned()
}

fn in_a_row(items: &[impl ToString]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    items.join(" ")
}

fn in_words(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text.clone().into_owned(),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(is) => is.to_string(),
        DeValue::Datetime(date) => date.to_string(),
        DeValue::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| in_words(item.get_ref())).collect();
            format!("[{}]", items.join(", "))
        }
        DeValue::Table(table) => {
            let entry = |(key, value): (&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>)| {
                format!("{} = {}", key.get_ref(), in_words(value.get_ref()))
            };
            let entries: Vec<String> = table.iter().map(entry).collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = self.from.as_deref().unwrap_or("(absent)");
        let to = self.to.as_deref().unwrap_or("(absent)");
        write!(f, "{}: {from} -> {to}", self.what)?;
        match self.effect {
            Effect::Reload => Ok(()),
            Effect::Restart => f.write_str(" (counts at the next start)"),
        }
    }
}
