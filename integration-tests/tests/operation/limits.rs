//! Invariant 8 on the running gateway: how often one account, one address, the whole machine is answered, and what is
//! told beyond.

use std::thread;
use std::time::Duration;

use octroi_integration_tests::answer::Response;
use octroi_integration_tests::patience::Stopwatch;
use octroi_integration_tests::plain;
use octroi_integration_tests::recorder::Recorder;
use octroi_integration_tests::visitor::{VERSIONS, Visitor, navigation};
use octroi_integration_tests::world::{Route, World};
use serde_json::json;

const HOST: &str = "echo.localhost";
const WRONG: &str = "not her password at all";

/// A gateway with an open and a closed part of one host, and these lines at the end of its configuration.
fn world(open: &Recorder, closed: &Recorder, more: &str) -> World {
    let route = |path, to, more| Route {
        host: HOST,
        path,
        to,
        more,
    };
    World::configured(
        &[
            route("/public/", open, "sign_in = \"public\""),
            route("/", closed, "allow = \"everyone\""),
        ],
        |text| text + more,
    )
}

/// Somebody from an address of their own.
fn from(world: &World, last: [u8; 3]) -> Visitor {
    Visitor::at(&world.door.approached_from(last))
}

/// The whole of a JSON refusal that says when to come back; gives the seconds.
#[track_caller]
fn told_to_wait(answer: &Response, status: u16, reason: &str) -> u64 {
    let all = answer.everything();
    assert_eq!(answer.status, status, "{all}");
    assert_eq!(
        answer.first("content-type"),
        Some("application/problem+json"),
        "{all}"
    );
    assert_eq!(answer.first("cache-control"), Some("no-store"), "{all}");
    assert_eq!(answer.first("set-cookie"), None, "{all}");
    assert!(answer.first("x-request-id").is_some(), "{all}");
    let problem = answer.json();
    assert_eq!(
        (&problem["error"], &problem["status"]),
        (&json!(reason), &json!(status)),
        "{all}"
    );
    let wait = answer.first("retry-after").and_then(|it| it.parse().ok());
    wait.unwrap_or_else(|| panic!("no Retry-After in seconds: {all}"))
}

/// Five failures of one account from one source, however the login is typed and wherever the client says to come from;
/// the owner at another address notices nothing.
#[test]
fn invariant_8_five_failures_make_an_account_wait_for_one_source_alone() {
    let (open, closed) = (Recorder::start(), Recorder::start());
    let world = world(&open, &closed, "");
    let account = world.facts.account("acme/marie").clone();
    let url = format!("https://{}/.octroi/api/v1/login", world.portal());
    let spellings = ["acme/marie", "marie", "MARIE", "acme/Marie", "acme/marie"];
    for (number, version) in (1..).zip(VERSIONS) {
        let mut guesser = from(&world, [31, 0, number]).speaking(version);
        for (turn, login) in spellings.iter().enumerate() {
            let forged = [
                ("Content-Type".to_owned(), "application/json".to_owned()),
                ("X-Forwarded-For".to_owned(), format!("192.0.2.{turn}")),
            ];
            let body = json!({ "login": login, "password": WRONG }).to_string();
            let answer = guesser.ask("POST", &url, &forged, body.as_bytes());
            let answer = answer.response();
            assert_eq!(answer.status, 401, "{login}: {}", answer.everything());
            assert_eq!(answer.first("retry-after"), None, "{login}");
        }
        for password in [WRONG, &account.password] {
            let answer = guesser.sign_in(&world.portal(), "acme/marie", password);
            let wait = told_to_wait(&answer, 429, "too_many_attempts");
            assert!((1..=64).contains(&wait), "{wait} s after five failures");
        }
        let mut owner = from(&world, [31, 1, number]).speaking(version);
        let answer = owner.sign_in(&world.portal(), "acme/marie", &account.password);
        assert_eq!(answer.status, 200, "{}", answer.everything());
    }
}

