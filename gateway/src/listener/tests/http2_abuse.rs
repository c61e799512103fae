//! HTTP/2: deadlines, and clients that only cost.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::world::{Client, Plan, World, eventually, get};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const GOAWAY: u8 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;
const NO_ERROR: u32 = 0;

/// A request for the root of `app.localhost` in HPACK, without Huffman coding.
const REQUEST: &[u8] = b"\x82\x87\x84\x01\x0dapp.localhost";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

fn quick(plan: &mut Plan) {
    plan.limits.head_timeout = Duration::from_secs(1);
    plan.limits.idle_timeout = Duration::from_millis(300);
}

/// A connection that has sent its preface.
async fn raw(world: &World) -> Client {
    let mut client = world
        .connect_as("app.localhost", world.client(&["h2"]))
        .await
        .unwrap();
    let start = [PREFACE, &frame(4, 0, 0, b"")].concat();
    client.stream.write_all(&start).await.unwrap();
    client
}

/// Reads to the end; gives the error codes of the GOAWAY frames.
async fn goaways(mut client: Client) -> Vec<u32> {
    let mut bytes = Vec::new();
    // The end may be a reset: the client did not read what it was told.
    let read = client.stream.read_to_end(&mut bytes);
    let _ = tokio::time::timeout(Duration::from_secs(5), read)
        .await
        .unwrap();
    let mut codes = Vec::new();
    let mut rest = &bytes[..];
    while rest.len() >= 9 {
        let length = usize::from(rest[1]) << 8 | usize::from(rest[2]);
        if rest[3] == GOAWAY {
            codes.push(u32::from_be_bytes(rest[13..17].try_into().unwrap()));
        }
        rest = rest.get(9 + length..).unwrap_or_default();
    }
    codes
}

/// Sends a flood; the connection must end with GOAWAY while another one is served.
async fn assert_calmed(world: &World, flood: Vec<u8>) {
    let mut client = raw(world).await;
    let (mut read, mut write) = tokio::io::split(client.stream);
    let sent = tokio::spawn(async move {
        // The connection may be closed before all of it is sent.
        let _ = write.write_all(&flood).await;
        write
    });
    let mut bytes = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(5), read.read_to_end(&mut bytes))
        .await
        .unwrap();
    let write = sent.await.unwrap();
    client.stream = read.unsplit(write);
    let calm = ENHANCE_YOUR_CALM.to_be_bytes();
    assert!(
        bytes.windows(4).any(|window| window == calm),
        "no GOAWAY in {bytes:?}"
    );
    let mut other = world.http1().await;
    other.send(&get("/other")).await;
    assert_eq!(other.read_answer().await.1, "/other");
}

#[tokio::test]
async fn a_preface_that_does_not_come_ends_the_connection() {
    let world = World::with(quick).await;
    let client = world
        .connect_as("app.localhost", world.client(&["h2"]))
        .await
        .unwrap();
    assert!(goaways(client).await.is_empty());
}

#[tokio::test]
async fn a_first_request_that_does_not_come_ends_the_connection_with_goaway() {
    let world = World::with(quick).await;
    let client = raw(&world).await;
    assert_eq!(goaways(client).await.first(), Some(&NO_ERROR));
}

#[tokio::test]
async fn an_idle_connection_ends_with_goaway_though_it_pings() {
    let world = World::with(quick).await;
    let mut client = raw(&world).await;
    client
        .stream
        .write_all(&frame(1, 5, 1, REQUEST))
        .await
        .unwrap();
    eventually("the request came", || {
        world.seen.requests.lock().unwrap().len() == 1
    })
    .await;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        client
            .stream
            .write_all(&frame(6, 0, 0, &[0; 8]))
            .await
            .unwrap();
    }
    assert_eq!(goaways(client).await.first(), Some(&NO_ERROR));
}

