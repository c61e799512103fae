//! Settings of the doors, each seen at work on the running gateway: load balancers, trusted proxies, answers for
//! certificate authorities, TLS profile, HSTS, the certificate for clients that name no host.

use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Duration;

use octroi_integration_tests::answer::{Answer, Response};
use octroi_integration_tests::patience::Stopwatch;
use octroi_integration_tests::plain;
use octroi_integration_tests::recorder::Recorder;
use octroi_integration_tests::visitor::{VERSIONS, Version, Visitor};
use octroi_integration_tests::wire::Door;
use octroi_integration_tests::world::{Route, World};
use octroi_integration_tests::{h1, h2};

const HOST: &str = "echo.localhost";

/// A gateway with one public route and these lines in its section `[server]`.
fn world(upstream: &Recorder, server: &str) -> World {
    let route = Route {
        host: HOST,
        path: "/",
        to: upstream,
        more: "sign_in = \"public\"",
    };
    World::configured(&[route], |text| {
        text.replacen("hsts = \"off\"\n", &format!("{server}\n"), 1)
    })
}

fn ask(door: &Door, version: Version, fields: &[(&str, &str)]) -> Answer {
    let url = format!("https://{HOST}:{}/a", door.address.port());
    let fields: Vec<(String, String)> = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let mut visitor = Visitor::at(door).speaking(version);
    visitor.ask("GET", &url, &fields, b"")
}

/// What the service, and the access line, were told of where the request came from.
#[track_caller]
fn assert_came_from(world: &World, upstream: &Recorder, answer: Answer, address: &str) {
    let response = answer.response();
    assert_eq!(response.status, 200, "{}", response.everything());
    let seen = upstream.last();
    assert_eq!(
        seen.only("x-forwarded-for"),
        Some(address),
        "{}",
        seen.everything()
    );
    let id = response.first("x-request-id").expect("a reference");
    assert_eq!(world.access_line(id)["client"], address);
}

#[test]
fn a_listed_load_balancer_tells_the_clients_address() {
    let upstream = Recorder::start();
    let world = world(&upstream, "proxy_protocol = [\"127.40.0.0/24\"]");
    let balancer = world.door.approached_from([40, 0, 1]);
    let text = b"PROXY TCP4 198.51.100.7 192.0.2.1 40000 443\r\n".to_vec();
    let signature = b"\r\n\r\n\0\r\nQUIT\n";
    let binary = [
        &signature[..],
        &[0x21, 0x11, 0, 12],
        &[203, 0, 113, 9],
        &[192, 0, 2, 1],
        &[0x9c, 0x40, 0x01, 0xbb],
    ]
    .concat();
    for version in VERSIONS {
        for (header, address) in [(&text, "198.51.100.7"), (&binary, "203.0.113.9")] {
            let answer = ask(&balancer.announced_by(header), version, &[]);
            assert_came_from(&world, &upstream, answer, address);
        }
        // A health check of the balancer speaks for itself.
        let local = [&signature[..], &[0x20, 0, 0, 0]].concat();
        let answer = ask(&balancer.announced_by(&local), version, &[]);
        assert_came_from(&world, &upstream, answer, "127.40.0.1");
    }
    // What a listed peer says of the client is no proxy that is trusted with fields.
    let forged = [("X-Forwarded-For", "10.9.9.9")];
    let answer = ask(&balancer.announced_by(&text), Version::H1, &forged);
    assert_came_from(&world, &upstream, answer, "198.51.100.7");
}

