//! Runs: the same character again and again, and the ways that fingers and alphabets go.

/// How often the same character stands in a row, at most.
pub(super) fn longest_repeat(text: &[char]) -> u32 {
    let runs = text.chunk_by(|one, next| one == next).map(<[char]>::len);
    u32::try_from(runs.max().unwrap_or(0)).unwrap_or(u32::MAX)
}

/// How many characters in a row follow one of [`ROWS`], forwards or backwards, at most.
pub(super) fn longest_sequence(text: &[char]) -> u32 {
    let starts = (0..text.len()).filter_map(|start| text.get(start..));
    let lengths = starts.map(|rest| ROWS.iter().map(|row| along(rest, row)).max().unwrap_or(0));
    u32::try_from(lengths.max().unwrap_or(0)).unwrap_or(u32::MAX)
}

/// How many characters of `text` from its start on follow one of [`ROWS`] or are the same.
pub(super) fn length_at_start(text: &[char]) -> usize {
    let same = text.first().map_or(0, |first| {
        text.iter().take_while(|next| *next == first).count()
    });
    let along = ROWS.iter().map(|row| along(text, row)).max().unwrap_or(0);
    same.max(along)
}

/// How many characters of `text` from its start on stand one after the other in `row`, in either direction.
fn along(text: &[char], row: &str) -> usize {
    let Some(first) = text.first() else {
        return 0;
    };
    let Some((before, from)) = row.find(*first).and_then(|at| row.split_at_checked(at)) else {
        return 0;
    };
    let forwards = from
        .chars()
        .zip(text)
        .take_while(|(one, other)| one == *other);
    let backwards = before.chars().rev();
    let backwards = std::iter::once(*first).chain(backwards).zip(text);
    let backwards = backwards.take_while(|(one, other)| one == *other);
    forwards.count().max(backwards.count())
}

/// Ways along which fingers and alphabets run. Each character stands in a row once, but for the 0 that is at both ends
/// of the digits: a run through it from 9 is found, one from 1 down to 0 too.
const ROWS: &[&str] = &[
    "abcdefghijklmnopqrstuvwxyz",
    "0123456789",
    "1234567890",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "yxcvbnm",
    "&é\"'(-è_çà)",
    "!@#$%^&*()",
    "1qaz2wsx3edc4rfv5tgb6yhn",
    "1a2z3e4r5t6y7u8i9o0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "a1b2c3d4e5f6g7h8i9",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    #[test]
    fn sequences_are_found_anywhere_and_in_both_directions() {
        for (text, longest) in [
            ("", 0),
            ("x", 1),
            ("vélo", 1),
            ("xxazertyxx", 6),
            ("xxytrezaxx", 6),
            ("qwertz", 6),
            ("7890", 4),
            ("3210", 4),
            ("mnopq", 5),
            ("a1b2c3", 6),
            ("agrafe bougie", 2),
        ] {
            assert_eq!(longest_sequence(&chars(text)), longest, "{text}");
        }
    }

    #[test]
    fn repeats_are_counted_by_the_longest() {
        for (text, longest) in [("", 0), ("abc", 1), ("aabbbcc", 3), ("éééé", 4)] {
            assert_eq!(longest_repeat(&chars(text)), longest, "{text}");
        }
    }
}
