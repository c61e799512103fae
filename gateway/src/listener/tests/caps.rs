//! Connections are capped in all, and by the client's own address.

use std::time::Duration;

use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::world::{World, eventually, get};

#[tokio::test]
async fn the_connection_above_the_total_cap_is_closed_and_the_next_one_served() {
    let world = World::with(|plan| plan.limits.connections_max = 2).await;
    let first = world.http1().await;
    let _second = world.http1().await;
    let third = world
        .connect_as("app.localhost", world.client(&["http/1.1"]))
        .await;
    assert!(third.is_err());
    drop(first);
    eventually("there is room again", || world.caps.open() == 1).await;
    let mut next = world.http1().await;
    next.send(&get("/")).await;
    assert!(next.read_head().await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn the_connection_above_a_clients_cap_is_closed() {
    let world = World::with(|plan| plan.limits.connections_per_client_max = 2).await;
    let _held = [world.http1().await, world.http1().await];
    let third = world
        .connect_as("app.localhost", world.client(&["http/1.1"]))
        .await;
    assert!(third.is_err());
}

#[tokio::test]
async fn behind_a_listed_peer_each_client_has_its_own_cap() {
    let world = World::with(|plan| {
        plan.limits.connections_per_client_max = 1;
        plan.proxy_header_from = vec!["127.0.0.1".parse().unwrap()];
    })
    .await;
    let connect = async |client: &str| {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        let header = format!("PROXY TCP4 {client} 10.0.0.1 4000 443\r\n");
        stream.write_all(header.as_bytes()).await.unwrap();
        world
            .secure(stream, "app.localhost", world.client(&["http/1.1"]))
            .await
    };
    let mut first = connect("192.0.2.1").await.unwrap();
    first.send(&get("/facts")).await;
    assert!(first.read_answer().await.1.starts_with("192.0.2.1 "));
    assert!(connect("192.0.2.1").await.is_err());
    assert!(connect("192.0.2.2").await.is_ok());
}

#[tokio::test]
async fn a_listed_peer_that_says_nothing_or_nonsense_is_closed() {
    let world = World::with(|plan| {
        plan.proxy_header_from = vec!["127.0.0.1".parse().unwrap()];
        plan.limits.proxy_header_timeout = Duration::from_millis(100);
    })
    .await;
    // A TLS handshake is no PROXY header.
    assert!(
        world
            .connect_as("app.localhost", world.client(&["h2"]))
            .await
            .is_err()
    );
    let _silent = TcpStream::connect(world.address).await.unwrap();
    eventually("the silent one is accepted", || world.caps.open() == 1).await;
    eventually("the silent one is gone", || world.caps.open() == 0).await;
}

#[tokio::test]
async fn a_peer_that_is_not_listed_cannot_choose_its_address() {
    let world = World::new().await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream
        .write_all(b"PROXY TCP4 192.0.2.1 10.0.0.1 4000 443\r\n")
        .await
        .unwrap();
    assert!(
        world
            .secure(stream, "app.localhost", world.client(&["h2"]))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_handshake_that_is_not_finished_ends_at_its_deadline() {
    let world =
        World::with(|plan| plan.limits.handshake_timeout = Duration::from_millis(100)).await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream.write_all(&[22, 3, 1, 2, 0]).await.unwrap();
    eventually("it is accepted", || world.caps.open() == 1).await;
    eventually("it is gone", || world.caps.open() == 0).await;
}
