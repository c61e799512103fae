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
            _ => Self::of_table(name),
        }
    }

    /// Most fields of a browser do not begin with `x-`, and are compared with the shorter lists.
    fn of_table(name: &str) -> Self {
        let begins = |prefixes: &[&str], rest: &str| {
            let mut prefixes = prefixes.iter();
            prefixes.any(|prefix| rest.starts_with(prefix))
        };
        let (identity, forwarding, rest) = match name.strip_prefix("x-") {
            Some(rest) => (&X_IDENTITY, &X_FORWARDING, rest),
            None => (&IDENTITY, &FORWARDING, name),
        };
        if identity.names.contains(&rest) || begins(identity.families, rest) {
            Self::Identity
        } else if forwarding.names.contains(&rest) || begins(forwarding.families, rest) {
            Self::Forwarding
        } else {
            Self::EndToEnd
        }
    }
}

/// Whether a field of the client is kept from the upstream: every class but
/// [`FieldClass::EndToEnd`], and the fields that `own` says this route sets itself.
pub fn is_withheld(name: &HeaderName, own: impl Fn(&HeaderName) -> bool) -> bool {
    let passes = COMMON.contains(name) || FieldClass::of(name) == FieldClass::EndToEnd;
    !passes || own(name)
}

/// Fields of most requests, known to be [`FieldClass::EndToEnd`]: comparing with one of them is
/// comparing two numbers, while the tables below are read letter by letter.
const COMMON: [HeaderName; 18] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
    header::AUTHORIZATION,
    header::CACHE_CONTROL,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::COOKIE,
    header::DNT,
    header::HOST,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::ORIGIN,
    header::PRAGMA,
    header::RANGE,
    header::REFERER,
    header::UPGRADE_INSECURE_REQUESTS,
    header::USER_AGENT,
];

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

/// Fields of one class: whole names, and beginnings of names.
struct Listed {
    names: &'static [&'static str],
    families: &'static [&'static str],
}

/// What upstreams take for an identity that somebody proved: ours, and what the gateways, proxies
/// and servers say that people move from.
const IDENTITY: Listed = Listed {
    names: &[
        "smuser",
        "sm-user",
        "teleport-jwt-assertion",
        "authenticated-user",
        "kerberos-user",
        "es-security-runas-user",
    ],
    families: &[
        "octroi-",
        // gRPC's gateway to HTTP makes a field of its own of what follows.
        "grpc-metadata-",
        // Kubernetes.
        "impersonate-",
        // CGI and most forward-auth gateways.
        "remote-",
        "auth-user",
        // Client certificates: RFC 9440, Apache, nginx, WebLogic.
        "client-cert",
        "ssl-",
        "wl-proxy-",
        // Cloudflare Access, Tailscale Serve, Shibboleth, mod_auth_openidc, mod_auth_mellon.
        "cf-access-",
        "tailscale-",
        "shib-",
        "oidc-",
        "mellon-",
        // IBM WebSEAL, Oracle Access Manager, RSA ClearTrust, Linkerd.
        "iv-",
        "oam-",
        "ct-remote-",
        "l5d-client-",
    ],
};

/// The same after `x-`.
const X_IDENTITY: Listed = Listed {
    names: &[
        "user",
        "username",
        "userid",
        "userinfo",
        // Whole names: `X-User-Agent` is a program's own (gRPC for browsers).
        "user-id",
        "user-name",
        "user-login",
        "user-email",
        "user-mail",
        "user-group",
        "user-groups",
        "user-role",
        "user-roles",
        "user-info",
        "user-claims",
        "user-uid",
        "user-sub",
        "user-tenant",
        "email",
        "group",
        "groups",
        "role",
        "roles",
        "tenant",
        "tenant-id",
        "login",
        "login-name",
        "upn",
        "principal",
        "principal-name",
        // OpenSearch and Elasticsearch; Loki, Mimir and Tempo; Trino and Presto.
        "proxy-user",
        "proxy-roles",
        "scope-orgid",
        "trino-user",
        "presto-user",
        "id-token",
        "access-token",
        "spiffe-id",
        "anonymous-consumer",
        "client-dn",
        "client-verify",
        "client-subject",
        "client-serial",
        "client-fingerprint",
        "client-s-dn",
        "client-i-dn",
        "apigateway-api-userinfo",
        "endpoint-api-userinfo",
    ],
    families: &[
        "octroi-",
        "remote-",
        "auth-",
        "authenticated-",
        "authz-",
        // Authentik, Authelia, Pomerium, Grafana's, Vouch, Kong.
        "authentik-",
        "authelia-",
        "pomerium-",
        "webauth-",
        "vouch-",
        "consumer-",
        "credential-",
        "kong-",
        "hasura-",
        "oidc-",
        // Google's proxies, Azure's "easy auth", Amazon's load balancers.
        "goog-",
        "ms-client-",
        "ms-token-",
        "amzn-oidc-",
        "amzn-mtls-",
        "jwt-",
        "saml-",
        "sso-",
        "claim-",
        "claims-",
        "client-cert",
        "ssl-",
        "tls-",
        "mtls-",
        "proxyuser-",
    ],
};

/// What says where a request came from, or stands for its host, path and method.
const FORWARDING: Listed = Listed {
    names: &[
        "forwarded",
        "via",
        // It becomes HTTP_PROXY behind CGI, and sends the upstream's own calls elsewhere
        // (CVE-2016-5385).
        "proxy",
        "traceparent",
        "tracestate",
        "true-client-ip",
        "client-ip",
        "http-client-ip",
        "proxy-client-ip",
        "do-connecting-ip",
        "front-end-https",
    ],
    families: &["cf-", "fastly-", "fly-", "akamai-", "cloudfront-"],
};

/// The same after `x-`.
const X_FORWARDING: Listed = Listed {
    names: &[
        "host",
        "scheme",
        "proto",
        "url-scheme",
        "override-url",
        "originating-ip",
        "cluster-client-ip",
        "nf-client-connection-ip",
        "sendfile-type",
        "sendfile",
        "script-name",
        // Next.js passes its own checks by on it (CVE-2025-29927).
        "middleware-subrequest",
    ],
    families: &[
        "forwarded",
        "original-",
        "rewrite-",
        "real-",
        "client-ip",
        "client-real-ip",
        "request-id",
        "http-method",
        "http-host-",
        "http-path-",
        "method-override",
        "envoy-",
        "istio-",
        "accel-",
        "arr-",
        "azure-",
        "appengine-",
        "akamai-",
        "vercel-",
    ],
};
