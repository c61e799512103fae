//! Promise C1 for what is being carried: an upload and a download end within a second of their session, counted to the
//! last byte, and those of somebody else go on to their end.

use std::time::Duration;

use octroi_integration_tests::answer::Answer;
use octroi_integration_tests::patience::{Stopwatch, pause};
use octroi_integration_tests::visitor::{VERSIONS, Version};
use octroi_integration_tests::wire::is_silence;
use octroi_integration_tests::world::World;
use octroi_integration_tests::{h1, h2};

use super::revocation::{REVOCATION, arrived, cookie, revoke};

const HOST: &str = "echo.localhost";
/// More than the buffers of two connections and of three processes hold.
const DOWNLOAD: usize = 60_000_000;
/// Within one window of HTTP/2, so that a client that does not look at windows may send it.
const UPLOAD: usize = 60_000;
/// What of it is sent before the session ends.
const BEGUN: usize = 20_000;
/// The end, and what a test needs to see it.
const SEEN: Duration = REVOCATION.saturating_add(Duration::from_millis(500));

/// A download and an upload of one session, both begun.
enum Transfers {
    H1 {
        download: h1::Client,
        upload: h1::Client,
    },
    H2 {
        download: (h2::Client, u32),
        upload: (h2::Client, u32),
    },
}

impl Transfers {
    fn begin(world: &World, version: Version, cookie: &str) -> Self {
        match version {
            Version::H1 => Self::over_h1(world, cookie),
            Version::H2 => Self::over_h2(world, cookie),
        }
    }

    fn over_h1(world: &World, cookie: &str) -> Self {
        let authority = world.authority(HOST);
        let mut download = h1::Client::connect(&world.door, HOST).expect("a connection");
        download.send(
            format!("GET /download?bytes={DOWNLOAD} HTTP/1.1\r\nHost: {authority}\r\nCookie: {cookie}\r\n\r\n")
                .as_bytes(),
        );
        let head = download.head().expect("a head").expect("a head");
        assert_eq!(head.status, 200, "{}", head.everything());
        let mut upload = h1::Client::connect(&world.door, HOST).expect("a connection");
        let head = format!(
            "POST /upload HTTP/1.1\r\nHost: {authority}\r\nOrigin: https://{authority}\r\nCookie: {cookie}\r\n\
             Content-Length: {UPLOAD}\r\n\r\n"
        );
        upload.send(&[head.as_bytes(), "u".repeat(BEGUN).as_bytes()].concat());
        Self::H1 { download, upload }
    }

    fn over_h2(world: &World, cookie: &str) -> Self {
        let authority = world.authority(HOST);
        let origin = format!("https://{authority}");
        let target = format!("/download?bytes={DOWNLOAD}");
        let connect = || h2::Client::connect(&world.door, HOST).expect("a connection");
        let (mut download, mut upload) = (connect(), connect());
        let cookie: (&[u8], &[u8]) = (b"cookie", cookie.as_bytes());
        let fields = h2::fields(b"GET", authority.as_bytes(), target.as_bytes(), &[cookie]);
        let down = download.begin(&fields, true);
        let others = [cookie, (b"origin", origin.as_bytes())];
        let fields = h2::fields(b"POST", authority.as_bytes(), b"/upload", &others);
        let up = upload.begin(&fields, false);
        upload.data(up, "u".repeat(BEGUN / 2).as_bytes(), false);
        upload.data(up, "u".repeat(BEGUN / 2).as_bytes(), false);
        Self::H2 {
            download: (download, down),
            upload: (upload, up),
        }
    }

    /// How many bytes of the download come before it ends or is whole.
    fn downloaded(&mut self) -> usize {
        match self {
            Self::H1 { download, .. } => downloaded_over_h1(download),
            Self::H2 {
                download: (client, stream),
                ..
            } => downloaded_over_h2(client, *stream),
        }
    }

    /// What becomes of the upload when nothing more of it is sent.
    fn upload_answer(&mut self) -> Answer {
        match self {
            Self::H1 { upload, .. } => upload.answer(false),
            Self::H2 {
                upload: (client, stream),
                ..
            } => client.answer(*stream),
        }
    }

    fn send_the_rest(&mut self) {
        let rest = "u".repeat(UPLOAD - BEGUN);
        match self {
            Self::H1 { upload, .. } => upload.send(rest.as_bytes()),
            Self::H2 {
                upload: (client, stream),
                ..
            } => {
                let mut pieces = rest.as_bytes().chunks(10_000).peekable();
                while let Some(piece) = pieces.next() {
                    client.data(*stream, piece, pieces.peek().is_none());
                }
            }
        }
    }
}

/// Counts every byte of the content, also those that came with the head. Silence is no end.
fn downloaded_over_h1(client: &mut h1::Client) -> usize {
    let mut bytes = 0;
    while bytes < DOWNLOAD {
        match client.some() {
            Ok(some) if some.is_empty() => break,
            Ok(some) => bytes += some.len(),
            Err(error) if is_silence(&error) => panic!("after {bytes} bytes the download hangs"),
            Err(_) => break,
        }
    }
    bytes
}

fn downloaded_over_h2(client: &mut h2::Client, stream: u32) -> usize {
    let mut bytes = 0;
    loop {
        let frame = match client.next_frame() {
            Ok(Some(frame)) if frame.stream == stream => frame,
            Ok(Some(_)) => continue,
            Err(error) if is_silence(&error) => panic!("after {bytes} bytes the download hangs"),
            Ok(None) | Err(_) => panic!("after {bytes} bytes the connection ends, not the stream"),
        };
        if frame.kind == h2::kind::DATA {
            bytes += frame.content().len();
        }
        if frame.kind == h2::kind::RST_STREAM {
            return bytes;
        }
        let ends = frame.flags & h2::flag::END_STREAM != 0;
        if ends && matches!(frame.kind, h2::kind::DATA | h2::kind::HEADERS) {
            return bytes;
        }
    }
}

#[test]
fn an_upload_and_a_download_end_when_their_session_does_and_no_others() {
    let world = World::demo();
    for version in VERSIONS {
        let (marie, paul) = (arrived(&world, "acme/marie"), arrived(&world, "acme/paul"));
        let mut of_marie = Transfers::begin(&world, version, &cookie(&marie));
        let mut of_paul = Transfers::begin(&world, version, &cookie(&paul));
        // Long enough for every buffer on the way to be full: what comes later, comes in spite of the end.
        pause(Duration::from_millis(700));
        let watch = revoke(&world, "acme/marie");
        let answer = of_marie.upload_answer();
        assert_ended(version, "the upload", watch);
        assert!(answer.is_refusal(), "{version:?}: {answer:?}");
        let bytes = of_marie.downloaded();
        assert_ended(version, "the download", watch);
        assert!(bytes < DOWNLOAD, "{version:?}: it came to its end");
        // The same of somebody whose session goes on, on the same gateway: all of it.
        of_paul.send_the_rest();
        let answer = of_paul.upload_answer().response();
        let all = answer.everything();
        assert_eq!(answer.status, 200, "{version:?}: {all}");
        assert_eq!(answer.json()["bytes"], UPLOAD, "{version:?}: {all}");
        assert_eq!(of_paul.downloaded(), DOWNLOAD, "{version:?}");
    }
}

#[track_caller]
fn assert_ended(version: Version, what: &str, watch: Stopwatch) {
    let elapsed = watch.elapsed();
    assert!(
        elapsed < SEEN,
        "{version:?}: {what} ended after {elapsed:?}"
    );
}
