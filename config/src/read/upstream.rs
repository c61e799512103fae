//! Reads where a route's requests go, and how the service proves itself.

use std::{net::SocketAddr, num::NonZeroU16, path::PathBuf, sync::Arc};

use octroi_policy::host::Host;

use super::file;
use crate::{
    reader::{Reader, Told, value::tidy},
    reference,
    settings::{Reach, Server, Upstream, UpstreamHost, UpstreamProtocol, UpstreamTls},
    source::At,
};

/// The addresses of a service, and its TLS where they begin with https.
type Service = (Box<[Upstream]>, Option<Arc<UpstreamTls>>);

pub(super) fn protocol(reader: Reader<'_>) -> Option<UpstreamProtocol> {
    reader.choice(
        "protocol",
        &[
            ("http1", UpstreamProtocol::Http1),
            ("http2", UpstreamProtocol::Http2),
        ],
    )
}

pub(super) fn upstreams(reader: Reader<'_>, server: Option<&Server>) -> Option<Service> {
    reader.require("to")?;
    let texts = reader.some_texts("to", "");
    let expose_ok = reader.boolean("expose_ok");
    let read: Vec<Told<(Scheme, Upstream)>> = texts
        .iter()
        .filter_map(|text| upstream(reader, *text))
        .filter(|told| may_stand_there(reader, told.at, &told.value.1, expose_ok))
        .filter(|told| is_not_ourselves(reader, told.at, &told.value.1, server))
        .collect();
    let scheme = read.first().map(|told| told.value.0)?;
    if let Some(other) = read.iter().find(|told| told.value.0 != scheme) {
        reader.refuse(other.at, "to", "mixes addresses with and without TLS");
        return None;
    }
    let all_read = read.len() == texts.len();
    let tls = match scheme {
        Scheme::Encrypted => Some(Arc::new(upstream_tls(reader, &read)?)),
        Scheme::Plain => {
            refuse_idle_tls(reader);
            None
        }
    };
    let upstreams = read.into_iter().map(|told| told.value.1).collect();
    all_read.then_some((upstreams, tls))
}

/// Whether an address asks for TLS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Scheme {
    Plain,
    Encrypted,
}

fn upstream(reader: Reader<'_>, text: Told<&str>) -> Option<Told<(Scheme, Upstream)>> {
    let at = text.at;
    if let Some(path) = text.value.strip_prefix("unix://") {
        let socket = PathBuf::from(path);
        if !socket.is_absolute() || path.contains('\0') || path.len() > SOCKET_PATH_BYTES_MAX {
            let why = format_args!(
                "is {:?}, not an absolute path of 107 bytes at most",
                text.value
            );
            reader.refuse(at, "to", why);
            return None;
        }
        let upstream = Upstream::Unix(Arc::new(tidy(&socket)));
        return Some(Told {
            value: (Scheme::Plain, upstream),
            at,
        });
    }
    let Some((scheme, host, port)) = split(text.value) else {
        let rest = text.value.split_once("://").map_or("", |(_, rest)| rest);
        let why = if rest.contains(['/', '?', '#', '@']) {
            ": scheme, host and port alone are told here, and the path is that of each request"
        } else if is_beyond_the_last_port(rest) {
            ": a port is 1 to 65535"
        } else {
            ""
        };
        reader.refuse(at, "to", format_args!("is {:?}{why}", text.value));
        return None;
    };
    Some(Told {
        value: (scheme, Upstream::Tcp { host, port }),
        at,
    })
}

/// Whether what follows the last colon is a number that no port has.
fn is_beyond_the_last_port(rest: &str) -> bool {
    rest.rsplit_once(':').is_some_and(|(_, port)| {
        !port.is_empty()
            && port.bytes().all(|byte| byte.is_ascii_digit())
            && port.parse::<NonZeroU16>().is_err()
    })
}

/// Scheme, host and port of an address, and nothing else.
fn split(text: &str) -> Option<(Scheme, UpstreamHost, NonZeroU16)> {
    let (scheme, rest, default_port) = if let Some(rest) = text.strip_prefix("http://") {
        (Scheme::Plain, rest, HTTP_PORT)
    } else {
        (
            Scheme::Encrypted,
            text.strip_prefix("https://")?,
            HTTPS_PORT,
        )
    };
    if rest.contains(['/', '?', '#', '@']) {
        return None;
    }
    if let Ok(address) = rest.parse::<SocketAddr>() {
        let port = NonZeroU16::new(address.port())?;
        return Some((scheme, UpstreamHost::Address(address.ip()), port));
    }
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !rest.ends_with(']') => (host, port.parse().ok()?),
        _ => (rest, default_port),
    };
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let host = match (bare, host.parse()) {
        (Some(address), _) => UpstreamHost::Address(address.parse().ok()?),
        (None, Ok(address)) => UpstreamHost::Address(address),
        (None, Err(_)) => UpstreamHost::Name(name(host)?),
    };
    Some((scheme, host, port))
}

/// A name that cannot be mistaken for an address: "0x7f000001" and "127.1" are addresses to some
/// resolvers.
fn name(text: &str) -> Option<Host> {
    let last = text.rsplit('.').find(|label| !label.is_empty())?;
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    if is_number { None } else { text.parse().ok() }
}