/// The page of the sign-in form says the same, with the same field.
#[test]
fn invariant_8_the_sign_in_page_tells_who_guessed_too_often_when_to_come_back() {
    let (open, closed) = (Recorder::start(), Recorder::start());
    let world = world(&open, &closed, "");
    for (number, version) in (1..).zip(VERSIONS) {
        let mut guesser = from(&world, [32, 0, number]).speaking(version);
        let login = format!("acme/of-nobody-{number}");
        for _ in 0..5 {
            guesser.sign_in(&world.portal(), &login, WRONG);
        }
        let page = guesser.visit(&format!("https://{}/.octroi/login", world.portal()));
        let form = octroi_integration_tests::page::Form::on(&page, "/.octroi/login");
        let form = form.with("login", &login).with("password", WRONG);
        let refused = form.submit(&mut guesser).response;
        let all = refused.everything();
        assert_eq!(refused.status, 429, "{all}");
        let wait = refused.first("retry-after").and_then(|it| it.parse().ok());
        assert!(
            wait.is_some_and(|wait: u64| (1..=64).contains(&wait)),
            "{all}"
        );
        assert_eq!(refused.first("cache-control"), Some("no-store"), "{all}");
        assert!(!all.contains(WRONG), "{all}");
    }
}

/// Answers to an address that is not signed in: pages, refusals and the way to sign in on one budget, public routes on
/// another. At the limit the answer comes, above it 429 and nothing reaches a service.
#[test]
fn invariant_8_an_address_that_is_not_signed_in_is_answered_so_often() {
    let (open, closed) = (Recorder::start(), Recorder::start());
    let limits = "\n[limits]\nunauthenticated = \"6/min\"\nunauthenticated_burst = 4\n\
                  public = \"6/min\"\npublic_burst = 3\n";
    let world = world(&open, &closed, limits);
    let portal = format!("https://{}", world.portal());
    let own_pages = format!("{portal}/.octroi/login");
    let kinds: [(&str, String, u16, usize); 4] = [
        ("a page", own_pages, 200, 4),
        ("a refusal", world.url(HOST, "/closed"), 401, 4),
        ("nothing there", format!("{portal}/nothing"), 404, 4),
        ("a public route", world.url(HOST, "/public/a"), 200, 3),
    ];
    for (kind, (what, url, status, burst)) in (1..).zip(&kinds) {
        for (number, version) in (1..).zip(VERSIONS) {
            let ask = |_| {
                let mut stranger = from(&world, [33, kind, number]).speaking(version);
                stranger.ask("GET", url, &[], b"").response()
            };
            for turn in 0..*burst {
                let answer = ask(turn);
                assert_eq!(answer.status, *status, "{what}: {}", answer.everything());
            }
            let passed = (open.count(), closed.count());
            let wait = told_to_wait(&ask(0), 429, "too_many_requests");
            assert!((1..=10).contains(&wait), "{what}: {wait} s at 6 a minute");
            assert_eq!((open.count(), closed.count()), passed, "{what}");
        }
    }
    // People get a page, and the two budgets do not spend each other.
    let mut browser = from(&world, [33, 1, 1]);
    let page = browser.ask("GET", &kinds[0].1, &navigation("none"), b"");
    let page = page.response();
    assert_eq!(page.status, 429, "{}", page.everything());
    let kind = page.first("content-type").unwrap_or_default();
    assert!(kind.starts_with("text/html"), "{}", page.everything());
    assert!(page.first("retry-after").is_some(), "{}", page.everything());
    let public = browser.ask("GET", &kinds[3].1, &[], b"");
    assert_eq!(public.status(), 200, "{public:?}");
}

