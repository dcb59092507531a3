//! The text dialect: a line is a message, its first character says what it is.

mod escape;
mod parse;
mod render;

use std::borrow::Cow;

use super::{Body, Charset, ClientFrame, Decoded, ServerFrame, WireError};

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
        return if bytes.len() > limit {
            Err(WireError::too_large(bytes.len(), limit))
        } else {
            Ok(Decoded::Partial)
        };
    };
    if end > limit {
        return Err(WireError::too_large(end, limit));
    }
    let Some(line) = charset.decode(&bytes[..end]) else {
        return Err(WireError::bad_frame(format!("the line is not {charset}")));
    };
    Ok(Decoded::Frame(parse::line(without_cr(line)), next))
}

/// Appends the frame as a line.
pub fn encode_server(charset: Charset, frame: &ServerFrame<'_>, out: &mut Vec<u8>) {
    let mut line = String::new();
    render::line(frame, &mut line);
    line.push('\n');
    charset.encode(&line, out);
}

/// A body as one line of text, with its control characters escaped.
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
