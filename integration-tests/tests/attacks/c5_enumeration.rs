//! C5: nothing tells whether an account exists: not a byte, not a field, not the time it took. For every kind of
//! account, with the gateway idle, with its hashing queue full, and after the cost of a hash was raised.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::thread;
use std::time::Duration;

use octroi_integration_tests::answer::Response;
use octroi_integration_tests::binary::said;
use octroi_integration_tests::database::alter;
use octroi_integration_tests::h1;
use octroi_integration_tests::patience::{Stopwatch, pause};
use octroi_integration_tests::recorder::Recorder;
use octroi_integration_tests::visitor::{VERSIONS, Visitor};
use octroi_integration_tests::wire::Door;
use octroi_integration_tests::world::{Running, World};
use serde_json::json;

use crate::stage::{HOST, ROLE};

/// Whether the minutes are there that many tries take.
const IS_LONG: bool = cfg!(feature = "long");
/// From here on, chance alone is no explanation: p = 0.05 (Mann–Whitney, two-sided), and 0.01 where the tries are few.
const Z_MAX: f64 = if IS_LONG { 1.96 } else { 2.58 };
/// A kind differs when it differs in each of so many runs: a difference shows again, and chance does not.
const RUNS: usize = 3;

const WRONG: &str = "not the right password at all";
const PROVISIONAL: &str = "provisoire du lundi matin";

#[test]
fn c5_every_kind_of_account_is_refused_alike_in_every_byte() {
    let desk = Desk::open("");
    for version in VERSIONS {
        let refused = |kind: &Kind| {
            let mut visitor = Visitor::at(&desk.door()).speaking(version);
            let url = format!("https://{}/.octroi/api/v1/login", desk.world.portal());
            visitor.post_json(&url, &kind.body())
        };
        let reference = refused(&desk.kinds[0]);
        let all = reference.everything();
        assert_eq!(reference.status, 401, "{all}");
        assert_eq!(reference.json()["error"], "invalid_credentials", "{all}");
        for kind in &desk.kinds {
            let (answer, name) = (refused(kind), kind.name);
            assert_eq!(shown(&answer), shown(&reference), "{name} over {version:?}");
        }
    }
}

#[test]
fn c5_every_kind_of_account_takes_the_same_time() {
    let desk = Desk::open("");
    assert_alike(&desk, if IS_LONG { 500 } else { 12 }, |kind| {
        let (answer, time) = desk.guess(kind);
        assert_eq!(answer.status, 401, "{}", answer.everything());
        time
    });
}

/// All hashes are of the lower cost: each is padded, and who has none draws one of them.
#[test]
fn c5_every_kind_of_account_takes_the_same_time_after_the_cost_was_raised() {
    let desk = Desk::open("\n[hashing]\nmemory_kib = 65536\npasses = 2\n");
    assert_alike(&desk, if IS_LONG { 200 } else { 8 }, |kind| {
        let (answer, time) = desk.guess(kind);
        assert_eq!(answer.status, 401, "{}", answer.everything());
        time
    });
}

#[test]
fn c5_with_the_queue_full_every_kind_of_account_is_put_off_alike() {
    let costly = "\n[hashing]\nmemory_kib = 262144\npasses = 3\nthreads = 1\nqueue = 2\n";
    let desk = Desk::open(costly);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for number in 0..6 {
            let (desk, is_over) = (&desk, &is_over);
            scope.spawn(move || desk.crowd(number, is_over));
        }
        // Whatever becomes of the test, the crowd goes home.
        let _over = SetAtEnd(&is_over);
        let reference = desk.put_off(&desk.kinds[0]).0;
        assert_eq!(reference.json()["error"], "busy");
        assert!(reference.first("retry-after").is_some());
        for kind in &desk.kinds {
            let answer = desk.put_off(kind).0;
            assert_eq!(shown(&answer), shown(&reference), "{}", kind.name);
        }
        let tries = if IS_LONG { 200 } else { 8 };
        assert_alike(&desk, tries, |kind| desk.put_off(kind).1);
    });
}

