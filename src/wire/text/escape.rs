//! Escapes that put any body on one line, in both directions.

use std::borrow::Cow;
use std::fmt::Write;

use crate::wire::Body;

/// Appends the body with LF, CR, the backslash and all characters escaped for which [`hides`]
/// returns true. Each byte of a byte string becomes `\x` and two digits.
///
/// Bidirectional controls are escaped because a terminal that obeys them shows another text than
/// the one that was sent (Unicode TR 36).
pub(super) fn escape(body: &Body<'_>, out: &mut String) {
    match body {
        Body::Text(text) => text.chars().for_each(|c| escape_char(c, out)),
        Body::Bytes(bytes) => bytes.iter().for_each(|byte| {
            write!(out, "\\x{byte:02x}").expect("a String takes every character");
        }),
    }
}

/// Appends a topic or a pattern as one word: escaped as a body, and its spaces too.
pub(super) fn escape_word(word: &str, out: &mut String) {
    for c in word.chars() {
        if c == ' ' {
            out.extend(c.escape_unicode());
        } else {
            escape_char(c, out);
        }
    }
}

fn escape_char(c: char, out: &mut String) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\\' => out.push_str("\\\\"),
        c if hides(c) => out.extend(c.escape_unicode()),
        c => out.push(c),
    }
}

/// Escapes the characters for which [`hides`] returns true, but not the backslash. For logs and
/// terminals, where the text is not parsed again.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(hides) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if hides(c) {
            line.extend(c.escape_unicode());
        } else {
            line.push(c);
        }
    }
    Cow::Owned(line)
}

/// Whether a character can break a line, control a terminal or hide the text around it: the
/// control characters, the line and paragraph separators (at which some programs, such as
/// Python's `splitlines`, break a line), and the bidirectional controls (UAX 9).
pub fn hides(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || reorders(c)
}

/// Characters that reorder a line without being control characters (UAX 9).
fn reorders(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Decodes the escapes in a body. An incomplete or unknown escape is left as it is, so that
/// `C:\dir` needs no escaping.
pub(super) fn unescape(text: Cow<'_, str>) -> Body<'_> {
    if !text.contains('\\') {
        return Body::Text(text);
    }
    match byte_string(&text) {
        Some(bytes) => Body::from(bytes),
        None => Body::Text(unescaped(&text).into()),
    }
}

/// Decodes the escapes in a text that cannot be a byte string.
pub(super) fn unescape_text(text: &str) -> Cow<'_, str> {
    if text.contains('\\') {
        Cow::Owned(unescaped(text))
    } else {
        Cow::Borrowed(text)
    }
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let (c, length) = escaped(rest).unwrap_or(('\\', 1));
        plain.push(c);
        rest = &rest[length..];
    }
    plain.push_str(rest);
    plain
}

/// Decodes the escape at the start of `text`. Returns its character and its length in bytes.
fn escaped(text: &str) -> Option<(char, usize)> {
    match text.as_bytes().get(1)? {
        b'n' => Some(('\n', 2)),
        b'r' => Some(('\r', 2)),
        b't' => Some(('\t', 2)),
        b'\\' => Some(('\\', 2)),
        b'u' => {
            let digits = text.strip_prefix("\\u{")?;
            let end = digits.find('}').filter(|end| (1..=6).contains(end))?;
            let c = char::from_u32(u32::from_str_radix(&digits[..end], 16).ok()?)?;
            Some((c, "\\u{".len() + end + 1))
        }
        _ => None,
    }
}

/// Returns the bytes if the whole text consists of `\xNN`.
fn byte_string(text: &str) -> Option<Vec<u8>> {
    let (quads, []) = text.as_bytes().as_chunks::<4>() else {
        return None;
    };
    quads
        .iter()
        .map(|quad| match quad {
            [b'\\', b'x', high, low] => Some(hex(*high)? << 4 | hex(*low)?),
            _ => None,
        })
        .collect()
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}
