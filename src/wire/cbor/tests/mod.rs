mod codec;
mod cursors;
mod features;
mod same_as_serde;
mod services;

use std::borrow::Cow;

use super::*;
use crate::wire::{Body, ErrorCode, IdFrame, Login, Publish, Request, Resume, Seq, Term};

pub(super) fn framed(item: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(item.len())
        .expect("small")
        .to_be_bytes()
        .to_vec();
    bytes.extend_from_slice(item);
    bytes
}

fn code_of(item: &[u8]) -> ErrorCode {
    decode_client(&framed(item), 1 << 20)
        .expect_err("not a frame")
        .code
}

fn round_trip(frame: &ClientFrame<'_>) {
    let mut bytes = Vec::new();
    encode(frame, &mut bytes);
    let decoded = decode_client(&bytes, 1 << 20).expect("it was just encoded");
    assert_eq!(decoded, Decoded::Frame(frame.clone(), bytes.len()));
}

#[test]
fn client_frames_survive_the_round_trip() {
    round_trip(&ClientFrame::Ping(IdFrame { id: u64::MAX }));
    round_trip(&ClientFrame::Request(Request::new(1, Body::text("olá"))));
    round_trip(&ClientFrame::Publish(Publish::new(
        1,
        Body::bytes(&[0, 255]),
    )));
    round_trip(&ClientFrame::Login(Box::new(Login {
        id: 3,
        user: Cow::Borrowed("ana"),
        password: Cow::Borrowed("x"),
        resume: Some(Resume {
            stream: Cow::Borrowed("s"),
            after: Seq(9),
            term: Some(Term(3)),
        }),
        options: None,
    })));
}

#[test]
fn text_body_is_borrowed_from_the_buffer() {
    let mut bytes = Vec::new();
    encode(
        &ClientFrame::Request(Request::new(1, Body::text("olá"))),
        &mut bytes,
    );
    let Ok(Decoded::Frame(ClientFrame::Request(asking), _)) = decode_client(&bytes, 100) else {
        panic!("it was just encoded");
    };
    assert!(matches!(asking.body, Body::Text(Cow::Borrowed(_))));
}

#[test]
fn indefinite_lengths_and_unknown_keys_are_accepted() {
    // {_ "request": {_ "zz": {1: [_ 1(2)]}, "body": (_ "ol", "a"), "id": 1}}
    let item = b"\xbf\x67request\xbf\x62zz\xa1\x01\x9f\xc1\x02\xff\x64body\x7f\x62ol\x61a\xff\x62id\x01\xff\xff";
    let bytes = framed(item);
    let decoded = decode_client(&bytes, 100).expect("the contract allows it");
    let frame = ClientFrame::Request(Request::new(1, Body::from("ola".to_owned())));
    assert_eq!(decoded, Decoded::Frame(frame, bytes.len()));
}

#[test]
fn indefinite_keys_and_unassigned_simple_values_are_skipped() {
    for item in [
        &b"\xa1\x7f\x62pi\x62ng\xff\xa1\x7f\x61i\x60\x61d\xff\x01"[..],
        b"\xa1\x64ping\xa2\x62zz\xe5\x62id\x01",
        b"\xa1\x64ping\xa2\x62zz\x82\xf8\xff\xf8\x20\x62id\x01",
    ] {
        let bytes = framed(item);
        let decoded = decode_client(&bytes, 100).expect("the contract allows it");
        assert_eq!(
            decoded,
            Decoded::Frame(ClientFrame::Ping(IdFrame { id: 1 }), bytes.len())
        );
    }
}

