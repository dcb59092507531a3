//! The raw dialect: each message, or each line of a stream, is a body without an envelope.
//!
//! It is for programs that do not know arauto's protocol. There is no login, and frames without
//! a body are not sent. A request's id records whether a NUL ended it, so that its reply ends in
//! the same way.

use std::borrow::Cow;

use super::{
    Body, Charset, ClientFrame, CloseReason, Decoded, ErrorCode, ErrorFrame, IdFrame, Request,
    ServerFrame, WireError,
};
use crate::framing::Framing;

/// The options of the raw dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RawDialect {
    /// The encoding of every body.
    pub charset: Charset,
    /// The directions in which bodies are sent.
    pub direction: Direction,
    /// The terminator after each body that the server sends.
    pub terminator: Terminator,
}

/// The directions in which bodies are sent on a raw listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// The client sends requests and gets replies. It gets no broadcasts.
    #[default]
    Duplex,
    /// The server sends the broadcasts to every client. Clients send nothing.
    Outbound,
}

/// The terminator after each body that the server sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Terminator {
    /// None, except that a reply ends in a NUL if its request did.
    #[default]
    None,
    /// A NUL.
    Nul,
}

/// The word that ends a session.
const FIM: &str = "fim";

/// The ids of requests: without and with a NUL at their end.
const BARE: u64 = 0;
const ENDED_BY_NUL: u64 = 1;

/// Decodes the first line in `bytes`.
///
/// # Errors
/// It is longer than `limit`.
pub fn decode_client(
    charset: Charset,
    bytes: &[u8],
    limit: usize,
) -> Result<Decoded<ClientFrame<'_>>, WireError> {
    let Some((end, next)) = charset.find_line(bytes) else {
        // After the text there may be a NUL, a CR and a part of the LF.
        return if bytes.len() >= limit + 3 * charset.width() {
            Err(WireError::too_large(bytes.len(), limit))
        } else {
            Ok(Decoded::Partial)
        };
    };
    let line = &bytes[..end];
    let line = charset.strip_suffix(line, b'\r').unwrap_or(line);
    Ok(Decoded::Frame(decode_message(charset, line, limit)?, next))
}

/// Decodes a message.
///
/// # Errors
/// It is longer than `limit`.
pub fn decode_message(
    charset: Charset,
    message: &[u8],
    limit: usize,
) -> Result<ClientFrame<'_>, WireError> {
    let (text, id) = match charset.strip_suffix(message, b'\0') {
        Some(text) => (text, ENDED_BY_NUL),
        None => (message, BARE),
    };
    if text.len() > limit {
        return Err(WireError::too_large(text.len(), limit));
    }
    let text = charset.decode_lossy(text);
    if is_fim(&text) {
        return Ok(ClientFrame::Fim(IdFrame { id }));
    }
    Ok(ClientFrame::Request(Request::new(id, Body::Text(text))))
}

/// Whether the text is the word that ends the session. In messages a line ending after it is
/// allowed, because socat sends the line ending that the user typed.
pub fn is_fim(text: &str) -> bool {
    text.trim_end_matches(['\r', '\n']) == FIM
}

/// Appends the frame's bytes to `out`. Returns `false`, and appends nothing, if the frame is not
/// sent in this dialect.
pub fn encode_server(
    dialect: RawDialect,
    framing: Framing,
    frame: &ServerFrame<'_>,
    out: &mut Vec<u8>,
) -> bool {
    let (body, id) = match (dialect.direction, frame) {
        (Direction::Outbound, ServerFrame::Message(message)) if message.to.is_none() => {
            (Cow::Borrowed(&message.body), BARE)
        }
        (Direction::Outbound, ServerFrame::Closing(closing))
            if closing.reason == CloseReason::Shutdown =>
        {
            (Cow::Owned(Body::text(FIM)), BARE)
        }
        (Direction::Duplex, ServerFrame::Reply(reply)) => (Cow::Borrowed(&reply.body), reply.id),
        (Direction::Duplex, ServerFrame::Error(error)) if answers(error) => {
            let text = format!("- {} {}", error.code, error.for_people());
            (Cow::Owned(Body::from(text)), error.id.unwrap_or(BARE))
        }
        _ => return false,
    };
    let has_nul = dialect.terminator == Terminator::Nul || id == ENDED_BY_NUL;
    encode_body(dialect.charset, framing, &body, has_nul, out);
    true
}

/// Whether the error is sent in place of a reply. A request that arrives while the server is
/// stopping gets no answer.
fn answers(error: &ErrorFrame<'_>) -> bool {
    match error.code {
        ErrorCode::Stopping => false,
        ErrorCode::FrameTooLarge => true,
        _ => error.id.is_some(),
    }
}

/// Appends a body as a message, or as a line. In a line, a space replaces each line break of the
/// body.
pub fn encode_body(
    charset: Charset,
    framing: Framing,
    body: &Body<'_>,
    has_nul: bool,
    out: &mut Vec<u8>,
) {
    match (body, framing) {
        (Body::Text(text), Framing::Messages) => charset.encode(text, out),
        (Body::Bytes(bytes), Framing::Messages) => out.extend_from_slice(bytes),
        (Body::Text(text), Framing::Stream) => charset.encode(&one_line(text), out),
        (Body::Bytes(bytes), Framing::Stream) => {
            charset.encode(&one_line(&charset.decode_lossy(bytes)), out);
        }
    }
    if has_nul {
        charset.encode("\0", out);
    }
    if framing == Framing::Stream {
        charset.encode("\n", out);
    }
}

