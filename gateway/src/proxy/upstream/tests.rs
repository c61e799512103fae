//! Addresses that are never a service, whatever the configuration or a name server says.

use std::path::Path;

use octroi_certs::tls::Profile;

use super::*;
use crate::proxy::tests::world::CONFIGURATION;

const REQUEST: RequestId = RequestId::from_bytes([7; 16]);

/// The service at `address`, behind a gateway that listens on `listeners`.
fn service(address: &str, expose_ok: bool, listeners: &[&str]) -> Service {
    let target = address.parse().map_or_else(
        |_| {
            let (name, port) = address.rsplit_once(':').unwrap();
            Target::Name(Name::new(name, port.parse().unwrap()))
        },
        Target::Tcp,
    );
    let text = CONFIGURATION.replace("UPSTREAM", "127.0.0.1:1");
    let settings = octroi_config::parse(&text, Path::new("/octroi.toml"))
        .unwrap_or_else(|problems| panic!("{problems:#?}"))
        .settings;
    let (_, route) = settings.routes.iter().next().unwrap();
    let listeners = listeners.iter().map(|one| one.parse().unwrap()).collect();
    let services = ServicesTls::new(Profile::Intermediate, None);
    // The configuration would refuse most of these: the rule holds without it, too.
    let mut service = Service::new(route, listeners, &services).unwrap();
    service.targets = Box::new([target]);
    service.expose_ok = expose_ok;
    service
}

/// Why nothing is sent there; empty where something is.
async fn refusal(service: &Service) -> String {
    let Err(fault) = service.peer(Awaited::Answer).await else {
        return String::new();
    };
    let why = fault.to_string();
    let also = service.connect(REQUEST).await.err().unwrap().to_string();
    assert_eq!(why, also, "a WebSocket goes where requests go");
    why
}

#[tokio::test]
async fn the_metadata_service_of_a_cloud_is_never_a_service() {
    for address in ["169.254.169.254:80", "[::ffff:169.254.169.254]:80"] {
        let why = refusal(&service(address, true, &[])).await;
        assert!(
            why.ends_with("may not be a service: it is never a service"),
            "{why}"
        );
    }
}

#[tokio::test]
async fn a_public_address_is_a_service_only_where_the_route_says_so() {
    let why = refusal(&service("93.184.215.14:80", false, &[])).await;
    assert!(
        why.ends_with("it is public, and the route has no expose_ok"),
        "{why}"
    );
    for (address, expose_ok) in [("93.184.215.14:80", true), ("10.0.0.12:80", false)] {
        assert_eq!(refusal(&service(address, expose_ok, &[])).await, "");
    }
}

#[tokio::test]
async fn a_listener_of_the_gateway_itself_is_never_a_service() {
    for (address, own) in [
        ("10.0.0.1:443", "10.0.0.1:443"),
        ("127.0.0.1:443", "0.0.0.0:443"),
        ("[::1]:443", "[::]:443"),
        ("[::ffff:127.0.0.1]:443", "127.0.0.1:443"),
    ] {
        let why = refusal(&service(address, true, &[own])).await;
        assert!(
            why.ends_with("it is a listener of this gateway"),
            "{address}: {why}"
        );
        assert_eq!(
            refusal(&service(address, true, &["10.9.9.9:444"])).await,
            "",
            "{address}"
        );
    }
}

#[tokio::test]
async fn a_name_that_comes_to_mean_the_gateway_itself_is_refused_when_it_is_resolved() {
    let own = ["0.0.0.0:4443", "[::]:4443"];
    let why = refusal(&service("localhost:4443", false, &own)).await;
    assert_eq!(why, "localhost has no address that may be used");
    assert_eq!(refusal(&service("localhost:4444", false, &own)).await, "");
}

#[tokio::test]
async fn an_address_that_may_not_be_used_costs_no_request_while_another_is_good() {
    let own = ["0.0.0.0:4443", "[::]:4443"];
    for bad in ["169.254.169.254:80", "localhost:4443"] {
        let mut both = service(bad, false, &own);
        let good = service("10.0.0.12:80", false, &own);
        let targets = std::mem::take(&mut both.targets).into_iter();
        both.targets = targets.chain(good.targets).collect();
        for turn in 0..4 {
            assert_eq!(refusal(&both).await, "", "{bad}, {turn}");
        }
    }
}

/// A service at an address where nobody listens, and at one where somebody does.
async fn half_dead() -> (Service, tokio::net::TcpListener, SocketAddr) {
    let listen = || tokio::net::TcpListener::bind("127.0.0.1:0");
    let (dead, good) = (listen().await.unwrap(), listen().await.unwrap());
    let (dead, alive) = (dead.local_addr().unwrap(), good.local_addr().unwrap());
    let mut both = service("10.0.0.1:80", false, &[]);
    both.targets = Box::new([Target::Tcp(dead), Target::Tcp(alive)]);
    (both, good, dead)
}

#[tokio::test]
async fn a_websocket_is_tried_at_every_address_and_the_dead_one_only_once() {
    let (service, good, dead) = half_dead().await;
    assert_eq!(service.tries(), 2);
    service.connect(REQUEST).await.unwrap();
    assert!(service.avoided.contains(&UpstreamAddress::Inet(dead)));
    for _ in 0..4 {
        let picked = service.pick().await.unwrap();
        let alive = good.local_addr().unwrap();
        assert_eq!(picked, UpstreamAddress::Inet(alive));
    }
    drop(good);
    let refused = service.connect(REQUEST).await.err().unwrap();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    // All of them failed: they take turns again, since one has to be tried.
    let [one, other] = [service.pick().await.unwrap(), service.pick().await.unwrap()];
    assert_ne!(one, other);
}

#[tokio::test]
async fn what_pingora_could_not_reach_is_avoided_by_websockets_too() {
    let (service, _good, dead) = half_dead().await;
    let dead = UpstreamAddress::Inet(dead);
    let peer = service.peer(Awaited::Answer).await.unwrap();
    service.failed(&peer, &"refused", REQUEST);
    assert!(service.avoided.contains(&dead));
    let socket = PathBuf::from("/run/service.sock");
    let unix = HttpPeer::new_uds("/run/service.sock", false, String::new());
    service.failed(&unix.unwrap(), &"refused", REQUEST);
    assert!(service.avoided.contains(&UpstreamAddress::Unix(socket)));
}
