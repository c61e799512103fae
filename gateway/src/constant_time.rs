//! The one comparison of secrets: how long it takes says nothing of where they differ (attack class D3).

/// Whether two secrets are equal. Only their lengths may show in the time that this takes.
#[must_use]
pub(crate) fn are_equal(one: &[u8], other: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one, other).is_ok()
}

#[cfg(test)]
mod tests {
    use super::are_equal;

    #[test]
    fn invariant_6_secrets_are_equal_in_every_byte_or_not_at_all() {
        assert!(are_equal(b"", b"") && are_equal(b"secret", b"secret"));
        for other in [&b"Secret"[..], b"secreT", b"secre", b"secrets", b""] {
            assert!(!are_equal(b"secret", other));
        }
    }
}
