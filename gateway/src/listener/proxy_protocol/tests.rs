//! Both versions are read to their last byte and no further; everything else is refused.

use proptest::prelude::*;

use super::*;

/// The verdict, and what was left unread.
async fn verdict(bytes: &[u8]) -> (Result<Option<SocketAddr>, String>, usize) {
    let mut stream = bytes;
    let verdict = read(&mut stream).await.map_err(|fault| fault.to_string());
    (verdict, stream.len())
}

fn binary(command: u8, family: u8, block: &[u8]) -> Vec<u8> {
    let length = u16::try_from(block.len()).unwrap().to_be_bytes();
    let mut header = SIGNATURE.to_vec();
    header.extend([command, family]);
    header.extend(length);
    header.extend(block);
    header
}

const V4_BLOCK: [u8; 12] = [192, 0, 2, 7, 10, 0, 0, 1, 0x1f, 0x90, 0x01, 0xbb];

#[tokio::test]
async fn a_well_formed_header_names_the_client_and_leaves_what_follows() {
    let v6_block = [
        &[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1][..],
        &[0; 16],
        &[0x1f, 0x90, 0x01, 0xbb],
    ]
    .concat();
    let with_extension = [&V4_BLOCK[..], &[0x04, 0, 2, 1, 2]].concat();
    for (header, client) in [
        (
            b"PROXY TCP4 192.0.2.7 10.0.0.1 8080 443\r\n".to_vec(),
            Some("192.0.2.7:8080"),
        ),
        (
            b"PROXY TCP6 2001:db8::1 ::1 8080 443\r\n".to_vec(),
            Some("[2001:db8::1]:8080"),
        ),
        (b"PROXY UNKNOWN\r\n".to_vec(), None),
        (b"PROXY UNKNOWN ffff:f 1 2 3\r\n".to_vec(), None),
        (binary(PROXY, TCP_V4, &V4_BLOCK), Some("192.0.2.7:8080")),
        (
            binary(PROXY, TCP_V4, &with_extension),
            Some("192.0.2.7:8080"),
        ),
        (binary(PROXY, TCP_V6, &v6_block), Some("[2001:db8::1]:8080")),
        (binary(LOCAL, 0, b""), None),
    ] {
        let client = client.map(|client| client.parse().unwrap());
        let bytes = [&header[..], b"\x16\x03\x01"].concat();
        assert_eq!(verdict(&bytes).await, (Ok(client), 3), "{header:?}");
    }
}

#[tokio::test]
async fn anything_else_is_refused() {
    for header in [
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00\x00\x00".to_vec(),
        b"PROXY TCP4 192.0.2.7 10.0.0.1 8080\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.7 10.0.0.1 8080 443 1\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.7 ::1 8080 443\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.7 10.0.0.1 +80 443\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.7 10.0.0.1 99999 443\r\n".to_vec(),
        b"PROXY UDP4 192.0.2.7 10.0.0.1 8080 443\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.7 10.0.0.1 8080 443\n".to_vec(),
        binary(PROXY, TCP_V4, &V4_BLOCK[..11]),
        binary(PROXY, TCP_V6, &V4_BLOCK),
        binary(PROXY, 0x12, &V4_BLOCK),
        binary(0x11, TCP_V4, &V4_BLOCK),
        binary(0x22, TCP_V4, &V4_BLOCK),
    ] {
        let (verdict, _) = verdict(&header).await;
        assert!(verdict.is_err(), "{header:?} gave {verdict:?}");
    }
}

#[tokio::test]
async fn a_header_may_be_as_long_as_its_limit_and_not_longer() {
    let room = HEADER_BYTES_MAX - SIGNATURE.len() - 4;
    let block = |length: usize| [&V4_BLOCK[..], &vec![0; length - V4_BLOCK.len()]].concat();
    for length in [room - 1, room] {
        let (verdict, left) = verdict(&binary(PROXY, TCP_V4, &block(length))).await;
        assert!(verdict.is_ok() && left == 0);
    }
    assert!(
        verdict(&binary(PROXY, TCP_V4, &block(room + 1)))
            .await
            .0
            .is_err()
    );

    let line = |length: usize| {
        let filling = "x".repeat(length - "PROXY UNKNOWN \r\n".len());
        format!("PROXY UNKNOWN {filling}\r\n").into_bytes()
    };
    for length in [LINE_BYTES_MAX - 1, LINE_BYTES_MAX] {
        assert_eq!(verdict(&line(length)).await, (Ok(None), 0));
    }
    assert!(verdict(&line(LINE_BYTES_MAX + 1)).await.0.is_err());
}

proptest! {
    #[test]
    fn no_bytes_bring_the_reader_down(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for start in [&b""[..], b"PROXY ", SIGNATURE] {
            let header = [start, &bytes].concat();
            let (_verdict, left) = runtime.block_on(verdict(&header));
            prop_assert!(left <= header.len());
        }
    }
}
