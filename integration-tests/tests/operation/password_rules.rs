//! Password rules of the configuration: each key is enforced from the reload on that sets it, and says what is missing.

use octroi_integration_tests::binary::said;
use octroi_integration_tests::page::Form;
use octroi_integration_tests::recorder::Recorder;
use octroi_integration_tests::visitor::Visitor;
use octroi_integration_tests::world::{Route, World};
use serde_json::Value;

/// What is set, a password that it refuses, what is said of it, and one that it takes.
const RULES: &[(&str, &str, &str, &str)] = &[
    (
        "length_min = 24",
        "agrafe bougie lavoir",
        "4 characters short of 24",
        "agrafe bougie lavoir tunnel",
    ),
    (
        "length_max = 64",
        "agrafe bougie lavoir tunnel citron plume tisane rocher cactus violon",
        "longer than 64",
        "agrafe bougie lavoir",
    ),
    (
        "classes_min = 3",
        "agrafebougielavoir",
        "characters of 1 kinds, and 3 are needed",
        "Agrafe bougie lavoir",
    ),
    (
        "classes_min = 3\nclasses_unless_length = 18",
        "agrafebougielavo",
        "characters of 1 kinds, and 3 are needed",
        "agrafebougielavoir",
    ),
    (
        "lower_min = 1",
        "AGRAFE BOUGIE LAVOIR",
        "1 more small letters",
        "AGRAFE BOUGIE LAVOIr",
    ),
    (
        "upper_min = 2",
        "Agrafe bougie lavoir",
        "1 more capitals",
        "Agrafe Bougie lavoir",
    ),
    (
        "digits_min = 3",
        "agrafe bougie lavoir 7",
        "2 more digits",
        "agrafe bougie lavoir 739",
    ),
    (
        "signs_min = 3",
        "agrafe bougie lavoir",
        "1 more signs",
        "agrafe bougie lavoir!",
    ),
    (
        "signs_min = 3\ncounts_unless_length = 21",
        "agrafe bougie lavoir",
        "1 more signs",
        "agrafe bougie lavoirs",
    ),
    (
        "distinct_min = 12",
        "bobine nobine bonib",
        "different characters, and 12 are needed",
        "agrafe bougie lavoir",
    ),
    (
        "repeat_max = 2",
        "agrafe bougieee lavoir",
        "more than 2 times in a row",
        "agrafe bougiee lavoir",
    ),
    (
        "sequence_max = 3",
        "agrafe bougie wxcv lavoir",
        "for more than 3 characters",
        "agrafe bougie lavoir",
    ),
    (
        "entropy_bits_min = 120",
        "agrafe bougie lavoir",
        "of 120 bits",
        "agrafe bougie lavoir tunnel",
    ),
    (
        "guesses_log10_min = 16",
        "agrafe bougie lavoir",
        "10^16.0 are needed",
        "agrafe bougie lavoir tunnel citron plume tisane",
    ),
    (
        "own_data = true",
        "bougie acme lavoir tunnel",
        "the organisation's name",
        "agrafe bougie lavoir",
    ),
    (
        "years = true",
        "agrafe bougie {year} lavoir",
        "this year or one beside it",
        "agrafe bougie 1815 lavoir",
    ),
    (
        "preset = \"cnil-case-1\"",
        "agrafebougielav",
        "characters of 1 kinds, and 3 are needed",
        "agrafe bougie lavoir",
    ),
    (
        "tenant = { acme = { length_min = 30 } }",
        "agrafe bougie lavoir",
        "10 characters short of 30",
        "agrafe bougie lavoir tunnel citron",
    ),
    (
        "role = { it = { length_min = 30 } }",
        "agrafe bougie lavoir",
        "10 characters short of 30",
        "agrafe bougie lavoir tunnel citron",
    ),
];

#[test]
fn b2_promise_each_rule_counts_from_the_reload_on_that_sets_it() {
    let upstream = Recorder::start();
    let route = Route {
        host: "echo.localhost",
        path: "/",
        to: &upstream,
        more: "allow = \"everyone\"",
    };
    let world = World::with_routes(&[route]);
    let before = std::fs::read_to_string(world.config()).expect("the configuration");
    let year = this_year(&world);
    for (number, (rule, refused, why, taken)) in RULES.iter().enumerate() {
        let text = format!("{before}\n[password]\n{rule}\n");
        std::fs::write(world.config(), text).expect("the configuration");
        let output = world.run(&["reload"]);
        assert!(output.status.success(), "{rule}: {}", said(&output));
        let login = format!("acme/person-{number}");
        let add = ["user", "add", &login, "--role", "it", "--password-stdin"];
        let add = |password: &str| {
            let typed = format!("{}\n", password.replace("{year}", &year));
            world.run_with_input(&add, &typed)
        };
        let output = add(refused);
        assert_eq!(output.status.code(), Some(1), "{rule}: {}", said(&output));
        assert!(said(&output).contains(why), "{rule}: {}", said(&output));
        let output = add(taken);
        assert!(output.status.success(), "{rule}: {}", said(&output));
    }
}

