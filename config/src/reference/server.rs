//! The keys of listeners, certificates and connections.

use super::{DAY, HOUR, Key, Kind, Later, Section, integer, seconds};

pub(crate) const SERVER: Section = Section {
    name: "server",
    within: None,
    repeated: false,
    doc: "Where to listen, where to keep things, whom to believe.",
    keys: &[
        Key::new(
            "https",
            Kind::OneOrMany,
            "an address and port such as \"0.0.0.0:443\", or a list of them",
            "Where TLS is served. Required.",
        )
        .at_restart(),
        Key::new(
            "http",
            Kind::OneOrMany,
            "an address and port such as \"0.0.0.0:80\", or a list of them",
            "Where plain HTTP is answered: with a redirect to `https`, for configured hosts only. Without it nothing listens.",
        )
        .at_restart(),
        Key::new(
            "portal",
            Kind::Text,
            "a host name such as \"login.example.com\"",
            "The host of sign-in and account pages. Required. No route may name it, so that no service can run script where passwords are typed.",
        ),
        Key::new(
            "public_port",
            integer(1, 65_535),
            "a port such as 443",
            "The port that people's browsers use, where it differs from the one in `https` (port forwarding). By default the port of the first address of `https`, and like it never moved by a reload: a request for another port is refused with 421.",
        )
        .at_restart(),
        Key::new(
            "data",
            Kind::Text,
            "a directory such as \"/var/lib/octroi\"",
            "The directory of everything that the gateway writes. Required.",
        )
        .at_restart(),
        Key::new(
            "keyring",
            Kind::Text,
            "a file such as \"/etc/octroi/keyring\"",
            "The file of root keys, made by `octroi init`. Required. It lies outside `data`, so that a backup of the data does not carry the keys to it, and only its owner can read it.",
        )
        .at_restart(),
        Key::new(
            "management",
            Kind::Text,
            "an address and port such as \"127.0.0.1:9443\"",
            "Where `/healthz`, `/readyz` and `/metrics` are served, without TLS.",
        )
        .or("127.0.0.1:9443")
        .at_restart(),
        Key::new(
            "management_networks",
            Kind::List,
            "a list of networks such as [\"10.0.9.0/24\"]",
            "Who may ask there. Required where `management` is not a loopback address.",
        )
        .at_restart(),
        Key::new(
            "admin_socket",
            Kind::Text,
            "a path such as \"/run/octroi/admin.sock\"",
            "The Unix socket of the command line, in a directory that only its owner can enter. By default `admin/admin.sock` within `data`. At most 107 bytes.",
        )
        .at_restart(),
        Key::new(
            "workers",
            integer(1, 1_024),
            "a number of threads such as 4",
            "How many threads serve connections. By default one for each processor core that the process may use.",
        )
        .at_restart(),
        Key::new(
            "proxy_protocol",
            Kind::List,
            "a list of networks such as [\"10.0.0.5/32\"]",
            "Load balancers that begin each connection with a PROXY header (version 1 or 2). Connections from there without one are closed; a header from anywhere else is not believed.",
        )
        .at_restart(),
        Key::new(
            "trusted_proxies",
            Kind::List,
            "a list of networks such as [\"10.0.0.5/32\"]",
            "Proxies whose `X-Forwarded-For` tells the client's address. From anywhere else the field is dropped.",
        ),
        Key::new(
            "acme_webroot",
            Kind::Text,
            "a directory such as \"/var/lib/octroi-acme\"",
            "A folder whose `.well-known/acme-challenge/` plain HTTP serves, so that certbot and lego can renew certificates. Needs `http`.",
        )
        .at_restart(),
        Key::new(
            "hsts",
            Kind::Text,
            "\"off\" or a duration from \"1d\" to \"730d\"",
            "For how long browsers are told to come by TLS only (`Strict-Transport-Security`, RFC 6797).",
        )
        .or("365d"),
        Key::new(
            "tls_profile",
            Kind::Text,
            "\"standard\" or \"strong_256\"",
            "`standard`: TLS 1.3, and TLS 1.2 with forward secrecy and authenticated encryption. `strong_256`: the same without AES-128.",
        )
        .or("standard")
        .at_restart(),
        Key::new(
            "time_zone",
            Kind::Text,
            "a time zone such as \"Europe/Paris\"",
            "The zone in which pages and letters tell time (a name of the IANA database).",
        )
        .or("Europe/Paris"),
        Key::new(
            "demo",
            Kind::Boolean,
            "true or false",
            "Whether this is a demonstration, as `octroi demo` sets it: the keyring may then lie within `data`. Never for people's real data.",
        )
        .or("false")
        .at_restart(),
    ],
    later: &[],
};

