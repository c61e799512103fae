//! Tests of what is withheld from upstreams.

use http::{HeaderMap, HeaderName};

use super::*;

fn name(text: &str) -> HeaderName {
    text.parse().unwrap()
}

#[test]
fn what_passes_without_a_look_at_the_tables_would_pass_them_too() {
    for common in COMMON {
        assert_eq!(FieldClass::of(&common), FieldClass::EndToEnd, "{common}");
        assert!(!is_withheld(&common, |_| false), "{common}");
        assert!(is_withheld(&common, |name| *name == common), "{common}");
    }
}

#[test]
fn a5_nothing_that_says_where_a_request_came_from_passes() {
    for text in [
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Forwarded-Port",
        "X-Forwarded-Uri",
        "X-Forwarded-Method",
        "X-Real-IP",
        "X-Original-URL",
        "X-Original-Method",
        "X-Rewrite-URL",
        "X-Client-IP",
        "True-Client-IP",
        "Proxy",
        "Via",
        "X-Request-Id",
        "traceparent",
        "X-HTTP-Method-Override",
        "CF-Connecting-IP",
        "CF-IPCountry",
        "CloudFront-Viewer-Address",
        "Fly-Client-IP",
        "X-Host",
        "X-HTTP-Host-Override",
        "X-Accel-Internal",
        "X-Arr-Log-Id",
        "X-Azure-ClientIP",
        "X-Appengine-User-Ip",
        "X-Envoy-Original-Path",
        "X-Middleware-Subrequest",
        "X-Client-Real-Ip",
        "X-Sendfile",
        "X-Script-Name",
    ] {
        assert_eq!(
            FieldClass::of(&name(text)),
            FieldClass::Forwarding,
            "{text}"
        );
    }
}

#[test]
fn a6_nothing_that_says_who_somebody_is_passes() {
    for text in [
        "Remote-User",
        "Remote-Groups",
        "Remote-Tenant",
        "Remote-Email",
        "X-Remote-User",
        "X-Auth-User",
        "X-Auth-Request-Email",
        "X-WebAuth-User",
        "Octroi-Assertion",
        "SSL-Client-Verify",
        "Cf-Access-Authenticated-User-Email",
        "Cf-Access-Jwt-Assertion",
        "X-User-Id",
        "X-User-Email",
        "X-Userinfo",
        "X-Vouch-User",
        "X-Consumer-Username",
        "X-Credential-Identifier",
        "X-Anonymous-Consumer",
        "Tailscale-User-Login",
        "Shib-Identity-Provider",
        "Oidc-Claim-Sub",
        "Mellon-Name-Id",
        "X-Proxy-User",
        "X-Id-Token",
        "X-Access-Token",
        "X-Jwt-Assertion",
        "X-Authentik-Username",
        "X-Pomerium-Claim-Email",
        "X-Goog-Authenticated-User-Email",
        "X-Ms-Client-Principal-Name",
        "X-Ms-Token-Aad-Id-Token",
        "X-Amzn-Oidc-Data",
        "X-Amzn-Mtls-Clientcert",
        "Client-Cert",
        "Client-Cert-Chain",
        "X-Client-Cert",
        "X-Client-Dn",
        "X-Tls-Client-Subject",
        "Wl-Proxy-Client-Cert",
        "Iv-User",
        "Oam-Remote-User",
        "Impersonate-User",
        "Grpc-Metadata-Remote-User",
        "Es-Security-Runas-User",
        "X-Proxy-Roles",
        "X-Scope-Orgid",
        "X-Tenant-Id",
        "X-Hasura-Role",
        "X-Trino-User",
        "X-Kong-Consumer",
        "X-Oidc-User",
        "X-User-Sub",
        "Authenticated-User",
        "L5d-Client-Id",
    ] {
        assert_eq!(FieldClass::of(&name(text)), FieldClass::Identity, "{text}");
    }
}

#[test]
fn what_is_between_client_and_upstream_passes() {
    for text in [
        "Accept",
        "Authorization",
        "Content-Length",
        "Content-Type",
        "Cookie",
        "If-None-Match",
        "Origin",
        "Range",
        "Sec-Fetch-Site",
        "Trailer",
        "User-Agent",
        "X-User-Agent",
        "X-Requested-With",
        "X-Api-Key",
        "X-Amz-Date",
        "X-Csrf-Token",
        "Grpc-Timeout",
    ] {
        assert_eq!(FieldClass::of(&name(text)), FieldClass::EndToEnd, "{text}");
    }
}

#[test]
fn a_field_that_the_route_sets_itself_is_withheld() {
    let own = name("X-Employee");
    assert!(is_withheld(&own, |field| *field == own));
    assert!(!is_withheld(&own, |_| false));
}

#[test]
fn a7_nominated_fields_are_found_in_every_connection_field_and_host_is_not_among_them() {
    let mut headers = HeaderMap::new();
    headers.append(
        "connection",
        "close, X-Auth-User ,\tX-Forwarded-For".parse().unwrap(),
    );
    headers.append(
        "connection",
        "Host, content-length, ;;, , X-Own".parse().unwrap(),
    );
    let found: Vec<_> = nominated(&headers).map(|name| name.to_string()).collect();
    assert_eq!(found, ["close", "x-auth-user", "x-forwarded-for", "x-own"]);
}

#[test]
fn the_manual_names_every_field_that_stays_here() {
    let manual = include_str!("../../../docs/ops/fields-that-stay-here.md");
    for (before, listed) in [
        ("", &IDENTITY),
        ("x-", &X_IDENTITY),
        ("", &FORWARDING),
        ("x-", &X_FORWARDING),
    ] {
        for name in listed.names {
            assert!(
                manual.contains(&format!("`{before}{name}`")),
                "{before}{name}"
            );
        }
        for family in listed.families {
            assert!(
                manual.contains(&format!("`{before}{family}…`")),
                "{before}{family}"
            );
        }
    }
}
