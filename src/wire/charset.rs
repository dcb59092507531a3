//! The encodings of the text and the raw dialect.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use encoding_rs::{EncoderResult, WINDOWS_1252};

use crate::parse_error::ParseError;

/// The character encoding of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Charset {
    /// UTF-8.
    #[default]
    Utf8,
    /// UTF-16, little-endian, without a byte order mark.
    Utf16Le,
    /// Windows code page 1252, as the WHATWG Encoding Standard defines it.
    Windows1252,
}

impl Charset {
    /// All charsets that an endpoint's option accepts.
    pub const ALL: &'static [Charset] = &[Charset::Utf8, Charset::Utf16Le, Charset::Windows1252];

    /// Returns the charset's name in an endpoint's option.
    pub const fn as_str(self) -> &'static str {
        match self {
            Charset::Utf8 => "utf-8",
            Charset::Utf16Le => "utf-16le",
            Charset::Windows1252 => "windows-1252",
        }
    }

    /// Decodes `bytes`. Returns `None` if they are not valid in this charset.
    pub fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Charset::Utf8 => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Charset::Utf16Le => utf16(bytes).map(Cow::Owned),
            Charset::Windows1252 => Some(WINDOWS_1252.decode_without_bom_handling(bytes).0),
        }
    }

    /// Returns the length in bytes of the longest valid prefix of `bytes`.
    pub fn valid_up_to(self, bytes: &[u8]) -> usize {
        match self {
            Charset::Utf8 => std::str::from_utf8(bytes)
                .err()
                .map_or(bytes.len(), |error| error.valid_up_to()),
            Charset::Utf16Le => {
                let (units, _) = bytes.as_chunks::<2>();
                let units = units.iter().map(|unit| u16::from_le_bytes(*unit));
                let valid = char::decode_utf16(units).map_while(Result::ok);
                valid.map(|c| 2 * c.len_utf16()).sum()
            }
            Charset::Windows1252 => bytes.len(),
        }
    }

    /// Decodes `bytes`, with U+FFFD in place of invalid sequences.
    pub fn decode_lossy(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Charset::Utf8 => String::from_utf8_lossy(bytes),
            Charset::Utf16Le => Cow::Owned(utf16_lossy(bytes)),
            Charset::Windows1252 => WINDOWS_1252.decode_without_bom_handling(bytes).0,
        }
    }

    /// Returns `bytes` without the ASCII character at their end, or `None` if they do not end in
    /// it.
    pub fn strip_suffix(self, bytes: &[u8], ascii: u8) -> Option<&[u8]> {
        match self {
            Charset::Utf8 | Charset::Windows1252 => bytes.strip_suffix(&[ascii]),
            Charset::Utf16Le if bytes.len().is_multiple_of(2) => bytes.strip_suffix(&[ascii, 0]),
            Charset::Utf16Le => None,
        }
    }

    /// Appends `text` in this charset to `out`; a character that the charset lacks becomes `?`.
    pub fn encode(self, text: &str, out: &mut Vec<u8>) {
        match self {
            Charset::Utf8 => out.extend_from_slice(text.as_bytes()),
            Charset::Utf16Le => out.extend(text.encode_utf16().flat_map(u16::to_le_bytes)),
            Charset::Windows1252 => windows_1252(text, out),
        }
    }

    /// Returns the length in bytes of an ASCII character, such as a line feed.
    pub const fn width(self) -> usize {
        match self {
            Charset::Utf8 | Charset::Windows1252 => 1,
            Charset::Utf16Le => 2,
        }
    }

    /// Returns the offsets of the first line feed in `bytes` and of the byte after it, or `None`
    /// if there is no line feed.
    pub fn find_line(self, bytes: &[u8]) -> Option<(usize, usize)> {
        match self {
            Charset::Utf8 | Charset::Windows1252 => {
                let end = bytes.iter().position(|byte| *byte == b'\n')?;
                Some((end, end + 1))
            }
            Charset::Utf16Le => {
                let unit = bytes.chunks_exact(2).position(|unit| unit == b"\n\0")?;
                Some((unit * 2, unit * 2 + 2))
            }
        }
    }

    /// Whether `bytes` have a line feed. The first `searched` bytes are known to have none.
    pub fn ends_line(self, bytes: &[u8], searched: usize) -> bool {
        let unit = match self {
            Charset::Utf8 | Charset::Windows1252 => 1,
            Charset::Utf16Le => 2,
        };
        let from = searched - searched % unit; // the last unit may have been incomplete
        self.find_line(&bytes[from..]).is_some()
    }
}

impl FromStr for Charset {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Charset::ALL.iter().find(|known| known.as_str() == text);
        known
            .copied()
            .ok_or_else(|| ParseError::new("encoding", text, "utf-8, utf-16le or windows-1252"))
    }
}

impl fmt::Display for Charset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn utf16(bytes: &[u8]) -> Option<String> {
    let (units, []) = bytes.as_chunks::<2>() else {
        return None;
    };
    char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit)))
        .collect::<Result<_, _>>()
        .ok()
}

fn utf16_lossy(bytes: &[u8]) -> String {
    let (units, odd) = bytes.as_chunks::<2>();
    char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit)))
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .chain((!odd.is_empty()).then_some(char::REPLACEMENT_CHARACTER))
        .collect()
}

fn windows_1252(text: &str, out: &mut Vec<u8>) {
    let mut encoder = WINDOWS_1252.new_encoder();
    let (mut utf8, mut byte) = ([0; 4], [0; 4]);
    for c in text.chars() {
        let c = c.encode_utf8(&mut utf8);
        match encoder.encode_from_utf8_without_replacement(c, &mut byte, false) {
            (EncoderResult::Unmappable(_), ..) => out.push(b'?'),
            (_, _, written) => out.extend_from_slice(&byte[..written]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charset_decodes_what_it_encoded() {
        for charset in Charset::ALL {
            let mut bytes = Vec::new();
            charset.encode("olá, fim €", &mut bytes);
            assert_eq!(
                charset.decode(&bytes).as_deref(),
                Some("olá, fim €"),
                "{charset}"
            );
        }
    }

    #[test]
    fn character_missing_in_windows_1252_becomes_a_question_mark() {
        let mut bytes = Vec::new();
        Charset::Windows1252.encode("a→b語", &mut bytes);
        assert_eq!(bytes, b"a?b?");
    }

    #[test]
    fn lone_surrogate_or_odd_byte_is_not_utf_16() {
        assert_eq!(Charset::Utf16Le.decode(b"\x00\xd8"), None);
        assert_eq!(Charset::Utf16Le.decode(b"a\0b"), None);
        assert_eq!(Charset::Utf16Le.valid_up_to(b"a\0\x00\xd8a\0"), 2);
        assert_eq!(Charset::Utf16Le.valid_up_to(b"a\0b"), 2);
        assert_eq!(Charset::Utf8.valid_up_to(b"ol\xc3"), 2);
    }

    #[test]
    fn undecodable_bytes_can_be_replaced() {
        assert_eq!(Charset::Utf8.decode_lossy(b"a\xffb"), "a\u{fffd}b");
        let utf16 = Charset::Utf16Le.decode_lossy(b"\x00\xd8a\0b");
        assert_eq!(utf16, "\u{fffd}a\u{fffd}");
    }

    #[test]
    fn utf_16_line_ends_at_a_whole_unit() {
        // U+0A00 and U+000A: only the second is a line feed.
        assert_eq!(
            Charset::Utf16Le.find_line(b"\x00\x0a\x0a\x00"),
            Some((2, 4))
        );
    }
}
