//! Request bodies must keep coming.

use std::time::Duration;

use bytes::Bytes;

use super::world::{Plan, World};

fn quick(plan: &mut Plan) {
    plan.limits.body.window = Duration::from_millis(100);
    plan.limits.body.bytes_per_second_min = 100;
}

fn upload(length: usize) -> String {
    format!("POST /upload HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: {length}\r\n\r\n")
}

#[tokio::test]
async fn a_body_that_stops_coming_gets_408() {
    let world = World::with(quick).await;
    let mut client = world.http1().await;
    client.send(&upload(100)).await;
    client.send(&"x".repeat(50)).await;
    assert!(client.read_head().await.starts_with("HTTP/1.1 408 "));
}

#[tokio::test]
async fn a_body_is_borne_at_the_lowest_rate_and_not_below_it() {
    let world = World::with(|plan| {
        quick(plan);
        plan.limits.body.window = Duration::from_millis(500);
    })
    .await;
    // 50 bytes a window are wanted.
    for (bytes, status) in [("x".repeat(30), 200), ("x".to_owned(), 408)] {
        let mut client = world.http1().await;
        client.send(&upload(bytes.len() * 10)).await;
        for _ in 0..10 {
            client.try_send(&bytes).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let head = client.read_head().await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
    }
}

#[tokio::test]
async fn a_body_has_a_total_deadline_however_fast_it_comes() {
    let world = World::with(|plan| {
        quick(plan);
        plan.limits.body.total_timeout = Duration::from_millis(250);
    })
    .await;
    let mut client = world.http1().await;
    client.send(&upload(100_000)).await;
    for _ in 0..6 {
        client.try_send(&"x".repeat(1_000)).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(client.read_head().await.starts_with("HTTP/1.1 408 "));
}

#[tokio::test]
async fn a_slow_body_on_http2_ends_its_stream_alone() {
    let world = World::with(quick).await;
    let mut send = world.http2().await;
    let request = http::Request::post("https://app.localhost/upload")
        .body(())
        .unwrap();
    let (answer, mut body) = send.send_request(request, false).unwrap();
    body.send_data(Bytes::from_static(b"x"), false).unwrap();
    let error = answer.await.unwrap_err();
    assert!(error.is_reset(), "{error}");
    let request = http::Request::get("https://app.localhost/after")
        .body(())
        .unwrap();
    let (answer, _) = send.send_request(request, true).unwrap();
    assert_eq!(answer.await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_large_upload_arrives_whole() {
    let world = World::new().await;
    let mut client = world.http1().await;
    client.send(&upload(3_000_000)).await;
    client.send(&"x".repeat(3_000_000)).await;
    assert_eq!(client.read_answer().await.1, "3000000");
    client
        .send("POST /upload HTTP/1.1\r\nHost: app.localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        .await;
    assert!(client.read_head().await.starts_with("HTTP/1.1 200 "));
}
