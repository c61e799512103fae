//! Frames are counted right however the bytes were split.

use super::*;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

fn limits() -> Http2Limits {
    Http2Limits {
        resets_max: 3,
        control_frames_max: 3,
        continuations_max: 3,
        ..Http2Limits::default()
    }
}

fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags, 0, 0, 0, 1]);
    frame.extend(payload);
    frame
}

fn watch(chunk: usize, frames: &[Vec<u8>]) -> FrameWatch {
    let mut watch = FrameWatch::new(limits());
    let bytes = [PREFACE.to_vec(), frames.concat()].concat();
    for part in bytes.chunks(chunk) {
        watch.observe(part);
    }
    watch
}

#[tokio::test]
async fn a9_each_kind_is_borne_up_to_its_limit_and_not_above() {
    let reset = frame(RST_STREAM, 0, &[0; 4]);
    let ping = frame(6, 0, &[0; 8]);
    let empty = frame(DATA, 0, b"");
    let open = frame(HEADERS, 0, b"x");
    let more = frame(CONTINUATION, 0, b"x");
    let continued = |count| [vec![open.clone()], vec![more.clone(); count]].concat();
    for chunk in [1, 2, 7, 9, 1000] {
        for (frames, fault) in [
            (vec![reset.clone(); 3], None),
            (vec![reset.clone(); 4], Some(FrameFault::Resets)),
            (vec![ping.clone(); 3], None),
            (vec![ping.clone(); 4], Some(FrameFault::ControlFrames)),
            (vec![empty.clone(); 3], None),
            (vec![empty.clone(); 4], Some(FrameFault::ControlFrames)),
            (continued(3), None),
            (continued(4), Some(FrameFault::Continuations)),
        ] {
            assert_eq!(watch(chunk, &frames).fault(), fault, "chunks of {chunk}");
        }
    }
}

#[tokio::test]
async fn data_that_carries_something_or_ends_a_stream_is_not_counted() {
    let frames = [
        vec![frame(DATA, 0, b"abc"); 100],
        vec![frame(DATA, END_STREAM, b""); 100],
    ];
    assert_eq!(watch(5, &frames.concat()).fault(), None);
}

#[tokio::test]
async fn a_header_block_is_unfinished_until_its_last_byte() {
    let is_unfinished = |bytes: &[u8]| {
        let mut watch = FrameWatch::new(limits());
        watch.observe(PREFACE);
        watch.observe(bytes);
        watch.unfinished_block_since().is_some()
    };
    let whole = frame(HEADERS, END_HEADERS, b"abc");
    assert!(!is_unfinished(&whole));
    assert!(is_unfinished(&whole[..whole.len() - 1]));
    assert!(is_unfinished(&frame(HEADERS, 0, b"abc")));
    let continued = [
        frame(HEADERS, 0, b"abc"),
        frame(CONTINUATION, END_HEADERS, b""),
    ];
    assert!(!is_unfinished(&continued.concat()));
}

#[tokio::test(start_paused = true)]
async fn a_new_window_counts_from_nothing() {
    let mut watch = watch(100, &vec![frame(RST_STREAM, 0, &[0; 4]); 3]);
    tokio::time::advance(limits().window).await;
    watch.observe(&frame(RST_STREAM, 0, &[0; 4]));
    assert_eq!(watch.fault(), None);
}

#[tokio::test]
async fn a_large_transfer_earns_its_control_frames() {
    let mut watch = FrameWatch::new(limits());
    watch.observe(PREFACE);
    let ping = frame(6, 0, &[0; 8]);
    watch.observe(&ping);
    watch.note_written(1024 * 10);
    for _ in 0..12 {
        watch.observe(&ping);
    }
    assert_eq!(watch.fault(), None);
    watch.observe(&ping);
    assert_eq!(watch.fault(), Some(FrameFault::ControlFrames));
}
