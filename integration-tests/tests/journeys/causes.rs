//! Everything that ends a session, against everything that a session holds open: the next request is asked to sign in, a
//! WebSocket is closed with 1008, a stream ends, over both versions of HTTP and within a second.

use std::time::Duration;

use octroi_integration_tests::page::Form;
use octroi_integration_tests::patience::Stopwatch;
use octroi_integration_tests::visitor::{VERSIONS, Version, Visitor};
use octroi_integration_tests::wire::is_silence;
use octroi_integration_tests::world::World;
use octroi_integration_tests::{h1, h2};

use super::revocation::{REVOCATION, arrived, cookie, text_frame, websocket};

const HOST: &str = "echo.localhost";
const MARIE: &str = "acme/marie";
const PAUL: &str = "acme/paul";
/// The end, and what a test needs to see it.
const SEEN: Duration = REVOCATION.saturating_add(Duration::from_millis(500));

/// One session with all that it can hold open.
struct Held {
    visitor: Visitor,
    socket: h1::Client,
    events: h1::Client,
    stream: (h2::Client, u32),
}

impl Held {
    fn of(world: &World, login: &str) -> Self {
        let visitor = arrived(world, login);
        let cookie = cookie(&visitor);
        let authority = world.authority(HOST);
        let mut socket = websocket(world, &visitor);
        socket.send(&text_frame("bonjour"));
        assert!(socket.exactly(9).expect("an echo").is_some(), "an echo");
        let mut events = h1::Client::connect(&world.door, HOST).expect("a connection");
        events.send(
            format!("GET /events HTTP/1.1\r\nHost: {authority}\r\nCookie: {cookie}\r\n\r\n")
                .as_bytes(),
        );
        assert_eq!(events.head().expect("a head").expect("a head").status, 200);
        assert!(!events.some().expect("an event").is_empty());
        let mut client = h2::Client::connect(&world.door, HOST).expect("a connection");
        let fields = h2::fields(
            b"GET",
            authority.as_bytes(),
            b"/events",
            &[(b"cookie", cookie.as_bytes())],
        );
        let stream = client.begin(&fields, true);
        assert!(an_event_comes(&mut client, stream));
        Self {
            visitor,
            socket,
            events,
            stream: (client, stream),
        }
    }

    /// All of it is over, and within the time.
    #[track_caller]
    fn assert_over(mut self, world: &World, cause: &str, watch: Stopwatch) {
        let close = self.socket.exactly(4).expect("a close frame");
        let close = close.unwrap_or_else(|| panic!("{cause}: the socket is cut"));
        let within = |what: &str| {
            let elapsed = watch.elapsed();
            assert!(elapsed < SEEN, "{cause}: {what} after {elapsed:?}");
        };
        within("the socket is closed");
        let code = u16::from_be_bytes([close[2], close[3]]);
        assert_eq!((close[0], code), (0x88, 1008), "{cause}");
        while an_event_comes(&mut self.stream.0, self.stream.1) {
            within("an event comes");
        }
        within("the stream is reset");
        loop {
            match self.events.some() {
                Ok(some) if some.is_empty() => break,
                Ok(_) => within("an event comes"),
                Err(error) => {
                    assert!(!is_silence(&error), "{cause}: the events hang");
                    break;
                }
            }
        }
        within("the events are over");
        for version in VERSIONS {
            assert_eq!(status(world, &self.visitor, version), 401, "{cause}");
        }
        within("the next request is asked to sign in");
    }
}

/// Whether an event comes on the stream; `false` where it is reset.
#[track_caller]
fn an_event_comes(client: &mut h2::Client, stream: u32) -> bool {
    loop {
        let frame = client.next_frame().expect("no silence");
        let frame = frame.expect("the connection goes on");
        match frame.kind {
            h2::kind::DATA if frame.stream == stream => return true,
            h2::kind::RST_STREAM if frame.stream == stream => return false,
            _ => {}
        }
    }
}

