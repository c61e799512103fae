//! HTTP/1.1 heads: deadlines, lengths, order.

use std::time::Duration;

use super::world::{World, eventually, get};

fn quick(plan: &mut super::world::Plan) {
    plan.limits.head_timeout = Duration::from_millis(150);
    plan.limits.idle_timeout = Duration::from_millis(300);
}

#[tokio::test]
async fn requests_follow_each_other_on_one_connection() {
    let world = World::new().await;
    let mut client = world.http1().await;
    for path in ["/one", "/two", "/three"] {
        client.send(&get(path)).await;
        let (head, body) = client.read_answer().await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert_eq!(body, path);
    }
}

#[tokio::test]
async fn a8_pipelined_requests_are_each_judged_and_answered_in_order() {
    let world = World::new().await;
    let mut client = world.http1().await;
    let upload = "POST /upload HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 3\r\n\r\nabc";
    client
        .send(&[&get("/one"), "\r\n", upload, &get("/two")].concat())
        .await;
    for body in ["/one", "3", "/two"] {
        assert_eq!(client.read_answer().await.1, body);
    }
    assert_eq!(
        *world.seen.requests.lock().unwrap(),
        ["/one", "/upload", "/two"]
    );
}

#[tokio::test]
async fn a_request_that_comes_while_another_is_answered_waits_for_its_turn() {
    let world = World::new().await;
    let mut client = world.http1().await;
    client
        .send("POST /upload HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 3\r\n\r\na")
        .await;
    eventually("the first is under way", || {
        world.seen.requests.lock().unwrap().len() == 1
    })
    .await;
    client.send(&["bc", &get("/next")].concat()).await;
    assert_eq!(client.read_answer().await.1, "3");
    assert_eq!(client.read_answer().await.1, "/next");
}

#[tokio::test]
async fn a_head_that_comes_in_drops_gets_408_at_the_total_deadline() {
    let world = World::with(quick).await;
    let mut client = world.http1().await;
    let (mut read, mut write) = tokio::io::split(&mut client.stream);
    let drip = async {
        for byte in get("/").as_bytes().chunks(1) {
            // The connection ends in the middle of it.
            let _ = tokio::io::AsyncWriteExt::write_all(&mut write, byte).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let answer = async {
        let mut answer = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut read, &mut answer)
            .await
            .unwrap();
        String::from_utf8(answer).unwrap()
    };
    let (answer, ()) = tokio::join!(answer, drip);
    assert_eq!(
        answer,
        "HTTP/1.1 408 Request Timeout\r\ncontent-length: 24\r\nconnection: close\r\n\r\n\
         HeadTooSlow to 127.0.0.1"
    );
    assert!(world.seen.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn half_a_head_on_a_used_connection_has_the_same_deadline() {
    let world = World::with(quick).await;
    let mut client = world.http1().await;
    client.send(&get("/one")).await;
    client.read_answer().await;
    client.send("GET / HT").await;
    assert!(client.read_head().await.starts_with("HTTP/1.1 408 "));
}

#[tokio::test]
async fn an_idle_connection_is_closed_before_and_after_its_first_request() {
    let world = World::with(quick).await;
    let mut silent = world.http1().await;
    let mut used = world.http1().await;
    used.send(&get("/one")).await;
    used.read_answer().await;
    assert_eq!(silent.read_to_clean_end().await, b"");
    assert_eq!(used.read_to_clean_end().await, b"");
    eventually("both are gone", || world.caps.open() == 0).await;
}

#[tokio::test]
async fn a_head_may_be_as_long_as_its_limit_and_not_longer() {
    let world = World::with(|plan| plan.limits.head_bytes_max = 1_000).await;
    let of_length = |length: usize| {
        let bare = get("/");
        let filling = "x".repeat(length - bare.len() - "A: \r\n".len());
        bare.replace("\r\n\r\n", &format!("\r\nA: {filling}\r\n\r\n"))
    };
    for (length, status) in [(999, 200), (1_000, 200), (1_001, 431), (100_000, 431)] {
        let mut client = world.http1().await;
        client.send(&of_length(length)).await;
        let head = client.read_head().await;
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status} ")),
            "{length}: {head}"
        );
    }
    assert_eq!(world.seen.requests.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn fields_are_counted_on_both_protocols() {
    let world = World::with(|plan| plan.limits.head_fields_max = 10).await;
    for (fields, status) in [(9, 200), (10, 200), (11, 431)] {
        let filling = "a: b\r\n".repeat(fields - 1);
        let mut client = world.http1().await;
        client
            .send(&get("/").replace("\r\n\r\n", &format!("\r\n{filling}\r\n")))
            .await;
        let head = client.read_head().await;
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status} ")),
            "{fields}: {head}"
        );

        let mut send = world.http2().await;
        let mut request = http::Request::get("https://app.localhost/");
        for _ in 0..fields {
            request = request.header("a", "b");
        }
        let (answer, _) = send.send_request(request.body(()).unwrap(), true).unwrap();
        assert_eq!(answer.await.unwrap().status(), status, "{fields}");
    }
}

#[tokio::test]
async fn a8_an_ambiguous_head_gets_400_and_nothing_after_it_is_read() {
    let world = World::new().await;
    for head in [
        "POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: app.localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: app.localhost\r\nTransfer-Encoding: chunked, x\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\nHost: app.localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: app.localhost\r\n folded: x\r\n\r\n",
    ] {
        let mut client = world.http1().await;
        client.send(&format!("{head}{}", get("/smuggled"))).await;
        let answer = String::from_utf8(client.read_to_clean_end().await).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
            "{head:?}: {answer}"
        );
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    }
    assert!(world.seen.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_pingora_would_refuse_in_its_own_words_is_refused_in_ours() {
    let world = World::new().await;
    for (request, reason) in [
        ("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", "Host)"),
        (
            "GET https://a/ HTTP/1.1\r\nHost: b\r\n\r\n",
            "HostDisagrees)",
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "HostRepeated)",
        ),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "Method)"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n", "FieldName)"),
    ] {
        let mut client = world.http1().await;
        client.send(request).await;
        let answer = String::from_utf8(client.read_to_clean_end().await).unwrap();
        let expected = format!("\r\n\r\nMalformed({reason} to 127.0.0.1");
        assert!(answer.ends_with(&expected), "{request}: {answer}");
        assert!(!answer.to_lowercase().contains("pingora"), "{answer}");
    }
    assert!(world.seen.requests.lock().unwrap().is_empty());
}
