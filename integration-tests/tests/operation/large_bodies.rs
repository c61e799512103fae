//! 300 MB up and down, over each version, whole and in order; what the gateway holds of them at any moment is bounded.

use std::io::Write;
use std::process::{Child, Command, Stdio};

use octroi_integration_tests::answer::Response;
use octroi_integration_tests::visitor::{VERSIONS, Version};
use octroi_integration_tests::world::World;
use octroi_integration_tests::{h1, h2};

const HOST: &str = "echo.localhost";
const LENGTH: usize = 300_000_000;
/// What the process, the demonstration's service included, may hold more than before.
const GROWTH_KIB_MAX: u64 = 64 * 1024;
/// A piece as it is sent: the longest that HTTP/2 takes in one frame.
const PIECE: usize = 16 * 1024;
/// After so many pieces the memory is looked at.
const LOOK: usize = 512;

#[test]
fn three_hundred_megabytes_come_down_in_constant_memory() {
    let (world, cookie) = world();
    let memory = Memory::of(&world);
    for version in VERSIONS {
        let length = download(&world, version, &cookie, &memory);
        assert_eq!(length, LENGTH, "{version:?}");
        memory.assert_bounded(&format!("{version:?}"));
    }
}

#[test]
fn three_hundred_megabytes_go_up_in_constant_memory_and_arrive_as_they_were_sent() {
    let (world, cookie) = world();
    let memory = Memory::of(&world);
    for version in VERSIONS {
        let mut sum = Sum::start();
        let answer = match version {
            Version::H1 => upload_http1(&world, &cookie, &memory, &mut sum),
            Version::H2 => upload_http2(&world, &cookie, &memory, &mut sum),
        };
        let all = answer.everything();
        assert_eq!(answer.status, 200, "{version:?}: {all}");
        let told = answer.json();
        assert_eq!(told["bytes"], LENGTH, "{version:?}: {all}");
        assert_eq!(told["sha256"], sum.end(), "{version:?}: {all}");
        memory.assert_bounded(&format!("{version:?}"));
    }
}

/// A demonstration, and the cookie of somebody who reached its echo.
fn world() -> (World, String) {
    let world = World::demo();
    let mut marie = world.visitor();
    world.sign_in_by_pages(&mut marie, "acme/marie", &world.url(HOST, "/request"));
    let cookie = marie.cookie_field(HOST).expect("a session");
    (world, cookie)
}

/// The memory of a gateway, against what it was.
struct Memory<'a> {
    world: &'a World,
    before: u64,
}

impl<'a> Memory<'a> {
    fn of(world: &'a World) -> Self {
        let before = world.gateway.resident_kib();
        assert!(before > 0, "the memory cannot be read");
        Self { world, before }
    }

    #[track_caller]
    fn assert_bounded(&self, what: &str) {
        let now = self.world.gateway.resident_kib();
        assert!(
            now < self.before + GROWTH_KIB_MAX,
            "{what}: memory grew from {} to {now} KiB",
            self.before
        );
    }
}

/// The pieces of the upload: no two alike, so that one that is lost, doubled or out of place is noticed.
fn pieces() -> impl Iterator<Item = Vec<u8>> {
    (0..LENGTH.div_ceil(PIECE)).map(|number| {
        let length = PIECE.min(LENGTH - number * PIECE);
        let mut piece = vec![b'u'; length];
        for (place, byte) in piece.iter_mut().zip(number.to_be_bytes()) {
            *place = byte;
        }
        piece
    })
}

/// The checksum of what is sent, by a program that shares no code with the gateway.
struct Sum(Child);

impl Sum {
    fn start() -> Self {
        let child = Command::new("sha256sum")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        Self(child.expect("sha256sum runs"))
    }

    fn add(&mut self, piece: &[u8]) {
        let input = self.0.stdin.as_mut().expect("an input");
        input.write_all(piece).expect("it reads on");
    }

    fn end(self) -> String {
        let output = self.0.wait_with_output().expect("it ends");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.split(' ').next().unwrap_or_default().to_owned()
    }
}

fn upload_http1(world: &World, cookie: &str, memory: &Memory<'_>, sum: &mut Sum) -> Response {
    let authority = world.authority(HOST);
    let mut client = h1::Client::connect(&world.door, HOST).expect("a connection");
    let head = format!(
        "POST /upload HTTP/1.1\r\nHost: {authority}\r\nCookie: {cookie}\r\nContent-Length: {LENGTH}\r\n\r\n"
    );
    client.send(head.as_bytes());
    for (number, piece) in pieces().enumerate() {
        client.send(&piece);
        sum.add(&piece);
        if number % LOOK == 0 {
            memory.assert_bounded("on the way");
        }
    }
    client.answer(false).response()
}