#[test]
fn a_load_balancer_without_its_header_and_a_stranger_with_one_are_closed() {
    let upstream = Recorder::start();
    let world = world(&upstream, "proxy_protocol = [\"127.40.0.0/24\"]");
    let balancer = world.door.approached_from([40, 0, 1]);
    let malformed: [&[u8]; 8] = [
        b"",
        b"PROXY TCP4 198.51.100.7 192.0.2.1 40000\r\n",
        b"PROXY TCP4 2001:db8::1 192.0.2.1 40000 443\r\n",
        b"PROXY TCP4 198.51.100.7 192.0.2.1 +1 443\r\n",
        b"PROXY TCP9 198.51.100.7 192.0.2.1 40000 443\r\n",
        b"proxy TCP4 198.51.100.7 192.0.2.1 40000 443\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
        b"GET / HTTP/1.1\r\nHost: echo.localhost\r\n\r\n",
    ];
    for header in malformed {
        for version in VERSIONS {
            let answer = ask(&balancer.announced_by(header), version, &[]);
            assert_eq!(answer, Answer::Closed, "{}", header.escape_ascii());
        }
    }
    let good = b"PROXY TCP4 198.51.100.7 192.0.2.1 40000 443\r\n";
    for version in VERSIONS {
        let stranger = world.door.approached_from([41, 0, 1]);
        let answer = ask(&stranger.announced_by(good), version, &[]);
        assert_eq!(answer, Answer::Closed, "a header from anywhere else");
        let answer = ask(&stranger, version, &[]);
        assert_eq!(answer.status(), 200, "{answer:?}");
    }
    assert_eq!(upstream.count(), 2, "only what strangers asked themselves");
}

/// A listed peer that says nothing is closed after two seconds, whatever the handshake's deadline.
#[test]
fn invariant_8_a_load_balancer_has_two_seconds_for_its_header() {
    let upstream = Recorder::start();
    let world = world(&upstream, "proxy_protocol = [\"127.40.0.0/24\"]");
    let mut stream = world.door.approached_from([40, 0, 1]).tcp().expect("tcp");
    let watch = Stopwatch::start();
    let mut byte = [0];
    let read = stream.read(&mut byte);
    let after = watch.elapsed();
    assert!(!matches!(read, Ok(1..)), "{read:?}");
    let allowed = Duration::from_millis(1_800)..Duration::from_millis(3_500);
    assert!(allowed.contains(&after), "closed after {after:?}");
}

#[test]
fn a_listed_proxy_alone_is_believed_about_the_client() {
    let upstream = Recorder::start();
    let world = world(&upstream, "trusted_proxies = [\"127.42.0.0/24\"]");
    let proxy = world.door.approached_from([42, 0, 1]);
    let stranger = world.door.approached_from([43, 0, 1]);
    for version in VERSIONS {
        for (fields, address) in [
            (&[("X-Forwarded-For", "198.51.100.7")][..], "198.51.100.7"),
            (
                &[("X-Forwarded-For", "6.6.6.6, 198.51.100.7, 127.42.0.9")],
                "198.51.100.7",
            ),
            (&[("X-Forwarded-For", "2001:db8::7")], "2001:db8::7"),
            (&[], "127.42.0.1"),
        ] {
            let answer = ask(&proxy, version, fields);
            assert_came_from(&world, &upstream, answer, address);
        }
        let answer = ask(&stranger, version, &[("X-Forwarded-For", "198.51.100.7")]);
        assert_came_from(&world, &upstream, answer, "127.43.0.1");
        upstream.forget();
        for junk in ["nonsense", "198.51.100.7:x", "198.51.100.7,,", "<script>"] {
            let refused = ask(&proxy, version, &[("X-Forwarded-For", junk)]).response();
            let all = refused.everything();
            assert_eq!(refused.status, 400, "{junk}: {all}");
            assert_eq!(refused.json()["error"], "request_forwarded_for", "{all}");
            assert!(!all.contains(junk), "{all}");
        }
        assert_eq!(upstream.count(), 0, "junk of a trusted proxy fails closed");
    }
}