#[tokio::test]
async fn a9_a_header_block_left_unfinished_ends_the_connection() {
    let world = World::with(|plan| plan.limits.head_timeout = Duration::from_secs(1)).await;
    let mut client = raw(&world).await;
    client
        .stream
        .write_all(&frame(1, 5, 1, REQUEST))
        .await
        .unwrap();
    client
        .stream
        .write_all(&frame(1, 1, 3, REQUEST))
        .await
        .unwrap();
    assert_eq!(goaways(client).await.first(), Some(&NO_ERROR));
    assert_eq!(world.seen.requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a9_rapid_resets_are_calmed() {
    let world = World::new().await;
    let flood = (0..1_000_u32)
        .flat_map(|number| {
            let stream = number * 2 + 1;
            [
                frame(1, 5, stream, REQUEST),
                frame(3, 0, stream, &[0, 0, 0, 8]),
            ]
            .concat()
        })
        .collect();
    assert_calmed(&world, flood).await;
}

#[tokio::test]
async fn a9_ping_floods_are_calmed() {
    let world = World::new().await;
    assert_calmed(&world, frame(6, 0, 0, &[0; 8]).repeat(5_000)).await;
}

#[tokio::test]
async fn a9_settings_floods_are_calmed() {
    let world = World::new().await;
    assert_calmed(&world, frame(4, 0, 0, b"").repeat(5_000)).await;
}

#[tokio::test]
async fn a9_empty_data_floods_are_calmed() {
    let world = World::new().await;
    let open = frame(1, 4, 1, &[&b"\x83"[..], &REQUEST[1..]].concat());
    assert_calmed(&world, [open, frame(0, 0, 1, b"").repeat(5_000)].concat()).await;
}

#[tokio::test]
async fn a9_continuation_floods_are_calmed() {
    let world = World::new().await;
    let flood = [frame(1, 1, 1, b"\x82"), frame(9, 0, 1, b"").repeat(10_000)].concat();
    assert_calmed(&world, flood).await;
}

#[tokio::test]
async fn a9_refused_streams_have_a_budget() {
    let world = World::with(|plan| plan.limits.http2.rejected_streams_max = 5).await;
    // Without an authority: answered 400 by the layer below, each time.
    let rejected: Vec<u8> = (0..20_u32)
        .flat_map(|number| frame(1, 5, number * 2 + 1, b"\x82\x87\x84"))
        .collect();
    assert_calmed(&world, rejected).await;
}

#[tokio::test]
async fn a_header_list_above_the_limit_gets_431() {
    let world = World::with(|plan| plan.limits.head_bytes_max = 2_000).await;
    let mut send = world.http2().await;
    for (length, status) in [(1_000, 200), (3_000, 431)] {
        let request = http::Request::get("https://app.localhost/")
            .header("a", "x".repeat(length))
            .body(())
            .unwrap();
        let (answer, _) = send.send_request(request, true).unwrap();
        assert_eq!(answer.await.unwrap().status(), status);
    }
}

#[tokio::test]
async fn a8_a_body_where_the_head_says_there_is_none_never_reaches_the_upstream() {
    let world = World::new().await;
    let mut client = raw(&world).await;
    // POST with a content-length of 0 (HPACK: static name 28, one byte), then DATA.
    let head = [&b"\x83"[..], &REQUEST[1..], b"\x0f\x0d\x010"].concat();
    let start = [frame(1, 4, 1, &head), frame(0, 1, 1, b"hello")].concat();
    client.stream.write_all(&start).await.unwrap();
    // The same, with an end that comes late and brings nothing.
    client
        .stream
        .write_all(&frame(1, 4, 3, &head))
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(world.seen.requests.lock().unwrap().is_empty());
    client.stream.write_all(&frame(0, 1, 3, b"")).await.unwrap();
    eventually("the request that is whole came", || {
        world.seen.requests.lock().unwrap().len() == 1
    })
    .await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(world.seen.requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a9_one_client_has_so_many_requests_open_over_all_of_its_connections() {
    let world = World::with(|plan| plan.limits.streams_per_client_max = 3).await;
    let (mut first, mut second) = (world.http2().await, world.http2().await);
    let ask = |send: &mut h2::client::SendRequest<bytes::Bytes>, path: &str| {
        let uri = format!("https://app.localhost{path}");
        let request = http::Request::get(uri).body(()).unwrap();
        send.send_request(request, true).unwrap().0
    };
    let mut open = Vec::new();
    open.push(ask(&mut first, "/events").await.unwrap());
    open.push(ask(&mut second, "/events").await.unwrap());
    open.push(ask(&mut first, "/events").await.unwrap());
    for send in [&mut first, &mut second] {
        let refused = ask(send, "/beyond").await.unwrap_err();
        assert_eq!(refused.reason(), Some(h2::Reason::REFUSED_STREAM));
    }
    drop(open);
    eventually("a place is free again", || {
        *world.seen.contexts_dropped.lock().unwrap() == 3
    })
    .await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(ask(&mut first, "/again").await.unwrap().status(), 200);
    let requests = world.seen.requests.lock().unwrap();
    assert!(!requests.iter().any(|path| path == "/beyond"));
}
