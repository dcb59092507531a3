//! Quotes a client's input in errors and logs.
//!
//! A quotation is short, so that a frame of 1 MiB does not become a log record of that length. It
//! is on one line, and control characters in it are escaped, so that it cannot forge a log record
//! or control a terminal.

use std::fmt::{self, Display, Write};

use super::text::hides;

/// The most bytes of a quotation, its escapes included.
pub const QUOTED: usize = 64;

/// The most bytes of a text for people, such as an error frame's message.
pub const LONGEST_TEXT: usize = 512;

/// Displays bytes in quotation marks, cut to [`QUOTED`] bytes. Characters for which [`hides`]
/// returns true are escaped. A quotation that was cut is followed by the length of the whole.
#[derive(Debug, Clone, Copy)]
pub struct Quote<'a>(&'a [u8]);

impl<'a> Quote<'a> {
    /// Creates the quotation of text or bytes.
    pub fn new(bytes: &'a (impl AsRef<[u8]> + ?Sized)) -> Quote<'a> {
        Quote(bytes.as_ref())
    }
}

impl Display for Quote<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No more than this can be shown; a character has at most 4 bytes.
        let front = &self.0[..self.0.len().min(QUOTED + 4)];
        let mut left = QUOTED;
        let mut is_cut = false;
        f.write_char('"')?;
        'quoted: for chunk in front.utf8_chunks() {
            for c in chunk.valid().chars() {
                is_cut |= !put(&escaped(c), &mut left, f)?;
                if is_cut {
                    break 'quoted;
                }
            }
            for byte in chunk.invalid() {
                is_cut |= !put(&format!("\\x{byte:02x}"), &mut left, f)?;
                if is_cut {
                    break 'quoted;
                }
            }
        }
        f.write_char('"')?;
        if is_cut || self.0.len() > front.len() {
            write!(f, "… ({} bytes)", self.0.len())?;
        }
        Ok(())
    }
}

/// Writes `piece` if it fits into the bytes that are `left`. Returns whether it did.
fn put(piece: &str, left: &mut usize, f: &mut fmt::Formatter<'_>) -> Result<bool, fmt::Error> {
    if piece.len() > *left {
        return Ok(false);
    }
    *left -= piece.len();
    f.write_str(piece)?;
    Ok(true)
}

fn escaped(c: char) -> String {
    match c {
        '"' | '\\' => format!("\\{c}"),
        c if hides(c) => c.escape_unicode().collect(),
        c => c.to_string(),
    }
}

/// Returns the text of `value`, cut to `most` bytes. Formatting stops at the cut, so that a long
/// value costs no more than a short one.
pub fn limited(value: impl Display, most: usize) -> String {
    let mut text = Limited {
        text: String::new(),
        most,
    };
    if write!(text, "{value}").is_err() {
        text.text.push('…');
    }
    text.text
}

struct Limited {
    text: String,
    most: usize,
}

impl Write for Limited {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let left = self.most - self.text.len();
        if piece.len() <= left {
            self.text.push_str(piece);
            return Ok(());
        }
        let end = (0..=left).rev().find(|end| piece.is_char_boundary(*end));
        self.text.push_str(&piece[..end.unwrap_or(0)]);
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quote_shows_short_text_whole() {
        assert_eq!(Quote::new("olá").to_string(), "\"olá\"");
        assert_eq!(Quote::new("").to_string(), "\"\"");
        assert_eq!(Quote::new(&[b'x'; QUOTED]).to_string().len(), QUOTED + 2);
    }

    #[test]
    fn quote_escapes_hostile_characters_and_non_text_bytes() {
        let quoted = Quote::new(b"a\x1b[31m\"\\\xff\xe2\x80\xae\n").to_string();
        assert_eq!(quoted, r#""a\u{1b}[31m\"\\\xff\u{202e}\u{a}""#);
    }

    #[test]
    fn quote_of_any_input_is_short() {
        for piece in ["x", "\u{1b}", "é", "\u{1f980}", "\"", "\u{10ffff}"] {
            let quoted = Quote::new(&piece.repeat(1 << 20)).to_string();
            assert!(quoted.len() <= QUOTED + 40, "{quoted}");
            let length = format!("({} bytes)", piece.len() << 20);
            assert!(quoted.ends_with(&length), "{quoted}");
        }
        assert!(Quote::new(&[0xff; 1 << 20]).to_string().len() <= QUOTED + 40);
    }

    #[test]
    fn limited_text_ends_between_two_characters() {
        assert_eq!(limited("olá", 10), "olá");
        assert_eq!(limited("olá", 3), "ol…");
        assert_eq!(limited(format_args!("{}{}", "ab", "cd"), 3), "abc…");
    }
}
