//! Times as operators write and read them: RFC 3339, UTC.

use octroi_policy::time::Timestamp;

/// `2026-11-22T14:05:00Z`, with milliseconds where there are any.
pub(crate) fn written(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_unix_millis())
        .map_or_else(|_| at.as_unix_millis().to_string(), |at| at.to_string())
}

/// Reads a time with its offset from UTC, or a date, which means its midnight in UTC.
pub(crate) fn read(text: &str) -> Result<Timestamp, MalformedTime> {
    let at = text.parse::<jiff::Timestamp>().or_else(|_| {
        let midnight = text
            .parse::<jiff::civil::Date>()?
            .to_zoned(jiff::tz::TimeZone::UTC)?;
        Ok::<_, jiff::Error>(midnight.timestamp())
    });
    let malformed = |_| MalformedTime(text.to_owned());
    Ok(Timestamp::from_unix_millis(
        at.map_err(malformed)?.as_millisecond(),
    ))
}

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
