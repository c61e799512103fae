//! Services over TLS: who may answer, whom they let in, and that nothing is said to anybody else. Over requests of both
//! versions and over `WebSocket`, to services that speak HTTP/1.1 and to those that speak HTTP/2.

use std::path::Path;

use octroi_integration_tests::answer::Response;
use octroi_integration_tests::authority::Authority;
use octroi_integration_tests::h1;
use octroi_integration_tests::recorder::{Recorder, Reply, Seen, Stream, ok};
use octroi_integration_tests::visitor::{VERSIONS, navigation};
use octroi_integration_tests::world::{Route, Running, World};
use rustls::crypto::{CryptoProvider, aws_lc_rs};

const HOST: &str = "echo.localhost";
const NAME: &str = "payroll.internal";

/// What goes wrong in a route: the name that is expected, the authority, the certificate shown. The first is right.
const WAYS: [(&str, &str, &str, Option<&str>); 5] = [
    ("right", NAME, "services", Some("gateway")),
    ("wrong-name", "other.internal", "services", Some("gateway")),
    ("wrong-authority", NAME, "strangers", Some("gateway")),
    ("no-certificate", NAME, "services", None),
    ("foreign-certificate", NAME, "services", Some("stranger")),
];

/// A service behind TLS with a route for each way to it.
struct Stage {
    service: Recorder,
    world: World,
    /// Holds the files that the routes name.
    folder: tempfile::TempDir,
}

impl Stage {
    fn new(protocol: &str, more: &str) -> Self {
        Self::with(aws_lc_rs::default_provider(), protocol, more, "")
    }

    /// The service has the suites of `provider`; `server` is a line for `[server]`.
    fn with(provider: CryptoProvider, protocol: &str, more: &str, server: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (services, clients, strangers) = (Authority::new(), Authority::new(), Authority::new());
        let file = |name: &str| folder.path().join(name);
        services.write(&file("services.pem"));
        strangers.write(&file("strangers.pem"));
        clients.certify("gateway").write(folder.path(), "gateway");
        let foreign = strangers.certify("gateway");
        foreign.write(folder.path(), "stranger");
        let settings = services.server(provider, NAME, &clients, protocol);
        let service = Recorder::over_tls(settings, answer);
        let lines = WAYS.map(|way| {
            let path = format!("/{}/", way.0);
            (path, lines(folder.path(), &way, more))
        });
        let routes = lines.each_ref().map(|(path, more)| Route {
            host: HOST,
            path,
            to: &service,
            more,
        });
        let server = format!("[server]\n{server}\n");
        let world = World::configured(&routes, |text| text.replace("[server]\n", &server));
        Self {
            service,
            world,
            folder,
        }
    }

    fn get(&self, way: &str) -> Response {
        let url = self.world.url(HOST, &format!("/{way}/a"));
        self.world.visitor().ask("GET", &url, &[], b"").response()
    }

    /// Asks for a WebSocket; gives what is answered, and the connection.
    fn upgrade(&self, way: &str) -> (Response, h1::Client) {
        let authority = self.world.authority(HOST);
        let request = format!(
            "GET /{way}/ws HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Origin: https://{authority}\r\n\r\n"
        );
        let mut client = h1::Client::connect(&self.world.door, HOST).expect("a connection");
        (client.exchange(request.as_bytes()).response(), client)
    }

    /// What a refused way answers: what the service is told is nothing at all.
    #[track_caller]
    fn assert_refused(&self, way: &str, response: &Response) {
        assert_eq!(response.status, 502, "{way}: {}", response.everything());
        let reference = response.first("x-request-id").expect("a reference");
        assert!(response.text().contains(reference), "{}", response.text());
        assert!(
            !response.everything().contains(NAME),
            "{way}: how services are reached is nobody's business: {}",
            response.everything()
        );
        assert_eq!(self.service.count(), 0, "{way}: {:?}", self.service.seen());
        let line = self.world.access_line(reference);
        assert_eq!(line["status"], 502, "{line}");
    }
}

