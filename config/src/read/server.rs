//! Reads `[server]` and `[connections]`.

use std::{
    net::SocketAddr,
    num::NonZeroU16,
    path::{Path, PathBuf},
    time::Duration,
};

use ipnet::IpNet;

use super::{file, values};
use crate::{
    reader::{
        Reader,
        value::{Listener, parse_duration},
    },
    settings::{Connections, Hsts, Management, Server, TlsProfile, Workers},
};

pub(super) fn server(reader: Reader<'_>) -> Option<Server> {
    let https = listeners(reader, "https", true);
    let http = listeners(reader, "http", false);
    let portal = reader.required("portal").map(|portal| portal.value);
    let management = management(reader);
    check_listeners(reader, &https, &http, management.as_ref());
    let demo = reader.boolean("demo");
    let data = data(reader);
    let keyring = keyring(reader, data.as_deref(), demo);
    let admin_socket = admin_socket(reader, data.as_deref());
    let public_port = optional_number(reader, "public_port");
    let workers = optional_number(reader, "workers").map_or(Workers::PerCore, Workers::Exactly);
    let acme_webroot = acme_webroot(reader, &http);
    let hsts = hsts(reader);
    let tls_profile = reader.choice(
        "tls_profile",
        &[
            ("standard", TlsProfile::Standard),
            ("strong_256", TlsProfile::Strong256),
        ],
    );
    let time_zone = time_zone(reader);
    Some(Server {
        https,
        http,
        portal: portal?,
        public_port,
        management: management?,
        data: data?,
        keyring: keyring?,
        admin_socket: admin_socket?,
        workers,
        proxy_protocol: values(reader.list::<IpNet>("proxy_protocol")),
        trusted_proxies: values(reader.list::<IpNet>("trusted_proxies")),
        acme_webroot,
        hsts: hsts?,
        tls_profile: tls_profile?,
        time_zone: time_zone?,
        demo,
    })
}

fn listeners(reader: Reader<'_>, name: &str, required: bool) -> Vec<SocketAddr> {
    if required && reader.require(name).is_none() {
        return Vec::new();
    }
    let texts = if required {
        reader.some_texts(name, "")
    } else {
        reader.texts(name)
    };
    let listeners = values(reader.list_of::<Listener>(name, texts));
    listeners.into_iter().map(|listener| listener.0).collect()
}

/// Two listeners cannot stand at one address; port 0 is a different one each time.
fn check_listeners(
    reader: Reader<'_>,
    https: &[SocketAddr],
    http: &[SocketAddr],
    management: Option<&Management>,
) {
    let of = |name: &'static str, addresses: &[SocketAddr]| -> Vec<(&'static str, SocketAddr)> {
        addresses.iter().map(|address| (name, *address)).collect()
    };
    let management: Vec<SocketAddr> = management.map(|it| it.address).into_iter().collect();
    let listeners = [
        of("https", https),
        of("http", http),
        of("management", &management),
    ]
    .concat();
    for (place, (name, address)) in listeners.iter().enumerate() {
        let taken = listeners
            .iter()
            .take(place)
            .find(|(_, earlier)| earlier == address && address.port() != 0);
        if let Some((earlier, _)) = taken {
            reader.reading().contradiction(
                reader.at_key(name),
                reader.at_key(earlier),
                format!("`server.{name}` and `server.{earlier}` are both {address}"),
                "give one of them another port",
            );
        }
    }
}

fn optional_number(reader: Reader<'_>, name: &str) -> Option<NonZeroU16> {
    reader.told(name)?;
    reader.integer::<u16>(name).and_then(NonZeroU16::new)
}

fn management(reader: Reader<'_>) -> Option<Management> {
    let networks = values(reader.list::<IpNet>("management_networks"));
    let told = reader.parsed::<Listener>("management")?;
    let address = told.value.0;
    if !address.ip().is_loopback() && networks.is_empty() {
        reader.reading().error(
            told.at,
            format!(
                "`server.management` is {address}, which others can reach, and nobody is named who may"
            ),
            "name them in `management_networks`, or take an address such as \"127.0.0.1:9443\"",
        );
        return None;
    }
    Some(Management { address, networks })
}

