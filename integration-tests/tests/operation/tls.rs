//! TLS as a client without mercy finds it; the scanners of `./dev test --long` say the rest.

use std::fs;
use std::process::Command;

use octroi_integration_tests::world::World;

/// Runs `openssl s_client`, which speaks versions and suites that our own client cannot.
fn handshake(world: &World, options: &[&str]) -> (bool, String) {
    let output = Command::new("openssl")
        .arg("s_client")
        .args(["-connect", &world.facts.https.to_string(), "-CAfile"])
        .arg(&world.facts.authority)
        .args(options)
        .stdin(std::process::Stdio::null())
        .output()
        .expect("openssl is installed");
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (
        text.contains("Cipher is ")
            && !text.contains("Cipher is (NONE)")
            && !text.contains("alert"),
        text,
    )
}

#[test]
fn only_tls_1_2_and_1_3_with_forward_secrecy_are_spoken() {
    let world = World::demo();
    let name = ["-servername", "login.localhost"];
    for good in [
        &["-tls1_3"][..],
        &["-tls1_2"],
        &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"],
    ] {
        let (done, text) = handshake(&world, &[&name[..], good].concat());
        assert!(done, "{good:?}: {text}");
    }
    let level = "@SECLEVEL=0";
    for bad in [
        vec![
            "-tls1_1".to_owned(),
            "-cipher".to_owned(),
            format!("ALL:{level}"),
        ],
        vec![
            "-tls1".to_owned(),
            "-cipher".to_owned(),
            format!("ALL:{level}"),
        ],
        vec![
            "-tls1_2".to_owned(),
            "-cipher".to_owned(),
            format!("AES128-GCM-SHA256:AES256-GCM-SHA384:{level}"),
        ],
        vec![
            "-tls1_2".to_owned(),
            "-cipher".to_owned(),
            format!("ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA:{level}"),
        ],
        vec![
            "-tls1_2".to_owned(),
            "-cipher".to_owned(),
            format!("DHE-RSA-AES256-GCM-SHA384:{level}"),
        ],
        vec![
            "-tls1_2".to_owned(),
            "-cipher".to_owned(),
            format!("NULL:aNULL:{level}"),
        ],
    ] {
        let options: Vec<&str> = name
            .iter()
            .copied()
            .chain(bad.iter().map(String::as_str))
            .collect();
        let (done, text) = handshake(&world, &options);
        assert!(!done, "{bad:?} was accepted: {text}");
        // The server refused, not this client before it had asked.
        assert!(text.contains("alert"), "{bad:?}: {text}");
    }
}

#[test]
fn names_and_protocols_that_nobody_configured_are_refused() {
    let world = World::demo();
    for (options, alert) in [
        (&["-servername", "nobody.example"][..], "unrecognized name"),
        (&["-noservername"], "alert"),
        (
            &["-servername", "login.localhost", "-alpn", "foo"],
            "no application protocol",
        ),
    ] {
        let (done, text) = handshake(&world, options);
        assert!(!done, "{options:?} was accepted: {text}");
        assert!(text.to_lowercase().contains(alert), "{options:?}: {text}");
    }
    let (done, text) = handshake(
        &world,
        &["-servername", "login.localhost", "-alpn", "foo,h2"],
    );
    assert!(done && text.contains("ALPN protocol: h2"), "{text}");
}

#[test]
fn the_certificate_proves_each_configured_name() {
    let world = World::demo();
    for name in [
        "login.localhost",
        "paie.localhost",
        "visites.localhost",
        "echo.localhost",
        "localhost",
    ] {
        let (_, text) = handshake(
            &world,
            &[
                "-servername",
                name,
                "-verify_hostname",
                name,
                "-verify_return_error",
            ],
        );
        assert!(
            text.contains("Verify return code: 0 (ok)"),
            "{name}: {text}"
        );
    }
    let pem = fs::read_to_string(&world.facts.authority).expect("the authority");
    assert!(
        pem.starts_with("-----BEGIN CERTIFICATE-----"),
        "a certificate and no key: {pem}"
    );
}

#[test]
fn sessions_resume_and_renegotiation_does_not() {
    let world = World::demo();
    let kept = world.directory.join("ticket.pem");
    let path = kept.to_string_lossy().into_owned();
    let (done, text) = handshake(
        &world,
        &[
            "-servername",
            "login.localhost",
            "-tls1_2",
            "-sess_out",
            &path,
        ],
    );
    assert!(done, "{text}");
    let (_, text) = handshake(
        &world,
        &[
            "-servername",
            "login.localhost",
            "-tls1_2",
            "-sess_in",
            &path,
        ],
    );
    assert!(text.contains("Reused, TLSv1.2"), "{text}");
    assert!(
        text.contains("Secure Renegotiation IS supported")
            && text.contains("Extended master secret: yes"),
        "{text}"
    );
    assert!(text.contains("Compression: NONE"), "{text}");
}
