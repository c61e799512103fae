//! Keyring: what it opens, what it refuses, and how its file is guarded.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::entropy::SystemEntropy;

const PURPOSES: [Purpose; 9] = [
    Purpose::Pepper,
    Purpose::SealedCookie,
    Purpose::Forgery,
    Purpose::Journal,
    Purpose::StoreRecord,
    Purpose::Assertion,
    Purpose::LoginIndex,
    Purpose::Throttle,
    Purpose::StoreCheck,
];

fn keyring() -> Keyring {
    Keyring::ephemeral(&SystemEntropy).unwrap()
}

#[test]
fn what_is_sealed_opens_under_the_same_purpose_and_context_alone() {
    let ring = keyring();
    let sealed = ring
        .seal(Purpose::SealedCookie, b"enter:1", b"/paie", &SystemEntropy)
        .unwrap();
    let open = |purpose, context: &[u8]| {
        ring.open(purpose, context, &sealed)
            .map(|opened| opened.to_vec())
    };
    assert_eq!(
        open(Purpose::SealedCookie, b"enter:1"),
        Ok(b"/paie".to_vec())
    );
    assert_eq!(open(Purpose::SealedCookie, b"enter:2"), Err(Unsealable));
    for purpose in PURPOSES {
        if purpose != Purpose::SealedCookie {
            assert_eq!(open(purpose, b"enter:1"), Err(Unsealable), "{purpose:?}");
        }
    }
    assert!(
        keyring()
            .open(Purpose::SealedCookie, b"enter:1", &sealed)
            .is_err()
    );
}

#[test]
fn a_sealed_value_with_any_bit_flipped_or_any_byte_missing_does_not_open() {
    let ring = keyring();
    let seal = || {
        ring.seal(Purpose::StoreRecord, b"x", b"secret", &SystemEntropy)
            .unwrap()
    };
    let sealed = seal();
    assert_ne!(sealed, seal(), "two sealings of the same value must differ");
    for position in 0..sealed.len() {
        for bit in 0..8 {
            let mut altered = sealed.clone();
            altered[position] ^= 1 << bit;
            assert!(
                ring.open(Purpose::StoreRecord, b"x", &altered).is_err(),
                "byte {position}, bit {bit}"
            );
        }
        assert!(
            ring.open(Purpose::StoreRecord, b"x", &sealed[..position])
                .is_err()
        );
    }
}

#[test]
fn a_keyed_hash_tells_apart_lists_that_join_to_the_same_bytes() {
    let ring = keyring();
    let hash = |parts: &[&[u8]]| ring.keyed_hash(Purpose::LoginIndex, parts);
    assert_ne!(hash(&[b"ab", b"c"]), hash(&[b"a", b"bc"]));
    assert!(ring.is_keyed_hash(Purpose::LoginIndex, &[b"ab"], &hash(&[b"ab"])));
    assert!(!ring.is_keyed_hash(Purpose::LoginIndex, &[b"ab"], &hash(&[b"ac"])));
    assert!(!ring.is_keyed_hash(Purpose::LoginIndex, &[b"ab"], &hash(&[b"ab"])[..31]));
}

#[test]
fn a_keyring_is_the_same_after_it_was_read_back_and_is_never_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keyring");
    let made = Keyring::create(&path, &SystemEntropy).unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let sealed = made
        .seal(Purpose::Assertion, b"c", b"v", &SystemEntropy)
        .unwrap();
    let loaded = Keyring::load(&path).unwrap();
    assert_eq!(
        loaded
            .open(Purpose::Assertion, b"c", &sealed)
            .unwrap()
            .as_slice(),
        b"v"
    );
    assert!(matches!(
        Keyring::create(&path, &SystemEntropy),
        Err(KeyringError::Exists(_))
    ));
}

#[test]
fn a_second_root_seals_what_is_new_and_the_first_still_opens_what_is_old() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keyring");
    let old = Keyring::create(&path, &SystemEntropy).unwrap();
    let sealed = old
        .seal(Purpose::Assertion, b"c", b"v", &SystemEntropy)
        .unwrap();
    let mut text = std::fs::read_to_string(&path).unwrap();
    let second = data_encoding::BASE64.encode(&[7; 32]);
    text.extend(["2 ", &second, "\n"]);
    std::fs::write(&path, text).unwrap();
    let both = Keyring::load(&path).unwrap();
    assert_eq!(both.newest_version(), KeyVersion(2));
    assert!(both.open(Purpose::Assertion, b"c", &sealed).is_ok());
    let newer = both
        .seal(Purpose::Assertion, b"c", b"v", &SystemEntropy)
        .unwrap();
    assert!(old.open(Purpose::Assertion, b"c", &newer).is_err());
    let parts: &[&[u8]] = &[b"tenant", b"marie"];
    assert_eq!(
        old.keyed_hash(Purpose::LoginIndex, parts),
        both.keyed_hash(Purpose::LoginIndex, parts)
    );
    assert!(both.pepper(KeyVersion(1)).is_some() && both.pepper(KeyVersion(3)).is_none());
}

#[test]
fn a_file_that_is_missing_exposed_or_malformed_is_refused_with_the_remedy() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keyring");
    let message = || Keyring::load(&path).err().unwrap().to_string();
    assert!(message().contains("octroi init"));
    Keyring::create(&path, &SystemEntropy).unwrap();
    let set_mode = |mode| {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for mode in [0o640, 0o604, 0o620, 0o660] {
        set_mode(mode);
        assert!(message().contains("chmod 600"), "{mode:o}");
    }
    set_mode(0o600);
    let key = data_encoding::BASE64.encode(&[7; 32]);
    for (text, line) in [
        (String::new(), 1),
        ("something else\n".to_owned(), 1),
        ("octroi keyring 1\n".to_owned(), 2),
        ("octroi keyring 1\n1\n".to_owned(), 2),
        (format!("octroi keyring 1\n0x1 {key}\n"), 2),
        (format!("octroi keyring 1\n0 {key}\n"), 2),
        (format!("octroi keyring 1\n+1 {key}\n"), 2),
        (format!("octroi keyring 1\n01 {key}\n"), 2),
        (format!("octroi keyring 1\n65536 {key}\n"), 2),
        ("octroi keyring 1\n1 ????\n".to_owned(), 2),
        ("octroi keyring 1\n1 AAAA\n".to_owned(), 2),
        (format!("octroi keyring 1\n2 {key}\n1 {key}\n"), 3),
    ] {
        std::fs::write(&path, &text).unwrap();
        let message = message();
        assert!(message.contains(&format!("line {line}:")), "{message}");
        assert!(!message.contains(&key), "a message must not hold a key");
    }
}
