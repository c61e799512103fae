//! What two parsers could read in two ways is refused; the rest passes.

use super::*;

fn verdict(head: &str) -> Result<Body, HeadFault> {
    judge(head.as_bytes(), 100)
}

#[test]
fn a_head_ends_at_its_empty_line_wherever_the_reads_were_split() {
    let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nnext";
    let wanted = head.len() - 4;
    for from in 0..wanted {
        assert_eq!(end(head, from), Some(wanted), "searched from {from}");
    }
    assert_eq!(end(&head[..wanted - 1], 0), None);
}

#[test]
fn empty_lines_before_a_request_are_skipped() {
    assert_eq!(empty_lines(b"\r\n\r\nGET / HTTP/1.1\r\n"), 4);
    assert_eq!(empty_lines(b"\rGET"), 0);
}

#[test]
fn the_body_is_told_by_exactly_one_field() {
    assert_eq!(
        verdict("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Ok(Body::Absent)
    );
    assert_eq!(
        verdict("POST / HTTP/1.1\r\ncontent-LENGTH:  12 \r\n\r\n"),
        Ok(Body::Sized(12))
    );
    assert_eq!(
        verdict("POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n"),
        Ok(Body::Chunked)
    );
}

#[test]
fn a8_ambiguous_heads_are_refused() {
    for head in [
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 9999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length:\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n",
        "GET / HTTP/1.1\r\nnothing\r\n\r\n",
        "GET / HTTP/1.1\r\n: empty\r\n\r\n",
    ] {
        assert_eq!(verdict(head), Err(HeadFault::Ambiguous), "{head:?}");
    }
}

#[test]
fn fields_are_counted_at_below_and_above_the_limit() {
    let head = |fields: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(fields));
    assert_eq!(verdict(&head(99)), Ok(Body::Absent));
    assert_eq!(verdict(&head(100)), Ok(Body::Absent));
    assert_eq!(verdict(&head(101)), Err(HeadFault::TooManyFields));
}