/// A Mann–Whitney test cannot tell any kind of account from an unknown one.
#[track_caller]
fn assert_alike(desk: &Desk, tries: usize, time_of: impl Fn(&Kind) -> f64) {
    let mut suspects: Vec<&Kind> = desk.kinds.iter().skip(1).collect();
    let mut told = Vec::new();
    for _ in 0..RUNS {
        let kinds = [&[&desk.kinds[0]], suspects.as_slice()].concat();
        let mut times = vec![Vec::with_capacity(tries); kinds.len()];
        for _ in 0..tries {
            // In another order each time, so that none always follows the same.
            let mut order: Vec<usize> = (0..kinds.len()).collect();
            let chance = RandomState::new();
            order.sort_by_key(|place| chance.hash_one(place));
            for place in order {
                times[place].push(time_of(kinds[place]));
            }
        }
        let differing: HashSet<&str> = (1..kinds.len())
            .filter(|place| {
                let z = mann_whitney_z(&times[0], &times[*place]);
                told.push(format!("{}: z = {z:.2}", kinds[*place].name));
                z.abs() > Z_MAX
            })
            .map(|place| kinds[place].name)
            .collect();
        suspects.retain(|kind| differing.contains(kind.name));
        if suspects.is_empty() {
            return;
        }
    }
    panic!("told apart from {}: {told:#?}", desk.kinds[0].name);
}

/// What anybody can see of an answer, but for the time and its own id.
fn shown(response: &Response) -> (u16, Vec<(String, String)>, String) {
    let fields = response.fields.iter();
    let fields = fields
        .filter(|(name, _)| !matches!(name.as_str(), "x-request-id" | "date"))
        .map(|(name, value)| (name.clone(), without_secret(name, value)))
        .collect();
    let id = response.first("x-request-id").unwrap_or("no id");
    (response.status, fields, response.text().replace(id, "<id>"))
}

/// A cookie's name and attributes; what a drawn value is, tells nobody anything.
fn without_secret(name: &str, value: &str) -> String {
    let parts = value.split_once('=').zip(value.split_once(';'));
    match parts {
        Some(((cookie, _), (_, attributes))) if name == "set-cookie" => {
            format!("{cookie}=<drawn>;{attributes}")
        }
        _ => value.to_owned(),
    }
}

/// A kind of account, and a password with which its sign-in fails.
struct Kind {
    name: &'static str,
    login: String,
    password: String,
}

impl Kind {
    fn body(&self) -> serde_json::Value {
        json!({ "login": self.login, "password": self.password })
    }
}

/// A gateway with an account of each kind.
struct Desk {
    world: World,
    kinds: Vec<Kind>,
    sources: AtomicU16,
    _upstream: Recorder,
}

impl Desk {
    /// Makes the accounts, and then starts the gateway with these lines more in its configuration.
    fn open(more: &str) -> Self {
        let upstream = Recorder::start();
        let mut world = World::for_everyone(HOST, &upstream);
        let kinds = people(&world);
        let expired = account_id(&world, "acme/perimee");
        assert!(world.gateway.stop().is_some(), "{}", world.log());
        alter(
            &world.directory.join("data/octroi.db"),
            &format!("UPDATE account SET provisional_until = 1 WHERE id = x'{expired}'"),
        );
        let text = std::fs::read_to_string(world.config()).expect("a configuration");
        std::fs::write(world.config(), text + more).expect("a configuration");
        world.gateway = Running::serve(world.config(), world.facts.https);
        Self {
            world,
            kinds,
            sources: AtomicU16::new(0),
            _upstream: upstream,
        }
    }

    /// The gateway, approached from an address that nobody used before: no limit by address is near.
    fn door(&self) -> Door {
        let number = self.sources.fetch_add(1, Ordering::SeqCst);
        let [high, low] = number.to_be_bytes();
        self.world.door.approached_from([high, low, 5])
    }

