//! Rules of the repository that no compiler checks: size, shape, direction of imports, honesty of the tree.
//! Each failure names the file, the line and what to do about it.
#![expect(
    clippy::expect_used,
    reason = "a broken rule ends the test with its reason"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Longest source file, counted without its inline tests.
const SOURCE_LINES_MAX: usize = 500;
/// Longest file of tests.
const TEST_FILE_LINES_MAX: usize = 900;
/// Longest inline test module; a longer one moves to `foo/tests.rs`.
const INLINE_TEST_LINES_MAX: usize = 80;

#[test]
fn source_files_stay_within_their_budget() {
    check(|file, problems| {
        let (source, inline) = split_inline_tests(&file.text);
        let limit = if file.is_test() {
            TEST_FILE_LINES_MAX
        } else {
            SOURCE_LINES_MAX
        };
        if source > limit {
            problems.push(format!(
                "{}: {source} lines, at most {limit}: split it by meaning",
                file.name
            ));
        }
        if inline > INLINE_TEST_LINES_MAX {
            problems.push(format!(
                "{}: {inline} lines of inline tests, at most {INLINE_TEST_LINES_MAX}: move them to {}",
                file.name,
                file.name.replace(".rs", "/tests.rs"),
            ));
        }
    });
}

#[test]
fn each_source_file_says_its_purpose_first() {
    check(|file, problems| {
        if !file.text.starts_with("//! ") {
            problems.push(format!(
                "{}: the first line must be `//!` and say what the file is for",
                file.name
            ));
        }
    });
}

#[test]
fn modules_are_named_after_their_file() {
    check(|file, problems| {
        if file.name.ends_with("/mod.rs") {
            problems.push(format!(
                "{}: write `foo.rs` beside `foo/`, so that each tab has a name",
                file.name
            ));
        }
    });
}

#[test]
fn nothing_is_ignored_unfinished_or_silenced() {
    let words = [
        ("#[ignore", "a test runs or is deleted"),
        (
            concat!("TO", "DO"),
            "finish it, or write down in docs/ what is not built",
        ),
        (concat!("FIX", "ME"), "mend it"),
        (concat!("todo", "!("), "return an honest error"),
        (concat!("unimplemented", "!("), "return an honest error"),
        (
            concat!("#[allow", "("),
            "write #[expect(lint, reason = \"…\")]",
        ),
        (
            concat!("#![allow", "("),
            "write #![expect(lint, reason = \"…\")]",
        ),
        (concat!("should", "_panic"), "assert on the error instead"),
    ];
    check(|file, problems| forbid(file, &words, problems));
}

#[test]
fn the_tree_speaks_of_the_product_only() {
    let words = [
        (concat!("/wo", "rk/"), "no path of one machine"),
        (concat!("/ro", "ot/"), "no path of one machine"),
        (concat!("clau", "de"), "the product only"),
        (concat!("anthro", "pic"), "the product only"),
        (concat!("language ", "model"), "the product only"),
    ];
    let mut problems = Vec::new();
    for file in files(&[
        "rs", "md", "toml", "sh", "mjs", "html", "ftl", "css", "js", "yaml", "service", "sql",
    ]) {
        forbid(&file, &words, &mut problems);
    }
    report(&problems);
}

#[test]
fn imports_point_one_way() {
    check(|file, problems| {
        for (folder, words, reason) in &DIRECTIONS {
            if file.is_in(folder) && !file.is_test() {
                forbid_in_source(file, words, reason, problems);
            }
        }
    });
}

/// The same facts give the same verdict, always: `policy` can neither ask nor tell anybody anything.
#[test]
fn invariant_4_policy_reads_no_clock_no_randomness_and_nothing_outside() {
    let mut read = 0;
    for file in files(&["rs"])
        .iter()
        .filter(|file| file.is_in("policy/src/"))
    {
        let mut problems = Vec::new();
        let words = [
            "SystemTime",
            "Instant",
            "std::io",
            "std::process",
            "std::thread",
            "Tcp",
            "Udp",
            "ToSocketAddrs",
            "rand::",
            "getrandom",
            "unsafe",
        ];
        if !file.is_test() {
            forbid_in_source(file, &words, "take it as an argument", &mut problems);
            read += 1;
        }
        report(&problems);
    }
    assert!(read > 10, "the folder has moved");
    // What could do it for them is no dependency.
    let manifest = fs::read_to_string(root().join("policy/Cargo.toml")).expect("a manifest");
    let listed = manifest
        .split("[dependencies]\n")
        .nth(1)
        .unwrap_or_default();
    let names: Vec<&str> = listed
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split(' ').next())
        .collect();
    let pure = [
        "fst",
        "http",
        "ipnet",
        "thiserror",
        "unicode-normalization",
        "zeroize",
    ];
    assert_eq!(names, pure, "policy depends on nothing that does I/O");
}

