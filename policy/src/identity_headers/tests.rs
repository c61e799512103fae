//! Tests of what is withheld from upstreams.

use http::{HeaderMap, HeaderName};

use super::*;

fn name(text: &str) -> HeaderName {
    text.parse().unwrap()
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
        "X-Requested-With",
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
