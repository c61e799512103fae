//! Times as people read them: in their language, in the installation's zone, on a 24-hour clock.

use jiff::{Zoned, tz::TimeZone};
use octroi_policy::time::Timestamp;

use super::{language::Language, texts::Texts};

/// A time, for a `<time>` element.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Moment {
    /// RFC 3339 in UTC, for machines.
    pub(crate) iso: String,
    /// Words, for people.
    pub(crate) text: String,
}

/// Tells times in one language and zone.
#[derive(Clone, Copy)]
pub(crate) struct Calendar<'a> {
    texts: &'static Texts,
    zone: &'a TimeZone,
}

impl<'a> Calendar<'a> {
    /// A calendar of this language and zone.
    pub(crate) const fn new(texts: &'static Texts, zone: &'a TimeZone) -> Self {
        Self { texts, zone }
    }

    /// Day, time and zone: "22 November 2026 at 14:05 (Paris time)".
    pub(crate) fn sentence(&self, at: Timestamp) -> Moment {
        let zoned = self.zoned(at);
        let text = self.texts.fill(
            "date-sentence",
            [
                ("day", (&self.day(&zoned)).into()),
                ("month", (&self.month(&zoned)).into()),
                ("year", (&zoned.year().to_string()).into()),
                ("time", (&self.clock_of(&zoned)).into()),
                ("zone", (&self.zone_of(&zoned)).into()),
            ],
        );
        Moment { iso: iso(at), text }
    }

    /// Time and zone, for something that happens soon: "14:05 (Paris time)".
    pub(crate) fn clock(&self, at: Timestamp) -> Moment {
        let zoned = self.zoned(at);
        let text = self.texts.fill(
            "date-clock-zone",
            [
                ("time", (&self.clock_of(&zoned)).into()),
                ("zone", (&self.zone_of(&zoned)).into()),
            ],
        );
        Moment { iso: iso(at), text }
    }

    /// Day and time, where the page names the zone once: "22 November 2026 at 14:05". In the hour that
    /// a change of clocks repeats, the offset is added.
    pub(crate) fn day_and_time(&self, at: Timestamp) -> Moment {
        let zoned = self.zoned(at);
        let mut text = self.texts.fill(
            "date-day-time",
            [
                ("day", (&self.day(&zoned)).into()),
                ("month", (&self.month(&zoned)).into()),
                ("year", (&zoned.year().to_string()).into()),
                ("time", (&self.clock_of(&zoned)).into()),
            ],
        );
        if self.is_repeated(&zoned) {
            text = format!("{text} (UTC{})", zoned.offset());
        }
        Moment { iso: iso(at), text }
    }

    /// The zone in words: "Paris time".
    pub(crate) fn zone_at(&self, at: Timestamp) -> String {
        self.zone_of(&self.zoned(at))
    }

    /// The time alone, or day and time where it is on another day than `now`, and whether it is.
    pub(crate) fn soon(&self, at: Timestamp, now: Timestamp) -> (Moment, bool) {
        let zoned = self.zoned(at);
        let is_another_day = zoned.date() != self.zoned(now).date();
        let text = if is_another_day {
            self.texts.fill(
                "date-short",
                [
                    ("day", (&self.day(&zoned)).into()),
                    ("month", (&self.month(&zoned)).into()),
                    ("time", (&self.clock_of(&zoned)).into()),
                ],
            )
        } else {
            self.clock_of(&zoned)
        };
        (Moment { iso: iso(at), text }, is_another_day)
    }

    fn zoned(&self, at: Timestamp) -> Zoned {
        instant(at).to_zoned(self.zone.clone())
    }

    fn day(&self, zoned: &Zoned) -> String {
        match zoned.day() {
            1 => self.texts.get("date-first"),
            day => day.to_string(),
        }
    }

    fn month(&self, zoned: &Zoned) -> String {
        self.texts.get(&format!("month-{}", zoned.month()))
    }

    fn clock_of(&self, zoned: &Zoned) -> String {
        let hour = match self.texts.language() {
            Language::French => zoned.hour().to_string(),
            Language::English => format!("{:02}", zoned.hour()),
        };
        let minute = format!("{:02}", zoned.minute());
        self.texts.fill(
            "date-clock",
            [("hour", (&hour).into()), ("minute", (&minute).into())],
        )
    }

    /// The zone by its city, with the offset in the hour that a change of clocks repeats.
    fn zone_of(&self, zoned: &Zoned) -> String {
        let Some(city) = self.city() else {
            return self.texts.get("date-zone-utc");
        };
        let begins_with_vowel = city.starts_with(['A', 'E', 'É', 'I', 'O', 'U']);
        let named = if begins_with_vowel {
            self.texts.with("date-zone-vowel", "city", &city)
        } else {
            self.texts.with("date-zone", "city", &city)
        };
        if self.is_repeated(zoned) {
            format!("{named}, UTC{}", zoned.offset())
        } else {
            named
        }
    }