#[test]
fn concrete_stores_are_named_by_the_composition_root_only() {
    let words = [
        "store::sqlite",
        "store::memory",
        "store::postgres",
        "store::redis",
    ];
    check(|file, problems| {
        let outside = file.is_in("gateway/src/")
            && !file.is_in("gateway/src/store")
            && !file.is_in("gateway/src/app");
        if outside && !file.is_test() {
            forbid_in_source(
                file,
                &words,
                "take the trait as an argument; app.rs names the adapter",
                problems,
            );
        }
    });
}

#[test]
fn files_and_environment_are_read_at_the_edges_only() {
    check(|file, problems| {
        let pure = [
            "policy/src/",
            "gateway/src/proxy",
            "gateway/src/portal",
            "gateway/src/identity",
            "gateway/src/assertion",
        ];
        if pure.iter().any(|folder| file.is_in(folder)) && !file.is_test() {
            forbid_in_source(
                file,
                &[
                    "std::fs",
                    "tokio::fs",
                    "fs::read",
                    // Methods that open a file by themselves.
                    "pem_file",
                    ".exists()",
                    ".canonicalize()",
                    ".read_dir()",
                ],
                "files are read by config, certs, keyring and stores",
                problems,
            );
        }
        let reads_environment = [
            "config/src/",
            "gateway/src/cli",
            "gateway/src/main",
            "gateway/src/lifecycle",
            "gateway/src/app",
            // Test builds alone have these points.
            "gateway/src/store/fail_point",
            "gateway/src/demo",
            "gateway/src/telemetry",
        ];
        let ours = file.is_in("gateway/src/") || file.is_in("certs/src/");
        if ours && !reads_environment.iter().any(|folder| file.is_in(folder)) && !file.is_test() {
            forbid_in_source(
                file,
                &["env::var", "env::args"],
                "the environment is read once, by config and the command line",
                problems,
            );
        }
    });
}

/// What is not counted could differ between a login that exists and one that does not, and no test
/// would see it (attack class C5).
#[test]
fn every_statement_of_a_command_of_the_store_is_counted() {
    let place = "gateway/src/store/sqlite/statements.rs";
    let ways = [
        "query",
        "query_as",
        "query_scalar",
        "query_with",
        "raw_sql",
        "Executor",
        "QueryBuilder",
    ];
    // What runs at the start alone; pragmas; the search of the journal by an operator.
    let exceptions = [
        ("gateway/src/store/sqlite/open.rs", "query_scalar"),
        ("gateway/src/store/sqlite/traces.rs", "query_as"),
        ("gateway/src/store/sqlite/traces.rs", "raw_sql"),
        ("gateway/src/store/sqlite/journal.rs", "QueryBuilder"),
    ];
    let used = std::cell::RefCell::new(Vec::new());
    check(|file, problems| {
        let is_adapter = file.is_in("gateway/src/store/sqlite");
        if !is_adapter || file.is_test() || file.name == place {
            return;
        }
        for way in taken_from_sqlx(&file.text).filter(|word| ways.contains(word)) {
            let exception = exceptions.iter().find(|it| **it == (&*file.name, way));
            used.borrow_mut().extend(exception);
            if exception.is_none() {
                problems.push(format!(
                    "{}: `{way}` of sqlx: run it by statements.rs, which counts it",
                    file.name
                ));
            }
        }
    });
    for exception in &exceptions {
        assert!(
            used.borrow().contains(&exception),
            "{exception:?} is not needed"
        );
    }
}

/// The words that stand behind `sqlx::`, by itself or in what is imported from it.
fn taken_from_sqlx(text: &str) -> impl Iterator<Item = &str> {
    text.split("sqlx::").skip(1).flat_map(|rest| {
        let end = match rest.strip_prefix('{') {
            Some(_) => rest.find(';'),
            None => rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_'),
        };
        let taken = rest.split_at(end.unwrap_or(rest.len())).0;
        taken.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
    })
}

