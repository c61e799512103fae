//! Times as operators write and read them: RFC 3339, UTC.

use octroi_policy::time::Timestamp;

/// `2026-11-22T14:05:00Z`, with milliseconds where there are any.
pub(crate) fn written(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_unix_millis())
        .map_or_else(|_| at.as_unix_millis().to_string(), |at| at.to_string())
}

/// Reads a time with its offset from UTC, or a date, which means its midnight in UTC.
pub(crate) fn read(text: &str) -> Result<Timestamp, MalformedTime> {
    // A date is read as one only where nothing follows it: a time without its offset is no time.
    let at = if text.len() == DATE_LEN {
        let date = text.parse::<jiff::civil::Date>();
        let midnight = date.and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC));
        midnight.map(|midnight| midnight.timestamp())
    } else {
        text.parse()
    };
    at.map(|at: jiff::Timestamp| Timestamp::from_unix_millis(at.as_millisecond()))
        .map_err(|_| MalformedTime(text.to_owned()))
}

/// `2026-11-22`
const DATE_LEN: usize = 10;

/// The text is no time.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is no time: 2026-11-22 or 2026-11-22T14:05:00Z is wanted")]
pub(crate) struct MalformedTime(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        let at = Timestamp::from_unix_millis(1_795_356_300_250);
        assert_eq!(written(at), "2026-11-22T14:05:00.25Z");
        assert_eq!(read(&written(at)), Ok(at));
    }

    #[test]
    fn an_offset_counts_and_a_date_is_its_midnight() {
        assert_eq!(
            read("2026-11-22T15:05:00+01:00"),
            read("2026-11-22T14:05:00Z")
        );
        assert_eq!(read("2026-11-22"), read("2026-11-22T00:00:00Z"));
        for text in ["", "yesterday", "2026-13-01", "2026-11-22T14:05:00"] {
            assert_eq!(read(text), Err(MalformedTime(text.to_owned())));
        }
    }
}
