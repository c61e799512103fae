//! `Octroi-Assertion` as a service meets it: verified by the published sample, which shares no code with the gateway,
//! against the keys that the gateway serves.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use octroi_integration_tests::binary;
use octroi_integration_tests::database;
use octroi_integration_tests::recorder::Recorder;
use octroi_integration_tests::visitor::{VERSIONS, Visitor};
use octroi_integration_tests::world::{Route, Running, World};
use serde_json::Value;

const HOST: &str = "echo.localhost";
const OTHER: &str = "paie.localhost";
const FIELD: &str = "octroi-assertion";

/// Two services before one recorder: the routes `echo` and `paie`.
fn world(upstream: &Recorder) -> World {
    let route = |host, more| Route {
        host,
        path: "/",
        to: upstream,
        more,
    };
    World::with_routes(&[
        route(HOST, "name = \"echo\"\nallow = \"everyone\""),
        route(OTHER, "name = \"paie\"\nallow = \"everyone\""),
    ])
}

/// What the service was told when this visitor asked.
#[track_caller]
fn assertion(world: &World, upstream: &Recorder, visitor: &mut Visitor, host: &str) -> String {
    upstream.forget();
    let hops = visitor.follow(&world.url(host, "/a"));
    let last = &hops.last().expect("a page").response;
    assert_eq!(last.status, 200, "{}", last.everything());
    let seen = upstream.last();
    let token = seen.only(FIELD).map(str::to_owned);
    token.unwrap_or_else(|| panic!("no assertion: {}", seen.everything()))
}

/// The key document, as each host serves it over each version.
#[track_caller]
fn key_document(world: &World) -> Value {
    let mut documents = Vec::new();
    for version in VERSIONS {
        for host in [HOST, OTHER, world.facts.portal.as_str()] {
            let url = world.url(host, "/.octroi/jwks.json");
            let mut stranger = world.visitor().speaking(version);
            let answer = stranger.ask("GET", &url, &[], b"").response();
            let all = answer.everything();
            assert_eq!(answer.status, 200, "{all}");
            let kind = answer.first("content-type").unwrap_or_default();
            assert!(
                matches!(kind, "application/jwk-set+json" | "application/json"),
                "{all}"
            );
            assert_eq!(answer.first("set-cookie"), None, "{all}");
            documents.push(answer.json());
        }
    }
    let first = documents.swap_remove(0);
    assert!(documents.iter().all(|one| *one == first), "{documents:?}");
    for key in first["keys"].as_array().expect("keys") {
        let mut members: Vec<&str> = key
            .as_object()
            .expect("a key")
            .keys()
            .map(String::as_str)
            .collect();
        members.sort_unstable();
        assert_eq!(
            members,
            ["alg", "crv", "kid", "kty", "use", "x", "y"],
            "public parts, and no others"
        );
    }
    first
}

/// Asks the published sample.
struct Verifier<'a> {
    world: &'a World,
    keys: &'a Value,
    issuer: String,
    audience: &'a str,
    at: Option<i64>,
}

impl<'a> Verifier<'a> {
    fn of(world: &'a World, keys: &'a Value, audience: &'a str) -> Self {
        Self {
            world,
            keys,
            issuer: format!("https://{}", world.portal()),
            audience,
            at: None,
        }
    }