#[test]
fn what_is_taken_from_sqlx_is_read_in_every_spelling() {
    let text = "use sqlx::{\n    Row as _,\n    query_as,\n};\nsqlx::raw_sql(sql); query(sql)";
    let taken: Vec<&str> = taken_from_sqlx(text)
        .filter(|word| !word.is_empty())
        .collect();
    assert_eq!(taken, ["Row", "as", "_", "query_as", "raw_sql"]);
}

#[test]
fn only_the_command_line_prints() {
    check(|file, problems| {
        let product = file.is_in("gateway/src/")
            || file.is_in("policy/src/")
            || file.is_in("config/src/")
            || file.is_in("certs/src/");
        if product && !file.is_test() && file.name != "gateway/src/cli/output.rs" {
            forbid_in_source(
                file,
                &["println!(", "eprintln!(", "print!("],
                "say it through cli/output.rs, or log it",
                problems,
            );
        }
    });
}

#[test]
fn invariant_6_secrets_are_compared_in_one_place() {
    check(|file, problems| {
        let product = file.is_in("gateway/src/")
            || file.is_in("policy/src/")
            || file.is_in("config/src/")
            || file.is_in("certs/src/");
        if product && file.name != "gateway/src/constant_time.rs" {
            forbid_in_source(
                file,
                &["verify_slices_are_equal", "ct_eq(", "subtle::"],
                "compare secrets with constant_time::are_equal",
                problems,
            );
        }
    });
    // Whoever has two secrets to compare does it there: `==` in its place would be seen by nothing else.
    for name in [
        "gateway/src/identity/password_hash.rs",
        "gateway/src/identity/passwords/judging.rs",
        "gateway/src/journal/chain.rs",
        "gateway/src/keyring.rs",
        "gateway/src/store/memory/sessions.rs",
    ] {
        let text = fs::read_to_string(root().join(name)).unwrap_or_default();
        let (source, _) = split_inline_tests(&text);
        let compares = text
            .lines()
            .take(source)
            .any(|line| line.contains("are_equal(") && !line.trim_start().starts_with("//"));
        assert!(
            compares,
            "{name}: compares secrets with are_equal, or is gone from this list"
        );
    }
}

/// What wipes itself is a secret, and no type that holds nothing else can be compared by `==`.
#[test]
fn invariant_6_secrets_have_no_comparison_of_their_own() {
    let mut seen = 0;
    check_counting(&mut seen, |file, problems| {
        let lines: Vec<&str> = file.text.lines().collect();
        let mut found = 0;
        for (number, line) in lines.iter().enumerate() {
            let holds_a_secret = line.contains("struct ") && line.contains("(Zeroizing<");
            if !holds_a_secret || file.is_test() {
                continue;
            }
            found += 1;
            let above = lines.iter().take(number).rev();
            let derives = above.take_while(|line| line.trim_start().starts_with("#["));
            if derives.into_iter().any(|line| line.contains("PartialEq")) {
                problems.push(format!("{}:{}: no `==` on a secret", file.name, number + 1));
            }
        }
        found
    });
    assert!(
        seen >= 4,
        "{seen} types of secrets: they are written in another way now"
    );
}

/// A setting that reaches no test outside the reader of the file may be a constant, or be taken for another one.
#[test]
fn each_key_of_the_configuration_is_set_in_a_test_of_what_it_does() {
    let sources = files(&["rs", "mjs"]);
    let written: Vec<String> = sources
        .iter()
        .filter_map(|file| {
            let is_harness = file.name.ends_with("/repo_tidy.rs") || file.is_in("config/");
            let is_whole = file.is_test() || file.name.ends_with("/testing.rs");
            let lines: Vec<&str> = match split_inline_tests(&file.text) {
                _ if is_harness => return None,
                _ if is_whole => file.text.lines().collect(),
                (source, _) => file.text.lines().skip(source).collect(),
            };
            Some(lines.join("\n").replace("\\n", "\n"))
        })
        .collect();
    let reference = fs::read_to_string(root().join("docs/reference/configuration.md"));
    let reference = reference.expect("the reference");
    let keys: Vec<&str> = reference
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .map(|(key, _)| key)
        .collect();
    assert!(keys.len() > 80, "only {} keys were found", keys.len());
    let is_set = |key: &str| written.iter().any(|text| sets(text, key));
    let missing: Vec<_> = keys.iter().filter(|key| !is_set(key)).copied().collect();
    assert_eq!(missing, SET_IN_NO_TEST, "keys, and those that are excepted");
}

