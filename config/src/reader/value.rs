//! How durations, rates, colours and addresses of pages are written.

#[cfg(test)]
mod tests;

use std::{
    net::{IpAddr, SocketAddr},
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

/// The address of a listener: an IP address and a port, told apart so that what is wrong can be said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Listener(pub(crate) SocketAddr);

impl FromStr for Listener {
    type Err = MalformedValue;

    /// Reads `0.0.0.0:443` or `[::]:443`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(address) = text.parse() {
            return Ok(Self(address));
        }
        if text.parse::<IpAddr>().is_ok() {
            return Err(MalformedValue("the port is missing"));
        }
        let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
        let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        Err(MalformedValue(if !is_number {
            "the port is missing"
        } else if port.parse::<u16>().is_err() {
            PORT_OUT_OF_BOUNDS
        } else if host.is_empty() {
            "the address before the port is missing"
        } else {
            "an IP address is wanted before the port, IPv6 in square brackets"
        }))
    }
}

/// Why a number is no port.
pub(crate) const PORT_OUT_OF_BOUNDS: &str = "a port is at most 65535";

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
