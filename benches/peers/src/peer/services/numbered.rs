//! Bytes with a call's number in them.

/// The place of a call's number in a template: as decimal digits.
pub const DIGITS: &str = "##########";

/// The place of a call's id in a template: the value of four bytes, big-endian.
pub const ID: u32 = 0x7fff_fff0;

/// The id of call 0. Ids are as wide on the wire as a real client's after a while.
const FIRST_ID: u32 = 1_000_000;

/// Bytes that differ from call to call in its number only. Nothing is allocated or formatted
/// when they become those of another call.
#[derive(Debug, Clone)]
pub struct Numbered {
    bytes: Vec<u8>,
    /// Where digits begin.
    digits: Vec<usize>,
    /// Where ids begin.
    ids: Vec<usize>,
}

impl Numbered {
    /// Makes the bytes of call 0 of a template.
    pub fn new(template: Vec<u8>) -> Numbered {
        let places = |wanted: &[u8]| {
            let windows = template.windows(wanted.len()).enumerate();
            let found = windows.filter(|(_, window)| *window == wanted);
            found.map(|(place, _)| place).collect::<Vec<_>>()
        };
        let mut numbered = Numbered {
            digits: places(DIGITS.as_bytes()),
            ids: places(&ID.to_be_bytes()),
            bytes: template,
        };
        numbered.set(0);
        numbered
    }

    /// Makes them the bytes of this call.
    pub fn set(&mut self, call: u32) {
        let mut text = [b'0'; DIGITS.len()];
        let mut rest = call;
        for digit in text.iter_mut().rev() {
            *digit += (rest % 10) as u8;
            rest /= 10;
        }
        for place in &self.digits {
            self.bytes[*place..][..text.len()].copy_from_slice(&text);
        }
        let id = FIRST_ID.wrapping_add(call).to_be_bytes();
        for place in &self.ids {
            self.bytes[*place..][..id.len()].copy_from_slice(&id);
        }
    }

    /// Returns them.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_is_put_into_every_place() {
        let mut template = format!("a{DIGITS}b{DIGITS}").into_bytes();
        template.extend_from_slice(&ID.to_be_bytes());
        let mut numbered = Numbered::new(template);
        for call in [0, 7, 1_234_567_890] {
            numbered.set(call);
            let mut expected = format!("a{call:010}b{call:010}").into_bytes();
            expected.extend_from_slice(&(FIRST_ID + call).to_be_bytes());
            assert_eq!(numbered.bytes(), expected);
        }
    }
}
