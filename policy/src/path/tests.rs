//! Tests of canonical paths: attack classes A1 and A3 line by line, and what holds for all paths.

use http::uri::PathAndQuery;
use proptest::prelude::*;

use super::*;

fn read(target: &str) -> Result<String, Malformed> {
    canonical_target(target.as_bytes(), None).map(|target| target.to_string())
}

#[test]
fn a1_every_spelling_that_has_two_readings_is_refused() {
    for (target, reason) in [
        ("/public/../admin", Malformed::DotSegment),
        ("/public/%2e%2e/admin", Malformed::DotSegment),
        ("/public/%2E./admin", Malformed::DotSegment),
        ("/public/..%2fadmin", Malformed::EncodedSlash),
        ("/public%2Fadmin", Malformed::EncodedSlash),
        ("/public/%252e%252e/admin", Malformed::DoubleEncoding),
        ("/public/%252fadmin", Malformed::DoubleEncoding),
        ("/public/%25%32%66admin", Malformed::DoubleEncoding),
        ("//admin", Malformed::EmptySegment),
        ("/public//admin", Malformed::EmptySegment),
        ("//", Malformed::EmptySegment),
        ("/public/..;/admin", Malformed::PathParameter),
        ("/public/..%3b/admin", Malformed::PathParameter),
        ("/public\\..\\admin", Malformed::Backslash),
        ("/public%5c..%5Cadmin", Malformed::Backslash),
        ("/./admin", Malformed::DotSegment),
        ("/admin/.", Malformed::DotSegment),
        ("/admin/..", Malformed::DotSegment),
        ("/public%00/admin", Malformed::ControlByte),
        ("/public%0d%0aX: y", Malformed::ControlByte),
        ("/public\u{1}", Malformed::ControlByte),
        ("/public /admin", Malformed::TargetByte),
        ("/é", Malformed::TargetByte),
        ("/%c0%ae%c0%ae/admin", Malformed::Encoding),
        ("/%ff", Malformed::Encoding),
        ("/%", Malformed::Encoding),
        ("/%4", Malformed::Encoding),
        ("/%zz", Malformed::Encoding),
        ("", Malformed::TargetForm),
        ("admin", Malformed::TargetForm),
        ("*", Malformed::TargetForm),
        ("?x", Malformed::TargetForm),
    ] {
        assert_eq!(read(target), Err(reason), "{target:?}");
    }
}

#[test]
fn a3_a_raw_fragment_is_refused_and_an_encoded_one_is_text() {
    assert_eq!(read("/bar#/foo"), Err(Malformed::Fragment));
    assert_eq!(read("/bar?x#/foo"), Err(Malformed::Fragment));
    assert_eq!(read("/bar%23/foo"), Ok("/bar%23/foo".to_owned()));
    assert_eq!(read("/bar?x=/foo"), Ok("/bar?x=/foo".to_owned()));
}

#[test]
fn each_character_has_one_spelling() {
    for (target, canonical) in [
        ("/", "/"),
        ("/admin/", "/admin/"),
        ("/%61dmin", "/admin"),
        ("/%41dmin", "/Admin"),
        ("/a%2db", "/a-b"),
        ("/%40scope/x", "/@scope/x"),
        ("/@scope/x", "/@scope/x"),
        ("/caf%c3%a9", "/caf%C3%A9"),
        ("/a%20b", "/a%20b"),
        ("/a|b", "/a%7Cb"),
        ("/100%25", "/100%25"),
        ("/...", "/..."),
        ("/.well-known/x", "/.well-known/x"),
        ("/a?", "/a?"),
        ("/a?b=%2e%2e/%2f&c=..;//", "/a?b=%2e%2e/%2f&c=..;//"),
    ] {
        assert_eq!(read(target).as_deref(), Ok(canonical), "{target:?}");
    }
}

#[test]
fn a_query_with_what_ends_a_target_is_refused() {
    assert_eq!(read("/a?b c"), Err(Malformed::TargetByte));
    assert_eq!(read("/a?b\r"), Err(Malformed::ControlByte));
    assert_eq!(read("/a?é"), Err(Malformed::TargetByte));
}

