//! Tests of the access log.

use super::*;

fn line(path: &str) -> AccessLine<'_> {
    AccessLine {
        at: Timestamp::from_unix_millis(1_700_000_000_123),
        request: RequestId::from_bytes([7; 16]),
        client: Some(IpAddr::from([192, 0, 2, 1])),
        protocol: "h2",
        tls: "TLSv1.3",
        method: "GET",
        host: None,
        path: Some(path),
        status: Some(200),
        route: None,
        account: None,
        session: None,
        refused: None,
        because: None,
        ended: None,
        bytes_out: 3,
        bytes_in: 0,
        millis: 4,
    }
}

#[test]
fn a_line_is_one_json_document_and_quotes_what_it_repeats() {
    let log = AccessLog::new(Counter::default());
    log.write(&line("/a\"\n{"));
    log.close();
    let mut written = Vec::new();
    log.write_to(&mut written);
    let text = String::from_utf8(written).unwrap();
    assert_eq!(text.lines().count(), 1);
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read["at"], "2023-11-14T22:13:20.123Z");
    assert_eq!(read["path"], "/a\"\n{");
    assert_eq!(read["request"], "07070707-0707-0707-0707-070707070707");
    assert_eq!(read["status"], 200);
    assert_eq!(
        text,
        "{\"kind\":\"access\",\"at\":\"2023-11-14T22:13:20.123Z\",\
         \"request\":\"07070707-0707-0707-0707-070707070707\",\"client\":\"192.0.2.1\",\
         \"protocol\":\"h2\",\"tls\":\"TLSv1.3\",\"method\":\"GET\",\"host\":null,\
         \"path\":\"/a\\\"\\n{\",\"status\":200,\"route\":null,\"account\":null,\
         \"session\":null,\"refused\":null,\"because\":null,\"ended\":null,\
         \"bytes_out\":3,\"bytes_in\":0,\"millis\":4}\n"
    );
}

#[test]
fn whatever_a_client_sends_a_line_stays_one_document() {
    for hostile in [
        "\u{0}",
        "\u{1f}",
        "a\\",
        "\"",
        "\r\n",
        "é\u{2028}",
        "\u{7f}",
    ] {
        let mut written = Vec::new();
        line(hostile).write_into(&mut written);
        let read: serde_json::Value = serde_json::from_slice(&written).unwrap();
        assert_eq!(read["path"], hostile);
    }
}

#[test]
fn times_are_told_to_the_millisecond_within_one_second_and_across_seconds() {
    for (millis, expected) in [
        (1_700_000_000_000, "2023-11-14T22:13:20.000Z"),
        (1_700_000_000_007, "2023-11-14T22:13:20.007Z"),
        (1_700_000_000_999, "2023-11-14T22:13:20.999Z"),
        (1_700_000_001_000, "2023-11-14T22:13:21.000Z"),
        (1_700_000_000_120, "2023-11-14T22:13:20.120Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ] {
        let mut told = Vec::new();
        Line(&mut told).time("", Timestamp::from_unix_millis(millis));
        assert_eq!(String::from_utf8(told).unwrap(), format!("\"{expected}\""));
    }
}

#[test]
fn invariant_8_beyond_its_bound_the_log_drops_and_counts() {
    let dropped = Counter::default();
    let log = AccessLog::new(dropped.clone());
    let path = "x".repeat(400);
    let mut lines = 0_u64;
    while dropped.get() == 0 {
        log.write(&line(&path));
        lines += 1;
    }
    let pending = log.pending().lines.len();
    assert!(pending < AccessLog::PENDING_BYTES_MAX + 2048, "{pending}");
    log.close();
    let mut written = Vec::new();
    log.write_to(&mut written);
    let text = String::from_utf8(written).unwrap();
    assert_eq!(u64::try_from(text.lines().count()), Ok(lines - 1));
}

/// Takes half of what the first write brings, then says that the disk is full, then is well.
#[derive(Default)]
struct FullForOnce {
    written: Vec<u8>,
    fault: Option<()>,
}

impl Write for FullForOnce {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.written.is_empty() {
            self.written.extend_from_slice(&bytes[..bytes.len() / 2]);
            return Ok(bytes.len() / 2);
        }
        if self.fault.is_none() {
            self.fault = Some(());
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        self.written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_a_full_disk_took_is_counted_by_lines_and_tears_no_later_line() {
    let dropped = Counter::default();
    let log = AccessLog::new(dropped.clone());
    for _ in 0..3 {
        log.write(&line("/lost"));
    }
    let mut sink = FullForOnce::default();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| log.write_to(&mut sink));
        while dropped.get() == 0 {
            std::thread::yield_now();
        }
        log.write(&line("/kept"));
        log.close();
        writer.join().unwrap();
    });
    assert_eq!(dropped.get(), 3);
    let text = String::from_utf8(sink.written).unwrap();
    let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(last["path"], "/kept");
}