/// Near to the old one, with a year that the organisation does not want: both are said at once, with whose rule it is.
#[test]
fn b2_promise_the_page_says_what_is_missing_and_whose_rule_it_is() {
    let upstream = Recorder::start();
    let route = Route {
        host: "echo.localhost",
        path: "/",
        to: &upstream,
        more: "allow = \"everyone\"",
    };
    let rules = "\n[password]\nchanges_min = 4\ntenant = { acme = { years = true } }\n";
    let world = World::configured(&[route], |text| text + rules);
    let person = world.facts.with_role("rh").clone();
    let mut visitor = world.visitor();
    let answer = visitor.sign_in(&world.portal(), &person.full_login(), &person.password);
    assert_eq!(answer.status, 200, "{}", answer.everything());
    let url = format!("https://{}/.octroi/account/password", world.portal());
    let page = visitor.visit(&url);
    let shown = page.response.text();
    for sentence in [
        "At least 15 characters.",
        "Quite another one than the current.",
        "or a recent year. Set by your organisation.",
    ] {
        assert!(shown.contains(sentence), "{sentence}: {shown}");
    }
    let form = Form::on(&page, "/.octroi/account/password").without("repeat");
    let change = |new: &str, visitor: &mut Visitor| {
        let form = form.clone().with("current", &person.password);
        form.with("new", new).submit(visitor)
    };
    let near = format!("{} {}", person.password, this_year(&world));
    let refused = change(&near, &mut visitor.clone());
    assert_eq!(refused.response.status, 422);
    let shown = refused.response.text();
    for sentence in [
        "It is too close to the old one. Change more of it.",
        "It contains a recent year. Remove it. Set by your organisation.",
    ] {
        assert!(shown.contains(sentence), "{sentence}: {shown}");
    }
    assert!(!shown.contains(&near), "a password is never shown");
    let done = change("trois barques au matin calme", &mut visitor);
    assert_eq!(done.response.status, 303, "{}", done.response.everything());
}

/// What a security team shows to whoever asks: the rules, whose each is, and which clauses they meet.
#[test]
fn b2_promise_the_texts_that_the_rules_meet_are_computed() {
    let upstream = Recorder::start();
    let world = World::for_everyone("echo.localhost", &upstream);
    let result = |shown: &Value, id: &str| {
        let clauses = shown["clauses"].as_array().expect("clauses").iter();
        let found: Vec<&Value> = clauses.filter(|clause| clause["id"] == id).collect();
        assert_eq!(found.len(), 1, "{id}: {shown}");
        found[0]["result"].as_str().expect("a result").to_owned()
    };
    let shown = world.run_json(&["policy", "show"]);
    assert_eq!(shown["rules"][0]["text"], "at least 15 characters");
    assert_eq!(shown["rules"][0]["of"], "base");
    for id in [
        "cnil-case-2",
        "anssi-length",
        "nist-length",
        "asvs-top-3000",
    ] {
        assert_eq!(result(&shown, id), "met", "{id}");
    }
    // No count of consecutive failures closes a password in this version, and none is claimed.
    assert_eq!(result(&shown, "nist-throttle"), "not met");
    assert_eq!(result(&shown, "cnil-renewal-privileged"), "not applicable");
    let rules =
        "\n[password]\nlength_min = 8\nclasses_min = 3\n[password.role.it]\nlength_min = 20\n";
    let before = std::fs::read_to_string(world.config()).expect("the configuration");
    std::fs::write(world.config(), before + rules).expect("the configuration");
    let shown = world.run_json(&["policy", "show"]);
    assert_eq!(result(&shown, "nist-length"), "not met");
    assert_eq!(result(&shown, "nist-composition"), "goes against");
    let shown = world.run_json(&["policy", "show", "--role", "it", "--privileged"]);
    assert_eq!(shown["rules"][0]["of"], "role it");
    assert_eq!(shown["rules"][0]["text"], "at least 20 characters");
    assert_eq!(result(&shown, "cnil-renewal-privileged"), "not met");
    let output = world.run(&["policy", "show"]);
    let text = said(&output);
    for words in [
        "length_min     base           at least 8 characters",
        "not met        NIST SP 800-63B-4   3.1.1.2 (1) (8, asked: 15 characters)",
        "goes against   OWASP ASVS 5.0, L1  6.2.5; would meet it: without `classes`",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn b2_promise_one_password_is_held_against_the_rules_and_shown_nowhere() {
    let upstream = Recorder::start();
    let world = World::for_everyone("echo.localhost", &upstream);
    let attempt = |password: &str, more: &[&str]| {
        let arguments = [&["policy", "try", "--password-stdin"], more].concat();
        world.run_with_input(&arguments, &format!("{password}\n"))
    };
    for (password, why) in [
        ("marie14juillet1989", "guesses, and 10^10.0 are needed"),
        (
            "gwenaelle03septembre1992",
            "guesses, and 10^10.0 are needed",
        ),
        ("motdepasse123456789", "everybody tries first"),
        ("tisane", "9 characters short of 15"),
        ("", "it is empty"),
    ] {
        let output = attempt(password, &[]);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(1), "{password}: {text}");
        assert!(text.contains(why), "{password}: {text}");
        assert!(password.len() < 10 || !text.contains(password), "{text}");
        assert!(!world.log().contains("policy try"), "nobody is told");
    }
    let output = attempt("agrafe bougie lavoir", &[]);
    assert!(output.status.success(), "{}", said(&output));
    let output = attempt("agrafe bougie lavoir", &["--login", "bougie"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("it holds the login"));
}

/// The year, as the gateway has it.
fn this_year(world: &World) -> String {
    let page = world
        .visitor()
        .visit(&format!("https://{}/", world.portal()));
    let date = page.response.first("date").expect("a date").to_owned();
    let year = date.split(' ').nth(3);
    year.expect("Wed, 25 Nov 2026 12:00:00 GMT").to_owned()
}
