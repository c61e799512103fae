//! How near two passwords are: the fewest characters to put in, take out or replace (Levenshtein's distance).

use zeroize::Zeroizing;

use super::common::fold;

/// Whether `new`, folded already, is less than `changes` away from `old`; also where one holds the other, as a new
/// year put behind the old password does.
pub(super) fn is_nearer_than(changes: u32, new: &[char], old: &str) -> bool {
    let old = Zeroizing::new(fold(old));
    let changes = usize::try_from(changes).unwrap_or(usize::MAX);
    let holds = |outer: &[char], inner: &[char]| {
        inner.len() >= HELD_MIN && outer.windows(inner.len()).any(|window| window == inner)
    };
    distance(new, &old) < changes || holds(new, &old) || holds(&old, new)
}

/// Row by row; both texts are passwords, so that a row has at most some hundred cells.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut row = Zeroizing::new((0..=other.len()).collect::<Vec<usize>>());
    for (done, character) in one.iter().enumerate() {
        let mut diagonal = done;
        let mut left = done + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, wanted) in row.iter_mut().skip(1).zip(other) {
            let replaced = diagonal + usize::from(character != wanted);
            diagonal = *cell;
            left = replaced.min(diagonal + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(0)
}

/// A shorter text is held by others by chance.
const HELD_MIN: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_the_fewest_changes() {
        let distance = |one: &str, other: &str| {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            distance(&chars(one), &chars(other))
        };
        for (one, other, changes) in [
            ("", "", 0),
            ("abc", "", 3),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("agrafe", "agrafe", 0),
            ("lavoir", "avoir", 1),
            ("abc", "cab", 2),
        ] {
            assert_eq!(distance(one, other), changes, "{one} {other}");
            assert_eq!(distance(other, one), changes, "{other} {one}");
        }
    }

    #[test]
    fn near_is_what_a_person_changes_to_keep_a_password() {
        let is_near = |new: &str, old| is_nearer_than(4, &fold(new), old);
        for new in [
            "Tisane-Bleue-2027",
            "tisane-bleue-2026",
            "Tisâne-Bleue-2026!!",
            "xx Tisane-Bleue-2026 of my own",
        ] {
            assert!(is_near(new, "Tisane-Bleue-2026"), "{new}");
        }
        assert!(!is_near("agrafe bougie lavoir", "Tisane-Bleue-2026"));
        assert!(!is_near("2026-tisane-bleue", "Tisane-Bleue-2026"));
    }
}
