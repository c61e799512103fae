//! Only our hosts are redirected, and only tokens are served.

use std::fs;

use tokio::sync::watch;

use super::*;

fn entrance(port: u16, acme_webroot: Option<PathBuf>) -> PlainEntrance {
    PlainEntrance {
        is_ours: Box::new(|host| host.as_str() == "paie.example.com"),
        public_https_port: port,
        acme_webroot,
        count_answer: Box::new(|_| Ok(())),
        caps: Caps::new(10, 2, 2),
        limits: Arc::new(Limits::default()),
    }
}

const SOON: Duration = Duration::from_secs(10);

fn request(target: &str, host: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n")
}

#[test]
fn our_hosts_are_sent_to_the_public_port_with_their_target() {
    for (port, target, host, location) in [
        (443, "/", "paie.example.com", "https://paie.example.com/"),
        (
            443,
            "/a?b=c%20d",
            "PAIE.example.com.",
            "https://paie.example.com/a?b=c%20d",
        ),
        (
            8443,
            "/",
            "paie.example.com:8080",
            "https://paie.example.com:8443/",
        ),
    ] {
        let answer = answer(request(target, host).as_bytes(), &entrance(port, None));
        assert_eq!(answer, Answer::Redirect(location.to_owned()));
    }
}

#[test]
fn everything_else_is_a_bad_request() {
    let bad = [
        request("/", "evil.example"),
        request("/", "192.0.2.1"),
        request("/", ""),
        request("/", "paie.example.com:x"),
        request("/", "paie.example.com@evil.example"),
        request("//evil.example", "paie.example.com"),
        request("/\\evil.example", "paie.example.com"),
        request("https://evil.example/", "paie.example.com"),
        request("*", "paie.example.com"),
        request("/\x7f", "paie.example.com"),
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: paie.example.com\r\nHost: paie.example.com\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\nHost: paie.example.com\r\n\r\n".to_owned(),
        request("/.well-known/acme-challenge/token", "evil.example"),
    ];
    for head in bad {
        let answer = answer(head.as_bytes(), &entrance(443, None));
        assert_eq!(answer, Answer::Status("400 Bad Request"), "{head:?}");
    }
}

#[tokio::test]
async fn of_the_webroot_only_tokens_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let challenges = folder.path().join(".well-known/acme-challenge");
    fs::create_dir_all(challenges.join("folder")).unwrap();
    fs::write(challenges.join("to_k-3n"), "to_k-3n.thumbprint").unwrap();
    fs::write(challenges.join("a.txt"), "secret").unwrap();
    fs::write(challenges.join("x".repeat(128)), "long").unwrap();
    fs::write(folder.path().join("secret"), "secret").unwrap();
    std::os::unix::fs::symlink(folder.path().join("secret"), challenges.join("link")).unwrap();
    let entrance = entrance(443, Some(folder.path().to_owned()));
    let ask = async |token: &str| {
        // A certificate may be wanted for a host that is not configured yet.
        let head = request(&format!("{ACME_PREFIX}{token}"), "new.example.com");
        let bytes = answer(head.as_bytes(), &entrance).into_bytes(SOON).await;
        String::from_utf8(bytes).unwrap()
    };
    for (token, content) in [
        ("to_k-3n", "to_k-3n.thumbprint"),
        (&"x".repeat(128), "long"),
    ] {
        let answer = ask(token).await;
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n")
                && answer.ends_with(&format!("\r\n\r\n{content}")),
            "{answer}"
        );
    }
    let too_long = "x".repeat(129);
    for token in [
        "",
        "nope",
        "a.txt",
        "folder",
        "link",
        "../../secret",
        "..%2fsecret",
        &too_long,
    ] {
        let answer = ask(token).await;
        let nothing = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        assert_eq!(answer, nothing, "{token:?}");
    }
}

/// The answer to a request for a file that hangs comes in time, and few threads wait for such files.
#[tokio::test]
async fn a_folder_that_hangs_holds_up_neither_clients_nor_many_threads() {
    static READINGS: Readings = Readings(Semaphore::const_new(2));
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let held = Arc::new(std::sync::Mutex::new(held));
    let begun = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let patience = Duration::from_millis(100);
    for _ in 0..4 {
        let (held, begun) = (Arc::clone(&held), Arc::clone(&begun));
        let hangs = move || {
            begun.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            held.lock().unwrap().recv().is_ok()
        };
        assert_eq!(READINGS.read(patience, hangs).await, None);
    }
    assert_eq!(begun.load(std::sync::atomic::Ordering::SeqCst), 2);
    assert_eq!(READINGS.read(patience, || "late").await, None);
    drop(hold);
    assert_eq!(READINGS.read(SOON, || "again").await, Some("again"));
}

#[tokio::test]
async fn a_challenge_that_is_not_read_in_time_is_told_so() {
    let all = u32::try_from(READINGS_MAX).unwrap();
    let _others = READINGS.0.acquire_many(all).await.unwrap();
    let answer = Answer::Challenge("/nowhere".into());
    let bytes = answer.into_bytes(Duration::from_millis(10)).await;
    let told = b"HTTP/1.1 503 Service Unavailable\r\n";
    assert!(
        bytes.starts_with(told),
        "{}",
        String::from_utf8_lossy(&bytes)
    );
}

async fn talk(entrance: PlainEntrance, send: &[u8]) -> String {
    let listener = super::super::sockets::bind("127.0.0.1:0".parse().unwrap(), 1);
    let listener = listener.unwrap().remove(0);
    let address = listener.local_addr().unwrap();
    let (stop, shutdown) = watch::channel(false);
    let served = tokio::spawn(serve(listener, Arc::new(entrance), shutdown));
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(send).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    stop.send_replace(true);
    served.await.unwrap().unwrap();
    answer
}

#[tokio::test]
async fn a_whole_answer_goes_over_the_wire_and_the_connection_closes() {
    assert_eq!(
        talk(
            entrance(443, None),
            request("/a", "paie.example.com").as_bytes()
        )
        .await,
        "HTTP/1.1 308 Permanent Redirect\r\nLocation: https://paie.example.com/a\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n"
    );
}

#[tokio::test]
async fn a_head_that_is_too_long_or_too_slow_is_told_so() {
    let mut short = entrance(443, None);
    short.limits = Arc::new(Limits {
        head_bytes_max: 100,
        head_timeout: Duration::from_millis(100),
        ..Limits::default()
    });
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(100));
    let answer = talk(short, long.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");

    let mut slow = entrance(443, None);
    slow.limits = Arc::new(Limits {
        head_timeout: Duration::from_millis(100),
        ..Limits::default()
    });
    let answer = talk(slow, b"GET / HT").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back_whatever_was_asked() {
    let folder = tempfile::tempdir().unwrap();
    let challenges = folder.path().join(".well-known/acme-challenge");
    fs::create_dir_all(&challenges).unwrap();
    fs::write(challenges.join("token"), "token.thumbprint").unwrap();
    for request in [
        request("/", "paie.example.com"),
        request("/", "evil.example"),
        request("/.well-known/acme-challenge/token", "paie.example.com"),
        "nonsense\r\n\r\n".to_owned(),
    ] {
        let mut entrance = entrance(443, Some(folder.path().to_owned()));
        entrance.count_answer = Box::new(|address| {
            assert_eq!(address.to_string(), "127.0.0.1");
            Err(Duration::from_millis(1_200))
        });
        assert_eq!(
            talk(entrance, request.as_bytes()).await,
            "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 2\r\nContent-Length: 0\r\n\
             Connection: close\r\n\r\n"
        );
    }
}