pub(super) fn data(reader: Reader<'_>) -> Option<PathBuf> {
    let data = reader.required_path("data")?;
    file::check_data(reader, &data);
    Some(data.value)
}

fn keyring(reader: Reader<'_>, data: Option<&Path>, demo: bool) -> Option<PathBuf> {
    let keyring = reader.required_path("keyring")?;
    if !demo && data.is_some_and(|data| file::lies_within(reader, &keyring.value, data)) {
        reader.reading().error(
            keyring.at,
            "`server.keyring` lies within `server.data`: whoever copies the data gets the keys to it",
            "move the file elsewhere, such as \"/etc/octroi/keyring\"",
        );
        return None;
    }
    file::check_keyring(reader, &keyring, demo);
    Some(keyring.value)
}

pub(super) fn admin_socket(reader: Reader<'_>, data: Option<&Path>) -> Option<PathBuf> {
    let Some(socket) = reader
        .told("admin_socket")
        .and_then(|_| reader.path("admin_socket"))
    else {
        return data.map(|data| data.join("admin").join("admin.sock"));
    };
    if socket.value.as_os_str().len() > SOCKET_PATH_BYTES_MAX {
        reader.refuse(socket.at, "admin_socket", "is longer than 107 bytes");
        return None;
    }
    Some(socket.value)
}

fn acme_webroot(reader: Reader<'_>, http: &[SocketAddr]) -> Option<PathBuf> {
    reader.told("acme_webroot")?;
    let webroot = reader.path("acme_webroot")?;
    if http.is_empty() {
        reader.reading().error(
            webroot.at,
            "`server.acme_webroot` is served over plain HTTP, and nothing listens there",
            "add `http = \"0.0.0.0:80\"` to `[server]`",
        );
    }
    Some(webroot.value)
}

fn hsts(reader: Reader<'_>) -> Option<Hsts> {
    let text = reader.text("hsts")?;
    if text.value == "off" {
        return Some(Hsts::Off);
    }
    match parse_duration(text.value) {
        Ok(max_age) if (HSTS_MIN..=HSTS_MAX).contains(&max_age) => Some(Hsts::MaxAge(max_age)),
        _ => {
            reader.refuse(text.at, "hsts", format_args!("is {:?}", text.value));
            None
        }
    }
}

fn time_zone(reader: Reader<'_>) -> Option<String> {
    let name = reader.text("time_zone")?;
    if jiff::tz::TimeZone::get(name.value).is_err() {
        let why = format_args!("is {:?}, which no time zone is called", name.value);
        reader.refuse(name.at, "time_zone", why);
        return None;
    }
    Some(name.value.to_owned())
}

pub(super) fn connections(reader: Reader<'_>) -> Option<Connections> {
    let total_max = reader.integer("total_max");
    let per_address_max = reader.integer("per_address_max");
    let handshake_deadline = reader.duration("handshake_deadline");
    let header_deadline = reader.duration("header_deadline");
    let idle_deadline = reader.duration("idle_deadline");
    let body_deadline = reader.duration("body_deadline");
    let body_rate_min = reader.integer("body_rate_min");
    let header_bytes_max = reader.integer("header_bytes_max");
    let header_fields_max = reader.integer("header_fields_max");
    let h2_streams_max = reader.integer("h2_streams_max");
    let h2_streams_per_address_max = reader.integer("h2_streams_per_address_max");
    let drain_deadline = reader.duration("drain_deadline");
    Some(Connections {
        total_max: total_max?,
        per_address_max: per_address_max?,
        handshake_deadline: handshake_deadline?,
        header_deadline: header_deadline?,
        idle_deadline: idle_deadline?,
        body_deadline: body_deadline?,
        body_rate_min: body_rate_min?,
        header_bytes_max: header_bytes_max?,
        header_fields_max: header_fields_max?,
        h2_streams_max: h2_streams_max?,
        h2_streams_per_address_max: h2_streams_per_address_max?,
        drain_deadline: drain_deadline?,
    })
}

/// `sun_path` of Linux holds 108 bytes, the last of them zero (unix(7)).
const SOCKET_PATH_BYTES_MAX: usize = 107;
const HSTS_MIN: Duration = Duration::from_hours(24);
const HSTS_MAX: Duration = Duration::from_hours(730 * 24);