fn upload_http2(world: &World, cookie: &str, memory: &Memory<'_>, sum: &mut Sum) -> Response {
    let authority = world.authority(HOST);
    let mut client = h2::Client::connect(&world.door, HOST).expect("a connection");
    let others: [(&[u8], &[u8]); 1] = [(b"cookie", cookie.as_bytes())];
    let fields = h2::fields(b"POST", authority.as_bytes(), b"/upload", &others);
    let stream = client.begin(&fields, false);
    let mut leave = Leave::new(stream);
    let mut sent = 0;
    for (number, piece) in pieces().enumerate() {
        while !leave.is_for(piece.len()) {
            let frame = client.next_frame().expect("a frame").expect("a frame");
            leave.take(&frame);
            if frame.kind == h2::kind::SETTINGS && frame.flags & h2::flag::ACK == 0 {
                client.frame(h2::kind::SETTINGS, h2::flag::ACK, 0, &[]);
            }
        }
        sent += piece.len();
        leave.spend(piece.len());
        client.data(stream, &piece, sent == LENGTH);
        sum.add(&piece);
        if number % LOOK == 0 {
            memory.assert_bounded("on the way");
        }
    }
    client.answer(stream).response()
}

/// How much may be sent on one stream (RFC 9113 §6.9): its window, and that of the connection.
struct Leave {
    stream: u32,
    on_stream: i64,
    on_connection: i64,
    initial: i64,
}

impl Leave {
    const fn new(stream: u32) -> Self {
        Self {
            stream,
            on_stream: 65_535,
            on_connection: 65_535,
            initial: 65_535,
        }
    }

    fn is_for(&self, length: usize) -> bool {
        let length = i64::try_from(length).expect("a length");
        self.on_stream >= length && self.on_connection >= length
    }

    fn spend(&mut self, length: usize) {
        let length = i64::try_from(length).expect("a length");
        self.on_stream -= length;
        self.on_connection -= length;
    }

    fn take(&mut self, frame: &h2::Frame) {
        let number = |bytes: &[u8]| {
            let four = bytes.first_chunk().expect("four bytes");
            i64::from(u32::from_be_bytes(*four))
        };
        match (frame.kind, frame.stream) {
            (h2::kind::WINDOW_UPDATE, 0) => self.on_connection += number(&frame.payload),
            (h2::kind::WINDOW_UPDATE, stream) if stream == self.stream => {
                self.on_stream += number(&frame.payload);
            }
            (h2::kind::SETTINGS, 0) if frame.flags & h2::flag::ACK == 0 => {
                // SETTINGS_INITIAL_WINDOW_SIZE counts for streams that are open already, too.
                let settings = frame.payload.chunks_exact(6);
                for setting in settings.filter(|setting| setting.starts_with(&[0, 4])) {
                    let initial = number(&setting[2..]);
                    self.on_stream += initial - self.initial;
                    self.initial = initial;
                }
            }
            (h2::kind::RST_STREAM | h2::kind::GOAWAY | h2::kind::HEADERS, _) => {
                panic!("answered before the end: {frame:?}");
            }
            _ => {}
        }
    }
}

fn download(world: &World, version: Version, cookie: &str, memory: &Memory<'_>) -> usize {
    match version {
        Version::H1 => download_http1(world, cookie, memory),
        Version::H2 => download_http2(world, cookie, memory),
    }
}

const DOWNLOAD: &str = "/download?bytes=300000000";

fn download_http1(world: &World, cookie: &str, memory: &Memory<'_>) -> usize {
    let authority = world.authority(HOST);
    let mut client = h1::Client::connect(&world.door, HOST).expect("a connection");
    client.send(format!("GET {DOWNLOAD} HTTP/1.1\r\nHost: {authority}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n").as_bytes());
    let head = client.head().expect("a head").expect("a head");
    assert_eq!(head.status, 200, "{}", head.everything());
    let told = head.first("content-length");
    assert_eq!(told, Some("300000000"), "{}", head.everything());
    let expected = [b'o'; PIECE];
    let mut length = 0;
    for number in 0.. {
        let piece = client.some().expect("content");
        if piece.is_empty() {
            break;
        }
        assert!(
            piece
                .chunks(expected.len())
                .all(|part| expected.starts_with(part)),
            "not what was sent"
        );
        length += piece.len();
        if number % LOOK == 0 {
            memory.assert_bounded("on the way");
        }
    }
    length
}

fn download_http2(world: &World, cookie: &str, memory: &Memory<'_>) -> usize {
    let authority = world.authority(HOST);
    let mut client = h2::Client::connect(&world.door, HOST).expect("a connection");
    let others: [(&[u8], &[u8]); 1] = [(b"cookie", cookie.as_bytes())];
    let fields = h2::fields(b"GET", authority.as_bytes(), DOWNLOAD.as_bytes(), &others);
    let stream = client.begin(&fields, true);
    let mut length = 0;
    for number in 0.. {
        let frame = client.next_frame().expect("a frame").expect("a frame");
        let size = u32::try_from(frame.payload.len()).expect("a frame");
        if frame.stream == stream && frame.kind == h2::kind::DATA && size > 0 {
            length += frame.payload.len();
            client.frame(h2::kind::WINDOW_UPDATE, 0, 0, &size.to_be_bytes());
            client.frame(h2::kind::WINDOW_UPDATE, 0, stream, &size.to_be_bytes());
        }
        if number % LOOK == 0 {
            memory.assert_bounded("on the way");
        }
        if frame.stream == stream && frame.flags & h2::flag::END_STREAM != 0 {
            break;
        }
    }
    length
}
