//! The frames and keys of the optional features.

use std::borrow::Cow;

use super::{code_of, framed};
use crate::wire::cbor::{decode_client, head};
use crate::wire::{
    AnswerError, AnswerFrame, Body, ClientFrame, Decoded, ErrorCode, Features, Subscribe, Unserved,
};

#[test]
fn lists_in_an_unusual_form_are_accepted() {
    // {"subscribe": {"id": 1, "add": [_ "a", (_ "b", "/#")], "remove": [], "kept": true}}
    let item = b"\xa1\x69subscribe\xa4\x62id\x01\x63add\x9f\x61a\x7f\x61b\x62/#\xff\xff\x66remove\x80\x64kept\xf5";
    let bytes = framed(item);
    let frame = ClientFrame::Subscribe(Box::new(Subscribe {
        id: 1,
        add: vec![Cow::Borrowed("a"), Cow::Borrowed("b/#")],
        remove: Vec::new(),
        kept: Some(true),
    }));
    let decoded = decode_client(&bytes, 100);
    assert_eq!(decoded, Ok(Decoded::Frame(frame, bytes.len())));

    // {"publish": {"id": 1, "body": "", "headers": {_ (_ "a"): (_)}}}
    let item = b"\xa1\x67publish\xa3\x62id\x01\x64body\x60\x67headers\xbf\x7f\x61a\xff\x7f\xff\xff";
    let bytes = framed(item);
    let Ok(Decoded::Frame(ClientFrame::Publish(publish), _)) = decode_client(&bytes, 100) else {
        panic!("a publish");
    };
    let headers = publish.options.and_then(|options| options.headers);
    let headers = headers.expect("it has headers");
    assert_eq!(headers.iter().collect::<Vec<_>>(), [("a", "")]);
}

#[test]
fn headers_beyond_the_most_are_counted_and_not_kept() {
    let mut item = b"\xa1\x67publish\xa3\x62id\x01\x64body\x60\x67headers\xb9\x10\x00".to_vec();
    for number in 0..4096_u16 {
        let name = number.to_string();
        head::put_string(head::TEXT, name.as_bytes(), &mut item);
        item.push(0x60);
    }
    let bytes = framed(&item);
    let Ok(Decoded::Frame(frame, _)) = decode_client(&bytes, 1 << 20) else {
        panic!("a publish");
    };
    let ClientFrame::Publish(publish) = frame else {
        panic!("a publish");
    };
    let error = publish.check().expect_err("too many");
    assert_eq!(error.code, ErrorCode::BadValue);
    let headers = publish.options.and_then(|options| options.headers);
    assert_eq!(headers.map(|headers| headers.len()), Some(33));
}

#[test]
fn unserved_feature_is_reported_with_its_id() {
    let cases: &[(&[u8], &str, bool)] = &[
        (
            b"\xa1\x69subscribe\xa2\x62id\x07\x63add\x80",
            "the frame subscribe",
            false,
        ),
        (
            b"\xa1\x65offer\xa2\x62id\x07\x67service\x61a",
            "the frame offer",
            false,
        ),
        (
            b"\xa1\x68withdraw\xa2\x62id\x07\x67service\x61a",
            "the frame withdraw",
            false,
        ),
        (
            b"\xa1\x68services\xa1\x62id\x07",
            "the frame services",
            false,
        ),
        (
            b"\xa1\x67publish\xa3\x65topic\x61a\x62id\x07\x64body\x61b",
            "topic",
            false,
        ),
        (
            b"\xa1\x67publish\xa4\x62id\x07\x61n\x01\x68producer\x61p\x64body\x61b",
            "producer",
            false,
        ),
        (
            b"\xa1\x67publish\xa3\x62id\x07\x64body\x61b\x64keep\xf4",
            "keep",
            false,
        ),
        (
            b"\xa1\x67publish\xa3\x62id\x07\x64body\x61b\x67headers\xa0",
            "headers",
            false,
        ),
        (
            b"\xa1\x67request\xa3\x62id\x07\x64body\x61b\x67service\x61a",
            "service",
            false,
        ),
        (
            b"\xa1\x65login\xa4\x62id\x07\x64user\x61a\x68password\x61b\x66cursor\x61c",
            "cursor",
            true,
        ),
        (
            b"\xa1\x65login\xa4\x62id\x07\x64user\x61a\x68password\x61b\x66filter\x80",
            "filter",
            true,
        ),
    ];
    for (item, what, is_login) in cases {
        let (id, is_login) = (7, *is_login);
        let expected = Unserved { id, what, is_login };
        let bytes = framed(item);
        let Ok(Decoded::Frame(frame, used)) = decode_client(&bytes, 100) else {
            panic!("a frame: {what}");
        };
        let unserved = frame.unserved(Features::NONE);
        assert_eq!((unserved, used), (Some(expected), bytes.len()));
    }
    let answer = framed(b"\xa1\x66answer\xa2\x64call\x01\x64body\x61a");
    let Ok(Decoded::Frame(answer, _)) = decode_client(&answer, 100) else {
        panic!("an answer");
    };
    assert_eq!(answer.unserved(Features::NONE), None);
}

