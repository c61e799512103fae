//! Promises that hold all over the product, on the running gateway: tokens, the operators' socket, languages.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::thread;

use octroi_integration_tests::page::{Form, forms, title};
use octroi_integration_tests::visitor::{VERSIONS, Visitor};
use octroi_integration_tests::world::{SESSION_COOKIE, World};

const HOST: &str = "echo.localhost";
const GOOD: &str = "a password that nobody has guessed yet";

/// Sign-ins of one account at the same moment, over both versions: each session has a token of its own on each host.
#[test]
fn invariant_7_no_two_sessions_share_a_token() {
    let world = &World::demo();
    let tokens: Vec<String> = thread::scope(|scope| {
        let arrive = |number: usize| {
            scope.spawn(move || {
                let last = u8::try_from(number).expect("a small number");
                let door = world.door.approached_from([61, 0, last + 1]);
                let mut visitor = Visitor::at(&door).speaking(VERSIONS[number % 2]);
                let wanted = world.url(HOST, "/request");
                world.sign_in_by_pages(&mut visitor, "acme/marie", &wanted);
                let page = visitor.visit(&wanted);
                assert_eq!(page.url, wanted, "{}", page.response.everything());
                let of = |host: &str| visitor.cookie(host, SESSION_COOKIE).map(str::to_owned);
                [of(&world.facts.portal), of(HOST)].map(|token| token.expect("a token"))
            })
        };
        let crowd: Vec<_> = (0..4).map(arrive).collect();
        let arrived = crowd.into_iter().map(|one| one.join().expect("a sign-in"));
        arrived.flatten().collect()
    });
    let different: BTreeSet<&String> = tokens.iter().collect();
    assert_eq!((tokens.len(), different.len()), (8, 8), "{tokens:?}");
}

/// What a token is good for never grows: a changed password brings another token, and the first one is dead.
#[test]
fn invariant_7_a_token_never_becomes_a_stronger_one() {
    for version in VERSIONS {
        let world = World::demo();
        let mut visitor = world.visitor().speaking(version);
        let page = world.sign_in_by_pages(&mut visitor, "acme/jean", &world.url(HOST, "/request"));
        let portal = &world.facts.portal;
        let pending = visitor.cookie(portal, SESSION_COOKIE).expect("a token");
        let pending = pending.to_owned();
        assert_eq!(
            status_of(&world, &pending).as_str(),
            "password_change_required"
        );
        let form = Form::on(&page, "/.octroi/account/password").without("repeat");
        form.with("new", GOOD).submit_and_go_on(&mut visitor);
        let full = visitor.cookie(portal, SESSION_COOKIE).expect("a token");
        assert_ne!(full, pending);
        assert_eq!(status_of(&world, full), "signed_in");
        assert_eq!(status_of(&world, &pending), "401 sign_in_needed");
    }
}

/// What the gateway says of a token.
fn status_of(world: &World, token: &str) -> String {
    let mut bearer = world.visitor();
    let field = [("Cookie".to_owned(), format!("{SESSION_COOKIE}={token}"))];
    let url = format!("https://{}/.octroi/session", world.portal());
    let answer = bearer.ask("GET", &url, &field, b"").response();
    let text = |name: &str| answer.json()[name].as_str().unwrap_or_default().to_owned();
    match answer.status {
        200 => text("status"),
        other => format!("{other} {}", text("error")),
    }
}

/// Another user of the machine cannot reach the operators' socket, and is not answered even where the files let it.
#[test]
fn invariant_9_another_uid_is_not_answered_on_the_admin_socket() {
    let mut world = World::demo();
    let directory = world.config().parent().expect("a directory").to_owned();
    let socket = directory.join("run/admin.sock");
    let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode(&directory.join("run")), 0o700);
    assert_eq!(mode(&socket), 0o600);
    assert_eq!(list_sessions(&socket, None), (Some(0), "200".to_owned()));
    let own = fs::metadata("/proc/self").expect("this process").uid();
    if own != 0 {
        // Only root can become somebody else; the files stand in the way of all others.
        return;
    }
    for opened in [&directory, &directory.join("run"), &socket] {
        fs::set_permissions(opened, fs::Permissions::from_mode(0o777)).expect("an open door");
    }
    // However curl words a connection that is closed at once; that there was one, the gateway says.
    let (code, status) = list_sessions(&socket, Some(NOBODY));
    assert!(
        matches!(code, Some(7 | 52 | 56)) && status == "000",
        "told something: {code:?} {status}"
    );
    world.gateway.wait_until("the warning", |log| {
        log.lines().any(|line| {
            line.contains("an admin connection of another user was closed")
                && line.contains(&NOBODY.to_string())
        })
    });
    assert_eq!(list_sessions(&socket, None), (Some(0), "200".to_owned()));
}

/// The uid that owns nothing.
const NOBODY: u32 = 65_534;

/// Asks for all sessions over the socket, as `uid`; how curl ended, and the status it got.
fn list_sessions(socket: &Path, uid: Option<u32>) -> (Option<i32>, String) {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--max-time", "10", "--output", "/dev/null"])
        .args(["--write-out", "%{http_code}", "--unix-socket"])
        .arg(socket)
        .args(["--json", "{}", "http://octroi/v1/sessions/list"]);
    if let Some(uid) = uid {
        curl.uid(uid).gid(uid);
    }
    let output = curl.output().expect("curl runs");
    let status = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), status)
}

/// Each page is in the language that was asked for, and whatever it lets one do is a form that is sent without a script.
#[test]
fn invariant_10_pages_come_in_both_languages_and_work_by_their_forms() {
    let world = World::demo();
    let portal = world.portal();
    for version in VERSIONS {
        let mut stranger = world.visitor().speaking(version);
        let mut person = world.visitor().speaking(version);
        world.sign_in_by_pages(&mut person, "acme/marie", &format!("https://{portal}/"));
        for (path, forms_min) in [("/.octroi/login", 1), ("/nothing", 0)] {
            assert_in_both_languages(&mut stranger, &format!("https://{portal}{path}"), forms_min);
        }
        for (path, forms_min) in [
            ("/.octroi/account", 1),
            ("/.octroi/account/password", 1),
            ("/.octroi/account/sessions", 1),
            ("/.octroi/logout", 1),
        ] {
            assert_in_both_languages(&mut person, &format!("https://{portal}{path}"), forms_min);
        }
    }
}

#[track_caller]
fn assert_in_both_languages(visitor: &mut Visitor, url: &str, forms_min: usize) {
    let titles = ["fr", "en"].map(|language| {
        visitor.language = language;
        let page = visitor.visit(url);
        let all = page.response.everything();
        assert_eq!(
            page.response.first("content-language"),
            Some(language),
            "{url}: {all}"
        );
        assert!(
            all.contains(&format!("<html lang=\"{language}\"")),
            "{url}: {all}"
        );
        assert!(forms(&page).len() >= forms_min, "{url}: {all}");
        for form in all.split("<form").skip(1) {
            assert!(
                form.contains("method=\"post\"") && form.contains("<button"),
                "{url}: {all}"
            );
        }
        title(&page.response)
    });
    assert_ne!(titles[0], titles[1], "{url}");
}
