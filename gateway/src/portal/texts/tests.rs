//! Both languages say the same things, in the typography of each.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

const SOURCES: [(Language, &str); 2] = [
    (
        Language::French,
        include_str!("../../../locales/fr/portal.ftl"),
    ),
    (
        Language::English,
        include_str!("../../../locales/en/portal.ftl"),
    ),
];

/// Each sentence's text and everything that continues it, by key.
fn sentences(source: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut current = None;
    for line in source.lines() {
        if let Some((key, text)) = line
            .split_once(" = ")
            .filter(|_| !line.starts_with([' ', '#']))
        {
            let again = found.insert(key.to_owned(), text.to_owned());
            assert_eq!(again, None, "{key} stands twice");
            current = Some(key.to_owned());
        } else if let Some(key) = &current
            && !line.starts_with('#')
        {
            let text = found.get_mut(key).unwrap();
            text.push('\n');
            text.push_str(line);
        }
    }
    found
}

/// The names that follow a `$`.
fn variables(text: &str) -> BTreeSet<String> {
    text.split('$')
        .skip(1)
        .map(|rest| {
            rest.chars()
                .take_while(char::is_ascii_alphanumeric)
                .collect()
        })
        .collect()
}

#[test]
fn invariant_10_every_sentence_exists_in_both_languages_with_the_same_variables() {
    let [french, english] = SOURCES.map(|(_, source)| sentences(source));
    assert!(french.len() > 100, "the locale file was not read");
    let shape = |texts: &BTreeMap<String, String>| -> BTreeMap<String, BTreeSet<String>> {
        texts
            .iter()
            .map(|(key, text)| (key.clone(), variables(text)))
            .collect()
    };
    assert_eq!(shape(&french), shape(&english));
}

#[test]
fn every_locale_file_is_read_whole() {
    for (language, source) in SOURCES {
        let errors = FluentResource::try_new(source.to_owned()).err();
        assert!(
            errors.is_none(),
            "{language:?}: {:?}",
            errors.map(|(_, list)| list)
        );
        for key in sentences(source).keys() {
            assert_ne!(Texts::of(language).get(key), *key);
        }
    }
}

#[test]
fn french_has_its_no_break_spaces() {
    for (key, text) in sentences(SOURCES[0].1) {
        let words = outside_placeables(&text);
        let signs: Vec<char> = words.chars().collect();
        for (position, sign) in signs.iter().enumerate() {
            let before = position.checked_sub(1).and_then(|at| signs.get(at));
            let after = signs.get(position + 1);
            let wanted = match sign {
                ';' | '!' | '?' | '%' => Some('\u{202f}'),
                ':' | '»' => Some('\u{a0}'),
                _ => None,
            };
            if let Some(space) = wanted {
                assert_eq!(before, Some(&space), "{key}: before {sign} in {words:?}");
            }
            if *sign == '«' {
                assert_eq!(after, Some(&'\u{a0}'), "{key}: after « in {words:?}");
            }
            assert!(!"'\"“”".contains(*sign), "{key}: {sign} in {words:?}");
        }
        assert!(
            !words.contains("..."),
            "{key}: three full stops for one sign"
        );
    }
}

#[test]
fn english_has_its_quotation_marks_and_no_french_spaces() {
    for (key, text) in sentences(SOURCES[1].1) {
        let words = outside_placeables(&text);
        for sign in ['\'', '"', '«', '»', '\u{202f}', '\u{a0}'] {
            assert!(!words.contains(sign), "{key}: {sign:?} in {words:?}");
        }
    }
}

#[test]
fn numbers_choose_singular_and_plural_as_the_language_does() {
    let [french, english] = Language::ALL.map(Texts::of);
    let refused = |texts: &Texts, n: u64| texts.with("attempts", "n", n);
    assert!(refused(french, 0).starts_with("0\u{a0}tentative a "));
    assert!(refused(french, 1).starts_with("1\u{a0}tentative a "));
    assert!(refused(french, 2).starts_with("2\u{a0}tentatives ont "));
    assert!(refused(english, 0).starts_with("0 attempts were "));
    assert!(refused(english, 1).starts_with("1 attempt was "));
    assert!(refused(english, 2).starts_with("2 attempts were "));
}

#[test]
fn a_sentence_opens_around_its_variable() {
    let texts = Texts::of(Language::English);
    let halves = texts.around("signin-context", "host");
    assert_eq!(halves, ("You are going to ".to_owned(), ".".to_owned()));
    let no_variable = texts.around("signin-title", "host");
    assert_eq!(no_variable, ("Sign in".to_owned(), String::new()));
}

#[test]
fn every_sentence_that_code_or_a_template_asks_for_exists_and_none_is_left_over() {
    let known = sentences(SOURCES[0].1);
    let mut asked = String::new();
    let crate_root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["templates", "src/portal"] {
        read_all(&crate_root.join(folder), &mut asked);
    }
    for call in [".get(\"", ".with(\"", ".fill(\"", ".around(\""] {
        for rest in asked.split(call).skip(1) {
            let key = rest.split('"').next().unwrap();
            assert!(
                known.contains_key(key),
                "{key} is asked for and is in no locale"
            );
        }
    }
    for key in known.keys() {
        let numbered = key.starts_with("month-");
        assert!(
            numbered || asked.contains(&format!("\"{key}\"")),
            "{key} is in the locales and nobody asks for it"
        );
    }
}

/// The words of a sentence without `{ … }`, and without the lines that only choose a plural.
fn outside_placeables(text: &str) -> String {
    let mut words = String::new();
    for line in text.lines() {
        let spoken = match line.trim_start() {
            choice if choice.starts_with('[') || choice.starts_with("*[") => {
                choice.split_once(']').map_or("", |(_, spoken)| spoken)
            }
            other => other,
        };
        let mut depth = 0_u32;
        for sign in spoken.chars() {
            match sign {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ if depth == 0 => words.push(sign),
                _ => {}
            }
        }
        words.push('\n');
    }
    words
}

fn read_all(folder: &std::path::Path, into: &mut String) {
    let entries = std::fs::read_dir(folder).unwrap();
    for path in entries.map(|entry| entry.unwrap().path()) {
        let is_test = path.file_stem().is_some_and(|name| name == "tests");
        if path.is_dir() && !is_test {
            read_all(&path, into);
        } else if !is_test && let Ok(text) = std::fs::read_to_string(&path) {
            into.push_str(&text);
        }
    }
}