/// The lines of a route that goes this way.
fn lines(folder: &Path, way: &(&str, &str, &str, Option<&str>), more: &str) -> String {
    let (_, name, authority, certificate) = way;
    let file = |name: &str| folder.join(name).display().to_string();
    let certificate = certificate.map_or_else(String::new, |certificate| {
        format!(
            ", client_chain = \"{}\", client_key_file = \"{}\"",
            file(&format!("{certificate}.pem")),
            file(&format!("{certificate}.key"))
        )
    });
    let authority = file(&format!("{authority}.pem"));
    format!(
        "sign_in = \"public\"\n{more}\nupstream_tls = {{ name = \"{name}\", ca = \"{authority}\"{certificate} }}"
    )
}

fn answer(seen: &Seen, stream: &mut dyn Stream) -> Reply {
    if seen.only("upgrade").is_none() {
        return Reply::Response(ok("over TLS\n"));
    }
    let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    stream.write_all(head.as_bytes()).ok();
    let mut said = [0; 9];
    if stream.read_exact(&mut said).is_ok() {
        // The same payload, unmasked: the key is four zeros.
        stream.write_all(&[0x82, 3, said[6], said[7], said[8]]).ok();
    }
    Reply::Taken
}

fn requests_reach_only_the_service_that_proves_itself(protocol: &str, more: &str, text: &str) {
    let stage = Stage::new(protocol, more);
    for version in VERSIONS {
        for (way, ..) in WAYS {
            stage.service.forget();
            let mut visitor = stage.world.visitor().speaking(version);
            let url = stage.world.url(HOST, &format!("/{way}/a?b"));
            let mut ask = |method, fields: &[(String, String)], body: &[u8]| {
                visitor.ask(method, &url, fields, body).response()
            };
            let answers = [
                ask("GET", &navigation("none"), b""),
                ask("GET", &[], b""),
                ask("POST", &[], b"a secret"),
            ];
            if way == "right" {
                let texts = answers.each_ref().map(Response::text);
                assert_eq!(texts, [text; 3], "{version:?}");
                assert_eq!(stage.service.count(), 3);
                assert_eq!(stage.service.last().body, b"a secret");
                continue;
            }
            for answer in &answers {
                stage.assert_refused(way, answer);
            }
            let [page, problem, _] = &answers;
            assert!(page.text().contains("<html"), "{}", page.text());
            assert_eq!(
                problem.first("content-type"),
                Some("application/problem+json")
            );
        }
    }
}

#[test]
fn requests_reach_only_an_http1_service_that_proves_itself_and_lets_us_in() {
    requests_reach_only_the_service_that_proves_itself("http/1.1", "", "over TLS\n");
}

#[test]
fn requests_reach_only_an_http2_service_that_proves_itself_and_lets_us_in() {
    let more = "protocol = \"http2\"";
    requests_reach_only_the_service_that_proves_itself("h2", more, "over h2c\n");
}

#[test]
fn a_websocket_reaches_only_a_service_that_proves_itself_and_lets_us_in() {
    let stage = Stage::new("http/1.1", "");
    for (way, ..) in WAYS {
        stage.service.forget();
        let (response, mut client) = stage.upgrade(way);
        if way != "right" {
            stage.assert_refused(way, &response);
            continue;
        }
        assert_eq!(response.status, 101, "{}", response.everything());
        client.send(&[0x82, 0x83, 0, 0, 0, 0, 7, 8, 9]);
        let said = client.exactly(5).expect("a frame");
        assert_eq!(said.as_deref(), Some(&[0x82, 3, 7, 8, 9][..]));
        assert_eq!(stage.service.count(), 1);
    }
}

/// A service that speaks nothing stronger than AES-128 is reached where the profile allows it, and only there.
#[test]
fn towards_services_too_the_profile_says_which_suites_are_spoken() {
    for (profile, status, switching) in [("standard", 200, 101), ("strong_256", 502, 502)] {
        let mut short = aws_lc_rs::default_provider();
        short.cipher_suites = vec![aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256];
        let line = format!("tls_profile = \"{profile}\"");
        let stage = Stage::with(short, "http/1.1", "", &line);
        assert_eq!(stage.get("right").status, status, "{profile}");
        assert_eq!(stage.upgrade("right").0.status, switching, "{profile}");
    }
}