/// C4: guesses through a trusted proxy are counted for the client it names, those of a stranger for the stranger.
#[test]
fn sign_ins_are_counted_for_the_client_that_a_trusted_proxy_names() {
    let upstream = Recorder::start();
    let world = world(&upstream, "trusted_proxies = [\"127.42.0.0/24\"]");
    let url = format!("https://{}/.octroi/api/v1/login", world.portal());
    let guess = |door: &Door, client: &str| {
        let fields = [
            ("Content-Type".to_owned(), "application/json".to_owned()),
            ("X-Forwarded-For".to_owned(), client.to_owned()),
        ];
        let body = br#"{"login":"acme/marie","password":"not her password at all"}"#;
        Visitor::at(door).ask("POST", &url, &fields, body).status()
    };
    let proxy = world.door.approached_from([42, 0, 1]);
    let of_one: Vec<u16> = (0..6).map(|_| guess(&proxy, "198.51.100.7")).collect();
    assert_eq!(of_one, [401, 401, 401, 401, 401, 429]);
    assert_eq!(guess(&proxy, "198.51.100.8"), 401, "another client");
    let stranger = world.door.approached_from([43, 0, 1]);
    let rotating: Vec<u16> = (0..6)
        .map(|turn| guess(&stranger, &format!("192.0.2.{turn}")))
        .collect();
    assert_eq!(rotating, [401, 401, 401, 401, 401, 429]);
}

#[test]
fn certificate_authorities_find_their_tokens_and_nothing_else() {
    let upstream = Recorder::start();
    let world = world(&upstream, "acme_webroot = \"acme\"");
    let folder = world.directory.join("acme/.well-known/acme-challenge");
    fs::create_dir_all(folder.join("folder")).expect("a folder");
    fs::write(folder.join("Tok_en-1"), "Tok_en-1.thumb\n").expect("a token");
    fs::write(folder.join("with.dot"), "a secret").expect("a file");
    fs::write(world.directory.join("acme/secret"), "a secret").expect("a file");
    fs::write(world.directory.join("acme/.well-known/secret"), "a secret").expect("a file");
    symlink(world.config(), folder.join("link")).expect("a link");
    let get = |host: &str, target: &str| {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        plain::send(world.facts.http, request.as_bytes()).response()
    };
    let path = "/.well-known/acme-challenge/";
    let served = get(HOST, &format!("{path}Tok_en-1"));
    assert_eq!(
        (served.status, served.text().as_str()),
        (200, "Tok_en-1.thumb\n")
    );
    assert_eq!(served.first("content-type"), Some("text/plain"));
    assert_eq!(served.first("cache-control"), Some("no-store"));
    for other in [
        "",
        "folder",
        "link",
        "missing",
        "with.dot",
        "../secret",
        "../../secret",
        "%2e%2e/secret",
        "..%2fsecret",
        "Tok_en-1/",
        "Tok_en-1?x",
        "Tok_en-1%00",
    ] {
        let answer = get(HOST, &format!("{path}{other}"));
        let all = answer.everything();
        assert_eq!(answer.status, 404, "{other}: {all}");
        assert!(!all.contains("secret") && answer.body.is_empty(), "{all}");
    }
    let long = get(HOST, &format!("{path}{}", "a".repeat(129)));
    assert_eq!(long.status, 404, "{}", long.everything());
    // Everything else goes to HTTPS, and this path of HTTPS to the service.
    let to = get(HOST, "/.well-known/other");
    let there = world.url(HOST, "/.well-known/other");
    assert_eq!(
        (to.status, to.first("location")),
        (308, Some(there.as_str()))
    );
    assert_eq!(upstream.count(), 0);
}

