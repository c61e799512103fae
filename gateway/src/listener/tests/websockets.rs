//! A WebSocket: opened, refused, idle.

use std::time::Duration;

use super::world::{World, eventually, upgrade};
use crate::listener::tunnel::{TunnelEnd, TunnelFault};

#[tokio::test]
async fn a_websocket_carries_bytes_both_ways_and_its_head_is_filtered() {
    let world = World::new().await;
    let mut client = world.http1().await;
    client.send(&upgrade("/ws", 1)).await;
    let head = client.read_head().await.to_ascii_lowercase();
    for field in [
        "x-filtered: yes",
        "x-from: upstream",
        "upgrade: websocket",
        "connection: upgrade",
    ] {
        assert_eq!(head.matches(field).count(), 1, "{field} in {head}");
    }
    client.send("said").await;
    assert_eq!(client.read_exactly(4).await, b"said");
    drop(client);
    eventually("the tunnel is gone", || world.caps.open() == 0).await;
    assert_eq!(*world.seen.tunnels.lock().unwrap(), [TunnelEnd::Closed]);
    assert_eq!(*world.seen.watches_dropped.lock().unwrap(), 1);
}

#[tokio::test]
async fn a_thousand_websockets_open_though_the_upstream_says_101_at_accept() {
    let world = World::with(|plan| plan.eager_upstream = true).await;
    for round in 0..1_000 {
        let mut client = world.websocket("/ws", 1).await;
        client.send("hello").await;
        assert_eq!(client.read_exactly(5).await, b"hello", "round {round}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_101_is_relayed_and_the_connection_closed() {
    let world = World::new().await;
    let mut client = world.http1().await;
    client.send(&upgrade("/ws-refused", 1)).await;
    let answer = String::from_utf8(client.read_to_clean_end().await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answer}");
    assert!(
        answer.contains("connection: close\r\n") && !answer.contains("chunked"),
        "{answer}"
    );
    assert!(answer.ends_with("\r\n\r\nnope"), "{answer}");
    eventually("the tunnel is told", || {
        *world.seen.tunnels.lock().unwrap() == [TunnelEnd::Answered]
    })
    .await;
}

#[tokio::test]
async fn a_101_for_another_handshake_is_a_bad_gateway() {
    let world = World::new().await;
    let mut client = world.http1().await;
    client.send(&upgrade("/ws-wrong-key", 1)).await;
    let answer = String::from_utf8(client.read_to_clean_end().await).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n"),
        "{answer}"
    );
    assert!(answer.ends_with("BadAnswer"), "{answer}");
}

#[tokio::test]
async fn a8_bytes_after_an_upgrade_never_reach_the_upstream() {
    let world = World::new().await;
    let mut client = world.http1().await;
    client
        .send(&format!(
            "{}GET /smuggled HTTP/1.1\r\n\r\n",
            upgrade("/ws", 1)
        ))
        .await;
    let answer = String::from_utf8(client.read_to_clean_end().await).unwrap();
    assert!(answer.ends_with("EarlyBytes"), "{answer}");
    assert_eq!(*world.seen.requests.lock().unwrap(), ["/ws"]);
}

#[tokio::test]
async fn a_silent_websocket_ends_at_its_idle_limit_and_a_busy_one_does_not() {
    let world = World::with(|plan| {
        plan.tunnel.idle_timeout = Duration::from_secs(1);
    })
    .await;
    let mut busy = world.websocket("/ws", 1).await;
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        busy.send("\u{1}\u{1}x").await;
        busy.read_exactly(3).await;
    }
    assert_eq!(busy.read_to_clean_end().await, [0x88, 2, 0x03, 0xe9]);
    drop(busy);
    eventually("the tunnel is told", || {
        *world.seen.tunnels.lock().unwrap() == [TunnelEnd::Idle]
    })
    .await;
}

#[tokio::test]
async fn an_upstream_that_does_not_answer_is_a_fault_after_its_limit() {
    let world = World::with(|plan| {
        plan.tunnel.answer_timeout = Duration::from_millis(50);
    })
    .await;
    let mut client = world.http1().await;
    // An upload without a body to come: the upstream waits for it.
    client.send(&upgrade("/upload", 1)).await;
    client.read_to_clean_end().await;
    let refused = TunnelEnd::Refused(TunnelFault::TimedOut);
    eventually("the tunnel is told", || {
        *world.seen.tunnels.lock().unwrap() == [refused]
    })
    .await;
}

#[tokio::test]
async fn a9_an_answer_that_is_no_101_ends_when_the_client_takes_nothing() {
    let world = World::with(|plan| {
        plan.limits.write_timeout = Duration::from_millis(300);
    })
    .await;
    let mut client = world.http1().await;
    client.send(&upgrade("/flood", 1)).await;
    assert!(client.read_head().await.starts_with("HTTP/1.1 200 "));
    eventually("the tunnel is told", || {
        *world.seen.tunnels.lock().unwrap() == [TunnelEnd::Idle]
    })
    .await;
    assert!(*world.seen.tunnel_bytes.lock().unwrap() > 65_536);
}

#[tokio::test]
async fn an_answer_that_is_no_101_ends_when_the_upstream_gives_no_more() {
    let world = World::with(|plan| {
        plan.tunnel.answer_timeout = Duration::from_millis(300);
    })
    .await;
    let mut client = world.http1().await;
    client.send(&upgrade("/stalled", 1)).await;
    assert!(client.read_to_end().await.ends_with(b"half."));
    eventually("the tunnel is told", || {
        *world.seen.tunnels.lock().unwrap() == [TunnelEnd::Idle]
    })
    .await;
    assert_eq!(*world.seen.tunnel_bytes.lock().unwrap(), 5);
}
