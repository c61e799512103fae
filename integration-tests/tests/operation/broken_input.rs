//! What bad input gets: a message that names the thing and the remedy, no panic, nothing lost, never an open door.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use octroi_integration_tests::binary::{self, said};
use octroi_integration_tests::recorder::Recorder;
use octroi_integration_tests::world::World;

const HOST: &str = "echo.localhost";

/// A change to a good configuration, and what the message must name.
const BROKEN: [(&str, &str, &[&str]); 16] = [
    ("portal = ", "portall = ", &["portall", "portal"]),
    ("[server]", "[servr]", &["servr", "server"]),
    (
        "allow = \"everyone\"",
        "alow = \"everyone\"",
        &["alow", "allow"],
    ),
    (
        "allow = \"everyone\"",
        "allow = \"everyone\"\nsign_in = \"two_factor\"",
        &["two_factor", "not available in this version"],
    ),
    (
        "allow = \"everyone\"",
        "allow = \"everyone\"\nsign_in = \"passkey\"",
        &["passkey", "not available in this version"],
    ),
    (
        "allow = \"everyone\"",
        "allow = \"everyone\"\nfresh = \"12h\"",
        &["fresh", "not available in this version"],
    ),
    (
        "allow = \"everyone\"",
        "allow = \"everyone\"\nlimit = { per_account = \"600/min\" }",
        &["limit", "not available in this version"],
    ),
    (
        "[tenants]",
        "[storage]\ndatabase = \"postgres://db/x\"\n[tenants]",
        &["postgres", "not available in this version"],
    ),
    (
        "[tenants]",
        "[storage]\nsessions = \"redis://db\"\n[tenants]",
        &["redis", "not available in this version"],
    ),
    (
        "http://127.0.0.1:",
        "http://93.184.216.34:",
        &["93.184.216.34", "expose_ok"],
    ),
    ("http://127.0.0.1:", "https://127.0.0.1:", &["upstream_tls"]),
    ("http://127.0.0.1:", "ftp://127.0.0.1:", &["ftp"]),
    (
        "host = \"echo.localhost\"",
        "host = \"login.localhost\"",
        &["login.localhost", "portal"],
    ),
    (
        "host = \"echo.localhost\"",
        "host = \"not a host\"",
        &["not a host"],
    ),
    (
        "chain = \"tls/chain.pem\"",
        "chain = \"tls/nothing.pem\"",
        &["nothing.pem"],
    ),
    ("data = \"data\"", "data = 7", &["data"]),
];

#[test]
fn every_problem_of_a_configuration_has_place_name_and_remedy() {
    let upstream = Recorder::start();
    let world = World::for_everyone(HOST, &upstream);
    let good = fs::read_to_string(world.config()).expect("the configuration");
    assert!(
        world.run(&["check"]).status.success(),
        "{}",
        said(&world.run(&["check"]))
    );
    for (from, to, named) in BROKEN {
        assert!(good.contains(from), "the configuration has no {from}");
        fs::write(world.config(), good.replacen(from, to, 1)).expect("the configuration");
        let output = world.run(&["check"]);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(1), "{to}: {text}");
        for word in named {
            assert!(text.contains(word), "{to}: {word} is not named: {text}");
        }
        assert!(
            text.contains("octroi.toml:"),
            "{to}: no line and column: {text}"
        );
        assert!(!text.contains("panicked"), "{to}: {text}");
    }
}

