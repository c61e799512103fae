//! Commands on accounts.

use std::fs;

use octroi_integration_tests::binary::said;
use octroi_integration_tests::world::World;
use serde_json::{Value, json};

use super::{names, printed, run, run_json, world};

const PROVISIONAL: &str = "provisoire du lundi matin";

fn status_of_sign_in(world: &World, login: &str, password: &str) -> (u16, Value) {
    let answer = world.visitor().sign_in(&world.portal(), login, password);
    (answer.status, answer.json()["status"].clone())
}

#[test]
fn an_account_is_added_with_a_password_that_is_made_or_handed_in() {
    let world = world();
    let text = run(
        &world,
        &["user", "add", "acme/zoe", "--name", "Zoé Faure"],
        0,
    );
    assert!(
        text.starts_with("acme/zoe: provisional password, shown this once:\n"),
        "{text}"
    );
    assert!(text.contains("acme/zoe must change it at the first sign-in"));
    let made = run_json(&world, &["user", "add", "acme/yann", "--role", "rh"]);
    assert_eq!(
        names(&made),
        ["account", "expires_at", "password"].into(),
        "{made}"
    );
    assert_eq!(made["account"], "acme/yann");
    let password = made["password"].as_str().expect("a password");
    let pending = (200, json!("password_change_required"));
    assert_eq!(status_of_sign_in(&world, "acme/yann", password), pending);

    let add = ["user", "add", "acme/xavier", "--password-stdin", "--json"];
    let output = world.run_with_input(&add, &format!("{PROVISIONAL}\n"));
    let printed_json: Value =
        serde_json::from_str(&printed(&add, &output, 0)).expect("one document");
    assert_eq!(printed_json["password"], Value::Null, "it is known already");
    assert!(!said(&output).contains(PROVISIONAL));
    assert_eq!(
        status_of_sign_in(&world, "acme/xavier", PROVISIONAL),
        pending
    );

    let short = ["user", "add", "acme/wanda", "--password-stdin"];
    let output = world.run_with_input(&short, "short\n");
    printed(&short, &output, 1);
    assert!(said(&output).contains("octroi: the password cannot be used: it is"));
    run(&world, &["user", "add", "acme/zoe"], 1);
    run(&world, &["user", "add", "nowhere/zoe"], 1);
    run(&world, &["user", "add", "zoe"], 1);
    run(&world, &["user", "add"], 2);
    let told = run(&world, &["user", "add", "nowhere/zoe", "--new-tenant"], 0);
    assert!(told.contains("nowhere/zoe"), "{told}");
}

#[test]
fn an_invitation_is_a_link_a_letter_or_a_sheet() {
    let world = world();
    let text = run(&world, &["user", "invite", "acme/zoe", "--hours", "1"], 0);
    assert!(
        text.starts_with("acme/zoe: a link by which the person chooses a password"),
        "{text}"
    );
    let link = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("https://"));
    let link = format!("https://{}", link.expect("a link"));
    assert_eq!(world.visitor().get(&link).status, 200);

    let made = run_json(&world, &["user", "invite", "acme/zoe"]);
    assert_eq!(
        names(&made),
        ["account", "expires_at", "letter", "link", "sheet"].into()
    );
    let newer = made["link"].as_str().expect("a link");
    assert_eq!(
        world.visitor().get(&link).status,
        410,
        "the old one is over"
    );
    assert_eq!(world.visitor().get(newer).status, 200);

    for (language, greeting) in [("fr", "Identifiant"), ("en", "Login")] {
        let login = format!("acme/lettre-{language}");
        let invite = ["user", "invite", &login, "--language", language, "--letter"];
        let letter = run(&world, &invite, 0);
        assert!(
            letter.contains(&login) && letter.contains(greeting),
            "{letter}"
        );
        assert!(letter.contains("/.octroi/invitation?"), "{letter}");
    }

    let sheet = world.directory.join("sheet.html");
    let file = sheet.to_str().expect("a name");
    let made = run_json(&world, &["user", "invite", "acme/zoe", "--sheet", file]);
    assert_eq!(
        fs::read_to_string(&sheet).ok().as_deref(),
        made["sheet"].as_str()
    );
    run(&world, &["user", "invite", "acme/zoe", "--sheet", file], 1);
    assert_eq!(
        fs::read_to_string(&sheet).ok().as_deref(),
        made["sheet"].as_str(),
        "what is there stays"
    );
    for hours in ["0", "169", "soon"] {
        run(&world, &["user", "invite", "acme/zoe", "--hours", hours], 2);
    }
    run(
        &world,
        &["user", "invite", "acme/zoe2", "--language", "de"],
        1,
    );
    run(&world, &["user", "invite", "nowhere/zoe"], 1);
    run(
        &world,
        &["user", "invite", "acme/zoe3", "--email", "not one"],
        1,
    );
}