    /// One guess from a new address over a connection that stands; the answer, and milliseconds.
    fn guess(&self, kind: &Kind) -> (Response, f64) {
        let portal = self.world.portal();
        let body = kind.body().to_string();
        let fields: [(&[u8], &[u8]); 2] = [
            (b"Host", portal.as_bytes()),
            (b"Content-Type", b"application/json"),
        ];
        let target = b"/.octroi/api/v1/login";
        let request = h1::request(b"POST", target, &fields, body.as_bytes());
        let client = h1::Client::connect(&self.door(), &self.world.facts.portal);
        let mut client = client.expect("a connection");
        let watch = Stopwatch::start();
        let response = client.exchange(&request).response();
        (response, watch.elapsed().as_secs_f64() * 1000.0)
    }

    /// The same, until there was no place in the queue.
    fn put_off(&self, kind: &Kind) -> (Response, f64) {
        for _ in 0..50 {
            let (answer, time) = self.guess(kind);
            if answer.status == 503 {
                return (answer, time);
            }
            assert_eq!(answer.status, 401, "{}", answer.everything());
        }
        panic!("the queue has room");
    }

    /// Guesses without end.
    fn crowd(&self, number: usize, is_over: &AtomicBool) {
        let stranger = Kind {
            name: "one of a crowd",
            login: format!("acme/one-of-a-crowd-{number}"),
            password: WRONG.to_owned(),
        };
        while !is_over.load(Ordering::SeqCst) {
            if self.guess(&stranger).0.status == 503 {
                pause(Duration::from_millis(10));
            }
        }
    }
}

/// Sets a flag when it is dropped.
struct SetAtEnd<'a>(&'a AtomicBool);

impl Drop for SetAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// An account of each kind: where the account is what keeps somebody out, the password is right.
fn people(world: &World) -> Vec<Kind> {
    let done = |arguments: &[&str], input: &str| {
        let output = world.run_with_input(arguments, input);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    };
    let known = world.facts.with_role(ROLE).full_login();
    let locked = world.facts.accounts.iter();
    let locked = locked
        .clone()
        .find(|account| !account.is_provisional && account.full_login() != known);
    let locked = locked.expect("a second account").clone();
    done(&["user", "lock", &locked.full_login()], "");
    for login in ["acme/perimee", "acme/servie", "acme/effacee"] {
        let add = ["user", "add", login, "--password-stdin"];
        done(&add, &format!("{PROVISIONAL}\n"));
    }
    let served = world
        .visitor()
        .sign_in(&world.portal(), "acme/servie", PROVISIONAL);
    assert_eq!(served.status, 200, "{}", served.everything());
    done(&["user", "delete", "acme/effacee"], "");
    done(&["user", "invite", "acme/attendue"], "");
    let provisional = world.facts.provisional().full_login();
    let kind = |name, login: &str, password: &str| Kind {
        name,
        login: login.to_owned(),
        password: password.to_owned(),
    };
    vec![
        kind("unknown", "acme/nobody-of-this-name", WRONG),
        kind("known", &known, WRONG),
        kind("locked", &locked.full_login(), &locked.password),
        kind("erased", "acme/effacee", PROVISIONAL),
        kind("expired", "acme/perimee", PROVISIONAL),
        kind("served", "acme/servie", PROVISIONAL),
        kind("provisional", &provisional, WRONG),
        kind("invited, without a password", "acme/attendue", WRONG),
        kind("of an unknown tenant", "no-such-tenant/marie", WRONG),
    ]
}

/// The id of an account in hexadecimal digits.
fn account_id(world: &World, login: &str) -> String {
    let shown = world.run_json(&["user", "show", login]);
    shown["id"].as_str().expect("an id").replace('-', "")
}

/// The normal approximation of the Mann–Whitney U test (no ties to speak of in times).
fn mann_whitney_z(one: &[f64], two: &[f64]) -> f64 {
    let wins: f64 = one
        .iter()
        .map(|a| {
            two.iter()
                .map(|b| if a > b { 1.0 } else { 0.0 })
                .sum::<f64>()
        })
        .sum();
    let count = |times: &[f64]| f64::from(u32::try_from(times.len()).expect("few"));
    let (n, m) = (count(one), count(two));
    (wins - n * m / 2.0) / (n * m * (n + m + 1.0) / 12.0).sqrt()
}