/// Who is signed in draws on neither budget, but guesses at passwords always count.
#[test]
fn invariant_8_a_session_is_not_limited_by_address_and_buys_no_guesses() {
    let (open, closed) = (Recorder::start(), Recorder::start());
    let limits = "\n[limits]\nunauthenticated = \"6/min\"\nunauthenticated_burst = 20\n\
                  public = \"6/min\"\npublic_burst = 3\n";
    let world = world(&open, &closed, limits);
    let mut insider = world.arrived("rh", HOST);
    for version in VERSIONS {
        insider.version = version;
        for turn in 0..25 {
            let url = world.url(HOST, if turn % 2 == 0 { "/a" } else { "/public/a" });
            let answer = insider.ask("GET", &url, &[], b"");
            assert_eq!(answer.status(), 200, "{version:?} {turn}: {answer:?}");
        }
    }
    let mut statuses = Vec::new();
    for turn in 0..25 {
        let login = format!("acme/nobody-{turn}");
        let mut copy = insider.clone();
        statuses.push(copy.sign_in(&world.portal(), &login, WRONG).status);
    }
    assert!(statuses.contains(&429), "{statuses:?}");
}

/// With the queue of passwords full, sign-ins are told to come back; what is proxied does not wait for them.
#[test]
fn invariant_8_a_full_hashing_queue_is_told_and_holds_up_no_proxied_request() {
    let (open, closed) = (Recorder::start(), Recorder::start());
    let hashing = "\n[hashing]\nmemory_kib = 262144\npasses = 3\nthreads = 1\nqueue = 2\n";
    let world = world(&open, &closed, hashing);
    let insider = world.arrived("rh", HOST);
    let url = format!("https://{}/.octroi/api/v1/login", world.portal());
    let crowd: Vec<Response> = thread::scope(|scope| {
        let guess = |number: u8| {
            let mut visitor =
                from(&world, [34, 0, number]).speaking(VERSIONS[usize::from(number % 2)]);
            let body = json!({ "login": "acme/marie", "password": WRONG });
            let url = &url;
            scope.spawn(move || visitor.post_json(url, &body))
        };
        let crowd: Vec<_> = (1..=10).map(guess).collect();
        let mut slowest = Duration::ZERO;
        for turn in 0..20 {
            let mut copy = insider.clone().speaking(VERSIONS[turn % 2]);
            let path = if turn % 4 < 2 { "/a" } else { "/public/a" };
            let watch = Stopwatch::start();
            let answer = copy.ask("GET", &world.url(HOST, path), &[], b"");
            slowest = slowest.max(watch.elapsed());
            assert_eq!(answer.status(), 200, "{path}: {answer:?}");
        }
        assert!(slowest < Duration::from_secs(1), "{slowest:?}");
        crowd
            .into_iter()
            .map(|one| one.join().expect("an answer"))
            .collect()
    });
    let refused: Vec<&Response> = crowd.iter().filter(|one| one.status == 503).collect();
    let looked_at = crowd.iter().filter(|one| one.status == 401).count();
    assert_eq!(refused.len() + looked_at, crowd.len(), "{crowd:?}");
    assert!(
        looked_at >= 3 && !refused.is_empty(),
        "{looked_at} looked at"
    );
    for answer in refused {
        let wait = told_to_wait(answer, 503, "busy");
        assert!((1..=60).contains(&wait), "{wait} s");
    }
    let metrics = plain::get(world.management(), "/metrics");
    assert!(
        !metrics.contains("octroi_hashing_refused_total 0"),
        "{metrics}"
    );
}

/// Plain HTTP counts too: a redirect is an answer to somebody who is not signed in.
#[test]
fn invariant_8_plain_http_is_limited_by_address() {
    let (open, closed) = (Recorder::start(), Recorder::start());
    let limits = "\n[limits]\nunauthenticated = \"6/min\"\nunauthenticated_burst = 4\n";
    let world = world(&open, &closed, limits);
    let request = format!("GET /a HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    let ask = || plain::send(world.facts.http, request.as_bytes()).response();
    for _ in 0..4 {
        let answer = ask();
        assert_eq!(answer.status, 308, "{}", answer.everything());
    }
    let answer = ask();
    assert_eq!(answer.status, 429, "{}", answer.everything());
    let wait = answer.first("retry-after").and_then(|it| it.parse().ok());
    assert!(
        wait.is_some_and(|wait: u64| (1..=10).contains(&wait)),
        "{}",
        answer.everything()
    );
    assert_eq!(answer.first("location"), None);
}
