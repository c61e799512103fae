//! C3, C4: guesses from one place count together whatever address they claim, and guesses from many places do not keep
//! the owner out; nor do right passwords at the same time shut each other out.

use std::thread;

use octroi_integration_tests::answer::Response;
use octroi_integration_tests::h1;
use octroi_integration_tests::recorder::Recorder;
use octroi_integration_tests::visitor::Visitor;
use octroi_integration_tests::wire::Door;
use octroi_integration_tests::world::World;
use serde_json::json;

use crate::stage::{HOST, ROLE};

/// Guesses of one source at one account that are judged before it has to wait.
const JUDGED: usize = 5;
/// How many others guess as often.
const ELSEWHERE: u8 = if cfg!(feature = "long") { 200 } else { 10 };

#[test]
fn c3_guesses_from_elsewhere_do_not_keep_the_owner_out() {
    let upstream = Recorder::start();
    let world = World::for_everyone(HOST, &upstream);
    let owner = world.facts.with_role(ROLE).clone();
    let login = owner.full_login();
    for place in 0..ELSEWHERE {
        let door = world.door.approached_from([3, place, 1]);
        let statuses: Vec<u16> = (0..=JUDGED)
            .map(|_| guess(&world, &door, &login, None).status)
            .collect();
        let expected = [[401; JUDGED].as_slice(), &[429]].concat();
        assert_eq!(statuses, expected, "place {place}");
    }
    let answer = Visitor::at(&world.door.approached_from([4, 0, 1])).sign_in(
        &world.portal(),
        &login,
        &owner.password,
    );
    assert_eq!(answer.status, 200, "{}", answer.everything());
    assert_eq!(answer.json()["status"], "signed_in");
}

#[test]
fn c4_forged_addresses_count_as_the_one_that_sends_them() {
    let upstream = Recorder::start();
    let world = World::for_everyone(HOST, &upstream);
    let owner = world.facts.with_role(ROLE).clone();
    let login = owner.full_login();
    let statuses: Vec<u16> = (0..60_u8)
        .map(|number| {
            let claimed = format!("198.51.100.{number}");
            guess(&world, &world.door, &login, Some(&claimed)).status
        })
        .collect();
    let (judged, put_off) = statuses.split_at(JUDGED);
    assert!(judged.iter().all(|status| *status == 401), "{statuses:?}");
    assert!(put_off.iter().all(|status| *status == 429), "{statuses:?}");
    let answer = world
        .visitor()
        .sign_in(&world.portal(), &login, &owner.password);
    assert_eq!(answer.status, 429, "{}", answer.everything());
    assert!(
        answer.first("set-cookie").is_none(),
        "{}",
        answer.everything()
    );
}

/// The jobs of a service account begin on the hour; two failures before them are somebody's mistypes.
#[test]
fn c3_right_passwords_at_once_are_let_in_and_wrong_ones_win_nothing_by_it() {
    let upstream = Recorder::start();
    let world = World::for_everyone(HOST, &upstream);
    let owner = world.facts.with_role(ROLE).clone();
    let login = owner.full_login();
    let at_once = |count: usize, password: &str| -> Vec<u16> {
        let sign_in = || {
            let answer = world.visitor().sign_in(&world.portal(), &login, password);
            answer.status
        };
        thread::scope(|scope| {
            let running: Vec<_> = (0..count).map(|_| scope.spawn(sign_in)).collect();
            let statuses = running.into_iter().map(|one| one.join().expect("a status"));
            statuses.collect()
        })
    };
    for _ in 0..2 {
        let wrong = guess(&world, &world.door, &login, None);
        assert_eq!(wrong.status, 401);
    }
    assert_eq!(at_once(8, &owner.password), [200; 8]);
    let mut wrong = at_once(24, "not the right password at all");
    wrong.sort_unstable();
    let expected = [[401; JUDGED].as_slice(), &[429; 24 - JUDGED]].concat();
    assert_eq!(wrong, expected);
}

/// One wrong password, over a connection of its own, with an address that the client claims to be.
fn guess(world: &World, door: &Door, login: &str, claimed: Option<&str>) -> Response {
    let portal = world.portal();
    let body = json!({ "login": login, "password": "not the right password at all" }).to_string();
    let mut fields: Vec<(&[u8], &[u8])> = vec![
        (b"Host", portal.as_bytes()),
        (b"Content-Type", b"application/json"),
    ];
    for name in [&b"X-Forwarded-For"[..], b"X-Real-IP"] {
        fields.extend(claimed.map(|claimed| (name, claimed.as_bytes())));
    }
    let request = h1::request(b"POST", b"/.octroi/api/v1/login", &fields, body.as_bytes());
    let client = h1::Client::connect(door, &world.facts.portal);
    client.expect("a connection").exchange(&request).response()
}
