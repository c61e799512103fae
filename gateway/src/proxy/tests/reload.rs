//! What is open when the configuration changes.

use std::{path::Path, sync::Arc, time::Duration};

use octroi_certs::tls::Profile;
use octroi_policy::{decision::DenyReason, session::Computer};
use pingora::proxy::Session;
use tokio::io::AsyncWriteExt;

use super::{World, world::CONFIGURATION};
use crate::proxy::upstream::ServicesTls;
use crate::{
    listener::open_requests::{EndReason, OpenRequest},
    proxy::{
        context::Context,
        decide::{Course, decide},
        refusal::Refusal,
        site::Site,
    },
};

const PERSON: &str = "allow = { roles = [\"rh\"], tenants = [\"acme\"] }\nsign_in = \"password\"";

fn upgrade(host: &str, more: &str) -> String {
    format!(
        "GET /socket HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
    )
}

fn site(world: &World, change: impl FnOnce(String) -> String) -> Site {
    let text = change(CONFIGURATION.replace("UPSTREAM", "127.0.0.1:1"));
    let settings = octroi_config::parse(&text, Path::new("/octroi.toml"))
        .unwrap_or_else(|problems| panic!("{problems:#?}"))
        .settings;
    Site::new(
        &settings,
        &Arc::from([]),
        443,
        &ServicesTls::new(Profile::Intermediate, None),
        &world.metrics,
    )
    .unwrap()
}

/// A WebSocket of marie's, open to the payroll.
async fn opened(world: &World) -> Arc<OpenRequest> {
    let (cookie, _) = world
        .sessions
        .open("paie.example.com", &["rh"], Computer::Private);
    let more = format!("Cookie: {cookie}\r\nOrigin: https://paie.example.com\r\n");
    let request = upgrade("paie.example.com", &more);
    let (answer, open) = world.send_as(None, request).await;
    assert_eq!(answer, "", "the socket is left to the door");
    open
}

/// Edits of the configuration (what, from, to), and whether they end what was open.
fn edits() -> [(&'static str, &'static str, String, bool); 11] {
    [
        ("nothing changed", "", String::new(), false),
        (
            "more roles",
            r#"roles = ["rh"]"#,
            r#"roles = ["rh", "it"]"#.to_owned(),
            false,
        ),
        (
            "another deadline",
            PERSON,
            format!("{PERSON}\ntimeouts = {{ idle = \"9s\" }}"),
            false,
        ),
        (
            "another service",
            "http://127.0.0.1:1",
            "http://127.0.0.1:2".to_owned(),
            false,
        ),
        (
            "another name",
            r#"name = "paie""#,
            r#"name = "payroll""#.to_owned(),
            false,
        ),
        (
            "another route",
            r#"name = "down""#,
            r#"name = "gone""#.to_owned(),
            false,
        ),
        (
            "other roles",
            r#"roles = ["rh"]"#,
            r#"roles = ["it"]"#.to_owned(),
            true,
        ),
        (
            "another tenant",
            r#"tenants = ["acme"]"#,
            r#"tenants = ["globex"]"#.to_owned(),
            true,
        ),
        (
            "another host",
            r#"host = "paie.example.com""#,
            r#"host = "moved.example.com""#.to_owned(),
            true,
        ),
        (
            "another path",
            PERSON,
            format!("path = \"/only/\"\n{PERSON}"),
            true,
        ),
        (
            "other methods",
            PERSON,
            format!("methods = [\"POST\"]\n{PERSON}"),
            true,
        ),
    ]
}

#[tokio::test]
async fn c1_a_reload_ends_what_would_not_be_let_in_again_and_nothing_else() {
    for (what, from, to, ends) in edits() {
        let world = World::new().await;
        let open = opened(&world).await;
        let next = site(&world, |text| text.replacen(from, &to, 1));
        world.gate.0.site.store(Arc::new(next));
        let ended = world.gate.0.open_requests.end_lapsed(EndReason::RouteGone);
        assert_eq!(
            (ended, open.end_reason()),
            (usize::from(ends), ends.then_some(EndReason::RouteGone)),
            "{what}"
        );
    }
}

#[tokio::test]
async fn c1_a_request_that_began_before_a_reload_and_registers_after_it_is_judged_again() {
    for (roles, passes) in [(r#"["it"]"#, false), (r#"["rh", "it"]"#, true)] {
        let world = World::new().await;
        let (cookie, _) = world
            .sessions
            .open("paie.example.com", &["rh"], Computer::Private);
        let (mut client, ours) = tokio::io::duplex(1 << 20);
        let request =
            format!("GET / HTTP/1.1\r\nHost: paie.example.com\r\nCookie: {cookie}\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        let mut session = Session::new_h1(Box::new(ours));
        session.downstream_session.read_request().await.unwrap();
        let open = OpenRequest::new(super::world::facts(None));
        let mut context = Context::new(&world.gate.0, Some(&open));
        let next = site(&world, |text| {
            text.replacen(r#"roles = ["rh"]"#, &format!("roles = {roles}"), 1)
        });
        world.gate.0.site.store(Arc::new(next));
        let course = decide(&world.gate.0, &session, &mut context).await;
        match course {
            Ok(Course::Forward) => assert!(passes, "{roles}"),
            Err(Refusal::Denied(DenyReason::RoleMissing)) => assert!(!passes, "{roles}"),
            _ => panic!("{roles}: neither forwarded nor denied"),
        }
    }
}

#[tokio::test]
async fn a_websocket_may_be_silent_for_as_long_as_its_route_says() {
    let world = World::new().await;
    let request = upgrade("slow.example.com", "");
    let (answer, open) = world.send_as(None, request).await;
    assert_eq!(answer, "");
    let takeover = open.take_takeover().expect("the door is asked");
    assert_eq!(takeover.limits.idle_timeout, Duration::from_secs(2));
}
