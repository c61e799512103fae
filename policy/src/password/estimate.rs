//! How many guesses a password takes from somebody who knows words, names, dates, keyboards and repetitions, French and
//! English: our own lower estimate, beside that of others.
//!
//! The password is cut into pieces, each of which costs as many guesses as its place in the order in which pieces are
//! tried, times two for the choice of the kind of piece. Of all ways to cut, the cheapest counts: a shortest path from
//! the first character to the last. Logarithms in thousandths are added, so that the same text has the same estimate
//! on every machine.

mod dates;
mod words;

use zeroize::Zeroizing;

use self::{dates::dates_at, words::words_at};
use super::{
    common::{fold, unleet},
    guesses::Guesses,
    opaque::OpaquePassword,
    own_data::OwnData,
    runs,
};

/// The fewest guesses that find this password.
pub fn estimate(password: &OpaquePassword, own: &OwnData<'_>) -> Guesses {
    let text: Zeroizing<Vec<char>> = Zeroizing::new(fold_each(password.as_str()));
    let text = text.get(..LEN_MAX.min(text.len())).unwrap_or(&text);
    let plain: Zeroizing<Vec<char>> = Zeroizing::new(text.iter().copied().map(unleet).collect());
    let own_words = own.all_words();
    let mut costs = vec![u32::MAX; text.len() + 1];
    if let Some(first) = costs.first_mut() {
        *first = 0;
    }
    for start in 0..text.len() {
        let Some((before, rest)) = text.split_at_checked(start) else {
            break;
        };
        let reached = costs.get(start).copied().unwrap_or(u32::MAX);
        let mut offer = |length: usize, cost: u32| {
            if let Some(known) = costs.get_mut(start + length) {
                *known = reached.saturating_add(cost).min(*known);
            }
        };
        offer(1, lone(rest, before));
        words_at(rest, &mut |length, rank| offer(length, PIECE + rank));
        // Written with digits and signs for letters: twice as many to try.
        let written = plain.get(start..).unwrap_or_default();
        words_at(written, &mut |length, rank| {
            offer(length, PIECE + DOUBLE + rank);
        });
        for word in &own_words {
            if rest.starts_with(word) {
                offer(word.len(), PIECE + OWN);
            }
        }
        dates_at(rest, &mut |length, cost| offer(length, PIECE + cost));
        for length in RUN_MIN..=runs::length_at_start(rest) {
            offer(length, PIECE + RUN);
        }
        for length in repeated(before, rest) {
            offer(length, PIECE + REPEAT);
        }
    }
    let capitals = capitals(password.as_str());
    Guesses::from_log10_millis(costs.last().copied().unwrap_or(0).saturating_add(capitals))
}

/// Letters in small letters and without accents, one for one: what has no single small letter stays.
fn fold_each(text: &str) -> Vec<char> {
    text.chars()
        .map(
            |character| match fold(character.encode_utf8(&mut [0; 4])).as_slice() {
                [one] => *one,
                _ => character,
            },
        )
        .collect()
}

/// A character that is part of nothing: one of ten digits, of some twenty letters, of the few signs that part words; the
/// same sign again is no new choice.
fn lone(rest: &[char], before: &[char]) -> u32 {
    let Some(first) = rest.first() else {
        return 0;
    };
    if PARTING.contains(first) {
        if before.contains(first) { 0 } else { SIGN }
    } else if first.is_ascii_digit() {
        TEN
    } else {
        LETTER
    }
}

/// The lengths of what repeats the text just before it, with a sign between or none.
fn repeated(before: &[char], rest: &[char]) -> Vec<usize> {
    let parted = before
        .split_last()
        .filter(|(sign, _)| PARTING.contains(sign));
    let texts = [Some(before), parted.map(|(_, before)| before)];
    let lengths = texts.into_iter().flatten().flat_map(|before| {
        (1..=before.len().min(rest.len())).filter(move |length| {
            let last = before
                .len()
                .checked_sub(*length)
                .and_then(|at| before.get(at..));
            last.zip(rest.get(..*length))
                .is_some_and(|(last, next)| last == next)
        })
    });
    lengths.collect()
}

/// None, one at the start or all cost little; others are chosen among the letters.
fn capitals(text: &str) -> u32 {
    let letters = text.chars().filter(|character| character.is_alphabetic());
    let (mut all, mut upper) = (0_u32, 0_u32);
    for letter in letters {
        all += 1;
        upper += u32::from(letter.is_uppercase());
    }
    let first_of_words = text
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| word.chars().next().is_some_and(char::is_uppercase));
    let leading = u32::try_from(first_of_words.count()).unwrap_or(u32::MAX);
    if upper == 0 {
        0
    } else if upper == all || upper == leading {
        DOUBLE
    } else {
        // Each that is elsewhere is one more choice of some ten places.
        DOUBLE.saturating_add(upper.saturating_sub(leading).min(CAPITALS_MAX) * LETTER_CASE)
    }
}

/// Longer passwords are judged by their first so many characters: no more is ever needed.
const LEN_MAX: usize = 100;
/// log10 of 2: which kind of piece comes next.
const PIECE: u32 = 301;
/// log10 of 2.
const DOUBLE: u32 = 301;
/// log10 of 10.
const TEN: u32 = 1000;
/// log10 of 20.
const LETTER: u32 = 1301;
/// log10 of 5.
const SIGN: u32 = 699;
/// log10 of 8: a word of the person's own.
const OWN: u32 = 903;
/// log10 of 200: where a run begins, which way it goes, how long it is.
const RUN: u32 = 2301;
/// log10 of 2: once more the same.
const REPEAT: u32 = 301;
/// log10 of 4: a capital in the middle.
const LETTER_CASE: u32 = 602;
/// More are capitals by habit.
const CAPITALS_MAX: u32 = 6;
/// From this length on a run is one.
const RUN_MIN: usize = 3;
/// What parts words.
const PARTING: [char; 6] = [' ', '-', '_', '.', ',', '\''];

#[cfg(test)]
mod tests;
