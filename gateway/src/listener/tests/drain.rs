//! The gateway stops: what is under way may end, what rests is closed.

use std::time::Duration;

use tokio::net::TcpStream;

use super::world::{World, eventually, get};

#[tokio::test]
async fn idle_connections_are_closed_and_nothing_new_is_accepted() {
    let world = World::new().await;
    let mut http1 = world.http1().await;
    let mut http2 = world.http2().await;
    let request = http::Request::get("https://app.localhost/")
        .body(())
        .unwrap();
    http2.send_request(request, true).unwrap().0.await.unwrap();
    let mut websocket = world.websocket("/ws", 1).await;
    let address = world.address;
    world.stop().await.unwrap();
    assert_eq!(http1.read_to_clean_end().await, b"");
    assert_eq!(
        websocket.read_to_clean_end().await,
        [0x88, 2, 0x03, 0xe9],
        "1001, going away"
    );
    assert!(http2.ready().await.is_err());
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn what_is_being_answered_is_answered_to_its_end() {
    let world = World::new().await;
    let mut http1 = world.http1().await;
    let head = "POST /upload HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 3\r\n\r\n";
    http1.send(head).await;
    let http2 = world.http2().await;
    let request = http::Request::post("https://app.localhost/upload")
        .header("content-length", "3")
        .body(())
        .unwrap();
    let (answer, mut body) = http2.clone().send_request(request, false).unwrap();
    eventually("both are under way", || {
        world.seen.requests.lock().unwrap().len() == 2
    })
    .await;
    world.begin_to_stop();
    tokio::time::sleep(Duration::from_millis(50)).await;
    http1.send("abc").await;
    body.send_data("abc".into(), true).unwrap();
    assert_eq!(http1.read_answer().await.1, "3");
    assert_eq!(http1.read_to_clean_end().await, b"");
    assert_eq!(answer.await.unwrap().status(), 200);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_open_is_cut_where_there_is_no_time_left() {
    let world = World::new().await;
    let mut client = world.http1().await;
    client.send(&get("/events")).await;
    client.read_head().await;
    let seen = std::sync::Arc::clone(&world.seen);
    // Long before the time that a drain has.
    let ended = tokio::time::timeout(Duration::from_secs(5), world.cut()).await;
    ended.unwrap().unwrap();
    assert_eq!(*seen.contexts_dropped.lock().unwrap(), 1);
    client.read_to_end().await;
}

#[tokio::test]
async fn what_does_not_end_is_cut_when_its_time_is_over() {
    let world = World::with(|plan| plan.limits.drain_timeout = Duration::from_millis(100)).await;
    let mut client = world.http1().await;
    client.send(&get("/events")).await;
    client.read_head().await;
    let seen = std::sync::Arc::clone(&world.seen);
    world.stop().await.unwrap();
    client.read_to_end().await;
    assert_eq!(*seen.contexts_dropped.lock().unwrap(), 1);
}
