//! Dates as people write them into passwords: a year, day and month, in figures or words, with or without signs.

/// Tells each date that `text` begins with: its length and the decimal logarithm of how many there are of its form, in
/// thousandths.
pub(super) fn dates_at(text: &[char], found: &mut impl FnMut(usize, u32)) {
    for form in FORMS {
        lay(text, form.parts, 0, &mut |length| found(length, form.cost));
    }
}

/// A form of date and what it costs to try all of it.
struct Form {
    parts: &'static [Part],
    cost: u32,
}

#[derive(Clone, Copy)]
enum Part {
    /// 1 to 31, with or without a leading zero.
    Day,
    /// 1 to 12, with or without a leading zero.
    Month,
    /// Its name or the head of it, in French or English, folded.
    MonthName,
    /// Four digits, 1900 to 2049.
    Year,
    /// Two digits.
    ShortYear,
    /// A sign, or nothing.
    Between,
}

use Part::{Between, Day, Month, MonthName, ShortYear, Year};

/// 150 years; 100 short ones; 366 days; times two for signs or none.
const FORMS: &[Form] = &[
    form(&[Year], 2176),
    form(&[Day, Between, Month, Between, Year], 5041),
    form(&[Day, Between, Month, Between, ShortYear], 4865),
    form(&[Month, Between, Day, Between, Year], 5041),
    form(&[Year, Between, Month, Between, Day], 5041),
    form(&[Day, Between, MonthName, Between, Year], 5041),
    form(&[Day, Between, MonthName, Between, ShortYear], 4865),
    form(&[MonthName, Between, Day, Between, Year], 5041),
    form(&[MonthName, Between, Year], 3556),
    form(&[Day, Between, MonthName], 2865),
];

const fn form(parts: &'static [Part], cost: u32) -> Form {
    Form { parts, cost }
}

/// Lays the parts of a form along the text, in each way in which they fit.
fn lay(text: &[char], parts: &[Part], done: usize, found: &mut impl FnMut(usize)) {
    let Some((part, others)) = parts.split_first() else {
        found(done);
        return;
    };
    let rest = text.get(done..).unwrap_or_default();
    match part {
        Day => lay_number(text, others, done, (1..=31, &[2, 1]), found),
        Month => lay_number(text, others, done, (1..=12, &[2, 1]), found),
        Year => lay_number(text, others, done, (1900..=2049, &[4]), found),
        ShortYear => lay_number(text, others, done, (0..=99, &[2]), found),
        Between => {
            lay(text, others, done, found);
            if rest.first().is_some_and(|sign| SIGNS.contains(sign)) {
                lay(text, others, done + 1, found);
            }
        }
        MonthName => {
            let is_here = |name: &&&str| {
                name.chars().count() <= rest.len()
                    && name.chars().zip(rest).all(|(one, other)| one == *other)
            };
            for name in MONTHS.iter().filter(is_here) {
                lay(text, others, done + name.len(), found);
            }
        }
    }
}

fn lay_number(
    text: &[char],
    others: &[Part],
    done: usize,
    (within, digits): (std::ops::RangeInclusive<u32>, &[usize]),
    found: &mut impl FnMut(usize),
) {
    for length in digits {
        let number = text.get(done..done + length).and_then(number);
        if number.is_some_and(|number| within.contains(&number)) {
            lay(text, others, done + length, found);
        }
    }
}

fn number(digits: &[char]) -> Option<u32> {
    digits
        .iter()
        .try_fold(0_u32, |sum, digit| Some(sum * 10 + digit.to_digit(10)?))
}

const SIGNS: [char; 5] = [' ', '-', '/', '.', '_'];

/// Without accents; ASCII, so that bytes are characters.
const MONTHS: &[&str] = &[
    "janvier",
    "fevrier",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "aout",
    "septembre",
    "octobre",
    "novembre",
    "decembre",
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "jan",
    "feb",
    "mar",
    "apr",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
    "janv",
    "fev",
    "avr",
    "juil",
    "sept",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_the_forms_that_people_use() {
        let lengths = |text: &str| {
            let text: Vec<char> = text.chars().collect();
            let mut all = Vec::new();
            dates_at(&text, &mut |length, _| all.push(length));
            all.into_iter().max()
        };
        for (text, longest) in [
            ("1989", Some(4)),
            ("9089", None),
            ("2050", None),
            ("14juillet1989", Some(13)),
            ("14071989", Some(8)),
            ("14/07/89x", Some(8)),
            ("1.1.2000", Some(8)),
            ("2026-11-25", Some(10)),
            ("july4", None),
            ("july 4 1976", Some(11)),
            ("aout2026!", Some(8)),
            ("3mars", Some(5)),
            ("32mars1999", None),
            ("agrafe", None),
            ("", None),
        ] {
            assert_eq!(lengths(text), longest, "{text}");
        }
    }
}