    fn ask(&self, token: &str) -> Output {
        let jwks = self.world.directory.join("jwks.json");
        fs::write(&jwks, self.keys.to_string()).expect("a file");
        let mut command = Command::new("python3");
        command
            .arg(binary::workspace().join("docs/ops/verify_assertion.py"))
            .arg("--jwks")
            .arg(&jwks)
            .args(["--issuer", &self.issuer, "--audience", self.audience]);
        if let Some(at) = self.at {
            command.args(["--at", &at.to_string()]);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("python3 is installed");
        let mut input = child.stdin.take().expect("an input");
        input.write_all(token.as_bytes()).expect("the token");
        drop(input);
        child.wait_with_output().expect("an end")
    }

    #[track_caller]
    fn accepts(&self, token: &str) -> Value {
        let output = self.ask(token);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{token}: {said}");
        serde_json::from_slice(&output.stdout).expect("claims")
    }

    #[track_caller]
    fn refuses(&self, token: &str, why: &str) {
        let output = self.ask(token);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{token}: {said}");
        assert_eq!(said.trim(), format!("refused: {why}"), "{token}");
        assert!(output.stdout.is_empty(), "nothing is printed as true");
    }
}

#[test]
fn b13_a_service_verifies_who_asks_with_the_keys_that_are_served() {
    let upstream = Recorder::start();
    let world = world(&upstream);
    let keys = key_document(&world);
    let mut marie = world.visitor();
    world.sign_in_by_pages(&mut marie, "acme/marie", &world.url(HOST, "/a"));
    let shown = world.run_json(&["user", "show", "acme/marie"]);
    let sessions = world.run_json(&["session", "list", "--account", "acme/marie"]);
    for version in VERSIONS {
        marie.version = version;
        for (host, route) in [(HOST, "echo"), (OTHER, "paie")] {
            let token = assertion(&world, &upstream, &mut marie, host);
            let claims = Verifier::of(&world, &keys, route).accepts(&token);
            let seen = upstream.last();
            assert_eq!(claims["sub"], shown["id"]);
            assert_eq!(seen.only("remote-user"), claims["sub"].as_str());
            assert_eq!(seen.only("remote-tenant"), claims["tenant"].as_str());
            assert_eq!(claims["tenant"], "acme");
            assert_eq!(claims["groups"], shown["roles"]);
            assert_eq!(claims["sid"], sessions[0]["id"], "the session's public id");
            assert_eq!(claims["amr"], serde_json::json!(["pwd"]));
            assert!(claims["jti"].as_str().is_some_and(|id| id.len() >= 20));
            let number = |name: &str| claims[name].as_i64().expect("a time");
            assert_eq!(number("exp") - number("iat"), 60);
            assert!(number("auth_time") <= number("iat"));
        }
    }
}

/// B12: an assertion is kept for a while, and two browsers of one person, or two people, never get each other's, however
/// their requests follow each other.
#[test]
fn b12_a_kept_assertion_is_its_own_sessions_alone() {
    let upstream = Recorder::start();
    let world = world(&upstream);
    let keys = key_document(&world);
    let verifier = Verifier::of(&world, &keys, "echo");
    let people = ["acme/marie", "acme/marie", "globex/marie"];
    let mut visitors = people.map(|person| {
        let mut visitor = world.visitor();
        world.sign_in_by_pages(&mut visitor, person, &world.url(HOST, "/a"));
        visitor
    });
    let first: Vec<String> = visitors
        .iter_mut()
        .map(|visitor| assertion(&world, &upstream, visitor, HOST))
        .collect();
    for version in VERSIONS {
        for (visitor, before) in visitors.iter_mut().zip(&first) {
            visitor.version = version;
            let again = assertion(&world, &upstream, visitor, HOST);
            assert_eq!(again, *before, "{version:?}: it is kept for half its life");
        }
    }
    let told = |member: &str| -> Vec<Value> {
        let claims = first.iter().map(|token| verifier.accepts(token));
        claims.map(|claims| claims[member].clone()).collect()
    };
    for (person, tenant) in people.iter().zip(told("tenant")) {
        assert!(person.starts_with(tenant.as_str().expect("a tenant")));
    }
    let subjects = told("sub");
    assert_eq!(subjects[0], subjects[1], "one person, twice");
    assert_ne!(subjects[0], subjects[2], "two people of one login");
    for (person, range) in [("acme/marie", 0..2), ("globex/marie", 2..3)] {
        let listed = world.run_json(&["session", "list", "--account", person]);
        let mut live: Vec<&Value> = listed.as_array().expect("a list").iter().collect();
        live.sort_by_key(|session| session["id"].to_string());
        let live: Vec<&Value> = live.iter().map(|session| &session["id"]).collect();
        let mut told = told("sid")[range].to_vec();
        told.sort_by_key(Value::to_string);
        assert_eq!(told.iter().collect::<Vec<_>>(), live, "{person}");
    }
}

#[test]
fn b13_what_is_not_true_not_for_us_or_over_is_refused_by_the_published_sample() {
    let upstream = Recorder::start();
    let world = world(&upstream);
    let keys = key_document(&world);
    let mut marie = world.visitor();
    world.sign_in_by_pages(&mut marie, "acme/marie", &world.url(HOST, "/a"));
    let token = assertion(&world, &upstream, &mut marie, HOST);
    let ours = Verifier::of(&world, &keys, "echo");
    let issued = ours.accepts(&token)["iat"].as_i64().expect("a time");

    Verifier::of(&world, &keys, "paie").refuses(&token, "for another service");
    let mut elsewhere = Verifier::of(&world, &keys, "echo");
    elsewhere.issuer = "https://login.example.com".to_owned();
    elsewhere.refuses(&token, "another gateway's");
    let mut later = Verifier::of(&world, &keys, "echo");
    later.at = Some(issued + 59);
    later.accepts(&token);
    later.at = Some(issued + 60);
    later.refuses(&token, "it is over");
    later.at = Some(issued - 60);
    later.refuses(&token, "not issued yet");

    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        panic!("not three parts: {token}")
    };
    let kid = keys["keys"][0]["kid"].as_str().expect("a name");
    let with = |header: &str| format!("{}.{claims}.{signature}", base64url(header.as_bytes()));
    let algorithm = "another algorithm or type";
    for header in [
        format!(r#"{{"alg":"none","kid":"{kid}","typ":"octroi+jwt"}}"#),
        format!(r#"{{"alg":"HS256","kid":"{kid}","typ":"octroi+jwt"}}"#),
        format!(r#"{{"alg":"ES256","kid":"{kid}","typ":"JWT"}}"#),
        format!(r#"{{"alg":"ES256","kid":"{kid}","typ":"octroi+jwt","crit":["x"]}}"#),
    ] {
        ours.refuses(&with(&header), algorithm);
    }
    let none = base64url(br#"{"alg":"none","typ":"octroi+jwt"}"#);
    ours.refuses(&format!("{none}.{claims}."), algorithm);
    ours.refuses(&format!("{header}.{claims}"), "not three parts");
    ours.refuses(&format!("{header}.{claims}."), "not base64url");
    let unknown = r#"{"alg":"ES256","kid":"of-nobody","typ":"octroi+jwt"}"#;
    ours.refuses(&with(unknown), "no published key of this name");
    let twice = format!(r#"{{"alg":"none","alg":"ES256","kid":"{kid}","typ":"octroi+jwt"}}"#);
    ours.refuses(&with(&twice), "a name stands twice");
    let other = base64url(br#"{"iss":"x","aud":"echo"}"#);
    let unfit = "the signature does not fit";
    ours.refuses(&format!("{header}.{other}.{signature}"), unfit);
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    let flipped = format!("{flipped}{}", &signature[1..]);
    ours.refuses(&format!("{header}.{claims}.{flipped}"), unfit);

    // Another gateway's keys, even under our key's name.
    let stranger = World::demo();
    let mut foreign = key_document(&stranger);
    Verifier::of(&world, &foreign, "echo").refuses(&token, "no published key of this name");
    foreign["keys"][0]["kid"] = kid.into();
    Verifier::of(&world, &foreign, "echo").refuses(&token, unfit);
}

/// A key signs for 30 days. Its successor is published two days before it signs, and it stays published two days after.
#[test]
fn signing_keys_change_without_an_assertion_that_nobody_can_verify() {
    let upstream = Recorder::start();
    let mut world = world(&upstream);
    let mut marie = world.visitor();
    world.sign_in_by_pages(&mut marie, "acme/marie", &world.url(HOST, "/a"));
    let first = assertion(&world, &upstream, &mut marie, HOST);
    let at_first = names(&key_document(&world));
    assert_eq!(at_first.len(), 1);

    grow_older(&mut world, 29);
    let keys = key_document(&world);
    let published = names(&keys);
    assert_eq!(published.len(), 2, "the next key is published in time");
    assert_eq!(published[0], at_first[0]);
    let still = assertion(&world, &upstream, &mut marie, HOST);
    assert_eq!(signer(&still), at_first[0], "and does not sign yet");
    Verifier::of(&world, &keys, "echo").accepts(&still);

    grow_older(&mut world, 2);
    let keys = key_document(&world);
    assert_eq!(names(&keys), published, "both are published still");
    let new = assertion(&world, &upstream, &mut marie, HOST);
    assert_eq!(signer(&new), published[1]);
    let verifier = Verifier::of(&world, &keys, "echo");
    verifier.accepts(&new);
    verifier.accepts(&first);

    grow_older(&mut world, 2);
    let keys = key_document(&world);
    assert_eq!(names(&keys), [published[1].clone()], "the first has served");
    let why = "no published key of this name";
    Verifier::of(&world, &keys, "echo").refuses(&first, why);
    let kinds = world.run(&["journal", "search", "--json", "--limit", "200"]);
    let kinds = String::from_utf8_lossy(&kinds.stdout).into_owned();
    for kind in ["signing_key_created", "signing_key_removed"] {
        assert!(kinds.contains(kind), "{kind} is in the journal: {kinds}");
    }
}

/// Lets every key be that many days older, as after a stop.
fn grow_older(world: &mut World, days: i64) {
    assert!(world.gateway.stop().is_some_and(|it| it.success()));
    let millis = days * 24 * 60 * 60 * 1000;
    database::alter(
        &world.directory.join("data/octroi.db"),
        &format!(
            "UPDATE signing_key SET signs_from = signs_from - {millis}, created_at = created_at - {millis}"
        ),
    );
    world.gateway = Running::serve(world.config(), world.facts.https);
}

fn names(keys: &Value) -> Vec<String> {
    let keys = keys["keys"].as_array().expect("keys");
    keys.iter()
        .map(|key| key["kid"].as_str().expect("a name").to_owned())
        .collect()
}

/// The name of the key that signed a token, as the token's header says.
fn signer(token: &str) -> String {
    let header = token.split('.').next().expect("a header");
    let script = "import base64, json, sys\n\
                  text = sys.argv[1]\n\
                  print(json.loads(base64.urlsafe_b64decode(text + '=' * (-len(text) % 4)))['kid'])\n";
    let output = Command::new("python3")
        .args(["-c", script, header])
        .output()
        .expect("python3 is installed");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let mut bits = 0_u32;
        for place in 0..3 {
            bits = bits << 8 | three.get(place).copied().map_or(0, u32::from);
        }
        for place in 0..=three.len() {
            let index = usize::try_from(bits >> (18 - 6 * place) & 63).expect("six bits");
            text.push(char::from(LETTERS[index]));
        }
    }
    text
}

/// The manual's page names the sample, so that whoever writes a service finds it.
#[test]
fn the_manual_names_the_sample() {
    let manual = binary::workspace().join("docs/ops/routes.md");
    let text = fs::read_to_string(manual).expect("the manual");
    assert!(text.contains("(verify_assertion.py)"));
    assert!(Path::new(&binary::workspace().join("docs/ops/verify_assertion.py")).exists());
}