#[test]
fn frame_outside_the_contract_is_bad() {
    let cases: &[(&str, &[u8])] = &[
        ("an array", b"\x81\x64ping"),
        ("a bare string", b"\x64ping"),
        ("an array for the value", b"\xa1\x64ping\x81\x01"),
        ("integer keys", b"\xa1\x64ping\xa1\x00\x01"),
        ("two entries", b"\xa2\x64ping\xa1\x62id\x01\x63who\xa1\x62id\x01"),
        ("no entry", b"\xa0"),
        ("an unknown name", b"\xa1\x64pong\xa1\x62id\x01"),
        ("a tail", b"\xa1\x64ping\xa1\x62id\x01\x00"),
        ("a negative id", b"\xa1\x64ping\xa1\x62id\x20"),
        ("a text id", b"\xa1\x64ping\xa1\x62id\x611"),
        ("a float id", b"\xa1\x64ping\xa1\x62id\xfa\x3f\x80\x00\x00"),
        ("no id", b"\xa1\x64ping\xa0"),
        ("the id twice", b"\xa1\x64ping\xa2\x62id\x01\x62id\x02"),
        ("a tagged id", b"\xa1\x64ping\xa1\x62id\xc1\x01"),
        ("a tagged frame", b"\xd9\xd9\xf7\xa1\x64ping\xa1\x62id\x01"),
        ("no utf-8", b"\xa1\x67request\xa2\x62id\x01\x64body\x61\xff"),
        ("an early end", b"\xa1\x64ping\xa1\x62id\x19\x01"),
        ("reserved bits", b"\xa1\x64ping\xa1\x62id\x1c"),
        ("a null option", b"\xa1\x68shutdown\xa2\x62id\x01\x63now\xf6"),
        ("an array to resume", b"\xa1\x65login\xa4\x62id\x01\x64user\x61a\x68password\x61b\x66resume\x82\x61s\x01"),
        ("integer keys to resume", b"\xa1\x65login\xa4\x62id\x01\x64user\x61a\x68password\x61b\x66resume\xa2\x00\x61s\x01\x01"),
        ("bytes for a name", b"\xa1\x65login\xa3\x62id\x01\x64user\x41a\x68password\x61b"),
        ("a character cut in two", b"\xa1\x67request\xa2\x62id\x01\x64body\x7f\x61\xc3\x61\xa9\xff"),
        ("an ack of nothing", b"\xa1\x63ack\xa1\x63seq\x00"),
        ("an unassigned id", b"\xa1\x64ping\xa1\x62id\xe5"),
        ("a break for an item", b"\xa1\x64ping\xa2\x62id\x01\x62zz\x81\xff"),
        ("a number for a topic", b"\xa1\x67publish\xa3\x62id\x01\x64body\x61b\x65topic\x01"),
        ("bytes for a topic", b"\xa1\x67publish\xa3\x62id\x01\x64body\x61b\x65topic\x41a"),
        ("the topic twice", b"\xa1\x67publish\xa4\x62id\x01\x64body\x61b\x65topic\x61a\x65topic\x61a"),
        ("a null topic", b"\xa1\x67publish\xa3\x62id\x01\x64body\x61b\x65topic\xf6"),
        ("a number for keep", b"\xa1\x67publish\xa3\x62id\x01\x64body\x61b\x64keep\x01"),
        ("an array for headers", b"\xa1\x67publish\xa3\x62id\x01\x64body\x61b\x67headers\x80"),
        ("a number for a header", b"\xa1\x67publish\xa3\x62id\x01\x64body\x61b\x67headers\xa1\x61a\x01"),
        ("a header twice", b"\xa1\x67publish\xa3\x62id\x01\x64body\x61b\x67headers\xa2\x61a\x60\x61a\x60"),
        ("half a header", b"\xa1\x67publish\xa3\x62id\x01\x64body\x61b\x67headers\xbf\x61a\xff"),
        ("a text for a filter", b"\xa1\x65login\xa4\x62id\x01\x64user\x61a\x68password\x61b\x66filter\x61a"),
        ("a number for a pattern", b"\xa1\x69subscribe\xa2\x62id\x01\x63add\x81\x01"),
        ("a tagged pattern", b"\xa1\x69subscribe\xa2\x62id\x01\x63add\x81\xc1\x61a"),
        ("no id to subscribe", b"\xa1\x69subscribe\xa1\x63add\x80"),
        ("a number for a service", b"\xa1\x67request\xa3\x62id\x01\x64body\x61b\x67service\x01"),
        ("a text for a timeout", b"\xa1\x67request\xa3\x62id\x01\x64body\x61b\x67timeout\x611"),
        ("no service to offer", b"\xa1\x65offer\xa1\x62id\x01"),
        ("no id to offer", b"\xa1\x65offer\xa1\x67service\x61a"),
        ("a null limit", b"\xa1\x65offer\xa3\x62id\x01\x67service\x61a\x65limit\xf6"),
        ("no service to withdraw", b"\xa1\x68withdraw\xa1\x62id\x01"),
        ("no call to answer", b"\xa1\x66answer\xa1\x64body\x61a"),
        ("a text for an error", b"\xa1\x66answer\xa2\x64call\x01\x65error\x61a"),
        ("no message in an error", b"\xa1\x66answer\xa2\x64call\x01\x65error\xa1\x64code\x61a"),
        ("an array for an error", b"\xa1\x66answer\xa2\x64call\x01\x65error\x82\x61a\x61b"),
        ("an odd indefinite map", b"\xa1\x64ping\xa2\x62id\x01\x62zz\xbf\x01\xff"),
    ];
    for (what, item) in cases {
        assert_eq!(code_of(item), ErrorCode::BadFrame, "{what}");
    }
}

