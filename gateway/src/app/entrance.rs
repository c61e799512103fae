//! From settings to what the listeners are told.

use std::net::SocketAddr;

use octroi_certs::{
    bundle::{BundleSource, MalformedName},
    tls::Profile,
};
use octroi_config::{
    Settings,
    settings::{Certificate, Connections, Server, TlsProfile},
};

use crate::listener::limits::{BodyLimits, Http2Limits, Limits};

/// The limits that `[connections]` asks for; what it does not name keeps its figure.
pub(super) fn limits(connections: &Connections) -> Limits {
    let usual = Limits::default();
    Limits {
        connections_max: count(connections.total_max),
        connections_per_client_max: count(connections.per_address_max),
        streams_per_client_max: count(connections.h2_streams_per_address_max),
        handshake_timeout: connections.handshake_deadline,
        head_timeout: connections.header_deadline,
        idle_timeout: connections.idle_deadline,
        head_bytes_max: count(connections.header_bytes_max),
        head_fields_max: connections.header_fields_max.into(),
        body: BodyLimits {
            total_timeout: connections.body_deadline,
            bytes_per_second_min: connections.body_rate_min.into(),
            ..usual.body
        },
        http2: Http2Limits {
            streams_max: connections.h2_streams_max.into(),
            ..usual.http2
        },
        drain_timeout: connections.drain_deadline,
        ..usual
    }
}

/// The port of HTTPS that people see: the one that is served first, unless another is named.
pub(super) fn public_port(server: &Server, served: &[SocketAddr]) -> u16 {
    let served = || served.first().map_or(443, SocketAddr::port);
    server.public_port.map_or_else(served, Into::into)
}

/// Where the certificates are, and for whom.
pub(super) fn certificates(settings: &Settings) -> Result<Vec<BundleSource>, MalformedName> {
    settings.certificates.iter().map(source).collect()
}

/// The suites that are offered.
pub(super) const fn profile(profile: TlsProfile) -> Profile {
    match profile {
        TlsProfile::Standard => Profile::Intermediate,
        TlsProfile::Strong256 => Profile::Strong256,
    }
}

fn source(certificate: &Certificate) -> Result<BundleSource, MalformedName> {
    let names = certificate.names.iter().map(|name| name.parse());
    Ok(BundleSource {
        names: names.collect::<Result<_, _>>()?,
        chain: certificate.chain.clone(),
        key: certificate.key_file.clone(),
        is_default: certificate.default,
    })
}

/// A limit that does not fit the machine's word is no limit there.
fn count(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use super::*;

    /// A figure of its own for each key: one that lands in another's place is seen.
    const EACH: &str = r#"
[server]
https = "127.0.0.1:8443"
portal = "login.example.com"
data = "/var/lib/octroi"
keyring = "/etc/octroi/keyring"

[[certificate]]
names = ["login.example.com"]
chain = "chain.pem"
key_file = "key.pem"

[connections]
total_max = 1001
per_address_max = 102
handshake_deadline = "3s"
header_deadline = "4s"
idle_deadline = "55s"
body_deadline = "6m"
body_rate_min = 707
header_bytes_max = 8008
header_fields_max = 99
h2_streams_max = 110
h2_streams_per_address_max = 211
drain_deadline = "12s"
"#;

    #[test]
    fn each_limit_is_the_one_that_its_key_names() {
        let loaded = octroi_config::parse(EACH, Path::new("/etc/octroi/octroi.toml"));
        let settings = loaded
            .unwrap_or_else(|problems| panic!("{problems:?}"))
            .settings;
        let limits = limits(&settings.connections);
        assert_eq!(limits.connections_max, 1001);
        assert_eq!(limits.connections_per_client_max, 102);
        assert_eq!(limits.handshake_timeout, Duration::from_secs(3));
        assert_eq!(limits.head_timeout, Duration::from_secs(4));
        assert_eq!(limits.idle_timeout, Duration::from_secs(55));
        assert_eq!(limits.body.total_timeout, Duration::from_mins(6));
        assert_eq!(limits.body.bytes_per_second_min, 707);
        assert_eq!(limits.head_bytes_max, 8008);
        assert_eq!(limits.head_fields_max, 99);
        assert_eq!(limits.http2.streams_max, 110);
        assert_eq!(limits.streams_per_client_max, 211);
        assert_eq!(limits.drain_timeout, Duration::from_secs(12));
    }
}