/// Whether a text has `key =`, as the file has it.
fn sets(text: &str, key: &str) -> bool {
    let ends_word =
        |before: &str| !before.ends_with(|last: char| last.is_alphanumeric() || last == '_');
    text.match_indices(key).any(|(at, _)| {
        let (before, after) = text.split_at(at);
        let after = after.get(key.len()..).unwrap_or_default().trim_start();
        ends_word(before) && after.starts_with('=') && !after.starts_with("==")
    })
}

/// `keep_reason` does nothing but be there: the reader asks for it, and its tests hold that.
const SET_IN_NO_TEST: [&str; 1] = ["keep_reason"];

#[test]
fn invariant_6_passwords_are_held_by_what_wipes_them() {
    check(|file, problems| {
        // Known to everybody who can read the directory of the demo.
        let is_meant = file.is_in("gateway/src/") && !file.is_in("gateway/src/demo");
        if is_meant && !file.is_test() {
            let plain = ["String", "Option<String>"];
            let names = ["password", "current", "new", "repeat"];
            let fields = names.iter().flat_map(|name| {
                plain.map(|kind| [format!(" {name}: {kind},"), format!("({name}: {kind}")])
            });
            let fields: Vec<String> = fields.flatten().collect();
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            let reason = "a password is a `TypedPassword` or a `HandedPassword`";
            forbid_in_source(file, &fields, reason, problems);
        }
    });
}

#[test]
fn each_member_takes_the_lints_of_the_workspace() {
    let root = fs::read_to_string(root().join("Cargo.toml")).expect("the root manifest");
    let members = root
        .split("members = [")
        .nth(1)
        .and_then(|rest| rest.split(']').next())
        .expect("a member list");
    let mut seen = 0;
    for member in members
        .split(',')
        .map(|name| name.trim().trim_matches('"'))
        .filter(|name| !name.is_empty())
    {
        let manifest = fs::read_to_string(self::root().join(member).join("Cargo.toml"))
            .expect("a member's manifest");
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{member}/Cargo.toml: add `[lints]` with `workspace = true`"
        );
        let pinned_here = manifest
            .lines()
            .skip_while(|line| !line.starts_with("[dependencies]"))
            .find(|line| line.contains("version = \"") || line.contains(" = \""));
        assert_eq!(
            pinned_here, None,
            "{member}/Cargo.toml: versions are pinned once, in the root manifest"
        );
        seen += 1;
    }
    assert_eq!(seen, 5, "five crates, none added without a decision record");
}

#[test]
fn one_tls_stack_and_one_source_of_cryptography() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("the lock file");
    for banned in [
        "openssl",
        "openssl-sys",
        "native-tls",
        "boring",
        "boring-sys",
        "s2n-tls",
        "rsa",
        "aes-gcm",
    ] {
        assert!(
            !lock.contains(&format!("\nname = \"{banned}\"\n")),
            "Cargo.lock: {banned} came in; deny.toml says why it must not"
        );
    }
}

#[test]
fn decision_records_have_a_number_of_their_own() {
    let folder = root().join("docs/adr");
    let mut numbers: Vec<String> = fs::read_dir(&folder)
        .map(|entries| {
            entries
                .filter_map(Result::ok)
                .filter_map(|entry| entry.file_name().into_string().ok())
                .collect()
        })
        .unwrap_or_default();
    numbers.retain(|name| {
        Path::new(name).extension().is_some_and(|end| end == "md") && name != "README.md"
    });
    numbers.sort();
    let list = fs::read_to_string(folder.join("README.md")).unwrap_or_default();
    let mut last = String::new();
    for name in numbers {
        let number: String = name.chars().take_while(char::is_ascii_digit).collect();
        assert_eq!(
            number.len(),
            4,
            "docs/adr/{name}: begin with four digits, as in 0012-title.md"
        );
        assert_ne!(number, last, "docs/adr/{name}: this number is taken");
        assert!(
            list.contains(&format!("]({name})")),
            "docs/adr/README.md does not list {name}"
        );
        last = number;
    }
}