/// `public_port` stands in the redirects of plain HTTP.
#[test]
fn plain_http_leads_to_the_port_that_browsers_use() {
    let upstream = Recorder::start();
    for (port, authority) in [("443", HOST.to_owned()), ("8443", format!("{HOST}:8443"))] {
        let world = world(&upstream, &format!("public_port = {port}"));
        let request = format!("GET /a?b HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
        let answer = plain::send(world.facts.http, request.as_bytes()).response();
        let to = format!("https://{authority}/a?b");
        assert_eq!(
            (answer.status, answer.first("location")),
            (308, Some(to.as_str()))
        );
    }
}

#[test]
fn strong_256_speaks_nothing_with_a_shorter_key() {
    let upstream = Recorder::start();
    let strong = world(&upstream, "tls_profile = \"strong_256\"");
    let standard = world(&upstream, "tls_profile = \"standard\"");
    let short = [
        ["-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"],
        ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"],
    ];
    let long = [
        ["-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384"],
        ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"],
        ["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"],
    ];
    for options in short {
        assert!(!is_agreed(&strong, &options), "{options:?} was accepted");
        assert!(is_agreed(&standard, &options), "{options:?}: the control");
    }
    for options in long {
        assert!(is_agreed(&strong, &options), "{options:?} was refused");
    }
    for version in VERSIONS {
        assert_eq!(ask(&strong.door, version, &[]).status(), 200);
    }
}

fn is_agreed(world: &World, options: &[&str]) -> bool {
    let output = Command::new("openssl")
        .args(["s_client", "-servername", HOST, "-connect"])
        .arg(world.facts.https.to_string())
        .args(options)
        .stdin(std::process::Stdio::null())
        .output()
        .expect("openssl is installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.contains("Cipher is ") && !text.contains("Cipher is (NONE)")
}

/// Every kind of answer over TLS bears the field where it is set; none does where it is off, and plain HTTP never does
/// (RFC 6797, section 7.2).
#[test]
fn browsers_are_told_to_come_by_tls_only_where_that_is_set() {
    let upstream = Recorder::start();
    for (server, told) in [
        ("hsts = \"365d\"", Some("max-age=31536000")),
        ("hsts = \"off\"", None),
    ] {
        let world = world(&upstream, server);
        let login = world.url(&world.facts.portal, "/.octroi/login");
        for version in VERSIONS {
            let mut visitor = world.visitor().speaking(version);
            let page = visitor.get(&login);
            let text = page.text();
            let style = text.split("href=\"").find(|rest| rest.contains(".css\""));
            let style = style.and_then(|rest| rest.split('"').next());
            let style = style.unwrap_or_else(|| panic!("no style sheet: {text}"));
            let mut get = |host: &str, target: &str| {
                let url = world.url(host, target);
                visitor.ask("GET", &url, &[], b"").response()
            };
            let answers: [(&str, u16, Response); 5] = [
                ("a page", 200, page),
                ("a file of ours", 200, get(&world.facts.portal, style)),
                ("a public answer", 200, get(HOST, "/a")),
                ("a refusal", 404, get("paie.localhost", "/a")),
                ("a bad target", 400, get(HOST, "/a%2fb")),
            ];
            for (what, status, answer) in answers {
                let all = answer.everything();
                assert_eq!(answer.status, status, "{what}: {all}");
                let field: Vec<&str> = answer.all("strict-transport-security").collect();
                let starts = |value: &str| field.len() == 1 && field[0].starts_with(value);
                assert!(
                    told.map_or(field.is_empty(), starts),
                    "{version:?} {what}: {all}"
                );
            }
        }
        let request = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
        let answer = plain::send(world.facts.http, request.as_bytes()).response();
        assert_eq!(answer.first("strict-transport-security"), None);
    }
}

/// Without a configured default, a client that names no host gets no certificate; with one it does, and a name that
/// nobody configured is refused all the same.
#[test]
fn who_names_no_host_gets_the_configured_certificate_or_none() {
    let upstream = Recorder::start();
    let route = || Route {
        host: HOST,
        path: "/",
        to: &upstream,
        more: "sign_in = \"public\"",
    };
    let without = World::with_routes(&[route()]);
    let with = World::configured(&[route()], |text| {
        let key = "key_file = \"tls/key.pem\"\n";
        text.replacen(key, &format!("{key}default = true\n"), 1)
    });
    let none = ["-noservername"];
    let unknown = ["-servername", "nobody.example"];
    let known = ["-servername", HOST];
    for (world, options, agreed) in [
        (&without, &none[..], false),
        (&with, &none, true),
        (&without, &unknown, false),
        (&with, &unknown, false),
        (&without, &known, true),
        (&with, &known, true),
    ] {
        let output = Command::new("openssl")
            .args(["s_client", "-connect", &world.facts.https.to_string()])
            .arg("-CAfile")
            .arg(&world.facts.authority)
            .args(options)
            .stdin(std::process::Stdio::null())
            .output()
            .expect("openssl is installed");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let done = text.contains("Cipher is ") && !text.contains("Cipher is (NONE)");
        assert_eq!(done, agreed, "{options:?}: {text}");
        assert!(
            !done || text.contains("Verify return code: 0 (ok)"),
            "{text}"
        );
    }
    // The demonstration's certificate bears no address, so a client that insists on one is not pleased; the name in the
    // handshake is then nobody's, and the request's own host counts.
    let request = format!("GET /a HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n");
    let output = Command::new("sh")
        .arg("-c")
        .arg("printf '%s' \"$1\" | openssl s_client -quiet -noservername -connect \"$2\" 2>/dev/null")
        .args(["sh", &request, &with.facts.https.to_string()])
        .output()
        .expect("openssl is installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.starts_with("HTTP/1.1 200") && text.ends_with("the upstream answers\n"),
        "{text}"
    );
    assert_eq!(upstream.count(), 1);
}

/// A certificate that changes on disk is in force without a restart and without a signal; a bad one leaves the old, and
/// connections that stand are not disturbed.
#[test]
fn a_new_certificate_is_taken_over_while_connections_stand_and_a_bad_one_is_not() {
    let upstream = Recorder::start();
    let world = World::with_routes(&[Route {
        host: HOST,
        path: "/",
        to: &upstream,
        more: "sign_in = \"public\"",
    }]);
    let authority = world.authority(HOST);
    let request = format!("GET /a HTTP/1.1\r\nHost: {authority}\r\n\r\n");
    let mut standing = h1::Client::connect(&world.door, HOST).expect("a connection");
    assert_eq!(standing.exchange(request.as_bytes()).status(), 200);
    let mut streams = h2::Client::connect(&world.door, HOST).expect("a connection");
    let fields = h2::fields(b"GET", authority.as_bytes(), b"/a", &[]);
    assert_eq!(streams.exchange(&fields, b"").status(), 200);

    let names = [
        "localhost",
        "login.localhost",
        "paie.localhost",
        HOST,
        "visites.localhost",
    ];
    let names = names.map(str::to_owned).to_vec();
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    let tls = world.directory.join("tls");
    fs::write(tls.join("chain.pem"), made.cert.pem()).expect("a chain");
    fs::write(tls.join("key.pem"), made.signing_key.serialize_pem()).expect("a key");
    let new = world.directory.join("new.pem");
    fs::write(&new, made.cert.pem()).expect("a certificate");
    let new_door = Door::new(world.facts.https, &new);
    let came = octroi_integration_tests::patience::wait_for(Duration::from_secs(10), || {
        h1::Client::connect(&new_door, HOST).ok()
    });
    assert!(came.is_some(), "{}", world.log());
    assert!(
        h1::Client::connect(&world.door, HOST).is_err(),
        "the old certificate is still served"
    );
    for version in VERSIONS {
        assert_eq!(ask(&new_door, version, &[]).status(), 200);
    }

    let broken = "-----BEGIN CERTIFICATE-----\nbm8gY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n";
    fs::write(tls.join("chain.pem"), broken).expect("a chain");
    let said = octroi_integration_tests::patience::wait_for(Duration::from_secs(10), || {
        let log = world.log();
        log.lines()
            .any(|line| line.contains("chain.pem") && line.contains("ERROR"))
            .then_some(())
    });
    assert!(said.is_some(), "the log names the file: {}", world.log());
    for version in VERSIONS {
        assert_eq!(ask(&new_door, version, &[]).status(), 200, "{version:?}");
    }
    assert_eq!(standing.exchange(request.as_bytes()).status(), 200);
    assert_eq!(streams.exchange(&fields, b"").status(), 200);
}