/// What a program with this person's session is answered.
fn status(world: &World, visitor: &Visitor, version: Version) -> u16 {
    let mut copy = visitor.clone().speaking(version);
    copy.ask("GET", &world.url(HOST, "/request"), &[], b"")
        .status()
}

/// A form of the portal, filled in, for somebody to send.
fn form(world: &World, visitor: &mut Visitor, page: &str, action: &str) -> Form {
    let page = visitor.visit(&format!("https://{}/.octroi/{page}", world.portal()));
    assert_eq!(page.response.status, 200, "{}", page.response.everything());
    Form::on(&page, action)
}

/// The session that is used ends, or one of several does; `who` stays signed in elsewhere.
fn ends_by_form(world: &World, cause: &str, who: &mut Visitor, form: &Form, held: Held) {
    let watch = Stopwatch::start();
    let answer = form.submit(who).response;
    assert!(answer.status < 400, "{cause}: {}", answer.everything());
    held.assert_over(world, cause, watch);
}

fn ends_by_command(world: &World, arguments: &[&str], held: Held) {
    for version in VERSIONS {
        assert_eq!(status(world, &held.visitor, version), 200, "{arguments:?}");
    }
    let watch = Stopwatch::start();
    let output = world.run(arguments);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {told}");
    held.assert_over(world, &arguments.join(" "), watch);
}

#[test]
fn whatever_an_operator_does_ends_all_that_a_session_holds() {
    let world = World::demo();
    let held = Held::of(&world, MARIE);
    let sessions = world.run_json(&["session", "list", "--account", MARIE]);
    let id = sessions[0]["id"].as_str().expect("an id");
    ends_by_command(&world, &["session", "revoke", id], held);
    let lasting: [&[&str]; 4] = [
        &["session", "revoke", "--account", MARIE],
        &["user", "roles", MARIE, "--role", "it", "--role", "rh"],
        &["user", "grant", MARIE, "--tenant", "globex", "--hours", "1"],
        &["user", "grant", MARIE, "--tenant", "globex", "--end"],
    ];
    for arguments in lasting {
        ends_by_command(&world, arguments, Held::of(&world, MARIE));
    }
    // After these nobody signs in to the account any more.
    ends_by_command(&world, &["user", "reset", MARIE], Held::of(&world, MARIE));
    ends_by_command(&world, &["user", "lock", PAUL], Held::of(&world, PAUL));
    assert!(world.run(&["user", "unlock", PAUL]).status.success());
    ends_by_command(&world, &["user", "delete", PAUL], Held::of(&world, PAUL));
}

#[test]
fn whatever_a_person_does_ends_all_that_a_session_holds() {
    let world = World::demo();
    let held = Held::of(&world, MARIE);
    let mut same = held.visitor.clone();
    let sign_out = form(&world, &mut same, "logout", "/.octroi/logout");
    ends_by_form(&world, "sign-out", &mut same, &sign_out, held);

    let mut mine = arrived(&world, MARIE);
    let sessions = "account/sessions";
    for action in ["/end", "/end-others"] {
        let held = Held::of(&world, MARIE);
        let action = format!("/.octroi/{sessions}{action}");
        let end = form(&world, &mut mine, sessions, &action);
        ends_by_form(&world, &action, &mut mine, &end, held);
    }
    let held = Held::of(&world, MARIE);
    let path = "account/password";
    let change = form(&world, &mut mine, path, "/.octroi/account/password")
        .without("repeat")
        .with("current", &world.facts.account(MARIE).password)
        .with("new", "trois barques au matin calme");
    ends_by_form(&world, "own password change", &mut mine, &change, held);
    let page = mine.visit(&world.url(HOST, "/request")).response;
    assert_eq!(
        page.json()["target"],
        "/request",
        "mine goes on, by a new hand-over: {}",
        page.everything()
    );
}
