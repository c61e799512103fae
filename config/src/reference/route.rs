//! The keys of routes.

use super::{DAY, HOUR, Key, Kind, Later, Section, seconds};

/// What stands in for proofs that do not exist yet.
const PROOFS: &str = "leave it out; what proof a route takes is said in `sign_in`, where a later version will know \"two_factor\" and \"passkey\"";

pub(crate) const ROUTE: Section = Section {
    name: "route",
    within: None,
    repeated: true,
    doc: "Which requests go to which service, and what it takes to pass. What no route names is refused. \
          An exact host goes before a wildcard, a longer path before a shorter one, a named method before all methods; \
          the one route found decides alone, and the order in the file means nothing.",
    keys: &[
        Key::new(
            "name",
            Kind::Text,
            "1 to 64 of a-z, 0-9, '-', '_' and '.'",
            "The route's name in logs, metrics, `explain`, and as the audience of the assertion. By default made of host, path and methods.",
        ),
        Key::new(
            "host",
            Kind::Text,
            "a host name such as \"paie.example.com\" or \"*.example.com\"",
            "The host that people ask for. Required. `*.` stands for one label.",
        ),
        Key::new(
            "path",
            Kind::Text,
            "a path such as \"/webhooks\"",
            "The path and everything below it, in whole segments: `/a` is for `/a`, `/a/` and `/a/b`, not for `/ab`.",
        )
        .or("/"),
        Key::new(
            "methods",
            Kind::List,
            "a list of methods such as [\"GET\", \"POST\"]",
            "The methods it is for; by default all. Who may GET may also HEAD.",
        ),
        Key::new(
            "to",
            Kind::OneOrMany,
            "an address such as \"http://10.0.0.12:8080\", \"https://10.0.0.12\" or \"unix:///run/app.sock\", or a list of them",
            "The service's addresses, used in turn. Required. Nothing but scheme, host and port: the request's own path is sent.",
        ),
        Key::new(
            "allow",
            Kind::Table,
            "\"everyone\", or a table such as { roles = [\"rh\"], tenants = [\"acme\"] }",
            "Who is let in, of those who are signed in. Required unless `sign_in` is `public`.",
        ),
        Key::new(
            "sign_in",
            Kind::Text,
            "\"password\" or \"public\"",
            "The proof it takes: `password`, or `public` for none. The service behind a public route is told nothing of who asks.",
        )
        .or("password")
        .later(&["two_factor", "passkey"]),
        Key::new(
            "background",
            Kind::Boolean,
            "true or false",
            "Whether requests come by themselves (polling), and so leave the session's idle time alone.",
        )
        .or("false"),
        Key::new(
            "websocket_origins",
            Kind::List,
            "a list of origins such as [\"https://app.example.com\"]",
            "Web pages that may open WebSockets here in a person's name, besides those of the route's own host.",
        ),
        Key::new(
            "identity",
            Kind::Table,
            "a table such as { login = \"Remote-User\", email = \"Remote-Email\" }",
            "Personal facts that the service is told besides the opaque account id.",
        ),
        Key::new(
            "protocol",
            Kind::Text,
            "\"http1\" or \"http2\"",
            "The version of HTTP that the service speaks; `http2` without TLS means prior knowledge (h2c). gRPC needs `http2`.",
        )
        .or("http1"),
        Key::new(
            "upstream_tls",
            Kind::Table,
            "a table such as { name = \"paie.internal\", ca = \"/etc/octroi/internal-ca.pem\" }",
            "How the service proves itself, where `to` begins with https.",
        ),
        Key::new(
            "expose_ok",
            Kind::Boolean,
            "true or false",
            "Whether the service may stand at an address that the Internet can reach, and so around the gateway.",
        )
        .or("false"),
        Key::new(
            "timeouts",
            Kind::Table,
            "a table such as { connect = \"5s\", response = \"60s\", idle = \"60s\" }",
            "How long the service may take.",
        ),
        Key::new(
            "security_headers",
            Kind::Text,
            "\"standard\" or \"off\"",
            "Whether `X-Content-Type-Options`, `Referrer-Policy` and `X-Frame-Options` are added to answers that lack them.",
        )
        .or("standard"),
    ],
    later: &[
        Later {
            name: "fresh",
            remedy: "leave it out; a session lasts at most as long as `sessions.absolute` says",
        },
        Later {
            name: "limit",
            remedy: "leave it out; `[limits]` covers those who are not signed in",
        },
        // Ways in which people write `sign_in = "two_factor"`.
        Later {
            name: "two_factor",
            remedy: PROOFS,
        },
        Later {
            name: "second_factor",
            remedy: PROOFS,
        },
        Later {
            name: "passkey",
            remedy: PROOFS,
        },
        Later {
            name: "auth",
            remedy: "use `sign_in`",
        },
    ],
};