fn may_stand_there(reader: Reader<'_>, at: At, upstream: &Upstream, expose_ok: bool) -> bool {
    let Upstream::Tcp {
        host: UpstreamHost::Address(address),
        ..
    } = upstream
    else {
        // Names are held against the same rule each time they are resolved.
        return true;
    };
    match Reach::of(*address) {
        Reach::Private => true,
        Reach::Public if expose_ok => true,
        Reach::Public => {
            reader.reading().error(
                at,
                format!("{address} can be reached from the Internet, and so around the gateway"),
                "use a private address, or say `expose_ok = true` if the service defends itself",
            );
            false
        }
        Reach::Forbidden => {
            reader.reading().error(
                at,
                format!("no service may stand at {address}"),
                "use the service's own address",
            );
            false
        }
    }
}

/// A route to one of our own listeners would be a loop, or a way to metrics.
fn is_not_ourselves(
    reader: Reader<'_>,
    at: At,
    upstream: &Upstream,
    server: Option<&Server>,
) -> bool {
    let Some(server) = server else { return true };
    let own = match upstream {
        Upstream::Unix(path) => **path == server.admin_socket,
        Upstream::Tcp { host, port } => server
            .https
            .iter()
            .chain(&server.http)
            .chain([&server.management.address])
            .any(|listener| listener.port() == port.get() && is_same_machine(host, listener)),
    };
    if own {
        reader.reading().error(
            at,
            format!("{upstream} is the gateway itself"),
            "use the service's own address",
        );
    }
    !own
}

fn is_same_machine(host: &UpstreamHost, listener: &SocketAddr) -> bool {
    let ours = listener.ip();
    match host {
        UpstreamHost::Address(address) => {
            let both_here = address.is_loopback() && (ours.is_loopback() || ours.is_unspecified());
            both_here || *address == ours
        }
        UpstreamHost::Name(name) => {
            let here = name.as_str() == "localhost" || name.as_str().ends_with(".localhost");
            here && (ours.is_loopback() || ours.is_unspecified())
        }
    }
}

fn upstream_tls(reader: Reader<'_>, upstreams: &[Told<(Scheme, Upstream)>]) -> Option<UpstreamTls> {
    let Some(table) = reader.table("upstream_tls", &reference::UPSTREAM_TLS) else {
        return Some(UpstreamTls {
            name: name_to_verify(reader, upstreams)?,
            ca: None,
            client_certificate: None,
        });
    };
    let name = match table.told("name") {
        Some(_) => table.parsed::<Host>("name").map(|name| name.value),
        None => name_to_verify(reader, upstreams),
    };
    let ca = table.path("ca");
    if let Some(ca) = &ca {
        file::check_readable(table, ca);
    }
    let client_certificate = client_certificate(table);
    Some(UpstreamTls {
        name: name?,
        ca: ca.map(|ca| ca.value),
        client_certificate,
    })
}

fn client_certificate(table: Reader<'_>) -> Option<(PathBuf, PathBuf)> {
    let chain = table.path("client_chain");
    let key_file = table.path("client_key_file");
    match (&chain, &key_file) {
        (None, None) => return None,
        (Some(_), None) => table.refuse(table.at(), "client_key_file", "is missing"),
        (None, Some(_)) => table.refuse(table.at(), "client_chain", "is missing"),
        (Some(chain), Some(key_file)) => {
            file::check_readable(table, chain);
            file::check_secret(table, key_file);
        }
    }
    chain
        .zip(key_file)
        .map(|(chain, key)| (chain.value, key.value))
}

/// The name that all addresses share, where they do.
fn name_to_verify(reader: Reader<'_>, upstreams: &[Told<(Scheme, Upstream)>]) -> Option<Host> {
    let mut names = upstreams.iter().map(|told| match &told.value.1 {
        Upstream::Tcp {
            host: UpstreamHost::Name(name),
            ..
        } => Some(name),
        Upstream::Tcp { .. } | Upstream::Unix(_) => None,
    });
    let first = names.next().flatten();
    if let Some(name) = first
        && names.all(|other| other == Some(name))
    {
        return Some(name.clone());
    }
    reader.reading().error(
        reader.at_key("to"),
        "nothing says which name the service's certificate has to bear",
        "add `upstream_tls = { name = \"…\" }`",
    );
    None
}

/// Settings of TLS without TLS would be a promise that nobody keeps.
fn refuse_idle_tls(reader: Reader<'_>) {
    if let Some(at) = reader.place_of("upstream_tls") {
        reader.reading().error(
            at,
            "`route.upstream_tls` is said, but the addresses of the route are without TLS",
            "write the addresses with https://, or leave `upstream_tls` out",
        );
    }
}

/// `sun_path` of Linux holds 108 bytes, the last of them zero (unix(7)).
const SOCKET_PATH_BYTES_MAX: usize = 107;
const HTTP_PORT: NonZeroU16 = NonZeroU16::new(80).unwrap();
const HTTPS_PORT: NonZeroU16 = NonZeroU16::new(443).unwrap();
