//! The command line against a running gateway: what a command prints, writes, and how it ends.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use octroi_integration_tests::binary::said;
use octroi_integration_tests::visitor::Visitor;
use octroi_integration_tests::world::World;
use serde_json::Value;

#[test]
fn what_happened_is_found_by_kind_account_and_time_and_written_out() {
    let world = World::demo();
    let account = world.facts.account("acme/marie").clone();
    let mut visitor = world.visitor();
    visitor.sign_in(&world.portal(), "acme/marie", "not her password at all");
    visitor.sign_in(&world.portal(), "acme/marie", &account.password);
    world
        .visitor()
        .sign_in(&world.portal(), "acme/nobody", "not a password at all");
    let search = |more: &[&str]| -> Vec<Value> {
        let found = world.run_json(&[&["journal", "search"], more].concat());
        found.as_array().expect("a list").clone()
    };
    let failed = search(&["--account", "acme/marie", "--kind", "sign_in_failed"]);
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0]["fields"]["reason"], "wrong_password");
    assert_eq!(failed[0]["person"]["login"], "marie");
    let entered = search(&["--account", "acme/marie", "--kind", "signed_in"]);
    assert_eq!(entered.len(), 1, "{entered:?}");
    assert!(entered[0]["sequence"].as_u64() > failed[0]["sequence"].as_u64());

    let at = entered[0]["at"].as_str().expect("a time");
    let until = search(&["--kind", "signed_in", "--until", "2020-01-01T00:00:00Z"]);
    assert!(until.is_empty(), "{until:?}");
    let since = search(&["--kind", "signed_in", "--since", "2020-01-01T00:00:00Z"]);
    assert!(since.iter().any(|line| line["at"] == at), "{since:?}");
    let later = search(&["--kind", "signed_in", "--since", "2999-01-01T00:00:00Z"]);
    assert!(later.is_empty(), "{later:?}");

    let exported = world.run(&["journal", "export", "--kind", "sign_in_failed"]);
    assert_eq!(exported.status.code(), Some(0), "{}", said(&exported));
    let reasons: Vec<Value> = String::from_utf8_lossy(&exported.stdout)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("one document a line"))
        .map(|line| line["fields"]["reason"].clone())
        .collect();
    assert_eq!(reasons, ["unknown_login", "wrong_password"], "newest first");
    assert!(
        !said(&exported).contains("nobody"),
        "what was typed is not kept"
    );
    let read = search(&["--kind", "journal_read"]);
    assert!(
        read.iter()
            .any(|line| line["fields"]["purpose"] == "export")
    );
}

#[test]
fn an_invitation_comes_as_a_letter_or_as_a_sheet_that_is_its_readers_alone() {
    let world = World::demo();
    let letter = world.run(&["user", "invite", "globex/zoe", "--letter"]);
    assert_eq!(letter.status.code(), Some(0), "{}", said(&letter));
    assert!(said(&letter).contains("globex/zoe"), "{}", said(&letter));
    assert!(
        said(&letter).contains("/.octroi/invitation?"),
        "{}",
        said(&letter)
    );

    let sheet = world.directory.join("zoe.html");
    let name = sheet.to_str().expect("a name");
    let made = world.run(&["user", "invite", "globex/zoe", "--sheet", name]);
    assert_eq!(made.status.code(), Some(0), "{}", said(&made));
    let html = fs::read_to_string(&sheet).expect("the sheet");
    assert!(html.contains("globex/zoe") && html.contains("/.octroi/invitation?"));
    let mode = fs::metadata(&sheet)
        .expect("the sheet")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = world.run(&["user", "invite", "globex/zoe", "--sheet", name]);
    assert_ne!(
        again.status.code(),
        Some(0),
        "a sheet that is there is not overwritten"
    );
}

#[test]
fn a_locked_account_is_shown_so_and_opens_again() {
    let world = World::demo();
    let account = world.facts.account("acme/marie").clone();
    let standing = || world.run_json(&["user", "show", "acme/marie"])["standing"].clone();
    let try_in = || {
        Visitor::at(&world.door)
            .sign_in(&world.portal(), "acme/marie", &account.password)
            .status
    };
    assert_eq!(standing(), "ready");
    assert_eq!(
        world.run(&["user", "lock", "acme/marie"]).status.code(),
        Some(0)
    );
    assert_eq!((standing(), try_in()), ("locked".into(), 401));
    let unlocked = world.run(&["user", "unlock", "acme/marie"]);
    assert_eq!(unlocked.status.code(), Some(0), "{}", said(&unlocked));
    assert_eq!((standing(), try_in()), ("ready".into(), 200));

    let listed = world.run_json(&["user", "list", "--tenant", "acme"]);
    let accounts: Vec<&str> = listed
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|account| account["account"].as_str())
        .collect();
    assert!(accounts.contains(&"acme/marie"), "{accounts:?}");
    assert!(accounts.iter().all(|name| name.starts_with("acme/")));
}

#[test]
fn a_command_ends_with_the_code_that_the_manual_names() {
    let world = World::demo();
    for (arguments, code, names) in [
        (
            &["user", "show", "acme/nobody"][..],
            1,
            "there is no such account",
        ),
        (&["user", "show", "nowhere/marie"], 1, "octroi: "),
        (&["user", "shew", "acme/marie"], 2, "shew"),
        (&["session", "list", "--account"], 2, "--account"),
        (&["journal", "search", "--limit", "0"], 2, "--limit"),
    ] {
        let output = world.run(arguments);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {}",
            said(&output)
        );
        assert!(
            said(&output).contains(names),
            "{arguments:?}: {}",
            said(&output)
        );
    }
}
