//! Lines of the text dialect, in every encoding.
//!
//! - A line that was read is a frame whatever is cut off or follows, and a message of the
//!   same text is the same frame.
//! - A body that is written on a line and read again is the same.
//! - What the server writes is one line of its encoding, without a character that could
//!   tear it, colour a terminal or hide text.

#![no_main]

use std::borrow::Cow;

use arauto::fuzzing::Framing;
use arauto::wire::text::{
    body_line, decode_client, decode_message, encode_server, hides, printable,
};
use arauto::wire::{
    AnswerFrame, CallFrame, Charset, ClientFrame, Decoded, Dialect, Message, Publish, ReplyFrame,
    Request, ServerFrame, Subscribed, Withdrawn,
};
use arauto::{Body, ErrorCode, Millis, Seq};
use arauto_fuzz::input::{Encoded, place};
use arauto_fuzz::memory::in_proportion;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Encoded {
        charset,
        limit,
        cut,
        bytes,
    } = Encoded::new(data);
    if let Ok(frame) = in_proportion(bytes.len(), || decode_message(charset, bytes, limit)) {
        assert_eq!(
            Dialect::Text(charset).decode_message(bytes, limit),
            Ok(frame)
        );
    }
    match in_proportion(bytes.len(), || decode_client(charset, bytes, limit)) {
        Ok(Decoded::Frame(frame, used)) => {
            same_however_cut(charset, &bytes[..used], limit, cut, &frame);
            bodies(&frame);
        }
        Ok(Decoded::Ignored(_)) => panic!("every line of this dialect is answered"),
        Ok(Decoded::Partial) => {
            let most = limit + charset.width(); // with a part of the line's end
            assert!(charset.find_line(bytes).is_none() && bytes.len() < most);
        }
        Err(error) => assert!(!error.message.contains(hides)),
    }
    if let Some(text) = charset.decode(bytes) {
        assert!(!printable(&text).contains(hides));
        says(charset, &Body::text(&text));
    }
    says(charset, &Body::bytes(bytes));
});

fn same_however_cut(charset: Charset, line: &[u8], limit: usize, cut: u8, frame: &ClientFrame<'_>) {
    let again = decode_client(charset, line, limit);
    assert_eq!(again, Ok(Decoded::Frame(frame.clone(), line.len())));
    let (end, next) = charset.find_line(line).expect("it was found before");
    assert_eq!(next, line.len());
    let partial = decode_client(charset, &line[..place(cut, end)], limit);
    assert_eq!(partial, Ok(Decoded::Partial));
    assert_eq!(decode_message(charset, line, limit).as_ref(), Ok(frame));
}

/// The contents of a decoded frame can be encoded again.
fn bodies(frame: &ClientFrame<'_>) {
    let body = match frame {
        ClientFrame::Publish(Publish { body, .. }) | ClientFrame::Request(Request { body, .. }) => {
            body
        }
        ClientFrame::Answer(AnswerFrame {
            result: Ok((body, _)),
            ..
        }) => body,
        _ => return,
    };
    let line = format!("/publish {}\n", body_line(body));
    let said = decode_client(Charset::Utf8, line.as_bytes(), 1 << 20);
    let Ok(Decoded::Frame(ClientFrame::Publish(said), used)) = said else {
        panic!("a publish: {said:?}");
    };
    assert_eq!((&said.body, used), (body, line.len()));
}

/// A message whose topic is any text.
fn with_topic<'a>(body: &Body<'a>, topic: &'a str) -> Message<'a> {
    let mut message = Message::new(Seq(1), "ana", Millis(0), body.clone());
    message.topic = Some(Cow::Borrowed(topic));
    message
}

/// Each frame is one line, for any body.
fn says(charset: Charset, body: &Body<'_>) {
    let text = String::from_utf8_lossy(body.as_bytes());
    let frames = [
        ServerFrame::Reply(ReplyFrame::new(0, body.clone())),
        ServerFrame::Message(Message::new(Seq(1), "ana", Millis(0), body.clone())),
        ServerFrame::Message(with_topic(body, &text)),
        ServerFrame::Kept(with_topic(body, &text)),
        ServerFrame::Subscribed(Subscribed {
            id: 0,
            seq: Seq(1),
            filter: Some(vec![text.clone(), text.clone()]),
        }),
        ServerFrame::Withdrawn(Withdrawn {
            id: None,
            service: text.clone(),
        }),
        ServerFrame::Call(CallFrame {
            call: 1,
            service: text.clone(),
            from: Cow::Borrowed("ana"),
            body: body.clone(),
            remaining: 0,
            headers: None,
        }),
        ServerFrame::error(None, ErrorCode::BadFrame, text.clone()),
    ];
    for frame in frames {
        let mut out = Vec::new();
        Dialect::Text(charset).encode(Framing::Stream, &frame, &mut out);
        assert_eq!(
            charset.find_line(&out).map(|(_, next)| next),
            Some(out.len())
        );
        let line = charset.decode(&out).expect("it is in the encoding");
        let line = line.strip_suffix('\n').expect("it ends");
        assert!(!line.contains(hides), "{line:?}");
        let mut message = Vec::new();
        encode_server(charset, Framing::Messages, &frame, &mut message);
        assert!(out.starts_with(&message) && charset.find_line(&message).is_none());
    }
}
