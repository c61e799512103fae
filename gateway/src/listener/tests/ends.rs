//! The end of a session ends what it has open, at once and nothing else.

use std::time::{Duration, Instant};

use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::world::{World, eventually};
use crate::listener::{open_requests::EndReason, tunnel::TunnelEnd};

const CLOSE_1008: [u8; 4] = [0x88, 2, 0x03, 0xf0];

/// What is promised, on a busy machine too.
const AT_ONCE: Duration = Duration::from_secs(1);

fn clock() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test measures how long something takes"
    )]
    Instant::now()
}

#[tokio::test]
async fn b14_an_idle_websocket_ends_with_1008() {
    let world = World::new().await;
    let mut client = world.websocket("/ws", 1).await;
    let mut other = world.websocket("/ws", 2).await;
    let began = clock();
    assert_eq!(world.end_session(1), 1);
    assert_eq!(client.read_to_clean_end().await, CLOSE_1008);
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    other.send("still there").await;
    assert_eq!(other.read_exactly(11).await, b"still there");
    eventually("the registration is gone", || world.open.len() == 1).await;
    let ended = TunnelEnd::Ended(EndReason::SessionEnded);
    assert_eq!(*world.seen.tunnels.lock().unwrap(), [ended]);
    assert_eq!(*world.seen.watches_dropped.lock().unwrap(), 1);
}

#[tokio::test]
async fn b14_a_websocket_in_the_middle_of_a_frame_ends_after_that_frame() {
    let world = World::new().await;
    let mut client = world.websocket("/ws-half-frame", 1).await;
    client.read_exactly(104).await;
    world.end_session(1);
    let rest = client.read_to_clean_end().await;
    assert_eq!(rest.len(), 900 + CLOSE_1008.len());
    assert_eq!(rest[900..], CLOSE_1008, "not one byte of the next frame");
}

#[tokio::test]
async fn b14_a_websocket_whose_client_talks_on_still_learns_why() {
    let world = World::new().await;
    let client = world.websocket("/ws-half-frame", 1).await;
    let (mut read, mut write) = tokio::io::split(client.stream);
    let talk = tokio::spawn(async move {
        let frame = [&[0x82, 126, 0x10, 0][..], &[7; 4096]].concat();
        while write.write_all(&frame).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    world.end_session(1);
    let mut heard = Vec::new();
    read.read_to_end(&mut heard).await.unwrap();
    assert!(heard.ends_with(&CLOSE_1008), "{} bytes", heard.len());
    talk.await.unwrap();
}

#[tokio::test]
async fn b14_a_websocket_whose_frame_never_ends_is_cut() {
    let world = World::with(|plan| {
        plan.tunnel.close_timeout = Duration::from_millis(50);
    })
    .await;
    let mut client = world.websocket("/ws-stuck-frame", 1).await;
    client.read_exactly(104).await;
    let began = clock();
    world.end_session(1);
    assert_eq!(
        client.read_to_end().await,
        b"",
        "no close frame inside another frame"
    );
    assert!(began.elapsed() < AT_ONCE);
}

#[tokio::test]
async fn b14_a_websocket_whose_client_does_not_read_is_cut() {
    let world = World::with(|plan| {
        plan.tunnel.close_timeout = Duration::from_millis(50);
    })
    .await;
    let mut client = world.websocket("/ws-flood", 1).await;
    // Until every buffer on the way is full.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let began = clock();
    world.end_session(1);
    eventually("the connection is given up", || world.caps.open() == 0).await;
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    assert!(!client.read_to_end().await.ends_with(&CLOSE_1008));
}

#[tokio::test]
async fn b14_a_silent_event_stream_ends() {
    let world = World::new().await;
    let mut client = world.http1().await;
    client
        .send("GET /events HTTP/1.1\r\nHost: app.localhost\r\nX-Session: 1\r\n\r\n")
        .await;
    client.read_head().await;
    assert_eq!(client.read_exactly(14).await, b"9\r\ndata: 1\n\n\r\n");
    let began = clock();
    assert_eq!(world.end_session(1), 1);
    assert_eq!(
        client.read_to_clean_end().await,
        b"",
        "the last chunk must not come"
    );
    assert!(began.elapsed() < AT_ONCE);
    eventually("the context is dropped", || world.open.len() == 0).await;
    assert_eq!(*world.seen.contexts_dropped.lock().unwrap(), 1);
}

#[tokio::test]
async fn b14_an_upload_ends() {
    let world = World::new().await;
    let mut client = world.http1().await;
    client
        .send("POST /upload HTTP/1.1\r\nHost: app.localhost\r\nX-Session: 1\r\nContent-Length: 10\r\n\r\nabc")
        .await;
    eventually("the upload is open", || world.open.len() == 1).await;
    world.end_session(1);
    assert_eq!(client.read_to_clean_end().await, b"");
}

#[tokio::test]
async fn b14_one_of_two_streams_of_a_connection_ends_and_the_other_goes_on() {
    let world = World::new().await;
    let mut send = world.http2().await;
    let mut open = async |session: u8| {
        let request = Request::get("https://app.localhost/events")
            .header("x-session", u16::from(session))
            .body(())
            .unwrap();
        let (answer, _) = send.send_request(request, true).unwrap();
        let mut body = answer.await.unwrap().into_body();
        assert_eq!(body.data().await.unwrap().unwrap(), "data: 1\n\n");
        body
    };
    let mut first = open(1).await;
    let mut second = open(2).await;
    assert_eq!(world.end_session(1), 1);
    let error = first.data().await.unwrap().unwrap_err();
    assert!(error.is_reset(), "{error}");
    let silent = tokio::time::timeout(Duration::from_millis(100), second.data()).await;
    assert!(silent.is_err(), "the other stream goes on");
    let request = Request::get("https://app.localhost/after")
        .body(())
        .unwrap();
    let (answer, _) = send.send_request(request, true).unwrap();
    assert_eq!(answer.await.unwrap().status(), 200);
}

#[tokio::test]
async fn what_ended_before_it_was_registered_is_over_at_once() {
    let world = World::new().await;
    assert_eq!(world.end_session(1), 0);
    assert!(world.open.sessions().is_empty());
}
