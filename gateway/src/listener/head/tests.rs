//! A head is found whole, however it arrives.

use super::*;

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
