//! A gateway with an open and a closed part of one host, both before upstreams that record, and ways to send it anything.

use std::cell::Cell;

use octroi_integration_tests::answer::{Answer, Response};
use octroi_integration_tests::recorder::{Recorder, Seen};
use octroi_integration_tests::visitor::{Version, Visitor};
use octroi_integration_tests::wire::Door;
use octroi_integration_tests::world::{Route, SESSION_COOKIE, World};
use octroi_integration_tests::{h1, h2};

/// The host whose `/public/` is open and whose rest asks for a sign-in.
pub(crate) const HOST: &str = "echo.localhost";
/// A host that one role alone may reach.
pub(crate) const PAYROLL: &str = "paie.localhost";
/// That role.
pub(crate) const ROLE: &str = "rh";

/// A gateway and its two witnesses.
pub(crate) struct Stage {
    pub(crate) world: World,
    /// Behind `/public/`.
    pub(crate) open: Recorder,
    /// Behind everything else.
    pub(crate) closed: Recorder,
    source: Cell<u16>,
}

impl Stage {
    pub(crate) fn set() -> Self {
        Self::with(Recorder::start(), Recorder::start())
    }

    pub(crate) fn with(open: Recorder, closed: Recorder) -> Self {
        let world = World::with_routes(&[
            Route {
                host: HOST,
                path: "/public/",
                to: &open,
                more: "sign_in = \"public\"",
            },
            Route {
                host: HOST,
                path: "/",
                to: &closed,
                more: "allow = \"everyone\"",
            },
            Route {
                host: PAYROLL,
                path: "/",
                to: &closed,
                more: "allow = { roles = [\"rh\"] }",
            },
        ]);
        Self {
            world,
            open,
            closed,
            source: Cell::new(0),
        }
    }

    /// The gateway, approached from an address that nobody used before: no limit by address is near.
    pub(crate) fn door(&self) -> Door {
        let number = self.source.get() + 1;
        self.source.set(number);
        let [high, low] = number.to_be_bytes();
        self.world.door.approached_from([7, high, low.max(1)])
    }

    /// Someone with a live session on [`HOST`].
    pub(crate) fn insider(&self) -> Visitor {
        let mut visitor = self.world.arrived(ROLE, HOST);
        visitor.door = self.door();
        self.closed.forget();
        self.open.forget();
        visitor
    }

    /// The same, who signed in and came to [`HOST`] over one version of HTTP alone.
    pub(crate) fn insider_over(&self, version: Version) -> Visitor {
        let account = self.world.facts.with_role(ROLE);
        let mut visitor = Visitor::at(&self.door()).speaking(version);
        let (login, password) = (account.full_login(), &account.password);
        let answer = visitor.sign_in(&self.world.portal(), &login, password);
        assert_eq!(answer.status, 200, "{}", answer.everything());
        visitor.follow(&self.world.url(HOST, "/a"));
        assert!(visitor.cookie(HOST, SESSION_COOKIE).is_some(), "arrived");
        self.closed.forget();
        self.open.forget();
        visitor
    }

    /// The `Cookie` field of that person.
    pub(crate) fn cookie_of(visitor: &Visitor) -> String {
        let token = visitor
            .cookie(HOST, SESSION_COOKIE)
            .expect("a session cookie");
        format!("{SESSION_COOKIE}={token}")
    }

    /// Sends one request to [`HOST`] over a fresh connection: any method, target, fields.
    pub(crate) fn send(
        &self,
        version: Version,
        method: &[u8],
        target: &[u8],
        fields: &[(&[u8], &[u8])],
    ) -> Answer {
        self.send_to(version, HOST, method, target, fields)
    }