#[test]
fn invariant_8_the_longest_target_passes_and_one_byte_more_does_not() {
    let longest = format!("/{}", "a".repeat(Malformed::TARGET_BYTES_MAX - 1));
    assert_eq!(
        read(&longest[..longest.len() - 1]).map(|t| t.len()),
        Ok(8191)
    );
    assert_eq!(read(&longest).map(|t| t.len()), Ok(8192));
    assert_eq!(read(&format!("{longest}a")), Err(Malformed::TargetTooLong));
}

#[test]
fn a_target_that_is_canonical_already_is_not_copied() {
    let parsed = PathAndQuery::from_static("/a/b?c");
    let read = canonical_target(b"/a/b?c", Some(&parsed)).unwrap();
    assert_eq!(read.as_str().as_ptr(), parsed.as_str().as_ptr());
    let other = PathAndQuery::from_static("/other");
    assert_eq!(canonical_target(b"/a", Some(&other)).unwrap(), "/a");
}

#[test]
fn a_prefix_is_read_as_paths_are() {
    assert_eq!(PathPrefix::parse("/%61/b").unwrap().as_str(), "/a/b");
    assert_eq!(PathPrefix::parse("/a/../b"), Err(Malformed::DotSegment));
    assert_eq!(PathPrefix::parse("a"), Err(Malformed::TargetForm));
}

/// What an upstream does with a path: decode it, once.
fn decode(path: &str) -> Vec<u8> {
    let mut rest = path.as_bytes();
    let mut decoded = Vec::new();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let (byte, tail) = decode_byte(tail).unwrap();
            decoded.push(byte);
            rest = tail;
        } else {
            decoded.push(*first);
            rest = tail;
        }
    }
    decoded
}

proptest! {
    #[test]
    fn a_canonical_target_is_its_own_canonical_form(target in "/[ -~]{0,40}") {
        if let Ok(once) = read(&target) {
            prop_assert_eq!(read(&once), Ok(once));
        }
    }

    #[test]
    fn an_upstream_that_decodes_sees_no_segment_that_policy_did_not_see(
        path in "(/(%2[ef5]|%5c|%3b|%25|\\.|a|%61|%41|%C3%A9|;|\\\\|@|\\+){0,6}){1,4}"
    ) {
        if let Ok(canonical) = read(&path) {
            let decoded = decode(&canonical);
            let text = std::str::from_utf8(&decoded).unwrap();
            prop_assert_eq!(text.split('/').count(), canonical.split('/').count());
            prop_assert!(text.split('/').all(|segment| segment != "." && segment != ".."));
            prop_assert!(!text.contains(['\\', ';', '\0']));
            // A second decoding, by an upstream that does too much, changes nothing of the structure.
            prop_assert!(!text.to_ascii_lowercase().contains("%2f"));
            prop_assert!(!text.to_ascii_lowercase().contains("%2e"));
        }
    }

    #[test]
    fn two_paths_that_decode_alike_are_one(path in "(/([a-z@+!.-]|%[2-7][0-9a-fA-F]){1,6}){1,3}") {
        if let Ok(canonical) = read(&path) {
            prop_assert_eq!(decode(&path), decode(&canonical));
            let encoded: String = decode(&canonical)
                .iter()
                .map(|byte| if *byte == b'/' { "/".to_owned() } else { format!("%{byte:02x}") })
                .collect();
            prop_assert_eq!(read(&encoded), Ok(canonical));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(target in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = canonical_target(&target, None);
    }
}

#[test]
fn each_byte_that_does_not_stand_for_itself_is_encoded_in_capitals() {
    for (text, encoded) in [
        ("a-Z.0_9~", "a-Z.0_9~"),
        ("/a b?c=d&e", "%2Fa%20b%3Fc%3Dd%26e"),
        ("é\u{1f512}%", "%C3%A9%F0%9F%94%92%25"),
        ("\r\n\0", "%0D%0A%00"),
    ] {
        assert_eq!(percent_encoded(text, is_unreserved), encoded);
    }
}