#[test]
fn answer_has_exactly_one_of_body_and_error() {
    let result = |item: &[u8]| match decode_client(&framed(item), 100) {
        Ok(Decoded::Frame(ClientFrame::Answer(answer), _)) => Ok(answer.into_owned()),
        Ok(other) => panic!("an answer: {other:?}"),
        Err(error) => Err(error.message),
    };
    let body = b"\xa1\x66answer\xa2\x64call\x07\x64body\x61a";
    let answer = AnswerFrame {
        call: 7,
        result: Ok((Body::text("a"), None)),
    };
    assert_eq!(result(body), Ok(answer));
    let error = b"\xa1\x66answer\xa2\x64call\x07\x65error\xa2\x64code\x61a\x67message\x61b";
    let answer = AnswerFrame {
        call: 7,
        result: Err(AnswerError {
            code: Cow::Borrowed("a"),
            message: Cow::Borrowed("b"),
        }),
    };
    assert_eq!(result(error), Ok(answer));
    let wrong: [(&[u8], &str); 2] = [
        (b"\xa1\x66answer\xa1\x64call\x07", "it has neither body nor error"),
        (
            b"\xa1\x66answer\xa3\x64call\x07\x64body\x61a\x65error\xa2\x64code\x61a\x67message\x61b",
            "it has both body and error",
        ),
    ];
    for (item, problem) in wrong {
        assert_eq!(code_of(item), ErrorCode::BadFrame);
        let message =
            format!("the value of answer does not fit: {problem} (at byte 8 of the frame)");
        assert_eq!(result(item), Err(message));
    }
}

#[test]
fn answer_is_borrowed_from_the_buffer() {
    // The usual form, and another order of the keys.
    for item in [
        &b"\xa1\x66answer\xa2\x64call\x07\x64body\x42ab"[..],
        b"\xa1\x66answer\xa2\x64body\x42ab\x64call\x07",
    ] {
        let bytes = framed(item);
        let Ok(Decoded::Frame(ClientFrame::Answer(answer), _)) = decode_client(&bytes, 100) else {
            panic!("an answer");
        };
        let Ok((body, None)) = answer.result else {
            panic!("a body");
        };
        assert!(matches!(body, Body::Bytes(Cow::Borrowed(b"ab"))));
    }
}

#[test]
fn topic_is_borrowed_from_the_buffer() {
    // The usual form, and another order of the keys.
    for item in [
        &b"\xa1\x67publish\xa3\x62id\x07\x64body\x61b\x65topic\x63a/b"[..],
        b"\xa1\x67publish\xa3\x65topic\x63a/b\x62id\x07\x64body\x61b",
    ] {
        let bytes = framed(item);
        let Ok(Decoded::Frame(ClientFrame::Publish(publish), _)) = decode_client(&bytes, 100)
        else {
            panic!("a publish");
        };
        assert!(matches!(publish.topic, Some(Cow::Borrowed("a/b"))));
        assert_eq!(publish.options, None);
    }
}