#[test]
fn bad_frame_error_names_the_byte() {
    let cases: &[(&[u8], usize, &str)] = &[
        (b"\x81\x64ping", 0, "the item must be a map"),
        (
            b"\xa1\x64pang\xa1\x62id\x01",
            1,
            "no frame is named \"pang\"",
        ),
        (b"\xa1\x64ping\x01", 6, "the frame's value must be a map"),
        (
            b"\xa1\x64ping\xa1\x00\x01",
            8,
            "a key must be a text string",
        ),
        (
            b"\xa1\x64ping\xa1\x62id\x20",
            10,
            "id must be an unsigned integer",
        ),
        (
            b"\xa1\x64ping\xa1\x62id\xf6",
            10,
            "id must be an unsigned integer",
        ),
        (b"\xa1\x64ping\xa1\x62id\xc1\x01", 10, "id carries a tag"),
        (b"\xa1\x64ping\xa0", 7, "id is missing in the frame's value"),
        (
            b"\xa1\x64ping\xa2\x62id\x01\x62id\x02",
            11,
            "id comes twice",
        ),
        (
            b"\xa1\x64ping\xa1\x62id\x01\x00",
            11,
            "nothing may follow the item",
        ),
        (b"\xa1\x63ack\xa1\x63seq\x00", 10, "seq must be 1 or more"),
        (
            b"\xa1\x67request\xa2\x62id\x01\x64body\x63ol\xff",
            22,
            "a text string is not utf-8",
        ),
        (
            b"\xa1\x67publish\xa3\x62id\x01\x64body\x61b\x67headers\xa2\x61a\x60\x61a\x60",
            33,
            "a key of headers comes twice",
        ),
        (
            b"\xa1\x69subscribe\xa2\x62id\x01\x63add\x82\x61a\x01",
            23,
            "add must hold text strings",
        ),
        (
            b"\xa1\x68shutdown\xa2\x62id\x01\x63now\x01",
            19,
            "now must be true or false",
        ),
        (
            b"\xa1\x65login\xa4\x62id\x01\x64user\x61a\x68password\x61b\x66resume\xa1\x65after\x01",
            45,
            "stream is missing in resume",
        ),
    ];
    for (item, at, problem) in cases {
        let error = decode_client(&framed(item), 1 << 20).expect_err("not a frame");
        assert_eq!(
            error.message,
            format!("{problem} (at byte {at} of the frame)")
        );
    }
}