    /// Whether a change of clocks makes this hour come twice.
    fn is_repeated(&self, zoned: &Zoned) -> bool {
        let hour = self.zone.to_ambiguous_timestamp(zoned.datetime());
        hour.is_ambiguous()
    }

    /// `Europe/Paris` as "Paris". `None` for UTC.
    fn city(&self) -> Option<String> {
        let name = self.zone.iana_name()?;
        let (_, city) = name.rsplit_once('/')?;
        if matches!(city, "UTC" | "GMT" | "UCT" | "Zulu" | "Universal") {
            return None;
        }
        let own_name = match self.texts.language() {
            Language::English => None,
            Language::French => FRENCH_CITIES.iter().find(|(english, _)| *english == city),
        };
        Some(own_name.map_or_else(
            || city.replace('_', " "),
            |(_, french)| (*french).to_owned(),
        ))
    }
}

/// RFC 3339, in UTC, to the second.
pub(crate) fn iso(at: Timestamp) -> String {
    instant(Timestamp::from_unix_millis(
        at.as_unix_seconds().saturating_mul(1000),
    ))
    .to_string()
}

/// A time that no calendar can tell becomes the epoch: plainly wrong, and nothing rests on it.
fn instant(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(at.as_unix_millis()).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

/// Cities whose French name differs from that of the time zone database.
const FRENCH_CITIES: [(&str, &str); 10] = [
    ("Athens", "Athènes"),
    ("Brussels", "Bruxelles"),
    ("Bucharest", "Bucarest"),
    ("Copenhagen", "Copenhague"),
    ("Lisbon", "Lisbonne"),
    ("London", "Londres"),
    ("Noumea", "Nouméa"),
    ("Reunion", "La Réunion"),
    ("Vienna", "Vienne"),
    ("Warsaw", "Varsovie"),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// 22 November 2026, 13:05:07 UTC.
    const AFTERNOON: Timestamp = Timestamp::from_unix_millis(1_795_352_707_000);

    fn told(language: Language, zone: &str, at: Timestamp) -> Moment {
        let zone = TimeZone::get(zone).unwrap();
        Calendar::new(Texts::of(language), &zone).sentence(at)
    }

    #[test]
    fn a_time_is_told_in_the_zone_and_language_of_its_reader() {
        let french = told(Language::French, "Europe/Paris", AFTERNOON);
        assert_eq!(french.iso, "2026-11-22T13:05:07Z");
        assert_eq!(
            french.text,
            "22 novembre 2026 à 14\u{a0}h\u{a0}05 (heure de Paris)"
        );
        let english = told(Language::English, "Europe/Brussels", AFTERNOON);
        assert_eq!(english.text, "22 November 2026 at 14:05 (Brussels time)");
        let french = told(Language::French, "Europe/Brussels", AFTERNOON);
        assert!(
            french.text.ends_with("(heure de Bruxelles)"),
            "{}",
            french.text
        );
        let french = told(Language::French, "Europe/Amsterdam", AFTERNOON);
        assert!(
            french.text.ends_with("(heure d’Amsterdam)"),
            "{}",
            french.text
        );
        let utc = told(Language::French, "UTC", AFTERNOON);
        assert!(
            utc.text.ends_with("à 13\u{a0}h\u{a0}05 (UTC)"),
            "{}",
            utc.text
        );
    }

    #[test]
    fn the_hour_that_a_change_of_clocks_repeats_has_its_offset() {
        // 25 October 2026: 02:30 in Paris comes at 00:30 UTC and again at 01:30 UTC.
        let first = Timestamp::from_unix_millis(1_792_888_200_000);
        let again = first.after(std::time::Duration::from_hours(1));
        let texts = [first, again].map(|at| told(Language::English, "Europe/Paris", at).text);
        assert_eq!(
            texts,
            [
                "25 October 2026 at 02:30 (Paris time, UTC+02)",
                "25 October 2026 at 02:30 (Paris time, UTC+01)",
            ]
        );
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let calendar = Calendar::new(Texts::of(Language::English), &zone);
        let told = calendar.day_and_time(first).text;
        assert_eq!(told, "25 October 2026 at 02:30 (UTC+02)");
        let told = calendar.day_and_time(again).text;
        assert_eq!(told, "25 October 2026 at 02:30 (UTC+01)");
        let told = calendar.day_and_time(AFTERNOON).text;
        assert_eq!(told, "22 November 2026 at 14:05");
    }

    #[test]
    fn the_first_of_a_month_and_another_day_are_said_so() {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let calendar = Calendar::new(Texts::of(Language::French), &zone);
        let first_of_december = AFTERNOON.after(std::time::Duration::from_hours(9 * 24));
        let (moment, is_another_day) = calendar.soon(first_of_december, AFTERNOON);
        assert_eq!(moment.text, "1er décembre à 14\u{a0}h\u{a0}05");
        assert!(is_another_day);
        let (moment, is_another_day) = calendar.soon(AFTERNOON, AFTERNOON);
        assert_eq!(moment.text, "14\u{a0}h\u{a0}05");
        assert!(!is_another_day);
    }
}
