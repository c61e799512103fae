//! Where to listen, where to keep things, whom to believe, and how much a connection may cost.

use std::{net::SocketAddr, num::NonZeroU16, path::PathBuf, time::Duration};

use ipnet::IpNet;
use octroi_policy::host::Host;

/// `[server]`: where to listen, where to keep things, whom to believe.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Server {
    /// Where TLS is served; at least one address.
    pub https: Vec<SocketAddr>,
    /// Where plain HTTP is redirected; may be empty.
    pub http: Vec<SocketAddr>,
    /// The host of sign-in and account pages; no route names it.
    pub portal: Host,
    /// The port that people see, where it differs from the one bound (port forwarding).
    /// `None`: the port of the first address of `https`, once it is bound.
    pub public_port: Option<NonZeroU16>,
    /// Health and metrics.
    pub management: Management,
    /// The directory of everything that the gateway writes.
    pub data: PathBuf,
    /// The file of root keys, outside `data` unless this is the demo.
    pub keyring: PathBuf,
    /// The Unix socket of the command line.
    pub admin_socket: PathBuf,
    /// How many threads serve connections.
    pub workers: Workers,
    /// Peers that must begin each connection with a PROXY header, and nobody else may.
    pub proxy_protocol: Vec<IpNet>,
    /// Peers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The folder whose `.well-known/acme-challenge` plain HTTP serves.
    pub acme_webroot: Option<PathBuf>,
    /// For how long browsers are told to come by TLS only.
    pub hsts: Hsts,
    /// Which cipher suites are offered.
    pub tls_profile: TlsProfile,
    /// The IANA name of the zone in which pages and letters tell time.
    pub time_zone: String,
    /// Whether this is a demonstration, in which the keyring may lie within `data`.
    pub demo: bool,
}

/// The listener of `/healthz`, `/readyz` and `/metrics`.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Management {
    /// Where it listens.
    pub address: SocketAddr,
    /// Who may ask, besides loopback; never empty when `address` is not loopback.
    pub networks: Vec<IpNet>,
}

/// How many threads serve connections.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Workers {
    /// One for each processor core that the process may use.
    PerCore,
    /// So many.
    Exactly(NonZeroU16),
}

/// `Strict-Transport-Security` (RFC 6797).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Hsts {
    /// Not sent, as in the demo: it would bind `localhost` in the visitor's browser.
    Off,
    /// Sent with this `max-age`.
    MaxAge(Duration),
}

/// Which cipher suites are offered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TlsProfile {
    /// TLS 1.2 with ECDHE and AEAD, and TLS 1.3 (RFC 9325).
    Standard,
    /// The same without AES-128.
    Strong256,
}

/// `[[certificate]]`: who we prove to be.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Certificate {
    /// The names it is for, each a host or `*.` and a host.
    pub names: Vec<String>,
    /// The PEM file of the certificate and its intermediates.
    pub chain: PathBuf,
    /// The PEM file of its private key.
    pub key_file: PathBuf,
    /// Whether clients that name no host get this one; at most one certificate says so.
    pub default: bool,
}

/// `[connections]`: what one connection, and all of them, may cost.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Connections {
    /// Open connections in all.
    pub total_max: u32,
    /// Open connections of one address; of an IPv6 client, of its /64.
    pub per_address_max: u32,
    /// Time for a TLS handshake.
    pub handshake_deadline: Duration,
    /// Time for a whole request header, from its first byte.
    pub header_deadline: Duration,
    /// How long a connection may lie idle between requests.
    pub idle_deadline: Duration,
    /// How long a request body may take in all.
    pub body_deadline: Duration,
    /// Bytes a second below which a request body is given up.
    pub body_rate_min: u32,
    /// Bytes of a request header.
    pub header_bytes_max: u32,
    /// Fields of a request header.
    pub header_fields_max: u16,
    /// Requests open at once on one HTTP/2 connection.
    pub h2_streams_max: u16,
    /// The same for one address over all of its connections; for an IPv6 client, its /64.
    pub h2_streams_per_address_max: u32,
    /// How long requests in flight may go on after a stop was asked for.
    pub drain_deadline: Duration,
}