#[test]
fn error_about_a_long_frame_is_short() {
    let long = "\u{1b}".repeat(900_000);
    let mut items = Vec::new();
    for (name, key) in [(long.as_str(), "id"), ("ping", "id"), ("login", "user")] {
        let mut item = b"\xa1".to_vec();
        head::put_string(head::TEXT, name.as_bytes(), &mut item);
        item.push(0xa1);
        head::put_string(head::TEXT, key.as_bytes(), &mut item);
        head::put_string(head::BYTES, long.as_bytes(), &mut item);
        items.push(item.clone());
        // The same value as a text string.
        let start = item.len() - long.len() - 5;
        item[start] = 0x7a;
        items.push(item);
    }
    for item in items {
        let bytes = framed(&item);
        let errors = [
            decode_client(&bytes, 1 << 20).expect_err("not a frame"),
            decode_server(&framed(&item), 1 << 20)
                .err()
                .unwrap_or_else(|| WireError::bad_frame_at(0, "passed over")),
        ];
        for error in errors {
            assert!(error.message.len() < 300, "{}", error.message.len());
        }
    }
    let welcome = framed(b"\xa1\x67welcome\xa1\x67session\x61x");
    let error = decode_server(&welcome, 100).expect_err("no number");
    assert!(error.message.contains("(at byte "), "{}", error.message);
}

#[test]
fn server_frame_of_a_later_version_is_skipped() {
    let mut bytes = framed(b"\xa1\x66future\xa1\x62to\x09");
    let length = bytes.len();
    bytes.extend(framed(b"\xa1\x64pong\xa1\x62id\x01"));
    assert_eq!(decode_server(&bytes, 100), Ok(Decoded::Ignored(length)));
    let mut scanned = 0;
    let mut scanner = FrameScanner::new(Seq(0), 100);
    let shown = scanner.scan(&bytes, |_| scanned += 1);
    assert_eq!((shown, scanned), (Ok(()), 1));
}

#[test]
fn deep_nesting_is_refused_without_cost() {
    for opener in [0x81_u8, 0x9f, 0xc1, 0xbf] {
        let mut item = b"\xa1\x64ping\xa2\x62id\x01\x62zz".to_vec();
        item.resize(1 << 16, opener);
        assert_eq!(code_of(&item), ErrorCode::BadFrame);
    }
}

#[test]
fn resume_key_elsewhere_gets_no_special_treatment() {
    let mut item = b"\xa1\x65login\xa4\x62id\x01\x64user\x61a\x68password\x61b\x66resume".to_vec();
    item.extend(b"\xa1\x66resume".repeat(100_000));
    item.push(0);
    assert_eq!(code_of(&item), ErrorCode::BadFrame);
    let ping = framed(b"\xa1\x64ping\xa2\x66resume\xc1\x01\x62id\x01");
    assert!(matches!(decode_client(&ping, 100), Ok(Decoded::Frame(..))));
}

#[test]
fn frame_prefix_is_partial() {
    let mut bytes = Vec::new();
    encode(&ClientFrame::Ping(IdFrame { id: 70_000 }), &mut bytes);
    for end in 0..bytes.len() {
        assert_eq!(decode_client(&bytes[..end], 100), Ok(Decoded::Partial));
    }
}

#[test]
fn input_of_another_protocol_is_unsupported() {
    for knock in [
        &b"GET / HTTP/1.1\r\n"[..],
        b"\x16\x03\x01\x02\x00",
        b"/login ana x\n",
    ] {
        let error = decode_client(knock, 16 << 10).expect_err("no frame");
        assert_eq!(error.code, ErrorCode::Unsupported);
    }
    let error = decode_client(&[0xff; 8], 16 << 10).expect_err("no frame");
    assert_eq!(error.code, ErrorCode::FrameTooLarge);
}
