//! Request bodies must keep coming.

use std::time::Duration;

use bytes::Bytes;
use tokio::{io::AsyncWriteExt, time::Instant};

use super::world::{Client, Plan, World, eventually, get};

fn quick(plan: &mut Plan) {
    plan.limits.body.window = Duration::from_millis(100);
    plan.limits.body.http2_window = Duration::from_millis(100);
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

/// Sends a byte every 20 ms until the connection is gone; tells how long that took.
async fn drip(client: &mut Client) -> Duration {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(10) {
        if client.stream.write_all(b"x").await.is_err() {
            break;
        }
        let _ = client.stream.flush().await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    began.elapsed()
}

#[tokio::test]
async fn a9_a_body_that_drips_on_when_its_answer_is_over_is_cut() {
    let world = World::with(|plan| {
        plan.limits.head_timeout = Duration::from_millis(500);
    })
    .await;
    let mut client = world.http1().await;
    client
        .send("POST /early HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 60000\r\n\r\n")
        .await;
    assert_eq!(client.read_answer().await.1, "early");
    let took = drip(&mut client).await;
    assert!(took < Duration::from_secs(5), "still open after {took:?}");
    assert!(took > Duration::from_millis(300), "cut after {took:?}");
    eventually("nothing is open", || world.caps.open() == 0).await;
}

#[tokio::test]
async fn a9_a_body_that_drips_on_when_its_answer_is_over_is_cut_on_http2_alone() {
    let world = World::with(|plan| {
        plan.limits.head_timeout = Duration::from_millis(500);
    })
    .await;
    let mut send = world.http2().await;
    let request = http::Request::post("https://app.localhost/early")
        .body(())
        .unwrap();
    let (answer, mut body) = send.send_request(request, false).unwrap();
    assert_eq!(answer.await.unwrap().status(), 200);
    let began = Instant::now();
    while body.send_data(Bytes::from_static(b"x"), false).is_ok() {
        assert!(began.elapsed() < Duration::from_secs(5), "never reset");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (answer, _) = send
        .send_request(
            http::Request::get("https://app.localhost/after")
                .body(())
                .unwrap(),
            true,
        )
        .unwrap();
    assert_eq!(answer.await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_stream_both_ways_may_pause_within_the_bodys_time_and_not_beyond_it() {
    let world = World::with(|plan| {
        quick(plan);
        plan.limits.body.total_timeout = Duration::from_secs(1);
    })
    .await;
    for (pause, is_whole) in [(300, true), (3_000, false)] {
        let mut client = world.http1().await;
        client
            .send("POST /both-ways HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 10\r\n\r\nhello")
            .await;
        assert!(client.read_head().await.starts_with("HTTP/1.1 200 "));
        tokio::time::sleep(Duration::from_millis(pause)).await;
        client.try_send("world").await;
        let rest = if is_whole {
            client
                .read_exactly(b"5\r\nbegun\r\n2\r\n10\r\n0\r\n\r\n".len())
                .await
        } else {
            client.read_to_end().await
        };
        assert_eq!(rest.ends_with(b"0\r\n\r\n"), is_whole, "{pause} ms");
    }
}

#[tokio::test]
async fn a_service_that_is_slow_to_read_is_not_its_clients_fault() {
    let world = World::with(|plan| {
        quick(plan);
        plan.limits.body.http2_window = Duration::from_secs(4);
    })
    .await;
    let length = 16_000_000;
    let mut client = world.http1().await;
    client
        .send(&format!(
            "POST /slow-upload HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: {length}\r\n\r\n"
        ))
        .await;
    client.send(&"x".repeat(length)).await;
    let (head, body) = client.read_answer().await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert_eq!(body, length.to_string());

    let mut send = world.http2().await;
    let request = http::Request::post("https://app.localhost/slow-upload")
        .header("content-length", length)
        .body(())
        .unwrap();
    let (answer, mut body) = send.send_request(request, false).unwrap();
    body.send_data("x".repeat(length).into(), true).unwrap();
    assert_eq!(answer.await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_client_that_waits_for_the_services_word_is_not_slow() {
    let world = World::with(quick).await;
    let mut client = world.http1().await;
    client
        .send("POST /continue HTTP/1.1\r\nHost: app.localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        .await;
    assert!(client.read_head().await.starts_with("HTTP/1.1 100 "));
    client.send("hello").await;
    let (head, body) = client.read_answer().await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert_eq!(body, "5");

    // Once it has the word, its time runs.
    let mut client = world.http1().await;
    client
        .send("POST /continue HTTP/1.1\r\nHost: app.localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        .await;
    assert!(client.read_head().await.starts_with("HTTP/1.1 100 "));
    assert!(client.read_head().await.starts_with("HTTP/1.1 408 "));
}

#[tokio::test]
async fn a9_a_client_that_takes_nothing_of_its_answer_is_let_go() {
    let world = World::with(|plan| {
        plan.limits.write_timeout = Duration::from_millis(500);
    })
    .await;
    let mut client = world.http1().await;
    client.send(&get("/flood")).await;
    assert!(client.read_head().await.starts_with("HTTP/1.1 200 "));
    eventually("the request is over on HTTP/1.1", || {
        *world.seen.contexts_dropped.lock().unwrap() == 1
    })
    .await;

    let mut send = world.http2().await;
    let request = http::Request::get("https://app.localhost/flood")
        .body(())
        .unwrap();
    let (answer, _) = send.send_request(request, true).unwrap();
    // Held and not read: the stream's window fills.
    let _unread = answer.await.unwrap();
    eventually("the request is over on HTTP/2", || {
        *world.seen.contexts_dropped.lock().unwrap() == 2
    })
    .await;
}

#[tokio::test]
async fn a_client_that_takes_its_answer_slowly_is_borne() {
    let world = World::with(|plan| {
        plan.limits.write_timeout = Duration::from_secs(1);
    })
    .await;
    let mut client = world.http1().await;
    client.send(&get("/flood")).await;
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(3) {
        client.read_exactly(200_000).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(*world.seen.contexts_dropped.lock().unwrap(), 0);
}
