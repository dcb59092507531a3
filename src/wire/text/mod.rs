//! The text dialect: each line is a frame. A client's line that is not a command is a request;
//! the first character of a server's line is its kind.

mod escape;
mod parse;
mod render;

use std::borrow::Cow;

pub use self::escape::{hides, printable};
use super::{Body, Charset, ClientFrame, Decoded, ServerFrame, WireError};
use crate::framing::Framing;

/// Decodes the first line in `bytes`.
///
/// # Errors
/// See [`crate::wire::Dialect::decode`].
pub fn decode_client(
    charset: Charset,
    bytes: &[u8],
    limit: usize,
) -> Result<Decoded<ClientFrame<'_>>, WireError> {
    let Some((end, next)) = charset.find_line(bytes) else {
        // The bytes may end in a part of the line feed.
        return if bytes.len() >= limit + charset.width() {
            Err(WireError::too_large(bytes.len(), limit))
        } else {
            Ok(Decoded::Partial)
        };
    };
    if end > limit {
        return Err(WireError::too_large(end, limit));
    }
    let Some(line) = charset.decode(&bytes[..end]) else {
        return Err(not_text(charset, &bytes[..end]));
    };
    Ok(Decoded::Frame(parse::line(without_cr(line)), next))
}

/// Decodes a message: one line, with or without a line ending. Other line feeds in it belong to
/// the text.
///
/// # Errors
/// See [`crate::wire::Dialect::decode_message`].
pub fn decode_message(
    charset: Charset,
    message: &[u8],
    limit: usize,
) -> Result<ClientFrame<'_>, WireError> {
    let line = match charset.strip_suffix(message, b'\n') {
        Some(line) => charset.strip_suffix(line, b'\r').unwrap_or(line),
        None => message,
    };
    if line.len() > limit {
        return Err(WireError::too_large(line.len(), limit));
    }
    match charset.decode(line) {
        Some(line) => Ok(parse::line(line)),
        None => Err(not_text(charset, line)),
    }
}

fn not_text(charset: Charset, line: &[u8]) -> WireError {
    let problem = format!("the line is not {charset}");
    WireError::bad_line_at(charset.valid_up_to(line), &problem)
}

/// Appends the frame as a line. A message has no line ending.
pub fn encode_server(
    charset: Charset,
    framing: Framing,
    frame: &ServerFrame<'_>,
    out: &mut Vec<u8>,
) {
    let mut line = String::new();
    render::line(frame, &mut line);
    if framing == Framing::Stream {
        line.push('\n');
    }
    charset.encode(&line, out);
}

/// Returns a body as one line of text, with its control characters escaped.
pub fn body_line(body: &Body<'_>) -> String {
    let mut line = String::new();
    escape::escape(body, &mut line);
    line
}

fn without_cr(line: Cow<'_, str>) -> Cow<'_, str> {
    match line {
        Cow::Borrowed(line) => Cow::Borrowed(line.strip_suffix('\r').unwrap_or(line)),
        Cow::Owned(mut line) => {
            if line.ends_with('\r') {
                line.pop();
            }
            Cow::Owned(line)
        }
    }
}

#[cfg(test)]
mod tests;