pub(crate) const CERTIFICATE: Section = Section {
    name: "certificate",
    within: None,
    repeated: true,
    doc: "A certificate and the names it is for. Files are read again when they change; a bad one leaves the old in place.",
    keys: &[
        Key::new(
            "names",
            Kind::List,
            "a list of host names such as [\"login.example.com\", \"*.example.com\"]",
            "The hosts that get this certificate. Required. `*.` stands for one label. A host that no certificate names is refused in the TLS handshake.",
        ),
        Key::new(
            "chain",
            Kind::Text,
            "a file such as \"/etc/octroi/tls/chain.pem\"",
            "The PEM file of the certificate, followed by its intermediates. Required.",
        ),
        Key::new(
            "key_file",
            Kind::Text,
            "a file such as \"/etc/octroi/tls/key.pem\"",
            "The PEM file of its private key. Required. Others than its owner and group cannot read it, others than its owner cannot write it.",
        ),
        Key::new(
            "default",
            Kind::Boolean,
            "true or false",
            "Whether clients that name no host get this certificate. At most one; without it such clients are refused.",
        )
        .or("false"),
    ],
    later: &[
        Later {
            name: "acme",
            remedy: "use `chain` and `key_file`; certbot or lego can renew them through `server.acme_webroot`",
        },
        Later {
            name: "key",
            remedy: "put the key into a file and name it with `key_file`",
        },
    ],
};

pub(crate) const CONNECTIONS: Section = Section {
    name: "connections",
    within: None,
    repeated: false,
    doc: "What one connection, and all of them together, may cost.",
    keys: &[
        Key::new(
            "total_max",
            integer(10, 1_000_000),
            "a number from 10 to 1000000",
            "Connections open at once.",
        )
        .or("20000")
        .at_restart(),
        Key::new(
            "per_address_max",
            integer(1, 1_000_000),
            "a number from 1 to 1000000",
            "Connections open at once from one address; from one /64 network of IPv6, and 16 times as many from one /48.",
        )
        .or("256")
        .at_restart(),
        Key::new(
            "handshake_deadline",
            seconds(1, 60),
            "a duration from \"1s\" to \"60s\"",
            "How long a TLS handshake may take.",
        )
        .or("10s")
        .at_restart(),
        Key::new(
            "header_deadline",
            seconds(1, 120),
            "a duration from \"1s\" to \"120s\"",
            "How long a request's header may take from its first byte (408 beyond).",
        )
        .or("10s")
        .at_restart(),
        Key::new(
            "idle_deadline",
            seconds(1, HOUR),
            "a duration from \"1s\" to \"1h\"",
            "How long a connection may lie idle between two requests.",
        )
        .or("60s")
        .at_restart(),
        Key::new(
            "body_deadline",
            seconds(1, DAY),
            "a duration from \"1s\" to \"24h\"",
            "How long a request's body may take in all (408 beyond).",
        )
        .or("1h")
        .at_restart(),
        Key::new(
            "body_rate_min",
            integer(1, 1_000_000_000),
            "a number of bytes a second from 1 to 1000000000",
            "How slow a request's body may come, in bytes a second on average (408 below).",
        )
        .or("1024")
        .at_restart(),
        Key::new(
            "header_bytes_max",
            integer(4_096, 262_144),
            "a number of bytes from 4096 to 262144",
            "How long a request's header may be (431 beyond).",
        )
        .or("32768")
        .at_restart(),
        Key::new(
            "header_fields_max",
            integer(16, 1_000),
            "a number from 16 to 1000",
            "How many fields a request's header may have (431 beyond).",
        )
        .or("100")
        .at_restart(),
        Key::new(
            "h2_streams_max",
            integer(1, 1_000),
            "a number from 1 to 1000",
            "Requests open at once on one HTTP/2 connection.",
        )
        .or("100")
        .at_restart(),
        Key::new(
            "h2_streams_per_address_max",
            integer(1, 1_000_000),
            "a number from 1 to 1000000",
            "The same for one address (IPv6: one /64) over all of its connections. A client that reads nothing keeps up to half a MiB for each: 256 MiB at the default.",
        )
        .or("512")
        .at_restart(),
        Key::new(
            "drain_deadline",
            seconds(0, HOUR),
            "a duration from \"0s\" to \"1h\"",
            "How long requests in flight may go on when the gateway is told to stop.",
        )
        .or("30s")
        .at_restart(),
    ],
    later: &[],
};