#[test]
fn all_problems_of_a_file_are_told_at_once() {
    let upstream = Recorder::start();
    let world = World::for_everyone(HOST, &upstream);
    let good = fs::read_to_string(world.config()).expect("the configuration");
    let bad = good
        .replace(
            "allow = \"everyone\"",
            "alow = \"everyone\"\nfresh = \"1h\"",
        )
        .replace("hsts = ", "hstss = ");
    fs::write(world.config(), bad).expect("the configuration");
    let text = said(&world.run(&["check"]));
    for word in ["alow", "fresh", "hstss"] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn secrets_that_others_can_read_are_refused() {
    for name in ["keyring", "tls/key.pem"] {
        let upstream = Recorder::start();
        let mut world = World::for_everyone(HOST, &upstream);
        world.gateway.stop();
        let file = world.directory.join(name);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("permissions");
        let output = world.run(&["serve"]);
        let text = said(&output);
        assert!(!output.status.success(), "{name}: {text}");
        let bare = name.rsplit('/').next().expect("a name");
        assert!(
            text.contains(bare) && text.contains("600"),
            "{name}: the message names file and remedy: {text}"
        );
    }
}

/// Each database, keyring or certificate that is not right stops the start; the message names the file.
#[test]
fn what_is_broken_on_disk_stops_the_start_and_is_named() {
    type Break = fn(&std::path::Path);
    let cases: [(&str, Break, &str); 7] = [
        (
            "a missing keyring",
            |path| fs::remove_file(path.join("keyring")).expect("a keyring"),
            "keyring",
        ),
        (
            "a keyring of somebody else",
            |path| put_foreign_keyring(&path.join("keyring")),
            "keyring",
        ),
        (
            "a truncated keyring",
            |path| truncate(&path.join("keyring"), 10),
            "keyring",
        ),
        (
            "a truncated database",
            |path| each_database(path, |file| truncate(file, 5000)),
            "data",
        ),
        (
            "a database of noise",
            |path| each_database(path, |file| fs::write(file, [0xa5; 8192]).expect("a file")),
            "data",
        ),
        (
            "a key of another certificate",
            |path| put_foreign_key(&path.join("tls/key.pem")),
            "key.pem",
        ),
        (
            "an empty chain",
            |path| fs::write(path.join("tls/chain.pem"), "").expect("a file"),
            "chain.pem",
        ),
    ];
    for (what, spoil, named) in cases {
        let upstream = Recorder::start();
        let mut world = World::for_everyone(HOST, &upstream);
        assert!(world.gateway.stop().is_some(), "{what}: {}", world.log());
        spoil(&world.directory);
        let output = world.run(&["serve"]);
        let text = said(&output);
        assert!(!output.status.success(), "{what}: {text}");
        assert!(text.contains(named), "{what}: {text}");
        assert!(!text.contains("panicked"), "{what}: {text}");
        assert!(
            std::net::TcpStream::connect(world.facts.https).is_err(),
            "{what}: the door is open"
        );
    }
}

#[test]
fn a_command_that_cannot_reach_a_store_says_so() {
    let output = binary::octroi()
        .args(["user", "list", "-c", "/nonexistent/octroi.toml"])
        .output()
        .expect("it runs");
    let text = said(&output);
    assert!(
        !output.status.success() && text.contains("/nonexistent/octroi.toml"),
        "{text}"
    );
    assert!(!text.contains("panicked"), "{text}");
}

fn truncate(file: &std::path::Path, length: u64) {
    fs::OpenOptions::new()
        .write(true)
        .open(file)
        .expect("a file")
        .set_len(length)
        .expect("a length");
}

/// Databases of the data directory, without what SQLite keeps beside them.
fn each_database(directory: &std::path::Path, act: impl Fn(&std::path::Path)) {
    let mut count = 0;
    for entry in fs::read_dir(directory.join("data"))
        .expect("the data directory")
        .filter_map(Result::ok)
    {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with("-wal") || name.ends_with("-shm") {
            fs::remove_file(&path).expect("a file");
        } else if path
            .extension()
            .is_some_and(|end| end == "db" || end == "sqlite")
        {
            act(&path);
            count += 1;
        }
    }
    assert!(count > 0, "no database was found");
}

fn put_foreign_keyring(place: &std::path::Path) {
    let other = World::demo();
    fs::copy(other.directory.join("keyring"), place).expect("a keyring");
}

fn put_foreign_key(place: &std::path::Path) {
    let key = rcgen::KeyPair::generate().expect("a key");
    fs::write(place, key.serialize_pem()).expect("a key");
}
