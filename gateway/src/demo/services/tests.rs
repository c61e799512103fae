//! The services answer as their pages promise.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use http_body_util::BodyExt;
use octroi_policy::time::Timestamp;
use tower::ServiceExt;

use super::*;
use crate::clock::ManualClock;

async fn ask(service: &Router, request: Request<Body>) -> (StatusCode, String) {
    let response = service.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn get(path: &str, tenant: &str, roles: &str) -> Request<Body> {
    Request::get(path)
        .header("remote-login", "marie")
        .header("remote-tenant", tenant)
        .header("remote-groups", roles)
        .header("accept-language", "fr")
        .body(Body::empty())
        .unwrap()
}

fn register(visitor: &str, host_tenant: &str) -> Request<Body> {
    Request::post("/visits")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(format!(
            "visitor={visitor}&host_tenant={host_tenant}"
        )))
        .unwrap()
}

fn service(service: Service) -> Router {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(Timestamp::EPOCH));
    service.router(&clock)
}

#[tokio::test]
async fn each_organisation_sees_its_own_payslips() {
    let payroll = service(Service::Payroll);
    let (status, acme) = ask(&payroll, get("/", "acme", "rh")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        acme.contains("M. Dupont") && !acme.contains("M. Peeters"),
        "{acme}"
    );
    assert!(acme.contains("3\u{202f}412,00\u{a0}€"), "{acme}");
    let (_, globex) = ask(&payroll, get("/payslips.csv", "globex", "rh")).await;
    assert_eq!(globex.lines().nth(2), Some("M. Peeters,2989.00"));
    let (_, nobody) = ask(&payroll, get("/payslips.csv", "", "")).await;
    assert_eq!(nobody, "employee,gross_eur\r\n");
}

#[tokio::test]
async fn d3_a_tenant_sees_its_own_visitors_and_reception_the_building() {
    let book = service(Service::VisitorBook);
    assert_eq!(
        ask(&book, register("Ada", "acme")).await.0,
        StatusCode::CREATED
    );
    assert_eq!(
        ask(&book, register("Blaise", "globex")).await.0,
        StatusCode::CREATED
    );
    let (_, own) = ask(&book, get("/visits", "acme", "occupant")).await;
    assert!(own.contains("Ada") && !own.contains("Blaise"), "{own}");
    let (_, all) = ask(&book, get("/visits", "acme", "reception")).await;
    assert!(all.contains("Ada") && all.contains("Blaise"), "{all}");
}

#[tokio::test]
async fn a_visit_without_a_name_or_to_nobody_is_not_written_down() {
    let book = service(Service::VisitorBook);
    for registration in [
        register("", "acme"),
        register("Ada", "elsewhere"),
        register(&"a".repeat(81), "acme"),
    ] {
        assert_eq!(
            ask(&book, registration).await.0,
            StatusCode::UNPROCESSABLE_ENTITY
        );
    }
    assert_eq!(
        ask(&book, register(&"a".repeat(80), "acme")).await.0,
        StatusCode::CREATED
    );
    let (_, list) = ask(&book, register("<script>", "acme")).await;
    assert!(!list.contains("<script>"), "{list}");
}

#[tokio::test]
async fn the_echo_counts_and_digests_and_sends_what_is_asked_for() {
    let echo = service(Service::Echo);
    let upload = Request::post("/upload").body(Body::from("abc")).unwrap();
    let (_, uploaded) = ask(&echo, upload).await;
    assert_eq!(
        uploaded,
        r#"{"bytes":3,"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}"#
    );
    let (_, bytes) = ask(&echo, get("/download?bytes=100000", "acme", "")).await;
    assert_eq!(bytes.len(), 100_000);
}

#[tokio::test]
async fn the_echo_counts_its_visits_in_a_cookie() {
    let echo = service(Service::Echo);
    for (held, wanted) in [
        ("", 1),
        ("echo-visits=4", 5),
        ("other=9; echo-visits=1", 2),
        ("echo-visits=many", 1),
    ] {
        let request = Request::get("/").header("cookie", held);
        let request = request.body(Body::empty()).unwrap();
        let response = echo.clone().oneshot(request).await.unwrap();
        assert_eq!(
            response.headers()["set-cookie"],
            format!("echo-visits={wanted}; Path=/; Secure; HttpOnly; SameSite=Lax"),
            "{held}"
        );
    }
}

#[tokio::test]
async fn each_service_listens_privately_and_writes_what_it_receives() {
    let directory = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(Timestamp::from_unix_millis(7)));
    let tasks = Tasks::new();
    for wanted in Service::ALL {
        let running = start(wanted, directory.path(), &clock, &tasks)
            .await
            .unwrap();
        let head = "GET /style.css?a=b HTTP/1.1\r\nhost: x\r\noctroi-assertion: a.b.c\r\nconnection: close\r\n\r\n";
        let answer = match &running.address {
            Address::Port(address) => {
                assert!(address.ip().is_loopback());
                exchange(tokio::net::TcpStream::connect(address).await.unwrap(), head).await
            }
            Address::Socket(path) => {
                exchange(tokio::net::UnixStream::connect(path).await.unwrap(), head).await
            }
        };
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert_eq!(
            std::fs::read_to_string(&running.log).unwrap(),
            "{\"at_ms\":7,\"method\":\"GET\",\"target\":\"/style.css?a=b\",\"version\":\"HTTP/1.1\",\
             \"headers\":[[\"host\",\"x\"],[\"octroi-assertion\",\"a.b.…\"],[\"connection\",\"close\"]]}\n"
        );
    }
}

async fn exchange<S>(mut stream: S, head: &str) -> String
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
