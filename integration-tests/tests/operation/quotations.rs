//! What the manuals quote of the program is what the program says: messages in the table of troubles, members of an
//! access line, reasons, and kinds of journal lines.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use octroi_integration_tests::binary;

fn read(name: &str) -> String {
    fs::read_to_string(binary::workspace().join(name))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The source of the program without its tests and comments; a text that goes on in the next line is one.
fn source() -> String {
    let mut text = String::new();
    for package in ["gateway", "config", "certs", "policy"] {
        gather(&binary::workspace().join(package).join("src"), &mut text);
    }
    text
}

fn gather(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        let stem = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or_default();
        if stem == "tests" || stem == "testing" {
            continue;
        }
        if path.is_dir() {
            gather(&path, text);
        } else if path.extension().is_some_and(|end| end == "rs") {
            join(&fs::read_to_string(&path).expect("a source"), text);
        }
    }
}

fn join(file: &str, text: &mut String) {
    let lines = file.lines().map(str::trim);
    for line in lines.filter(|line| !line.starts_with("//")) {
        let (begun, end) = match line.strip_suffix('\\') {
            Some(begun) => (begun, ""),
            None => (line, "\n"),
        };
        text.push_str(begun);
        text.push_str(end);
    }
}

/// What stands between backquotes, outside of blocks.
fn quoted(page: &str) -> impl Iterator<Item = &str> {
    let prose = page.split("```").step_by(2);
    prose.flat_map(|prose| prose.split('`').skip(1).step_by(2))
}

/// Whoever searches the manual for the message that stands on the screen must find it.
#[test]
fn every_message_that_the_manual_of_operation_quotes_is_one_that_the_program_prints() {
    let source = source();
    let page = read("docs/ops/operate.md");
    let mut looked_for = 0;
    for message in quoted(&page) {
        let is_message = message.split(' ').count() >= 3 && !message.starts_with("octroi ");
        if !is_message {
            continue;
        }
        for piece in message
            .split('…')
            .map(|piece| piece.trim().trim_end_matches(':'))
        {
            assert!(
                piece.is_empty() || source.contains(piece),
                "the program nowhere says `{piece}` of `{message}`"
            );
        }
        looked_for += 1;
    }
    assert!(looked_for >= 14, "{looked_for} messages only");
}

/// Words in backquotes in the rows of the table below a heading.
fn words_of_table<'a>(page: &'a str, below: &str) -> BTreeSet<&'a str> {
    let (_, rest) = page
        .split_once(below)
        .unwrap_or_else(|| panic!("no {below}"));
    let rows = rest.lines().skip_while(|line| !line.starts_with('|'));
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.skip(2)
        .flat_map(|row| row.split('`').skip(1).step_by(2))
        .collect()
}

#[test]
fn the_page_on_logs_names_every_kind_of_journal_line_and_no_other() {
    let page = read("docs/LOGGING.md");
    let words = read("gateway/src/journal/words.rs");
    let written = |name: &str| -> BTreeSet<String> {
        let (_, list) = words.split_once(&format!("{name} {{")).expect("a list");
        let list = list.split("\n    }").next().expect("its end");
        let values = list.lines().filter_map(|line| line.split_once(" = \""));
        values
            .map(|(_, value)| value.trim_end_matches("\",").to_owned())
            .collect()
    };
    let named: BTreeSet<String> = words_of_table(&page, "## The journal")
        .into_iter()
        .map(str::to_owned)
        .collect();
    assert!(named.len() > 20);
    assert_eq!(named, written("EventKind"));

    let (_, reasons) = page
        .split_once("Why a sign-in failed (`reason`):")
        .expect("the reasons");
    let reasons = reasons.split(". ").next().expect("their end");
    let named: BTreeSet<String> = reasons
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    assert_eq!(named, written("SignInFailure"));
}

#[test]
fn the_page_on_logs_names_every_member_of_an_access_line_and_every_reason() {
    let page = read("docs/LOGGING.md");
    let written = read("gateway/src/proxy/access_log.rs");
    let (_, writer) = written.split_once("fn write_into").expect("the writer");
    let writer = writer.split("\n    }").next().expect("its end");
    let members: BTreeSet<&str> = writer.split("\\\"").skip(1).step_by(2).collect();
    let rows = words_of_first_column(&page, "## An access line");
    assert!(members.len() > 15);
    assert_eq!(rows, members);

    // The reasons of refusals, from the table that words them and from what judges sessions.
    let named = words_of_table(&page, "`refused` is one of these:");
    let table = read("gateway/src/proxy/refusal.rs");
    let of_table = table.lines().filter_map(|line| {
        let word = line.trim().strip_prefix('"')?.strip_suffix("\",")?;
        word.chars()
            .all(|letter| letter.is_ascii_lowercase() || letter == '_')
            .then_some(word)
    });
    let sessions = read("policy/src/session.rs");
    let of_sessions = sessions.lines().filter_map(|line| {
        line.split_once("=> \"session_")
            .map(|(_, word)| word.trim_end_matches("\","))
    });
    let mut known: BTreeSet<String> = of_table.map(str::to_owned).collect();
    known.extend(of_sessions.map(|word| format!("session_{word}")));
    // `sign_in` makes rows of its own of these two.
    known.extend(["sign_in_needed", "stronger_sign_in_needed"].map(str::to_owned));
    assert!(
        table.contains("sign_in(\"sign_in_needed\")")
            && table.contains("sign_in(\"stronger_sign_in_needed\")")
    );
    let malformed = read("policy/src/request/malformed.rs");
    let (examples, named): (BTreeSet<&str>, BTreeSet<&str>) = named
        .into_iter()
        .partition(|word| word.starts_with("request_"));
    for example in examples {
        let is_known = malformed.contains(&format!("\"{example}\""));
        assert!(is_known || example == "request_…", "{example}");
    }
    let named: BTreeSet<String> = named
        .into_iter()
        .filter(|word| *word != "refused")
        .map(str::to_owned)
        .collect();
    assert_eq!(named, known);
}

/// Words in backquotes in the first column of the table below a heading.
fn words_of_first_column<'a>(page: &'a str, below: &str) -> BTreeSet<&'a str> {
    let (_, rest) = page
        .split_once(below)
        .unwrap_or_else(|| panic!("no {below}"));
    let rows = rest.lines().skip_while(|line| !line.starts_with('|'));
    let rows = rows.take_while(|line| line.starts_with('|')).skip(2);
    rows.filter_map(|row| row.split('|').nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect()
}