    /// The same to another host.
    pub(crate) fn send_to(
        &self,
        version: Version,
        host: &str,
        method: &[u8],
        target: &[u8],
        fields: &[(&[u8], &[u8])],
    ) -> Answer {
        let authority = self.world.authority(host);
        match version {
            Version::H1 => {
                let mut all: Vec<(&[u8], &[u8])> = vec![(b"Host", authority.as_bytes())];
                all.extend_from_slice(fields);
                self.send_h1(host, &h1::request(method, target, &all, b""))
            }
            Version::H2 => self.send_h2(
                host,
                &h2::fields(method, authority.as_bytes(), target, fields),
            ),
        }
    }

    /// Sends bytes over a fresh HTTP/1.1 connection.
    pub(crate) fn send_h1(&self, sni: &str, request: &[u8]) -> Answer {
        h1::Client::connect(&self.door(), sni)
            .expect("a connection")
            .exchange(request)
    }

    /// Sends a header block over a fresh HTTP/2 connection.
    pub(crate) fn send_h2(&self, sni: &str, fields: &[(&[u8], &[u8])]) -> Answer {
        h2::Client::connect(&self.door(), sni)
            .expect("a connection")
            .exchange(fields, b"")
    }

    /// Neither upstream saw anything.
    #[track_caller]
    pub(crate) fn assert_nothing_passed(&self, what: &str) {
        let seen: Vec<String> = [self.open.seen(), self.closed.seen()]
            .concat()
            .iter()
            .map(Seen::everything)
            .collect();
        assert!(
            seen.is_empty(),
            "{what} reached an upstream:\n{}",
            seen.join("\n---\n")
        );
    }
}

/// The whole of a refusal by the gateway: its status, its form, its reason, and nothing that a cache or a browser keeps.
#[track_caller]
pub(crate) fn assert_refused(what: &str, answer: &Answer, status: u16, reason: &str) {
    let Answer::Response(response) = answer else {
        panic!("{what}: {answer:?}")
    };
    let all = response.everything();
    assert_eq!(response.status, status, "{what}: {all}");
    assert_eq!(
        response.first("content-type"),
        Some("application/problem+json"),
        "{what}: {all}"
    );
    assert_eq!(
        response.first("cache-control"),
        Some("no-store"),
        "{what}: {all}"
    );
    assert_eq!(response.first("set-cookie"), None, "{what}: {all}");
    assert_eq!(response.first("location"), None, "{what}: {all}");
    assert_eq!(response.first("server"), None, "{what}: {all}");
    let json = response.json();
    assert_eq!(json["status"], status, "{what}: {all}");
    assert_eq!(json["error"], reason, "{what}: {all}");
    let id = response.first("x-request-id");
    assert!(
        id.is_some_and(|id| json["request_id"] == id),
        "{what}: the body quotes the request's id: {all}"
    );
}

/// The whole of a challenge to what is no navigation: 401, the scheme, and where a person signs in.
#[track_caller]
pub(crate) fn assert_challenged(what: &str, answer: &Answer) {
    let Answer::Response(response) = answer else {
        panic!("{what}: {answer:?}")
    };
    let all = response.everything();
    assert_eq!(response.status, 401, "{what}: {all}");
    assert!(
        response
            .first("www-authenticate")
            .is_some_and(|value| value.starts_with("Octroi")),
        "{what}: {all}"
    );
    assert_eq!(
        response.first("content-type"),
        Some("application/problem+json"),
        "{what}: {all}"
    );
    assert_eq!(
        response.first("cache-control"),
        Some("no-store"),
        "{what}: {all}"
    );
    assert!(
        all.contains("/.octroi/login"),
        "{what}: the address to sign in at is named: {all}"
    );
}

/// The response of an upstream of this stage, passed on.
#[track_caller]
pub(crate) fn assert_passed(what: &str, answer: &Answer) -> Response {
    let Answer::Response(response) = answer else {
        panic!("{what}: {answer:?}")
    };
    assert_eq!(
        (response.status, response.text().as_str()),
        (200, "the upstream answers\n"),
        "{what}: {}",
        response.everything()
    );
    response.clone()
}
