//! A host name in the one form in which policy, certificates, journal and upstreams compare it.

use std::{fmt, str::FromStr, sync::Arc};

/// A DNS name or IPv4 address in canonical form: lower case, no trailing dot, no port.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Host(Arc<str>);

impl Host {
    /// The longest name in bytes (RFC 1035, section 2.3.4, less the root's empty label).
    pub const LEN_MAX: usize = 253;

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Host {
    type Err = MalformedHost;

    /// Reads a name without port. Upper case is lowered and one trailing dot dropped; underscores,
    /// empty labels, labels over 63 bytes and anything that is not letter, digit or hyphen are
    /// refused (RFC 1123, section 2.1).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() || text.len() > Self::LEN_MAX {
            return Err(MalformedHost);
        }
        let fits = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if text.split('.').all(fits) {
            Ok(Self(text.to_ascii_lowercase().into()))
        } else {
            Err(MalformedHost)
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The text is not a host name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a host name: letters, digits, '-' and '.' are wanted, labels of 1 to 63 characters")]
pub struct MalformedHost;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_trailing_dot_do_not_make_another_host() {
        let host: Host = "paie.example.com".parse().unwrap();
        for text in ["PAIE.Example.com", "paie.example.com.", "Paie.example.COM."] {
            assert_eq!(text.parse(), Ok(host.clone()), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in [
            "", ".", "a..b", "a.b..", "-a", "a-", "a_b", "a b", "a:443", "é.fr", "a/b", "[::1]",
        ] {
            assert_eq!(text.parse::<Host>(), Err(MalformedHost), "{text:?}");
        }
        let label = "a".repeat(63);
        assert!(label.parse::<Host>().is_ok());
        assert_eq!(format!("{label}a").parse::<Host>(), Err(MalformedHost));
        let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
        assert_eq!(longest.len(), Host::LEN_MAX);
        assert!(longest.parse::<Host>().is_ok());
        assert_eq!(format!("{longest}a").parse::<Host>(), Err(MalformedHost));
    }
}
