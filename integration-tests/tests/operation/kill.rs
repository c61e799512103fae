//! Invariant 3: what was acknowledged survives `kill -9`, at random moments and at each named point of the store.

use std::collections::HashMap;
use std::time::Duration;

use octroi_integration_tests::binary;
use octroi_integration_tests::patience::{Stopwatch, wait_for};
use octroi_integration_tests::recorder::Recorder;
use octroi_integration_tests::visitor::Visitor;
use octroi_integration_tests::world::{Running, SESSION_COOKIE, World};

const HOST: &str = "echo.localhost";
/// Whose sessions stay, and whose are revoked.
const STAYS: &str = "acme/marie";
const REVOKED: &str = "acme/samir";
/// Whose passwords are reset, in turn.
const RESET: [&str; 3] = ["acme/paul", "acme/lea", "globex/tom"];

/// What was acknowledged.
#[derive(Default)]
struct Ledger {
    live: Vec<Visitor>,
    dead: Vec<Visitor>,
    /// The password last acknowledged, and one that must not work any more.
    passwords: HashMap<&'static str, (String, String)>,
    /// Whose last reset was not acknowledged: either password may count.
    unsure: Vec<&'static str>,
    deeds: usize,
}

impl Ledger {
    /// Does one thing and writes down what was acknowledged. `false` when the gateway did not answer.
    fn act(&mut self, world: &World, turn: usize) -> bool {
        self.deeds += 1;
        let [high, low] = u16::try_from(self.deeds).expect("few deeds").to_be_bytes();
        let mut visitor = Visitor::at(&world.door.approached_from([10 + high, low, 1]));
        match turn % 4 {
            0 => self.sign_in(world, visitor, STAYS),
            1 => self.sign_in(world, visitor, REVOKED) && self.revoke(world),
            2 => {
                try_to_sign_in(
                    world,
                    &mut visitor,
                    STAYS,
                    "a wrong password, as it happens",
                ) == Some(401)
            }
            _ => self.reset(world, RESET[self.deeds / 4 % RESET.len()]),
        }
    }

    fn sign_in(&mut self, world: &World, mut visitor: Visitor, login: &str) -> bool {
        let password = world.facts.account(login).password.clone();
        if try_to_sign_in(world, &mut visitor, login, &password) != Some(200) {
            return false;
        }
        let mut url = world.url(HOST, "/");
        for _ in 0..5 {
            let answer = visitor.ask(
                "GET",
                &url,
                &octroi_integration_tests::visitor::navigation("none"),
                b"",
            );
            let octroi_integration_tests::answer::Answer::Response(response) = answer else {
                return false;
            };
            let Some(next) = octroi_integration_tests::visitor::redirect(&url, &response) else {
                break;
            };
            url = next;
        }
        let arrived = visitor.cookie(HOST, SESSION_COOKIE).is_some();
        if arrived {
            self.live.push(visitor);
        }
        arrived
    }

    fn revoke(&mut self, world: &World) -> bool {
        let output = world.run(&["session", "revoke", "--account", REVOKED]);
        // Acknowledged or not, these are no longer promised to live.
        let revoked: Vec<Visitor> = self.live.pop().into_iter().collect();
        if output.status.success() {
            self.dead.extend(revoked);
        }
        output.status.success()
    }

    fn reset(&mut self, world: &World, login: &'static str) -> bool {
        let new = format!("provisoire {} du lundi matin", self.deeds);
        let output = world.run_with_input(
            &["user", "reset", login, "--password-stdin"],
            &format!("{new}\n"),
        );
        if output.status.success() {
            let old = self.passwords.get(login).map_or_else(
                || world.facts.account(login).password.clone(),
                |(current, _)| current.clone(),
            );
            self.passwords.insert(login, (new, old));
            self.unsure.retain(|unsure| *unsure != login);
        } else {
            self.unsure.push(login);
        }
        output.status.success()
    }

