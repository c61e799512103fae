//! Which fields of a client never reach an upstream, because there they would speak with our voice.

#[cfg(test)]
mod tests;

use http::{HeaderMap, HeaderName, header};

/// What a field is to a gateway.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum FieldClass {
    /// Says who somebody is: upstreams believe it, so only the gateway may say it.
    Identity,
    /// Says where a request came from or what it was: likewise.
    Forwarding,
    /// Is about one connection (RFC 9110, section 7.6.1).
    HopByHop,
    /// Is between client and upstream.
    EndToEnd,
}

impl FieldClass {
    /// The class of a field. Names are compared in lower case, as [`HeaderName`] keeps them.
    pub fn of(name: &HeaderName) -> Self {
        let name = name.as_str();
        match name {
            "connection"
            | "keep-alive"
            | "proxy-connection"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "te"
            | "transfer-encoding"
            | "upgrade"
            | "http2-settings" => Self::HopByHop,
            // `proxy` becomes HTTP_PROXY behind CGI, and sends the upstream's own calls elsewhere
            // (CVE-2016-5385).
            "forwarded" | "via" | "proxy" | "traceparent" | "tracestate" | "true-client-ip"
            | "client-ip" | "cf-connecting-ip" | "fastly-client-ip" => Self::Forwarding,
            "x-user" | "x-email" | "x-groups" | "x-tenant" | "x-username" | "x-userid" => {
                Self::Identity
            }
            _ => Self::of_family(name),
        }
    }

    fn of_family(name: &str) -> Self {
        let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
        if begins(IDENTITY_PREFIXES) {
            Self::Identity
        } else if begins(FORWARDING_PREFIXES) {
            Self::Forwarding
        } else {
            Self::EndToEnd
        }
    }
}

/// Whether a field of the client is kept from the upstream: every class but
/// [`FieldClass::EndToEnd`], and the fields that `own` says this route sets itself.
pub fn is_withheld(name: &HeaderName, own: impl Fn(&HeaderName) -> bool) -> bool {
    FieldClass::of(name) != FieldClass::EndToEnd || own(name)
}

/// The fields that the client's `Connection` nominates as its own connection's (RFC 9110, section
/// 7.6.1). They are withheld too, before ours are added: a nomination can take away what the client
/// sent, never what the gateway says (attack class A7). `Host` and what frames a body stay.
pub fn nominated(headers: &HeaderMap) -> impl Iterator<Item = HeaderName> + '_ {
    headers
        .get_all(header::CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|token| HeaderName::from_bytes(token.trim_ascii()).ok())
        .filter(|name| *name != header::HOST && *name != header::CONTENT_LENGTH)
}

/// Families of fields that upstreams take for an identity that somebody proved: ours, and those of
/// the gateways that people move from.
const IDENTITY_PREFIXES: &[&str] = &[
    "octroi-",
    "remote-",
    "x-remote-",
    "x-octroi-",
    "x-auth-",
    "x-authenticated-",
    "x-authentik-",
    "x-authelia-",
    "x-pomerium-",
    "x-webauth-",
    "x-goog-",
    "x-ms-client-",
    "x-amzn-oidc-",
    "x-client-cert",
    "x-ssl-",
    "ssl-client-",
    "auth-user",
];

/// Families of fields that say where a request came from, or that stand for its path and method.
const FORWARDING_PREFIXES: &[&str] = &[
    "x-forwarded",
    "x-original-",
    "x-rewrite-",
    "x-real-",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-request-id",
    "x-http-method",
    "x-method-override",
    "x-envoy-",
    "x-proxyuser-",
];