#[test]
fn the_manual_lists_the_attack_classes_that_tests_are_named_after_and_no_others() {
    let id = |text: &str| {
        let digits: String = text
            .chars()
            .skip(1)
            .take_while(char::is_ascii_digit)
            .collect();
        let letter = text
            .chars()
            .next()
            .filter(|letter| matches!(letter, 'a'..='d'));
        letter
            .filter(|_| !digits.is_empty())
            .map(|letter| (letter, digits))
    };
    let mut tested = BTreeSet::new();
    for file in files(&["rs"]) {
        for name in file.text.split("fn ").skip(1) {
            // A test of several classes bears all their ids: a11_a12_….
            let ids = name.split('_').map_while(id).count();
            let is_promise = name.split('_').nth(ids) == Some("promise");
            tested.extend(
                name.split('_')
                    .take(if is_promise { 0 } else { ids })
                    .filter_map(id),
            );
        }
    }
    let manual = fs::read_to_string(root().join("docs/security-team/attack-classes.md"));
    let manual = manual.expect("the classes").to_lowercase();
    let listed = manual
        .lines()
        .filter_map(|line| id(line.strip_prefix("| ")?))
        .collect();
    assert_eq!(tested, listed, "docs/security-team/attack-classes.md");
}

#[test]
fn the_front_matter_of_the_repository_is_there() {
    for name in [
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "LICENSE",
        "ARCHITECTURE.md",
        "Dockerfile",
        "docs/adr/README.md",
        "Cargo.lock",
        "deny.toml",
        "dev",
        ".ci/run",
    ] {
        let text = fs::read_to_string(root().join(name)).unwrap_or_default();
        assert!(text.len() > 40, "{name} is missing or empty");
    }
    let ci = fs::read_to_string(root().join(".ci/run")).expect(".ci/run");
    assert!(
        ci.lines().any(|line| line.ends_with("exec ./dev test")),
        ".ci/run runs what a developer runs: ./dev test"
    );
    let toolchain = fs::read_to_string(root().join("rust-toolchain.toml")).unwrap_or_default();
    assert!(
        toolchain.contains("\nchannel = \"stable\"\n"),
        "rust-toolchain.toml: the stable channel, no nightly"
    );
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the root manifest");
    for line in [
        "rust-version = \"",
        "[profile.dev]",
        "[profile.demo]",
        "[profile.release]",
    ] {
        let is_there = manifest.lines().any(|one| one.starts_with(line));
        assert!(is_there, "Cargo.toml: no line begins with `{line}`");
    }
}

/// The product is driven from outside, as the real binary: no test here can reach past what a client reaches.
#[test]
fn the_integration_tests_depend_on_no_crate_of_ours() {
    let manifest = root().join("integration-tests/Cargo.toml");
    let text = fs::read_to_string(manifest).expect("a manifest");
    let (_, listed) = text.split_once("[dependencies]\n").expect("dependencies");
    let ours = ["octroi", "policy", "config", "certs", "gateway", "path ="];
    let found: Vec<&str> = listed
        .lines()
        .filter(|line| ours.iter().any(|name| line.contains(name)))
        .collect();
    assert!(found.is_empty(), "integration-tests/Cargo.toml: {found:?}");
    assert!(listed.lines().count() >= 4, "the list has moved");
}

/// One text file of the repository, named relative to its root.
struct SourceFile {
    name: String,
    text: String,
}

impl SourceFile {
    fn is_in(&self, prefix: &str) -> bool {
        self.name.starts_with(prefix)
    }

    fn is_test(&self) -> bool {
        self.name.ends_with("/tests.rs")
            || self.name.contains("/tests/")
            || self.name.starts_with("integration-tests/")
            || self.name.ends_with("_tests.rs")
            || self.name.contains("/store/contract")
    }
}

fn check(rule: impl Fn(&SourceFile, &mut Vec<String>)) {
    check_counting(&mut 0, |file, problems| {
        rule(file, problems);
        0
    });
}

/// The same, and adds up what the rule found to look at.
fn check_counting(seen: &mut usize, rule: impl Fn(&SourceFile, &mut Vec<String>) -> usize) {
    let sources = files(&["rs"]);
    assert!(
        sources.len() > 20,
        "the rules looked at {} files only",
        sources.len()
    );
    let mut problems = Vec::new();
    for file in &sources {
        *seen += rule(file, &mut problems);
    }
    report(&problems);
}

