//! What the rules have to be told of a new password: how soon it is guessed, and what it has to do with the old one.

use octroi_policy::{
    password::{
        estimate::estimate,
        guesses::Guesses,
        opaque::OpaquePassword,
        rules::{Breached, Facts, Known, OwnData, Replaced},
    },
    time::Timestamp,
};
use zxcvbn::zxcvbn;

use crate::constant_time;

/// The password that a new one takes the place of.
#[derive(Clone, Copy)]
pub(in crate::identity) enum Before<'a> {
    /// There is none, or nobody is to compare: an invitation, an operator's choice.
    Nothing,
    /// It is kept as a hash, which has not been asked.
    Hashed,
    /// It is kept as a hash, which was asked whether the new one is the same.
    Asked {
        /// What it said.
        is_same: bool,
    },
    /// What was typed as the current one, beside the new one. Whether it is, the caller verifies before anything comes
    /// of the verdict: who typed both learns nothing by their comparison.
    Typed(Option<&'a OpaquePassword>),
}

/// What is known of a password that takes no other's place.
pub(crate) fn facts_of_a_new_one<'a>(new: Option<&OpaquePassword>, own: OwnData<'a>) -> Facts<'a> {
    facts(new, own, Before::Nothing)
}

/// What is known of a new password.
pub(super) fn facts<'a>(
    new: Option<&OpaquePassword>,
    own: OwnData<'a>,
    before: Before<'a>,
) -> Facts<'a> {
    let is_same = |old: &OpaquePassword| {
        new.is_some_and(|new| constant_time::are_equal(old.as_bytes(), new.as_bytes()))
    };
    let (is_current, replaced) = match before {
        Before::Nothing | Before::Typed(None) => (Known::Now(false), Replaced::Nothing),
        Before::Hashed => (Known::Later, Replaced::Nothing),
        Before::Asked { is_same } => (Known::Now(is_same), Replaced::Nothing),
        Before::Typed(Some(old)) => (Known::Now(is_same(old)), Replaced::Password(old)),
    };
    Facts {
        own,
        guesses: Known::Now(new.map_or_else(Guesses::default, |new| guesses(new, &own))),
        listed: Known::Now(false),
        breached: Known::Now(Breached::Unknown),
        is_current,
        replaced,
        is_reused: Known::Now(false),
    }
}

/// The lower of two estimates: zxcvbn's, which knows English best, and ours. Both take no more than 64 words of the
/// person and the company.
fn guesses(password: &OpaquePassword, own: &OwnData<'_>) -> Guesses {
    let ours = estimate(password, own);
    let text = std::str::from_utf8(password.as_bytes()).unwrap_or_default();
    if !is_quickly_estimated(text) {
        return ours;
    }
    let words = own.words();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let theirs = zxcvbn(text, &words).guesses_log10();
    Guesses::from_log10_millis(millis_within(theirs, ours.log10_millis()))
}

/// Whether zxcvbn is done with it in a millisecond or two. It looks at each part of a text once for each way to read
/// its signs as letters: a hundred characters of such signs would take it more than a second, on a thread that
/// others wait for. What is longer, or can be read in more ways, is estimated by us alone.
fn is_quickly_estimated(text: &str) -> bool {
    let readings = SIGNS_FOR_LETTERS.iter().map(|signs| {
        let present = signs.chars().filter(|sign| text.contains(*sign));
        present.count().max(1)
    });
    text.chars().count() <= ZXCVBN_LEN_MAX && readings.product::<usize>() <= READINGS_MAX
}

/// Above it our own estimate decides alone: zxcvbn takes the square of the length.
const ZXCVBN_LEN_MAX: usize = 32;
/// How often zxcvbn may look at all parts of a text.
const READINGS_MAX: usize = 4;
/// The signs that zxcvbn reads as one letter: as a, b, c, e, g, i, l, o, s, t, x, z.
const SIGNS_FOR_LETTERS: [&str; 12] = [
    "4@", "8", "({[<", "3", "69", "1!|", "1|7", "0", "$5", "+7", "%", "2",
];

/// The thousandths of a logarithm, rounded down; `most` where it has more, and none where it has none.
fn millis_within(log10: f64, most: u32) -> u32 {
    let (mut least, mut beyond) = (0, most.saturating_add(1));
    while beyond - least > 1 {
        let middle = least + (beyond - least) / 2;
        if f64::from(middle) / 1000.0 <= log10 {
            least = middle;
        } else {
            beyond = middle;
        }
    }
    least
}

/// The year of a moment, as the world's clock has it.
pub(crate) fn year_of(now: Timestamp) -> Option<u32> {
    let moment = jiff::Timestamp::from_millisecond(now.as_unix_millis()).ok()?;
    u32::try_from(moment.to_zoned(jiff::tz::TimeZone::UTC).year()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: OwnData<'static> = OwnData {
        login: "",
        name: None,
        email: None,
        tenant: &[],
        product: &[],
        hosts: &[],
        year: None,
    };

    #[test]
    fn the_lower_of_two_estimates_counts() {
        let log10_tenths = |text: &str| {
            let password = OpaquePassword::from_typed(text).unwrap();
            guesses(&password, &NOBODY).log10_tenths()
        };
        // zxcvbn gives this more than 10^10 guesses, we fewer.
        assert!(log10_tenths("marie14juillet1989") < 100);
        // Of these we know less than zxcvbn does.
        assert!(log10_tenths("qwER43@!") < 80);
        assert!(log10_tenths("agrafe bougie lavoir tunnel") >= 100);
    }

    /// What would take zxcvbn long is not given to it, whatever it is.
    #[test]
    fn d2_no_text_holds_a_thread_for_long() {
        for (text, is_quick) in [
            ("agrafe bougie lavoir tunnel", true),
            ("P@ssw0rd1234567", true),
            (&"a".repeat(32), true),
            (&"a".repeat(33), false),
            ("4@({[<", false),
            ("4@8({[<369!1|$5+702%", false),
        ] {
            assert_eq!(is_quickly_estimated(text), is_quick, "{text}");
        }
    }

    #[test]
    fn thousandths_are_rounded_down_and_bounded() {
        for (log10, most, millis) in [
            (0.0, 100, 0),
            (0.0309, 100, 30),
            (10.5, 20_000, 10_500),
            (10.5, 10_000, 10_000),
            (f64::INFINITY, 7, 7),
            (f64::NAN, 7, 0),
            (-1.0, 7, 0),
            (1.0, 0, 0),
        ] {
            assert_eq!(millis_within(log10, most), millis, "{log10} {most}");
        }
    }

    #[test]
    fn the_year_is_the_world_s() {
        let at = |millis| year_of(Timestamp::from_unix_millis(millis));
        assert_eq!(at(1_767_225_599_999), Some(2025));
        assert_eq!(at(1_767_225_600_000), Some(2026));
    }
}