    /// Everything acknowledged is as it was said to be.
    #[track_caller]
    fn verify(&self, world: &World, what: &str) {
        for (number, visitor) in self.live.iter().enumerate() {
            let mut copy = visitor.clone();
            copy.door = world.door.clone();
            let status = copy.ask("GET", &world.url(HOST, "/"), &[], b"").status();
            assert_eq!(
                status,
                200,
                "{what}: session {number} of {} was acknowledged and is lost\n{}",
                self.live.len(),
                world.log()
            );
        }
        for visitor in &self.dead {
            let status = visitor
                .clone()
                .ask("GET", &world.url(HOST, "/"), &[], b"")
                .status();
            assert_eq!(status, 401, "{what}: a session was revoked and lives again");
        }
        for (login, (current, old)) in &self.passwords {
            if self.unsure.contains(login) {
                continue;
            }
            let mut visitor = Visitor::at(&world.door.approached_from([9, 9, 1]));
            assert_eq!(
                try_to_sign_in(world, &mut visitor, login, old),
                Some(401),
                "{what}: {login}'s old password works again"
            );
            assert_eq!(
                try_to_sign_in(world, &mut visitor, login, current),
                Some(200),
                "{what}: {login}'s new password is lost"
            );
        }
        let output = world.run(&["journal", "verify"]);
        assert!(
            output.status.success(),
            "{what}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn invariant_3_nothing_acknowledged_is_lost_when_killed_at_random() {
    let rounds = std::env::var("OCTROI_KILL_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(3);
    // Differs from run to run; the message of a failure names the moment.
    let seed = std::process::id();
    for round in 0..rounds {
        let upstream = Recorder::start();
        let mut world = World::for_everyone(HOST, &upstream);
        let mut ledger = Ledger::default();
        let life = Duration::from_millis(u64::from(
            300 + (seed / 1000).wrapping_mul(round + 7) % 2500,
        ));
        std::thread::scope(|scope| {
            let id = world.gateway.id().to_string();
            scope.spawn(move || {
                octroi_integration_tests::patience::pause(life);
                std::process::Command::new("kill")
                    .args(["-KILL", &id])
                    .status()
                    .expect("kill runs");
            });
            let watch = Stopwatch::start();
            let mut turn = 0;
            while watch.elapsed() < life + Duration::from_secs(5) && ledger.act(&world, turn) {
                turn += 1;
            }
        });
        world.kill_and_restart();
        ledger.verify(
            &world,
            &format!(
                "round {round}, killed after {life:?}, {} deeds",
                ledger.deeds
            ),
        );
    }
}

/// The list stands in the source, since a test build alone has these points.
fn fail_points() -> Vec<String> {
    let source =
        std::fs::read_to_string(binary::workspace().join("gateway/src/store/fail_point.rs"))
            .expect("the list of points");
    let list = source
        .split("FAIL_POINTS: &[&str] = &[")
        .nth(1)
        .and_then(|rest| rest.split("];").next())
        .expect("a list");
    list.split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

#[test]
fn invariant_3_nothing_acknowledged_is_lost_at_any_named_point() {
    let points = fail_points();
    assert!(points.len() >= 10, "{points:?}");
    for point in &points {
        let upstream = Recorder::start();
        let mut world = World::for_everyone(HOST, &upstream);
        let mut ledger = Ledger::default();
        for turn in 0..4 {
            assert!(
                ledger.act(&world, turn),
                "{point}: before anything dies\n{}",
                world.log()
            );
        }
        world.gateway.kill();
        world.gateway = start_to_die(&world, point);
        let mut turn = 0;
        while turn < 12 && world.gateway.is_running() {
            ledger.act(&world, turn);
            turn += 1;
        }
        if world.gateway.is_running() && point.starts_with("erase") {
            world.run(&["user", "delete", "acme/visite"]);
        }
        let died = wait_for(Duration::from_secs(2), || {
            (!world.gateway.is_running()).then_some(())
        });
        assert!(died.is_some(), "{point} was never passed");
        world.kill_and_restart();
        ledger.verify(&world, point);
    }
}

/// Starts a gateway that dies at this point: while it serves, or as early as its start.
fn start_to_die(world: &World, point: &str) -> Running {
    let mut command = binary::octroi();
    command
        .arg("serve")
        .arg("-c")
        .arg(world.config())
        .env("OCTROI_FAIL_POINT", point);
    let mut gateway = Running::spawn(command, &world.directory);
    let come = wait_for(Duration::from_secs(30), || {
        let serves = std::net::TcpStream::connect(world.facts.https).is_ok();
        (serves || !gateway.is_running()).then_some(())
    });
    assert!(come.is_some(), "{point}: neither serves nor dies");
    gateway
}

fn try_to_sign_in(
    world: &World,
    visitor: &mut Visitor,
    login: &str,
    password: &str,
) -> Option<u16> {
    let url = format!("https://{}/.octroi/api/v1/login", world.portal());
    let body = serde_json::json!({ "login": login, "password": password, "computer": "private" })
        .to_string();
    let headers = [("Content-Type".to_owned(), "application/json".to_owned())];
    match visitor
        .ask("POST", &url, &headers, body.as_bytes())
        .status()
    {
        0 => None,
        status => Some(status),
    }
}
