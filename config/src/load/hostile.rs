//! Whatever stands in a file, it is read or its problems are told: nothing panics, and nothing that
//! is refused is refused without a word.

use std::path::Path;

use proptest::{prelude::*, sample::Index};

use super::parse;
use crate::problem::{Place, Severity};

const EVERYTHING: &str = include_str!("../../examples/everything.toml");

/// Reads a text; where it is refused there is an error, and each problem lies within the text.
fn check(text: &str) -> Result<(), TestCaseError> {
    let Err(problems) = parse(text, Path::new("/f.toml")) else {
        return Ok(());
    };
    let errors = problems
        .0
        .iter()
        .filter(|problem| problem.severity == Severity::Error);
    prop_assert!(errors.count() > 0);
    let lines = text.split('\n').count();
    for problem in &problems.0 {
        if let Place::File { line, column, .. } = &problem.place {
            prop_assert!((1..=lines).contains(line) && *column >= 1, "{problem}");
        }
        prop_assert!(!problem.what.is_empty() && !problem.remedy.is_empty());
        prop_assert!(!problem.what.contains("failed to tell"), "{problem}");
    }
    Ok(())
}

fn any_value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("true".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned()),
        Just("[[], {}]".to_owned()),
        Just("1979-05-27".to_owned()),
        Just("-9223372036854775808".to_owned()),
        Just("0xffffffffffffffff".to_owned()),
        Just("nan".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        "[ -~é€]{0,12}".prop_map(|text| format!("{text:?}")),
        "[a-z:/.*\\[\\]0-9]{0,16}".prop_map(|text| format!("[{text:?}]")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused_with_a_reason(text in "\\PC{0,80}") {
        check(&text)?;
    }

    #[test]
    fn any_value_of_any_key_is_taken_or_refused_with_a_reason(
        line in any::<Index>(),
        value in any_value(),
    ) {
        let mut lines: Vec<String> = EVERYTHING.lines().map(ToOwned::to_owned).collect();
        let said: Vec<usize> = (0..lines.len()).filter(|&at| lines[at].contains(" = ")).collect();
        let at = said[line.index(said.len())];
        let key = lines[at].split(" = ").next().unwrap_or_default().to_owned();
        lines[at] = format!("{key} = {value}");
        check(&lines.join("\n"))?;
    }

    #[test]
    fn a_file_that_lost_lines_is_read_or_refused_with_a_reason(
        from in any::<Index>(),
        count in 1_usize..20,
    ) {
        let lines: Vec<&str> = EVERYTHING.lines().collect();
        let from = from.index(lines.len());
        let kept = lines.iter().enumerate().filter(|(at, _)| !(from..from + count).contains(at));
        let kept: Vec<&str> = kept.map(|(_, line)| *line).collect();
        check(&kept.join("\n"))?;
    }
}
