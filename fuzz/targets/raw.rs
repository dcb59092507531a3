//! Messages and lines of the raw dialect, in every encoding.
//!
//! - A stream of lines is the same requests whether it comes at once or byte by byte.
//! - A request that is echoed is, read again, the same request: what the dialect says of
//!   trailing NULs and line breaks holds both ways.
//! - What the server writes on a stream is one line, whatever the body.

#![no_main]

use arauto::Body;
use arauto::fuzzing::Framing;
use arauto::wire::raw::{
    Direction, Terminator, decode_client, decode_message, encode_body, is_fim,
};
use arauto::wire::{
    Charset, ClientFrame, Closing, Decoded, Dialect, Message, RawDialect, ReplyFrame, Request,
    ServerFrame,
};
use arauto::{Millis, Seq};
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
    lines(charset, bytes, limit, cut);
    message(charset, bytes, limit);
    broadcast(charset, &Body::bytes(bytes));
    broadcast(charset, &Body::Text(charset.decode_lossy(bytes)));
});

/// The lines of a stream, each of which is the same line when it comes in pieces.
fn lines(charset: Charset, bytes: &[u8], limit: usize, cut: u8) {
    let mut rest = bytes;
    while let Ok(Decoded::Frame(frame, used)) =
        in_proportion(rest.len(), || decode_client(charset, rest, limit))
    {
        let (line, behind) = rest.split_at(used);
        // Somewhere, and where a NUL, a CR and the LF are cut from one another.
        let ends = used.saturating_sub(6)..used;
        for part in ends.chain([place(cut, used)]) {
            let part = decode_client(charset, &line[..part], limit);
            assert_eq!(part, Ok(Decoded::Partial));
        }
        let again = decode_client(charset, line, limit);
        assert_eq!(again, Ok(Decoded::Frame(frame.clone(), used)));
        echoed(charset, Framing::Stream, &frame);
        rest = behind;
    }
}

fn message(charset: Charset, bytes: &[u8], limit: usize) {
    let found = in_proportion(bytes.len(), || decode_message(charset, bytes, limit));
    match found {
        Ok(frame) => echoed(charset, Framing::Messages, &frame),
        Err(_) => assert!(bytes.len() > limit),
    }
}

/// The reply to a request, which says the same.
fn echoed(charset: Charset, framing: Framing, frame: &ClientFrame<'_>) {
    let ClientFrame::Request(Request { id, body, .. }) = frame else {
        assert!(matches!(frame, ClientFrame::Fim(_)));
        return;
    };
    let text = body.as_text().expect("what is asked is text");
    assert!(!is_fim(text));
    let reply = ServerFrame::Reply(ReplyFrame::new(*id, body.clone()));
    let dialect = RawDialect {
        charset,
        ..RawDialect::default()
    };
    let mut out = Vec::new();
    assert!(Dialect::Raw(dialect).encode(framing, &reply, &mut out));
    match framing {
        Framing::Messages => {
            assert_eq!(decode_message(charset, &out, 1 << 20).as_ref(), Ok(frame));
        }
        // A line break inside of a body becomes a space: that one is another request.
        Framing::Stream if text.contains('\r') => {}
        Framing::Stream => {
            let again = decode_client(charset, &out, 1 << 20);
            assert_eq!(again, Ok(Decoded::Frame(frame.clone(), out.len())));
        }
    }
}

/// A broadcast to those who only read.
fn broadcast(charset: Charset, body: &Body<'_>) {
    let dialect = Dialect::Raw(RawDialect {
        charset,
        direction: Direction::Outbound,
        terminator: Terminator::Nul,
    });
    let message = ServerFrame::Message(Message::new(Seq(1), "ana", Millis(0), body.clone()));
    let closing = ServerFrame::Closing(Closing {
        reason: "shutdown".into(),
        last_seq: Seq(1),
        accepted: 0,
        refused: 0,
    });
    for frame in [message, closing] {
        let mut out = Vec::new();
        assert!(dialect.encode(Framing::Stream, &frame, &mut out));
        assert_eq!(
            charset.find_line(&out).map(|(_, next)| next),
            Some(out.len())
        );
        assert!(charset.decode(&out).is_some(), "it is in the encoding");
    }
    let mut out = Vec::new();
    encode_body(charset, Framing::Messages, body, false, &mut out);
    if let Body::Bytes(bytes) = body {
        assert_eq!(out, **bytes);
    }
}