/// Replaces each line break with a space.
fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(['\r', '\n']) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\r\n", " ").replace(['\r', '\n'], " "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Message, Millis, ReplyFrame, Seq};

    fn request(text: &str, id: u64) -> ClientFrame<'static> {
        ClientFrame::Request(Request::new(id, Body::from(text.to_owned())))
    }

    fn encoded(charset: Charset, text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        charset.encode(text, &mut bytes);
        bytes
    }

    fn sent(dialect: RawDialect, framing: Framing, frame: &ServerFrame<'_>) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        encode_server(dialect, framing, frame, &mut out).then_some(out)
    }

    #[test]
    fn raw_line_is_a_request_and_fim_is_fim_in_any_charset() {
        for charset in Charset::ALL {
            let bytes = encoded(*charset, "olá\r\nfim\0\n");
            let Ok(Decoded::Frame(first, used)) = decode_client(*charset, &bytes, 100) else {
                panic!("a line");
            };
            assert_eq!(first, request("olá", BARE));
            let rest = decode_client(*charset, &bytes[used..], 100);
            assert!(matches!(rest, Ok(Decoded::Frame(ClientFrame::Fim(_), _))));
        }
    }

    #[test]
    fn line_limit_is_the_same_however_the_line_arrives() {
        for charset in Charset::ALL {
            let line = encoded(*charset, "olá!\0\r\n");
            let limit = encoded(*charset, "olá!").len();
            for cut in 0..line.len() {
                let part = decode_client(*charset, &line[..cut], limit);
                assert_eq!(part, Ok(Decoded::Partial), "{charset} {cut}");
            }
            let whole = Decoded::Frame(request("olá!", ENDED_BY_NUL), line.len());
            assert_eq!(decode_client(*charset, &line, limit), Ok(whole));
            assert!(decode_client(*charset, &line, limit - 1).is_err());
            let endless = encoded(*charset, "olá!olá!");
            assert!(decode_client(*charset, &endless, limit).is_err());
        }
    }

    #[test]
    fn trailing_nul_is_removed_and_restored() {
        let dialect = RawDialect {
            charset: Charset::Utf16Le,
            ..RawDialect::default()
        };
        let message = encoded(dialect.charset, "olá\0");
        let asked = decode_message(dialect.charset, &message, 100).expect("it is short");
        assert_eq!(asked, request("olá", ENDED_BY_NUL));
        let ClientFrame::Request(asking) = asked else {
            panic!("a request");
        };
        let reply = ServerFrame::Reply(ReplyFrame::new(asking.id, asking.body));
        assert_eq!(sent(dialect, Framing::Messages, &reply), Some(message));
    }

    #[test]
    fn raw_non_text_is_replaced_and_overlong_line_is_an_error() {
        let replaced = |charset: Charset, bytes| {
            let frame = decode_message(charset, bytes, 4).expect("it is short");
            frame.into_owned()
        };
        assert_eq!(
            replaced(Charset::Utf8, b"a\xff"),
            request("a\u{fffd}", BARE)
        );
        assert_eq!(
            replaced(Charset::Utf16Le, b"a\0b"),
            request("a\u{fffd}", BARE)
        );
        let error = decode_message(Charset::Utf8, b"12345", 4).expect_err("it is too long");
        assert_eq!(error.code, ErrorCode::FrameTooLarge);
        assert!(decode_message(Charset::Utf8, b"1234\0", 4).is_ok());
    }

    #[test]
    fn raw_body_is_one_line_in_a_stream_unchanged_in_a_message() {
        let outbound = RawDialect {
            direction: Direction::Outbound,
            ..RawDialect::default()
        };
        let message = |body| ServerFrame::Message(Message::new(Seq(1), "ana", Millis(0), body));
        for (body, line, whole) in [
            (
                Body::text("um\r\ndois\n"),
                &b"um dois \n"[..],
                &b"um\r\ndois\n"[..],
            ),
            (Body::bytes(b"\xff\n"), "\u{fffd} \n".as_bytes(), b"\xff\n"),
            (Body::text(""), b"\n", b""),
        ] {
            let frame = message(body);
            let stream = sent(outbound, Framing::Stream, &frame);
            assert_eq!(stream.as_deref(), Some(line));
            let messages = sent(outbound, Framing::Messages, &frame);
            assert_eq!(messages.as_deref(), Some(whole));
            assert_eq!(sent(RawDialect::default(), Framing::Stream, &frame), None);
        }
    }

    #[test]
    fn raw_request_without_a_reply_gets_the_reason() {
        let dialect = RawDialect::default();
        let error = |id, code| {
            let frame = ServerFrame::error(id, code, "porque não");
            sent(dialect, Framing::Messages, &frame)
        };
        let told = error(Some(ENDED_BY_NUL), ErrorCode::Forbidden);
        assert_eq!(told.as_deref(), Some("- forbidden porque não\0".as_bytes()));
        assert!(error(None, ErrorCode::FrameTooLarge).is_some());
        assert_eq!(error(None, ErrorCode::IdleTimeout), None);
        assert_eq!(error(Some(BARE), ErrorCode::Stopping), None);
    }
}