/// Without `ca` those are believed whom the system believes, wherever it keeps them; with it, nobody else. What cannot
/// be read in the system's list is passed over.
#[test]
fn without_an_authority_of_its_own_a_route_believes_those_of_the_system() {
    let mut stage = Stage::new("http/1.1", "");
    assert!(stage.world.gateway.stop().is_some_and(|it| it.success()));
    let services = stage.folder.path().join("services.pem");
    let broken = "-----BEGIN CERTIFICATE-----\nbm8gY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n";
    let list = std::fs::read_to_string(&services).expect("a list");
    let system = stage.folder.path().join("system.pem");
    std::fs::write(&system, format!("{broken}{list}")).expect("a list");
    let services = services.to_str().expect("a path");
    let config = std::fs::read_to_string(stage.world.config()).expect("a configuration");
    let without = config.replace(&format!("ca = \"{services}\", "), "");
    assert_ne!(without, config);
    std::fs::write(stage.world.config(), without).expect("a configuration");
    let environment = [("SSL_CERT_FILE", system.to_str().expect("a path"))];
    let (config, address) = (stage.world.config(), stage.world.facts.https);
    stage.world.gateway = Running::serve_with(config, address, &environment);
    assert_eq!(stage.get("right").status, 200);
    assert_eq!(stage.upgrade("right").0.status, 101);
    for way in ["wrong-name", "wrong-authority"] {
        assert_eq!(stage.get(way).status, 502, "{way}");
        assert_eq!(stage.upgrade(way).0.status, 502, "{way}");
    }
}

/// Where the system's authorities are believed they are read at the start, and a connection that comes later is resumed:
/// neither costs the thread that carries all others a full handshake. A list that changed since holds after a reload.
#[test]
fn a_service_that_the_system_vouches_for_is_returned_to_without_a_full_handshake() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (Authority::new(), Authority::new());
    let system = first.write(&folder.path().join("system.pem"));
    let closing = |_: &Seen, _: &mut dyn Stream| {
        let mut answer = ok("over TLS\n");
        answer
            .fields
            .push(("connection".to_owned(), "close".to_owned()));
        Reply::Response(answer)
    };
    let service = Recorder::over_tls(first.server_for_all(NAME), closing);
    let other = Recorder::over_tls(second.server_for_all(NAME), closing);
    let more = format!("sign_in = \"public\"\nupstream_tls = {{ name = \"{NAME}\" }}");
    let route = |path, to| Route {
        host: HOST,
        path,
        to,
        more: &more,
    };
    let environment = [("SSL_CERT_FILE", system.to_str().expect("a path"))];
    let routes = [route("/", &service), route("/other", &other)];
    let world = World::in_environment(&routes, &environment);
    let ask = |path: &str| world.visitor().get(&world.url(HOST, path)).status;
    assert_eq!([ask("/"), ask("/"), ask("/")], [200; 3]);
    assert!(service.resumed() > 0, "of {} none", service.connections());
    assert_eq!(ask("/other"), 502, "nobody vouches for it");

    second.write(&system);
    let output = world.run(&["reload"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!([ask("/other"), ask("/")], [200, 502]);
}

/// A key that others may read is refused at the reload that names it, and what was in force stays.
#[test]
fn a_key_that_others_may_read_is_refused_when_it_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let stage = Stage::new("http/1.1", "");
    let key = stage.folder.path().join("gateway.key");
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(&key, open).expect("permissions");
    let output = stage.world.run(&["reload"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = octroi_integration_tests::binary::said(&output);
    assert!(said.contains("gateway.key"), "{said}");
    let url = stage.world.url(HOST, "/right/");
    assert_eq!(stage.world.visitor().get(&url).status, 200);
}
