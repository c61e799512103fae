//! A10: no value of any request field opens a closed path; health lives on a listener of its own.

use octroi_integration_tests::visitor::VERSIONS;

use crate::stage::{HOST, Stage, assert_challenged};

#[test]
fn a10_no_user_agent_of_a_health_check_opens_a_closed_path() {
    let stage = Stage::set();
    let agents: [&[u8]; 8] = [
        b"GoogleHC/1.0",
        b"kube-probe/1.31",
        b"ELB-HealthChecker/2.0",
        b"Consul Health Check",
        b"Envoy/HC",
        b"Prometheus/3.0",
        b"octroi",
        b"",
    ];
    for version in VERSIONS {
        for agent in agents {
            let fields: [(&[u8], &[u8]); 3] = [
                (b"user-agent", agent),
                (b"x-health-check", b"1"),
                (b"purpose", b"prefetch"),
            ];
            assert_challenged(
                &format!("{version:?} {}", agent.escape_ascii()),
                &stage.send(version, b"GET", b"/admin", &fields),
            );
        }
    }
    stage.assert_nothing_passed("a health check");
}

#[test]
fn a10_health_and_metrics_are_not_on_the_public_listener() {
    let stage = Stage::set();
    let portal = stage.world.facts.portal.clone();
    for version in VERSIONS {
        for target in [&b"/healthz"[..], b"/readyz", b"/metrics"] {
            let what = format!("{version:?} {}", target.escape_ascii());
            assert_challenged(&what, &stage.send_to(version, HOST, b"GET", target, &[]));
            let on_portal = stage.send_to(version, &portal, b"GET", target, &[]);
            assert_eq!(
                on_portal.status(),
                404,
                "{what} on the portal: {on_portal:?}"
            );
        }
    }
    stage.assert_nothing_passed("a health path");
}

/// Of the reserved prefix, an application host serves what hand-over needs and 404 for all else, whoever asks.
#[test]
fn a10_the_reserved_prefix_of_an_application_host_is_ours_alone() {
    let stage = Stage::set();
    let insider = stage.insider();
    let cookie = Stage::cookie_of(&insider);
    for version in VERSIONS {
        for target in [
            "account",
            "console",
            "api/v1/login",
            "api/v1/openapi.json",
            "sessions",
            "password",
            "",
            "x",
        ] {
            for fields in [&[][..], &[(&b"cookie"[..], cookie.as_bytes())][..]] {
                let path = format!("/.octroi/{target}");
                let answer = stage.send(version, b"GET", path.as_bytes(), fields);
                assert_eq!(answer.status(), 404, "{version:?} {path}: {answer:?}");
            }
        }
    }
    stage.assert_nothing_passed("the reserved prefix");
}
