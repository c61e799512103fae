//! Invariant 3: what was acknowledged survives `kill -9`, at random moments and at each named point of the store.
#![expect(
    clippy::unwrap_in_result,
    reason = "nothing means that the gateway is gone; anything unexpected ends the test"
)]

mod ledger;

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use octroi_integration_tests::binary;
use octroi_integration_tests::patience::{pause, wait_for};
use octroi_integration_tests::recorder::Recorder;
use octroi_integration_tests::world::{Running, World};

use ledger::{Deed, HOST, Ledger};

/// Rounds of a short run; `OCTROI_KILL_ROUNDS` asks for more.
const ROUNDS: u64 = 3;

#[test]
fn invariant_3_nothing_acknowledged_is_lost_when_killed_at_random() {
    let rounds = number_of("OCTROI_KILL_ROUNDS").unwrap_or(ROUNDS);
    for _ in 0..rounds {
        // Another moment and another order of deeds each time; a failure says how to have them again.
        let fresh = || RandomState::new().hash_one("octroi");
        let seed = number_of("OCTROI_KILL_SEED").unwrap_or_else(fresh);
        let mut chance = Chance(seed);
        let life = Duration::from_millis(300 + chance.next() % 3500);
        println!("OCTROI_KILL_SEED={seed}: killed after {life:?}");
        let upstream = Recorder::start();
        let mut world = World::for_everyone(HOST, &upstream);
        let mut ledger = Ledger::default();
        std::thread::scope(|scope| {
            let id = world.gateway.id().to_string();
            scope.spawn(move || {
                pause(life);
                let killed = std::process::Command::new("kill")
                    .args(["-KILL", &id])
                    .status();
                assert!(killed.expect("kill runs").success(), "nothing was killed");
            });
            let mut deeds = Deed::ALL.into_iter().cycle();
            let mut next = || deeds.nth(chance.below(Deed::ALL.len())).expect("endless");
            while ledger.act(&world, next()) {}
        });
        world.kill_and_restart();
        let what = format!("OCTROI_KILL_SEED={seed}, killed after {life:?}");
        ledger.verify(&world, &what);
    }
}

#[test]
fn invariant_3_nothing_acknowledged_is_lost_at_one_half_of_the_named_points() {
    die_at(deaths().into_iter().step_by(2));
}

#[test]
fn invariant_3_nothing_acknowledged_is_lost_at_the_other_half_of_the_named_points() {
    die_at(deaths().into_iter().skip(1).step_by(2));
}

/// One life after the other in one directory: what was acknowledged is there after each.
fn die_at(deaths: impl Iterator<Item = (String, Option<Deed>)>) {
    let upstream = Recorder::start();
    let mut world = World::for_everyone(HOST, &upstream);
    let mut ledger = Ledger::default();
    for deed in Deed::ALL {
        let done = ledger.act(&world, deed);
        assert!(done, "{deed:?}: before anything dies\n{}", world.log());
    }
    for (point, dies_in) in deaths {
        world.gateway.kill();
        world.gateway = start_to_die(&world, &point);
        // It may be dead already: the start writes to the journal too.
        let died_in = Deed::ALL
            .into_iter()
            .find(|deed| !ledger.act(&world, *deed));
        let is_dead = wait_for(Duration::from_secs(2), || {
            (!world.gateway.is_running()).then_some(())
        });
        assert!(is_dead.is_some(), "{point} was never passed");
        if let Some(deed) = dies_in {
            assert_eq!(died_in, Some(deed), "{point}");
        }
        if point.starts_with("erase") {
            ledger.erasure_is_committed();
        }
        world.kill_and_restart();
        ledger.verify(&world, &point);
    }
}

/// Where the gateway is made to die, and in which deed where that is not the first that comes by: each change of an
/// account passes the same two points.
fn deaths() -> Vec<(String, Option<Deed>)> {
    let changes = [
        Deed::Reset,
        Deed::AnswerInvitation,
        Deed::ChangeOwnPassword,
        Deed::Lock,
        Deed::Erase,
    ];
    let points = fail_points();
    assert!(points.len() >= 10, "{points:?}");
    let mut deaths = Vec::new();
    for point in points {
        if point.starts_with("account_change") {
            let nth = (1..).zip(changes);
            deaths.extend(nth.map(|(nth, deed)| (format!("{point}:{nth}"), Some(deed))));
        } else {
            let erases = point.starts_with("erase").then_some(Deed::Erase);
            deaths.push((point, erases));
        }
    }
    deaths
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

/// Starts a gateway that dies at this point: while it serves, or as early as its start.
fn start_to_die(world: &World, point: &str) -> Running {
    let mut command = binary::octroi();
    command
        .arg("serve")
        .arg("-c")
        .arg(world.config())
        .env("OCTROI_FAIL_POINT", point);
    let mut gateway = Running::spawn(command, &world.directory);
    let socket = world.directory.join("run/admin.sock");
    let come = wait_for(Duration::from_secs(30), || {
        let serves = std::net::TcpStream::connect(world.facts.https).is_ok()
            && std::os::unix::net::UnixStream::connect(&socket).is_ok();
        (serves || !gateway.is_running()).then_some(())
    });
    assert!(come.is_some(), "{point}: neither serves nor dies");
    gateway
}

fn number_of(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().expect("a number"))
}

/// Numbers that follow from a seed (splitmix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).expect("a small number");
        usize::try_from(self.next() % limit).expect("a small number")
    }
}
