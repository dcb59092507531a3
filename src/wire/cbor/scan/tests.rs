use std::borrow::Cow;

use proptest::prelude::{ProptestConfig, any, proptest};
use serde_cbor::Value;

use super::{FrameScanner, ScanError, ScannedFrame, answer};
use crate::wire::cbor::tests::framed;
use crate::wire::cbor::{PREFIX, encode};
use crate::wire::{
    Body, ErrorCode, Gap, Headers, IdFrame, Message, Millis, Passed, Presence, Published,
    ReplyFrame, ReplyOptions, Seq, ServerFrame,
};

const LIMIT: usize = 1 << 20;

fn message(seq: u64, body: &'static str) -> ServerFrame<'static> {
    ServerFrame::Message(Message::new(
        Seq(seq),
        "ana",
        Millis(1_700_000_000_000),
        Body::text(body),
    ))
}

fn stream() -> Vec<u8> {
    let frames = [
        message(1, ""),
        message(
            2,
            "a body that is longer than the part that is read of each frame",
        ),
        ServerFrame::Published(Published::new(7, Seq(2))),
        ServerFrame::Joined(Presence {
            seq: Seq(3),
            user: Cow::Borrowed("rui"),
            at: Millis(0),
        }),
        ServerFrame::Gap(Gap {
            from: Seq(4),
            to: Seq(69_999),
        }),
        message(70_000, "x"),
        ServerFrame::Reply(ReplyFrame::new(1 << 40, Body::bytes(&[1, 2]))),
        ServerFrame::Pong(IdFrame { id: 3 }),
    ];
    let mut bytes = Vec::new();
    frames.iter().for_each(|frame| encode(frame, &mut bytes));
    bytes
}

/// Scans these reads, and returns a summary of each frame that is shown.
fn shown(scanner: &mut FrameScanner, pieces: &[&[u8]]) -> Vec<String> {
    let mut shown = Vec::new();
    for piece in pieces {
        let show = |frame: ScannedFrame<'_>| {
            shown.push(match frame {
                ScannedFrame::Message { seq, .. } => format!("message {seq}"),
                other => format!("{other:?}"),
            });
        };
        scanner.scan(piece, show).expect("they are frames");
    }
    shown
}

/// The summaries of the frames of [`stream`].
const SHOWN: [&str; 8] = [
    "message 1",
    "message 2",
    "Published { id: 7, seq: Seq(2) }",
    "Presence(Seq(3))",
    "Gap(Gap { from: Seq(4), to: Seq(69999) })",
    "message 70000",
    "Reply { id: 1099511627776 }",
    "Other(Pong(IdFrame { id: 3 }))",
];

#[test]
fn scanner_reports_each_frame_once_at_any_read_boundary() {
    let bytes = stream();
    for piece in 1..bytes.len() {
        let pieces: Vec<&[u8]> = bytes.chunks(piece).collect();
        for whole in [false, true] {
            let mut scanner = FrameScanner::new(Seq::ZERO, LIMIT);
            scanner.keep_whole = whole;
            assert_eq!(shown(&mut scanner, &pieces), SHOWN, "in pieces of {piece}");
            assert_eq!(scanner.last(), Seq(70_000));
        }
    }
}

#[test]
fn scanner_finds_whole_frames_at_any_read_boundary() {
    let mut bytes = Vec::new();
    encode(
        &message(1, "a body that is longer than the head of its frame"),
        &mut bytes,
    );
    for piece in 1..=bytes.len() {
        let mut scanner = FrameScanner::new(Seq::ZERO, LIMIT).whole_frames();
        let mut shown = Vec::new();
        for read in bytes.chunks(piece) {
            let show = |frame: ScannedFrame<'_>| match frame {
                ScannedFrame::Message { frame, .. } => shown.extend_from_slice(frame),
                other => panic!("{other:?}"),
            };
            scanner.scan(read, show).expect("it is a frame");
        }
        assert_eq!(shown, bytes);
    }
}