fn report(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

fn forbid(file: &SourceFile, words: &[(&str, &str)], problems: &mut Vec<String>) {
    if file.name == "integration-tests/tests/repo_tidy.rs" {
        return;
    }
    for (number, line) in file.text.lines().enumerate() {
        for (word, remedy) in words {
            if line.to_lowercase().contains(&word.to_lowercase()) && names_it(line, word) {
                problems.push(format!("{}:{}: `{word}`: {remedy}", file.name, number + 1));
            }
        }
    }
}

/// Words in capitals are meant in capitals; all others in any case.
fn names_it(line: &str, word: &str) -> bool {
    !word.chars().all(|letter| letter.is_ascii_uppercase()) || line.contains(word)
}

fn forbid_in_source(file: &SourceFile, words: &[&str], reason: &str, problems: &mut Vec<String>) {
    let (source, _) = split_inline_tests(&file.text);
    for (number, line) in file.text.lines().take(source).enumerate() {
        // The trait of error pages is the proxy's: whoever writes them has to name it.
        let code = line
            .split("//")
            .next()
            .unwrap_or_default()
            .replace("crate::proxy::refusal", "");
        for word in words {
            if code.contains(word) {
                problems.push(format!("{}:{}: `{word}`: {reason}", file.name, number + 1));
            }
        }
    }
}

/// Lines of source, and lines of the inline test module that ends the file, if there is one.
fn split_inline_tests(text: &str) -> (usize, usize) {
    let lines: Vec<&str> = text.lines().collect();
    let start = lines.windows(2).position(|pair| match pair {
        [mark, module] => {
            mark.trim() == "#[cfg(test)]" && module.starts_with("mod ") && module.ends_with('{')
        }
        _ => false,
    });
    start.map_or((lines.len(), 0), |at| (at, lines.len() - at))
}

fn files(endings: &[&str]) -> Vec<SourceFile> {
    let mut found = Vec::new();
    collect(&root(), endings, &mut found);
    found
}

fn collect(folder: &Path, endings: &[&str], found: &mut Vec<SourceFile>) {
    for entry in fs::read_dir(folder)
        .expect("a folder of the repository")
        .filter_map(Result::ok)
    {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.')
                && name != "target"
                && name != "node_modules"
                && name != "octroi-demo"
            {
                collect(&path, endings, found);
            }
        } else if path
            .extension()
            .is_some_and(|end| endings.contains(&end.to_string_lossy().as_ref()))
        {
            let relative = path
                .strip_prefix(root())
                .expect("inside the repository")
                .to_string_lossy()
                .into_owned();
            let text = fs::read_to_string(&path).expect("a text file");
            found.push(SourceFile {
                name: relative,
                text,
            });
        }
    }
}

fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent()
        .expect("a workspace around this crate")
        .to_path_buf()
}

/// Folder, what it must not name, and why.
const DIRECTIONS: [(&str, &[&str], &str); 8] = [
    (
        "policy/src/",
        &[
            "tokio",
            "serde",
            "std::fs",
            "std::env",
            "getrandom",
            "tracing",
            "octroi_config",
        ],
        "policy is pure: facts and `now` in, verdict out",
    ),
    (
        "config/src/",
        &["tokio", "pingora", "sqlx", "axum", "octroi_certs"],
        "config reads a file and proves it; it runs nothing",
    ),
    (
        "certs/src/",
        &["octroi_policy", "octroi_config", "pingora", "axum", "sqlx"],
        "certs depends on nothing of ours",
    ),
    (
        "gateway/src/proxy",
        &[
            "sqlx",
            "askama",
            "crate::portal::pages",
            "crate::store::sqlite",
        ],
        "the proxy never sees SQL or HTML",
    ),
    (
        "gateway/src/portal",
        &["pingora", "sqlx", "crate::proxy", "crate::store::"],
        "pages know identity, never the proxy or a store",
    ),
    (
        "gateway/src/admin",
        &["pingora", "sqlx", "crate::proxy", "askama"],
        "the admin API knows identity and journal only",
    ),
    (
        "gateway/src/identity",
        &[
            "pingora",
            "axum",
            "askama",
            "sqlx",
            "crate::portal",
            "crate::proxy",
            "crate::admin",
        ],
        "identity stands below proxy, portal and admin",
    ),
    (
        "gateway/src/store",
        &[
            "pingora",
            "axum",
            "askama",
            "crate::portal",
            "crate::proxy",
            "crate::admin",
            "crate::identity",
        ],
        "stores are the lowest layer",
    ),
];