#[test]
fn accounts_are_listed_and_shown_as_lines_and_as_documents() {
    let world = world();
    let lines = run(&world, &["user", "list"], 0);
    let all: Vec<&str> = lines
        .lines()
        .filter_map(|line| line.split('\t').next())
        .collect();
    let mut wanted: Vec<String> = world
        .facts
        .accounts
        .iter()
        .map(octroi_integration_tests::world::Account::full_login)
        .collect();
    let mut listed: Vec<String> = all.iter().map(|name| (*name).to_owned()).collect();
    listed.sort();
    wanted.sort();
    assert_eq!(listed, wanted);
    let of_tenant = run_json(&world, &["user", "list", "--tenant", "globex"]);
    let of_tenant = of_tenant.as_array().expect("a list");
    assert_eq!(
        of_tenant.len(),
        wanted
            .iter()
            .filter(|name| name.starts_with("globex/"))
            .count()
    );
    run(&world, &["user", "add", "empty/one", "--new-tenant"], 0);
    run(&world, &["user", "delete", "empty/one"], 0);
    assert_eq!(
        run(&world, &["user", "list", "--tenant", "empty"], 0),
        "no accounts\n"
    );
    assert_eq!(
        run_json(&world, &["user", "list", "--tenant", "empty"]),
        json!([])
    );
    run(&world, &["user", "list", "--tenant", "nowhere"], 1);
    run(&world, &["user", "list", "--tenant", "no tenant"], 1);

    let line = run(&world, &["user", "show", "acme/marie"], 0);
    assert!(line.starts_with("acme/marie\tready\t"), "{line}");
    let shown = run_json(&world, &["user", "show", "acme/marie"]);
    assert_eq!(
        names(&shown),
        [
            "account",
            "created_at",
            "email",
            "expires_at",
            "grants",
            "id",
            "language",
            "locked_at",
            "name",
            "organisation",
            "password_changed_at",
            "roles",
            "standing"
        ]
        .into()
    );
    let listed = of_tenant.first().expect("one");
    assert_eq!(names(listed), names(&shown), "a list shows the same");
    run(&world, &["user", "show", "acme/nobody"], 1);
    run(&world, &["user", "show", "acme/marie", "acme/paul"], 2);
}

/// Runs a command on marie twice, for people and for scripts: both say that this was done.
#[track_caller]
fn done(world: &World, arguments: &[&str], what: &str) {
    let sentence = format!("acme/marie {what}");
    assert_eq!(run(world, arguments, 0), format!("{sentence}\n"));
    let document = run_json(world, arguments);
    assert_eq!(document, json!({ "done": sentence }), "{arguments:?}");
}

/// A field of marie's account.
#[track_caller]
fn shown(world: &World, field: &str) -> Value {
    run_json(world, &["user", "show", "acme/marie"])[field].clone()
}

#[test]
fn what_is_changed_on_an_account_is_said_and_shown() {
    let world = world();
    done(
        &world,
        &["user", "lock", "acme/marie"],
        "is locked, and its sessions are ended",
    );
    assert_eq!(shown(&world, "standing"), "locked");
    assert!(shown(&world, "locked_at").is_string());
    done(&world, &["user", "unlock", "acme/marie"], "is unlocked");
    assert_eq!(
        (shown(&world, "standing"), shown(&world, "locked_at")),
        ("ready".into(), Value::Null)
    );

    let other_roles = "has other roles, and its sessions are ended";
    let roles = [
        "user",
        "roles",
        "acme/marie",
        "--role",
        "it",
        "--role",
        "rh",
    ];
    done(&world, &roles, other_roles);
    assert_eq!(shown(&world, "roles"), json!(["it", "rh"]));
    done(
        &world,
        &["user", "roles", "acme/marie", "--none"],
        other_roles,
    );
    assert_eq!(shown(&world, "roles"), json!([]));
    run(&world, &["user", "roles", "acme/marie"], 2);
    run(
        &world,
        &["user", "roles", "acme/marie", "--none", "--role", "it"],
        2,
    );
    run(&world, &["user", "roles", "acme/marie", "--role", "a,b"], 1);

    let text = run(&world, &["user", "reset", "acme/marie"], 0);
    assert!(text.contains("acme/marie: provisional password"), "{text}");
    assert_eq!(shown(&world, "standing"), "provisional");
    let reset = ["user", "reset", "acme/marie", "--password-stdin", "--json"];
    let output = world.run_with_input(&reset, &format!("{PROVISIONAL}\r\n"));
    let document: Value = serde_json::from_str(&printed(&reset, &output, 0)).expect("one");
    assert_eq!(document["expires_at"], shown(&world, "expires_at"));
    let (status, _) = status_of_sign_in(&world, "acme/marie", PROVISIONAL);
    assert_eq!(status, 200);

    let deleted = run(&world, &["user", "delete", "acme/marie"], 0);
    let sentence = "acme/marie is deleted, and the key to its personal data is destroyed\n";
    assert_eq!(deleted, sentence);
    run(&world, &["user", "show", "acme/marie"], 1);
}

#[test]
fn rights_on_another_tenant_are_lent_and_ended() {
    let world = world();
    let other_rights = "has other rights on that tenant, and its sessions are ended";
    let grant = ["user", "grant", "acme/marie", "--tenant", "globex"];
    let lend = [&grant[..], &["--role", "support", "--hours", "8"]].concat();
    done(&world, &lend, other_rights);
    let lent = shown(&world, "grants");
    assert_eq!(
        (
            &lent[0]["tenant"],
            &lent[0]["roles"],
            lent.as_array().map(Vec::len)
        ),
        (&json!("globex"), &json!(["support"]), Some(1))
    );
    assert!(lent[0]["ends_at"].is_string());
    done(&world, &[&grant[..], &["--end"]].concat(), other_rights);
    assert_eq!(shown(&world, "grants"), json!([]));
    run(&world, &grant, 2);
    run(
        &world,
        &[&grant[..], &["--end", "--hours", "1"]].concat(),
        2,
    );
    for hours in ["0", "8761"] {
        run(&world, &[&grant[..], &["--hours", hours]].concat(), 1);
    }
    let nowhere = [
        "user",
        "grant",
        "acme/marie",
        "--tenant",
        "nowhere",
        "--hours",
        "1",
    ];
    run(&world, &nowhere, 1);
}