#[test]
fn message_in_another_valid_encoding_is_decoded() {
    // serde_cbor's map sorts its keys, so their order differs from this server's.
    let fields = [
        ("body", Value::Text("x".to_owned())),
        ("from", Value::Text("ana".to_owned())),
        ("at", Value::Integer(5)),
        ("seq", Value::Integer(1)),
    ];
    let text = |text: &str| Value::Text(text.to_owned());
    let fields = fields.map(|(key, value)| (text(key), value));
    let frame = Value::Map([(text("message"), Value::Map(fields.into()))].into());
    let bytes = framed(&serde_cbor::to_vec(&frame).expect("a value serializes"));
    let mut scanner = FrameScanner::new(Seq::ZERO, LIMIT);
    assert_eq!(shown(&mut scanner, &[&bytes]), ["message 1"]);
}

#[test]
fn reply_of_a_service_is_recognised_without_decoding() {
    for (from, headers) in [
        (None, None),
        (Some(Cow::Borrowed("rui")), None),
        (Some(Cow::Borrowed("rui")), Some(Headers::default())),
    ] {
        let mut reply = ReplyFrame::new(7, Body::text("x"));
        reply.options = Some(Box::new(ReplyOptions { from, headers }));
        let mut bytes = Vec::new();
        encode(&ServerFrame::Reply(reply), &mut bytes);
        let found = answer(&bytes[PREFIX..]);
        assert_eq!(found, Some(ScannedFrame::Reply { id: 7 }));
    }
}

#[test]
fn gap_or_repeat_in_the_seqs_is_an_error() {
    for (first, second) in [(1, 3), (1, 1), (2, 3)] {
        let mut bytes = Vec::new();
        encode(&message(first, "x"), &mut bytes);
        encode(&message(second, "x"), &mut bytes);
        let outcome = FrameScanner::new(Seq::ZERO, LIMIT).scan(&bytes, |_| {});
        assert!(matches!(outcome, Err(ScanError::OutOfOrder { .. })));
    }
}

#[test]
fn skipped_seqs_and_passed_are_accepted_where_allowed() {
    let mut bytes = Vec::new();
    encode(&message(3, "x"), &mut bytes);
    encode(&ServerFrame::Passed(Passed { to: Seq(8) }), &mut bytes);
    let gap = Gap {
        from: Seq(10),
        to: Seq(12),
    };
    encode(&ServerFrame::Gap(gap), &mut bytes);
    encode(&message(20, "y"), &mut bytes);
    let mut scanner = FrameScanner::new(Seq::ZERO, LIMIT).with_skipped_seqs();
    let shown = shown(&mut scanner, &[&bytes]);
    assert_eq!(shown[..2], ["message 3", "Passed(Seq(8))"]);
    assert_eq!((shown.len(), scanner.last()), (4, Seq(20)));
    bytes.clear();
    encode(&message(20, "z"), &mut bytes);
    let repeated = scanner.scan(&bytes, |_| {});
    assert!(matches!(repeated, Err(ScanError::OutOfOrder { .. })));
}

#[test]
fn scanned_frame_over_the_limit_is_an_error() {
    let mut bytes = Vec::new();
    encode(
        &message(1, "a body that is longer than the limit below"),
        &mut bytes,
    );
    let outcome = FrameScanner::new(Seq::ZERO, 50).scan(&bytes, |_| {});
    let Err(ScanError::Frame(error)) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(error.code, ErrorCode::FrameTooLarge);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_input_causes_a_panic(bytes: Vec<u8>, at in any::<proptest::sample::Index>()) {
        let mut stream = stream();
        let at = at.index(stream.len());
        stream.splice(at..at, bytes);
        for piece in [1, 7, 64, stream.len()] {
            let mut scanner = FrameScanner::new(Seq::ZERO, LIMIT);
            let _ = stream.chunks(piece).try_for_each(|read| scanner.scan(read, |_| {}));
        }
    }
}
