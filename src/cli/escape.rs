//! Escapes hostile characters: those that a terminal obeys, or that hide or reorder the text
//! around them.
//!
//! They are the C0 and C1 controls, the line and paragraph separators, and the general
//! category Cf of Unicode 16: bidirectional controls, zero-width characters and tags
//! (Unicode Technical Report 36). Text that may be printed on a terminal shows their escapes.

use std::borrow::Cow;
use std::fmt::Write;

use arauto::wire::text::hides;

/// Returns whether a terminal would obey this character, or hide or reorder text because of it.
pub(super) fn is_hostile(c: char) -> bool {
    hides(c) || is_format(c)
}

/// Returns whether the character is of general category Cf (format), which only shows by its
/// effect on other characters.
fn is_format(c: char) -> bool {
    matches!(
        u32::from(c),
        0xad | 0x600..=0x605
            | 0x61c
            | 0x6dd
            | 0x70f
            | 0x890..=0x891
            | 0x8e2
            | 0x180e
            | 0x200b..=0x200f
            | 0x202a..=0x202e
            | 0x2060..=0x206f
            | 0xfeff
            | 0xfff9..=0xfffb
            | 0x1_10bd
            | 0x1_10cd
            | 0x1_3430..=0x1_343f
            | 0x1_bca0..=0x1_bca3
            | 0x1_d173..=0x1_d17a
            | 0xe_0001
            | 0xe_0020..=0xe_007f
    )
}

/// Escapes text for a terminal; line feeds and tabs stay as they are.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    escaped(
        text,
        |c| is_hostile(c) && !matches!(c, '\n' | '\t'),
        rust_escape,
    )
}

/// Escapes text for one line of a terminal; line feeds and tabs are escaped too.
pub(super) fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, is_hostile, rust_escape)
}

/// Escapes the hostile characters of JSON text. Each of them can only occur within a string,
/// where `\u` and four digits mean the same (RFC 8259, section 7). Line feeds stay: they end
/// records.
pub(super) fn json(text: &str) -> Cow<'_, str> {
    let digits = |c: char, out: &mut String| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(out, "\\u{unit:04x}").expect("a String takes it");
        }
    };
    escaped(text, |c| is_hostile(c) && c != '\n', digits)
}

fn rust_escape(c: char, out: &mut String) {
    out.extend(c.escape_unicode());
}

fn escaped(
    text: &str,
    is_escaped: impl Fn(char) -> bool,
    escape: impl Fn(char, &mut String),
) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_escaped(c) {
            escape(c, &mut out);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_in_any_script_stays_unchanged() {
        for text in ["olá, straße", "日本語", "مرحبا", "שלום", "🙂 é \u{301}"] {
            assert_eq!(one_line(text), text);
        }
    }

    #[test]
    fn hostile_character_of_every_kind_is_escaped() {
        let kinds = [
            '\0',
            '\u{7}',
            '\u{1b}',
            '\u{7f}',
            '\u{85}',
            '\u{9b}',
            '\u{ad}',
            '\u{61c}',
            '\u{200b}',
            '\u{200d}',
            '\u{202e}',
            '\u{2028}',
            '\u{2029}',
            '\u{2066}',
            '\u{2069}',
            '\u{feff}',
            '\u{fffb}',
            '\u{e0041}',
        ];
        for c in kinds {
            let text = c.to_string();
            assert_eq!(one_line(&text), format!("\\u{{{:x}}}", u32::from(c)));
            assert!(!json(&text).contains(c), "{c:?}");
        }
        assert_eq!(json("\"\u{e0041}\""), "\"\\udb40\\udc41\"");
    }
}
