//! How durations, rates, colours and addresses of pages are written.

use std::{
    num::NonZeroU32,
    path::{Component, Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use crate::settings::{Accent, MalformedValue, Origin, Rate};

/// Reads `500ms`, `10s`, `15m`, `8h` or `365d`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, MalformedValue> {
    let malformed = MalformedValue("not a duration");
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or(malformed)?;
    let number: u64 = number.parse().map_err(|_| malformed)?;
    let millis_each = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60 * 1_000,
        "h" => 60 * 60 * 1_000,
        "d" => 24 * 60 * 60 * 1_000,
        _ => return Err(malformed),
    };
    number
        .checked_mul(millis_each)
        .map(Duration::from_millis)
        .ok_or(malformed)
}

/// A path without `.` and `..`, so that two spellings of one place compare equal.
pub(crate) fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                tidy.pop();
            }
            Component::Normal(_) | Component::Prefix(_) | Component::RootDir => {
                tidy.push(component);
            }
        }
    }
    tidy
}

impl FromStr for Rate {
    type Err = MalformedValue;

    /// Reads `10/s`, `600/min` or `1000/h`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = MalformedValue("not a rate");
        let (count, period) = text.split_once('/').ok_or(malformed)?;
        let period = match period {
            "s" => Duration::from_secs(1),
            "m" | "min" => Duration::from_mins(1),
            "h" => Duration::from_hours(1),
            _ => return Err(malformed),
        };
        let count = count
            .parse::<NonZeroU32>()
            .map_err(|_| MalformedValue("the number before the slash is not 1 to 4294967295"))?;
        Ok(Self { count, period })
    }
}

impl FromStr for Accent {
    type Err = MalformedValue;

    /// Reads `#1f4fa3`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = MalformedValue("not a colour");
        let digits = text
            .strip_prefix('#')
            .filter(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .ok_or(malformed)?;
        let number = u32::from_str_radix(digits, 16).map_err(|_| malformed)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self { red, green, blue })
    }
}

impl FromStr for Origin {
    type Err = MalformedValue;

    /// Reads `https://app.example.com` or `https://app.example.com:8443`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = MalformedValue("not an origin");
        let uri: http::Uri = text.parse().map_err(|_| malformed)?;
        let scheme = uri.scheme_str().ok_or(malformed)?;
        let default_port = match scheme {
            "https" => 443,
            "http" => 80,
            _ => return Err(MalformedValue("an origin begins with https:// or http://")),
        };
        let authority = uri.authority().ok_or(malformed)?;
        let bare = uri.path_and_query().is_none_or(|rest| rest.as_str() == "/");
        if !bare || text.ends_with('/') || text.contains(['@', '#']) {
            return Err(MalformedValue("an origin is scheme, host and port only"));
        }
        let host = authority.host().to_ascii_lowercase();
        let port = match authority.port_u16() {
            Some(port) if port != default_port => format!(":{port}"),
            None if authority.port().is_some() => return Err(malformed),
            _ => String::new(),
        };
        Ok(Self(format!("{scheme}://{host}{port}").into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        for (text, seconds) in [("10s", 10), ("15m", 900), ("15min", 900), ("8h", 28_800)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)));
        }
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        for text in [
            "",
            "10",
            "s",
            "1.5h",
            "-1s",
            "1 h",
            "1w",
            "99999999999999999999d",
            "é",
        ] {
            assert!(parse_duration(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn rates_colours_and_origins_are_read_or_refused() {
        assert!("600/min".parse::<Rate>().is_ok());
        for text in ["0/s", "600", "600/day", "/s", "-1/s"] {
            assert!(text.parse::<Rate>().is_err(), "{text:?}");
        }
        assert!("#1f4fa3".parse::<Accent>().is_ok());
        for text in ["1f4fa3", "#fff", "#gggggg", "#éa1b2", "red"] {
            assert!(text.parse::<Accent>().is_err(), "{text:?}");
        }
        let origin = |text: &str| {
            text.parse::<Origin>()
                .map(|origin| origin.as_str().to_owned())
        };
        assert_eq!(
            origin("https://A.example:443").as_deref(),
            Ok("https://a.example")
        );
        assert_eq!(
            origin("http://a.example:8080").as_deref(),
            Ok("http://a.example:8080")
        );
        for text in [
            "null",
            "*",
            "https://a/",
            "https://a/b",
            "https://u@a",
            "ws://a",
            "a.example",
        ] {
            assert!(origin(text).is_err(), "{text:?}");
        }
    }
}
