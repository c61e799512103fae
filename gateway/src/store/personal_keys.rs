//! Names of the keys that seal personal data: one a person, and one a month for what names no account.

use octroi_policy::{id::AccountId, time::Timestamp};

/// Which key.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum KeyName {
    /// A person's. Destroying it erases the person.
    Account(AccountId),
    /// A month's, for journal lines that are about no known account.
    Month(Month),
}

impl KeyName {
    /// As stores keep it: a letter and the bytes of the name.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        match self {
            Self::Account(account) => [b"a".as_slice(), account.as_bytes()].concat(),
            Self::Month(Month(number)) => [b"m".as_slice(), &number.to_be_bytes()].concat(),
        }
    }

    /// Reads [`KeyName::to_bytes`] back.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (b'a', id) => Some(Self::Account(AccountId::from_bytes(id.try_into().ok()?))),
            (b'm', number) => Some(Self::Month(Month(i32::from_be_bytes(
                number.try_into().ok()?,
            )))),
            _ => None,
        }
    }
}

/// A calendar month, UTC: months since January of the year 0.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Month(i32);

impl Month {
    /// The month in which `at` lies.
    pub(crate) fn of(at: Timestamp) -> Self {
        // Beyond the years that a calendar can name, all times share one month.
        let date = jiff::Timestamp::from_millisecond(at.as_unix_millis())
            .map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date());
        Self(date.map_or(0, |date| {
            i32::from(date.year()) * 12 + i32::from(date.month()) - 1
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_name_is_read_back_as_it_was_written() {
        for name in [
            KeyName::Account(AccountId::from_random([7; 16])),
            KeyName::Month(Month::of(Timestamp::from_unix_millis(1_795_000_000_000))),
        ] {
            assert_eq!(KeyName::from_bytes(&name.to_bytes()), Some(name));
        }
        for bytes in [b"".as_slice(), b"a", b"a123", b"m12345", b"x1234"] {
            assert_eq!(KeyName::from_bytes(bytes), None);
        }
    }

    #[test]
    fn a_month_begins_at_midnight_of_its_first_day_in_utc() {
        // 2026-11-30T23:59:59.999Z
        let last = Timestamp::from_unix_millis(1_796_083_199_999);
        let next = Timestamp::from_unix_millis(1_796_083_200_000);
        assert_eq!(Month::of(last), Month(2026 * 12 + 10));
        assert_eq!(Month::of(next), Month(2026 * 12 + 11));
    }
}
