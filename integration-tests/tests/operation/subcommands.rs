//! Every command on accounts, sessions and the journal, as people and as scripts use it: what it prints, what it does,
//! how it ends. The gateway runs, or does not.

mod accounts;

use std::collections::BTreeSet;
use std::fs;
use std::process::Output;

use octroi_integration_tests::binary::said;
use octroi_integration_tests::recorder::Recorder;
use octroi_integration_tests::world::World;
use serde_json::{Value, json};

/// A world whose gateway can be stopped.
fn world() -> World {
    World::for_everyone("echo.localhost", &Recorder::start())
}

/// Runs a command that has to end with this code, and gives what it printed to its standard output.
#[track_caller]
fn run(world: &World, arguments: &[&str], code: i32) -> String {
    printed(arguments, &world.run(arguments), code)
}

#[track_caller]
fn printed(arguments: &[&str], output: &Output, code: i32) -> String {
    let all = said(output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {all}");
    assert!(!all.contains("panicked"), "{arguments:?}: {all}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn run_json(world: &World, arguments: &[&str]) -> Value {
    let printed = run(world, &[arguments, &["--json"]].concat(), 0);
    let mut lines = printed.lines();
    let document = lines
        .next()
        .and_then(|line| serde_json::from_str(line).ok());
    assert_eq!(lines.next(), None, "{arguments:?}: one document: {printed}");
    document.unwrap_or_else(|| panic!("{arguments:?}: no JSON: {printed}"))
}

/// The names of a document's fields.
#[track_caller]
fn names(document: &Value) -> BTreeSet<&str> {
    let fields = document.as_object().unwrap_or_else(|| panic!("{document}"));
    fields.keys().map(String::as_str).collect()
}

#[test]
fn sessions_are_listed_and_ended_one_by_one_or_all_of_an_account() {
    let world = world();
    let list = ["session", "list", "--account", "acme/marie"];
    assert_eq!(run(&world, &list, 0), "no live session\n");
    assert_eq!(run_json(&world, &list), json!([]));
    for role in ["rh", "rh", "rh"] {
        world.signed_in(role);
    }
    let sessions = run_json(&world, &list);
    let sessions = sessions.as_array().expect("a list");
    assert_eq!(sessions.len(), 3);
    assert_eq!(
        names(&sessions[0]),
        [
            "account_id",
            "address",
            "assurance",
            "computer",
            "ends_at",
            "id",
            "last_used_at",
            "started_at",
            "user_agent"
        ]
        .into()
    );
    let first = sessions[0]["id"].as_str().expect("an id");
    let line = run(&world, &["session", "list"], 0);
    assert!(line.contains(&format!("{first}\tsince ")), "{line}");
    assert_eq!(line.lines().count(), 3);

    assert_eq!(
        run(&world, &["session", "revoke", first], 0),
        "1 session ended\n"
    );
    run(&world, &["session", "revoke", first], 1);
    run(&world, &["session", "revoke", "no-id"], 1);
    let all = ["session", "revoke", "--account", "acme/marie"];
    assert_eq!(run_json(&world, &all), json!({ "ended": 2 }));
    assert_eq!(run(&world, &all, 0), "0 sessions ended\n");
    run(
        &world,
        &["session", "revoke", "--account", "acme/nobody"],
        1,
    );
    run(&world, &["session", "list", "--account", "acme/nobody"], 1);
    run(&world, &["session", "revoke"], 2);
    run(
        &world,
        &["session", "revoke", first, "--account", "acme/marie"],
        2,
    );
}

#[test]
fn the_journal_is_searched_page_by_page_and_exported_whole() {
    let world = world();
    run(&world, &["user", "lock", "acme/marie"], 0);
    run(&world, &["user", "unlock", "acme/marie"], 0);
    let of_marie = ["journal", "search", "--account", "acme/marie"];
    let text = run(&world, &[&of_marie[..], &["--limit", "1"]].concat(), 0);
    let (line, rest) = text.split_once('\n').expect("a line");
    let cells: Vec<&str> = line.split('\t').collect();
    assert!(
        matches!(cells[2..], [actor, ..] if actor.starts_with("os:")),
        "{line}"
    );
    assert_eq!(rest, format!("older lines: --before {}\n", cells[0]));
    let before = [&of_marie[..], &["--before", cells[0], "--limit", "1"]].concat();
    let older = run_json(&world, &before);
    assert!(
        older[0]["sequence"].as_u64() < cells[0].parse().ok(),
        "{older}"
    );

    let locked = run_json(
        &world,
        &[&of_marie[..], &["--kind", "account_locked"]].concat(),
    );
    assert_eq!(locked.as_array().map(Vec::len), Some(1), "{locked}");
    let line_names = names(&locked[0]);
    for name in ["sequence", "at", "actor", "kind", "fields", "account_id"] {
        assert!(line_names.contains(name), "{name}: {locked}");
    }
    let actor = locked[0]["actor"].as_str().expect("an actor");
    let by_actor = [
        &of_marie[..],
        &["--actor", actor, "--kind", "account_locked"],
    ]
    .concat();
    assert_eq!(run_json(&world, &by_actor), locked);
    let by_nobody = [&of_marie[..], &["--actor", "os:4294967294"]].concat();
    assert_eq!(run(&world, &by_nobody, 0), "no such line\n");
    assert_eq!(run_json(&world, &by_nobody), json!([]));
    for wrong in [
        ["--kind", "no_such_kind"],
        ["--actor", "somebody"],
        ["--since", "yesterday"],
        ["--until", "2026-13-01"],
        ["--account", "acme/nobody"],
    ] {
        run(&world, &[&["journal", "search"], &wrong[..]].concat(), 1);
        run(&world, &[&["journal", "export"], &wrong[..]].concat(), 1);
    }
    for wrong in [["--limit", "0"], ["--limit", "501"], ["--before", "first"]] {
        run(&world, &[&["journal", "search"], &wrong[..]].concat(), 2);
    }

    let exported = run(
        &world,
        &["journal", "export", "--kind", "account_locked"],
        0,
    );
    let exported: Value = serde_json::from_str(&exported).expect("one line, one document");
    assert_eq!(exported, locked[0]);
}

#[test]
fn the_journal_is_checked_against_a_witness() {
    let world = world();
    let text = run(&world, &["journal", "verify"], 0);
    assert!(text.starts_with("the journal is intact: "), "{text}");
    let verified = run_json(&world, &["journal", "verify"]);
    assert_eq!(
        names(&verified),
        ["flaw", "head", "intact", "lines", "purged"].into()
    );
    let head = verified["head"].as_str().expect("a head");
    let witness = |head: &str, code| run(&world, &["journal", "verify", "--witness", head], code);
    witness(head, 0);
    let (sequence, code) = head.split_once(':').expect("SEQUENCE:CODE");
    let first = code.chars().next().expect("a code");
    let other = if first == '0' { "1" } else { "0" };
    let forged = witness(&format!("{sequence}:{other}{}", &code[1..]), 1);
    assert!(
        forged.starts_with("the journal is not as it was written: "),
        "{forged}"
    );
    witness("nothing", 1);
}

/// What [`COMMANDS`] change, one after the other, is in the store and in the journal past the line `last`.
#[track_caller]
fn assert_all_was_done(world: &World, last: u64) {
    let show = |account: &str| run_json(world, &["user", "show", account]);
    let marie = show("acme/marie");
    assert_eq!(marie["roles"], json!(["rh"]), "{marie}");
    assert_eq!(marie["grants"][0]["tenant"], "globex", "{marie}");
    assert_eq!(
        show("acme/paul")["standing"],
        "ready",
        "locked and unlocked"
    );
    assert_eq!(show("acme/lea")["standing"], "provisional", "reset");
    assert_eq!(
        show("acme/yann")["standing"],
        "awaiting_password",
        "invited"
    );
    run(world, &["user", "show", "acme/zoe"], 1);
    let sessions = ["session", "list", "--account", "acme/marie"];
    assert_eq!(run(world, &sessions, 0), "no live session\n");
    for (kind, account) in [
        ("account_created", None),
        ("invitation_issued", Some("acme/yann")),
        ("account_locked", Some("acme/paul")),
        ("account_unlocked", Some("acme/paul")),
        ("roles_changed", Some("acme/marie")),
        ("grants_changed", Some("acme/marie")),
        ("sessions_ended", Some("acme/marie")),
        ("password_provided", Some("acme/lea")),
        ("account_erased", None),
    ] {
        let of = account.map_or(vec![], |account| vec!["--account", account]);
        let search = [
            &["journal", "search", "--limit", "1", "--kind", kind][..],
            &of,
        ]
        .concat();
        let line = run_json(world, &search);
        let is_new = line[0]["sequence"].as_u64().is_some_and(|it| it > last);
        assert!(
            is_new,
            "{kind} of {account:?} is not in the journal: {line}"
        );
    }
}

/// Each command, with arguments that are in order.
const COMMANDS: [&[&str]; 15] = [
    &["user", "add", "acme/zoe"],
    &["user", "invite", "acme/yann"],
    &["user", "list"],
    &["user", "show", "acme/marie"],
    &["user", "lock", "acme/paul"],
    &["user", "unlock", "acme/paul"],
    &["user", "roles", "acme/marie", "--role", "rh"],
    &[
        "user",
        "grant",
        "acme/marie",
        "--tenant",
        "globex",
        "--hours",
        "1",
    ],
    &["user", "reset", "acme/lea"],
    &["user", "delete", "acme/zoe"],
    &["session", "list"],
    &["session", "revoke", "--account", "acme/marie"],
    &["journal", "search"],
    &["journal", "export"],
    &["journal", "verify"],
];

#[test]
fn each_command_ends_with_3_where_no_gateway_answers_and_says_so() {
    let world = world();
    let socket = world.directory.join("no-such.sock");
    let socket = socket.to_str().expect("a path");
    for command in COMMANDS {
        for format in [&[][..], &["--json"]] {
            let arguments = [command, &["--socket", socket], format].concat();
            let output = world.run(&arguments);
            let on_stdout = printed(&arguments, &output, 3);
            assert_eq!(on_stdout, "", "{arguments:?}");
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            let sentence = format!("no gateway answers on {socket}: ");
            if format.is_empty() {
                assert!(told.starts_with(&format!("octroi: {sentence}")), "{told}");
            } else {
                let document: Value = serde_json::from_str(&told).expect("a document");
                let error = document["error"].as_str().unwrap_or_default();
                assert!(error.starts_with(&sentence), "{told}");
            }
        }
        let nonsense = [command, &["--no-such-option"]].concat();
        run(&world, &nonsense, 2);
    }
}

/// The gateway runs on with the file that it has. Somebody who has to be locked out is not to wait
/// until the next one is mended.
#[test]
fn commands_reach_a_gateway_that_runs_while_its_next_file_is_wrong() {
    let mut world = world();
    let good = fs::read_to_string(world.config()).expect("the configuration");
    let wrong = [
        good.replace("echo.localhost", "echo_localhost"),
        format!("{good}\n[[route]\n"),
        good.replace("portal = ", "portall = "),
    ];
    for (number, text) in wrong.iter().enumerate() {
        fs::write(world.config(), text).expect("the configuration");
        let verb = if number % 2 == 0 { "lock" } else { "unlock" };
        let arguments = ["user", verb, "acme/marie"];
        let output = world.run(&arguments);
        let done = printed(&arguments, &output, 0);
        assert!(done.contains(&format!("is {verb}ed")), "{done}");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            told.starts_with("octroi: the configuration is wrong ("),
            "{told}"
        );
        assert!(told.contains("octroi.toml:"), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
    let locked = run_json(&world, &["user", "show", "acme/marie"]);
    assert_eq!(locked["standing"], "locked", "{locked}");
    // The gateway says what is wrong with its file.
    let reload = world.run(&["reload"]);
    assert_eq!(reload.status.code(), Some(1), "{}", said(&reload));
    assert!(said(&reload).contains("portall"), "{}", said(&reload));
    // Where none runs, the store is opened under a file that is right, or not at all.
    assert!(world.gateway.stop().is_some(), "{}", world.log());
    let refused = world.run(&["user", "unlock", "acme/marie"]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(said(&refused).contains("portall"), "{}", said(&refused));
    fs::write(world.config(), good).expect("the configuration");
    run(&world, &["user", "unlock", "acme/marie"], 0);
}

#[test]
fn each_command_works_where_no_gateway_runs() {
    let mut world = world();
    let account = world.facts.account("acme/marie").clone();
    let portal = world.portal();
    let answer = world
        .visitor()
        .sign_in(&portal, "acme/marie", &account.password);
    assert_eq!(answer.status, 200, "{}", answer.everything());
    assert!(world.gateway.stop().is_some(), "{}", world.log());
    let last = run_json(&world, &["journal", "search", "--limit", "1"]);
    let last = last[0]["sequence"].as_u64().expect("a line");
    for command in COMMANDS {
        let text = run(&world, command, 0);
        assert_ne!(text, "", "{command:?}");
    }
    assert_all_was_done(&world, last);
    let verified = run_json(&world, &["journal", "verify"]);
    assert_eq!(verified["intact"], true, "{verified}");
}