pub(crate) const ALLOW: Section = Section {
    name: "allow",
    within: Some("route"),
    repeated: false,
    doc: "Who is let in, of those who are signed in. Where both are said, both have to hold. An empty list is refused.",
    keys: &[
        Key::new(
            "roles",
            Kind::List,
            "a list of roles such as [\"rh\"]",
            "People who hold one of these roles; by default whatever role they hold.",
        ),
        Key::new(
            "tenants",
            Kind::List,
            "a list of tenants such as [\"acme\"]",
            "People of one of these tenants, and those who hold an unexpired grant on one; by default of any tenant, where grants do not count.",
        ),
    ],
    later: &[],
};

pub(crate) const IDENTITY: Section = Section {
    name: "identity",
    within: Some("route"),
    repeated: false,
    doc: "Which personal facts the service is told, and in which header field. `Remote-User` is the opaque account id unless it is given to one of these.",
    keys: &[
        Key::new(
            "login",
            Kind::Text,
            "a header field such as \"Remote-User\"",
            "The field that carries the login.",
        ),
        Key::new(
            "email",
            Kind::Text,
            "a header field such as \"Remote-Email\"",
            "The field that carries the e-mail address.",
        ),
        Key::new(
            "name",
            Kind::Text,
            "a header field such as \"Remote-Name\"",
            "The field that carries the person's name.",
        ),
    ],
    later: &[],
};

pub(crate) const TIMEOUTS: Section = Section {
    name: "timeouts",
    within: Some("route"),
    repeated: false,
    doc: "How long the service may take.",
    keys: &[
        Key::new(
            "connect",
            seconds(1, 60),
            "a duration from \"1s\" to \"60s\"",
            "For a connection to one address, with its TLS handshake (502 where no other is left).",
        )
        .or("5s"),
        Key::new(
            "response",
            seconds(1, HOUR),
            "a duration from \"1s\" to \"1h\"",
            "For the header of the answer once the request is sent (504 beyond), and between two pieces of an ordinary answer. While a body goes to an HTTP/2 service, the longer of this and `idle`.",
        )
        .or("60s"),
        Key::new(
            "idle",
            seconds(1, DAY),
            "a duration from \"1s\" to \"24h\"",
            "The same for what may be silent for long: an answer that the client asks for with `Accept: text/event-stream`, or a gRPC call. Also between two pieces of a request that the service takes in, and for a WebSocket on which both sides are silent; a ping counts as a sign of life.",
        )
        .or("5m"),
    ],
    later: &[],
};

pub(crate) const UPSTREAM_TLS: Section = Section {
    name: "upstream_tls",
    within: Some("route"),
    repeated: false,
    doc: "How the service proves itself, and the gateway to it.",
    keys: &[
        Key::new(
            "name",
            Kind::Text,
            "a host name such as \"paie.internal\"",
            "The name that the service's certificate has to bear. By default the host of `to`; required where that is an IP address.",
        ),
        Key::new(
            "ca",
            Kind::Text,
            "a file such as \"/etc/octroi/internal-ca.pem\"",
            "The PEM file of the authorities that are believed, and no others. By default those of the operating system.",
        ),
        Key::new(
            "client_chain",
            Kind::Text,
            "a file such as \"/etc/octroi/tls/client.pem\"",
            "The PEM file of the gateway's own certificate, where the service asks for one. Goes with `client_key_file`.",
        ),
        Key::new(
            "client_key_file",
            Kind::Text,
            "a file such as \"/etc/octroi/tls/client-key.pem\"",
            "The PEM file of its private key, guarded like `certificate.key_file`.",
        ),
    ],
    later: &[],
};
