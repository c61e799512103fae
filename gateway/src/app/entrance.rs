//! From settings to what the listeners are told.

use octroi_certs::{
    bundle::{BundleSource, MalformedName},
    tls::Profile,
};
use octroi_config::{
    Settings,
    settings::{Certificate, Connections, TlsProfile},
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
