//! Tools that nobody here wrote, with a negative control each: a scanner that finds nothing wrong with a weak listener
//! proves nothing about ours.
//!
//! Both speak TLS 1.2 without the extended master secret (RFC 7627) for most of what they try, and the gateway does not:
//! what they say of TLS 1.2 is less than what `operation/tls.rs` asks with `openssl`.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a failing test says why and ends"
)]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use octroi_integration_tests::binary;
use octroi_integration_tests::patience::wait_for;
use octroi_integration_tests::world::{World, free_ports};
use serde_json::Value;

/// Mozilla's "intermediate" profile, as sslyze judges it.
fn sslyze(port: u16, authority: &Path) -> Output {
    let tool = binary::workspace().join("integration-tests/.venv/bin/sslyze");
    Command::new(tool)
        .args(["--mozilla_config", "intermediate", "--certinfo_ca_file"])
        .arg(authority)
        .arg(format!("localhost:{port}"))
        .stdin(Stdio::null())
        .output()
        .expect("sslyze is installed (./dev test --long installs it)")
}

/// A gateway with one of the two profiles that `server.tls_profile` offers.
fn with_profile(profile: &str) -> World {
    World::configured(&[], |text| {
        let line = format!("[server]\ntls_profile = \"{profile}\"\n");
        let changed = text.replacen("[server]\n", &line, 1);
        assert_ne!(changed, text, "the template has the table");
        changed
    })
}

#[test]
fn sslyze_finds_the_gateway_compliant_and_a_weak_listener_not() {
    let world = World::demo();
    let worlds = [&world, &with_profile("strong_256")];
    for (number, world) in worlds.into_iter().enumerate() {
        let ours = sslyze(world.facts.https.port(), &world.facts.authority);
        let text = String::from_utf8_lossy(&ours.stdout);
        assert!(
            ours.status.success() && text.contains("Compliant"),
            "{number}: {text}"
        );
    }

    let weak = WeakListener::start(&world);
    let theirs = sslyze(weak.port, &world.facts.authority);
    let text = String::from_utf8_lossy(&theirs.stdout);
    assert!(
        !theirs.status.success() && text.contains("Not compliant"),
        "the scanner says nothing of a weak listener: {text}"
    );
}

/// What testssl.sh finds worth a word: protocols, ciphers, forward secrecy, preferences, known attacks. The certificate is
/// left out: no public authority signed it.
fn findings_of_testssl(port: u16, report: &Path) -> Vec<Value> {
    let output = Command::new("testssl")
        .args(["--quiet", "--color", "0", "--warnings", "batch"])
        .args(["--nodns", "none", "--ip", "127.0.0.1"])
        .args(["-p", "-s", "-f", "-P", "-U", "--jsonfile"])
        .arg(report)
        .arg(format!("localhost:{port}"))
        .stdin(Stdio::null())
        .output()
        .expect("testssl is installed (./dev test --long installs it)");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let written = fs::read(report).unwrap_or_default();
    let all: Vec<Value> =
        serde_json::from_slice(&written).unwrap_or_else(|error| panic!("{error}: {text}"));
    for what in ["SSLv3", "TLS1", "TLS1_3", "heartbleed", "ROBOT", "LUCKY13"] {
        let was_tested = all.iter().any(|one| one["id"] == what);
        assert!(was_tested, "{what} was not looked at: {text}");
    }
    let quiet = ["OK", "INFO"].map(Value::from);
    all.into_iter()
        // What is said of the machine that scans.
        .filter(|one| one["id"] != "engine_problem")
        .filter(|one| !quiet.contains(&one["severity"]))
        .collect()
}

#[test]
fn testssl_finds_nothing_to_say_of_the_gateway_and_much_of_a_weak_listener() {
    let world = World::demo();
    let report = world.directory.join("ours.json");
    let ours = findings_of_testssl(world.facts.https.port(), &report);
    assert!(ours.is_empty(), "{ours:#?}");

    let strong = with_profile("strong_256");
    let report = strong.directory.join("strong.json");
    let ours = findings_of_testssl(strong.facts.https.port(), &report);
    assert!(ours.is_empty(), "strong_256: {ours:#?}");

    let weak = WeakListener::start(&world);
    let theirs = findings_of_testssl(weak.port, &world.directory.join("theirs.json"));
    assert!(
        theirs.len() >= 3 && theirs.iter().any(|one| one["id"] == "TLS1"),
        "the scanner says little of a weak listener: {theirs:#?}"
    );
}

/// TLS 1.0 and 1.1, static RSA, CBC: what the scanner must complain about.
struct WeakListener {
    child: Child,
    port: u16,
}

impl WeakListener {
    fn start(world: &World) -> Self {
        let home = &world.directory;
        let (key, certificate) = (home.join("weak.key"), home.join("weak.pem"));
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-subj",
                "/CN=localhost",
                "-days",
                "2",
                "-keyout",
            ])
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .stderr(Stdio::null())
            .status();
        assert!(
            made.is_ok_and(|status| status.success()) && fs::metadata(&key).is_ok(),
            "openssl made no certificate"
        );
        let [port, ..] = free_ports();
        let child = Command::new("openssl")
            .args([
                "s_server",
                "-accept",
                &port.to_string(),
                "-www",
                "-cipher",
                "ALL:@SECLEVEL=0",
                "-min_protocol",
                "TLSv1",
            ])
            .arg("-key")
            .arg(&key)
            .arg("-cert")
            .arg(&certificate)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl is installed");
        let up = wait_for(Duration::from_secs(5), || {
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        });
        assert!(up.is_some(), "the weak listener does not listen");
        Self { child, port }
    }
}

impl Drop for WeakListener {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
