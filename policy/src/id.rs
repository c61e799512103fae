//! Names of things: each kind its own type, so that one cannot be passed for another.

use std::{fmt, str::FromStr, sync::Arc};

/// Declares an identifier of 16 random bytes, written as a lower-case UUID.
macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The identifier made of these random bytes; the version and variant bits of
            /// RFC 9562, section 5.4 (version 4) are put in their place.
            pub const fn from_random(mut bytes: [u8; 16]) -> Self {
                bytes[6] = (bytes[6] & 0x0f) | 0x40;
                bytes[8] = (bytes[8] & 0x3f) | 0x80;
                Self(bytes)
            }

            /// The identifier that a store kept as these bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The bytes that a store keeps.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// The identifier as it is shown, in ASCII: for what is written with every request.
            pub fn to_ascii(&self) -> [u8; 36] {
                hyphenated(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_uuid(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_uuid(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = MalformedId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                parse_uuid(text).map(Self)
            }
        }
    };
}

random_id! {
    /// A person, in one tenant. Opaque to upstreams, stable for the life of the account.
    AccountId
}
random_id! {
    /// An organisation whose accounts are kept apart from every other's.
    TenantId
}
random_id! {
    /// A session's public name: random, never derived from a token, safe to show and to log.
    SessionId
}
random_id! {
    /// One request, as told to the person, the access log, the journal and the upstream.
    RequestId
}

/// The text is not a UUID in its lower-case, hyphenated form.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not an identifier: 36 characters like 0190163d-8694-4a6c-9d5f-2b8f1c5e7a10 are wanted")]
pub struct MalformedId;

/// A short name for use in headers, files and commands: role, tenant or route.
///
/// 1 to 64 of `a-z`, `0-9`, `-`, `_` and `.`, beginning with a letter or digit. The grammar has no
/// comma, space or control byte, so a list of them in a header cannot be misread.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Slug(Arc<str>);

impl Slug {
    /// The longest slug, in bytes.
    pub const LEN_MAX: usize = 64;

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = MalformedSlug;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let mut bytes = text.bytes();
        let begins_well = bytes.next().is_some_and(alphanumeric);
        let goes_on_well = bytes.all(|byte| alphanumeric(byte) || b"-_.".contains(&byte));
        if begins_well && goes_on_well && text.len() <= Self::LEN_MAX {
            Ok(Self(text.into()))
        } else {
            Err(MalformedSlug)
        }
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The text is not a [`Slug`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "1 to 64 characters of a-z, 0-9, '-', '_' and '.' are wanted, beginning with a letter or digit"
)]
pub struct MalformedSlug;

/// Declares a slug that names one kind of thing.
macro_rules! named_slug {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(Slug);

        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl FromStr for $name {
            type Err = MalformedSlug;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

named_slug! {
    /// What an account may do, as routes name it: `rh`, `reception`.
    Role
}
named_slug! {
    /// An organisation, as people and routes name it: `acme`.
    TenantName
}
named_slug! {
    /// A route, as logs, metrics and `explain` name it.
    RouteName
}

fn write_uuid(bytes: &[u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(std::str::from_utf8(&hyphenated(bytes)).map_err(|_| fmt::Error)?)
}

/// RFC 9562, section 4. Without a branch: each access line and each forwarded request has some.
fn hyphenated(bytes: &[u8; 16]) -> [u8; 36] {
    let digit = |half: u8| half + b'0' + u8::from(half > 9) * (b'a' - b'0' - 10);
    let mut digits = [0_u8; 32];
    let (pairs, _) = digits.as_chunks_mut::<2>();
    for (pair, byte) in pairs.iter_mut().zip(bytes) {
        *pair = [digit(byte >> 4), digit(byte & 0x0f)];
    }
    let mut text = [b'-'; 36];
    text[..8].copy_from_slice(&digits[..8]);
    text[9..13].copy_from_slice(&digits[8..12]);
    text[14..18].copy_from_slice(&digits[12..16]);
    text[19..23].copy_from_slice(&digits[16..20]);
    text[24..].copy_from_slice(&digits[20..]);
    text
}

fn parse_uuid(text: &str) -> Result<[u8; 16], MalformedId> {
    let mut digits = [0_u8; 32];
    let mut filled = digits.iter_mut();
    for (position, byte) in text.bytes().enumerate() {
        let value = match (position, byte) {
            (8 | 13 | 18 | 23, b'-') => continue,
            (8 | 13 | 18 | 23, _) => return Err(MalformedId),
            (_, b'0'..=b'9') => byte - b'0',
            (_, b'a'..=b'f') => byte - b'a' + 10,
            _ => return Err(MalformedId),
        };
        *filled.next().ok_or(MalformedId)? = value;
    }
    if filled.next().is_some() {
        return Err(MalformedId);
    }
    let mut bytes = [0_u8; 16];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().fold(0, |high, low| (high << 4) | low);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_written_and_read_as_a_version_4_uuid() {
        let id = AccountId::from_random([0xff; 16]);
        assert_eq!(id.to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn malformed_ids_are_refused() {
        for text in [
            "",
            "ffffffff-ffff-4fff-bfff-fffffffffff",
            "ffffffff-ffff-4fff-bfff-fffffffffffff",
            "FFFFFFFF-ffff-4fff-bfff-ffffffffffff",
            "ffffffffffff-4fff-bfff-ffffffffffff--",
            "ffffffffffff4fffbfffffffffffffff",
            "gfffffff-ffff-4fff-bfff-ffffffffffff",
        ] {
            assert_eq!(text.parse::<AccountId>(), Err(MalformedId), "{text:?}");
        }
    }

    #[test]
    fn a_slug_has_nothing_that_a_header_or_a_path_could_misread() {
        for text in ["a", "rh", "team-1", "a.b_c", "0day", &"a".repeat(64)] {
            assert_eq!(
                text.parse::<Role>().map(|role| role.to_string()),
                Ok(text.to_owned())
            );
        }
        for text in [
            "",
            "-a",
            ".a",
            "A",
            "a,b",
            "a b",
            "a/b",
            "é",
            "a\n",
            &"a".repeat(65),
        ] {
            assert_eq!(text.parse::<Role>(), Err(MalformedSlug), "{text:?}");
        }
    }
}
