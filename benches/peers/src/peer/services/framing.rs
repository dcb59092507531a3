//! The frames of one connection, found by their lengths.

use anyhow::{Result, ensure};

use crate::meter::show;

/// The bytes of a length in front of a frame, big-endian.
pub const PREFIX: usize = 4;

/// How long a frame is.
#[derive(Debug, Clone, Copy)]
pub enum Length {
    /// As long as every other. Frames that are skipped are lines.
    Same(usize),
    /// As its prefix of [`PREFIX`] bytes says.
    Prefixed,
}

/// How the frames of a connection follow one another.
#[derive(Debug, Clone)]
pub struct Framing {
    /// The lengths of frames.
    pub length: Length,
    /// The first bytes of each frame, behind its prefix.
    pub head: Vec<u8>,
    /// The first bytes of frames that may stand between them, and that nobody wants.
    pub skipped: Option<&'static [u8]>,
}

/// The unit at the beginning of a stream.
enum Next {
    /// A frame of this length.
    Frame(usize),
    /// So many bytes that nobody wants.
    Skipped(usize),
    /// Less than a frame.
    Partial,
}

impl Framing {
    fn next(&self, bytes: &[u8]) -> Result<Next> {
        let (begin, length) = match (self.length, bytes.first_chunk::<PREFIX>()) {
            (Length::Same(length), _) => (0, length),
            (Length::Prefixed, None) => return Ok(Next::Partial),
            (Length::Prefixed, Some(prefix)) => {
                (PREFIX, PREFIX + u32::from_be_bytes(*prefix) as usize)
            }
        };
        let content = &bytes[begin..];
        if content.starts_with(&self.head) {
            return Ok(match bytes.len() >= length {
                true => Next::Frame(length),
                false => Next::Partial,
            });
        }
        let is_begun = |head: &[u8]| head.starts_with(content);
        match self.skipped {
            Some(skipped) if content.starts_with(skipped) => {
                let length = match self.length {
                    Length::Same(_) => line_length(bytes),
                    Length::Prefixed => Some(length),
                };
                let length = length.filter(|length| bytes.len() >= *length);
                Ok(length.map_or(Next::Partial, Next::Skipped))
            }
            skipped => {
                let is_begun = is_begun(&self.head) || skipped.is_some_and(is_begun);
                ensure!(is_begun, "an unexpected frame: {:?}", show(content));
                Ok(Next::Partial)
            }
        }
    }

    /// Gives `each` the whole frames that the bytes begin with, and returns their length.
    fn split(&self, bytes: &[u8], mut each: impl FnMut(&[u8]) -> Result<()>) -> Result<usize> {
        let mut used = 0;
        loop {
            let rest = &bytes[used..];
            used += match self.next(rest)? {
                Next::Frame(length) => {
                    each(&rest[..length])?;
                    length
                }
                Next::Skipped(length) => length,
                Next::Partial => return Ok(used),
            };
        }
    }
}

/// Returns the length of the line that the bytes begin with, with its end.
fn line_length(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(2).position(|two| two == b"\r\n")?;
    Some(end + 2)
}

/// The answers and calls that a connection brings.
#[derive(Debug)]
pub struct Input {
    framing: Framing,
    /// The beginning of a frame whose rest has not come yet.
    begun: Vec<u8>,
}

impl Input {
    /// Starts at the beginning of a frame.
    pub fn new(framing: Framing) -> Input {
        Input {
            framing,
            begun: Vec::new(),
        }
    }

    /// Takes what one read has brought, and gives `each` the frames that are whole now.
    ///
    /// # Errors
    /// The bytes are no frame, or `each` fails.
    pub fn feed(&mut self, bytes: &[u8], each: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        if self.begun.is_empty() {
            let used = self.framing.split(bytes, each)?;
            self.begun.extend_from_slice(&bytes[used..]);
        } else {
            self.begun.extend_from_slice(bytes);
            let used = self.framing.split(&self.begun, each)?;
            self.begun.drain(..used);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(framing: &Framing, stream: &[u8], cut: usize) -> Result<Vec<Vec<u8>>> {
        let mut input = Input::new(framing.clone());
        let mut frames = Vec::new();
        for read in stream.chunks(cut) {
            input.feed(read, |frame| {
                frames.push(frame.to_vec());
                Ok(())
            })?;
        }
        Ok(frames)
    }

    #[test]
    fn frames_are_found_at_any_read_boundary() {
        let lines = Framing {
            length: Length::Same(8),
            head: b"MSG ".to_vec(),
            skipped: Some(b"PING"),
        };
        let prefixed = Framing {
            length: Length::Prefixed,
            head: b"re".to_vec(),
            skipped: Some(b"pa"),
        };
        for cut in 1..40 {
            let found = frames(&lines, b"MSG 1\r\n;PING\r\nPING\r\nMSG 22\r\n", cut);
            assert_eq!(found.expect("frames"), [b"MSG 1\r\n;", b"MSG 22\r\n"]);
            let stream = b"\0\0\0\x03re1\0\0\0\x04pass\0\0\0\x05re\0\0\0";
            let found = frames(&prefixed, stream, cut).expect("frames");
            assert_eq!(found, [&stream[..7], &stream[15..]]);
        }
    }

    #[test]
    fn frame_with_another_head_is_an_error() {
        let framing = Framing {
            length: Length::Same(8),
            head: b"MSG ".to_vec(),
            skipped: None,
        };
        assert!(frames(&framing, b"-ERR 'x'\r\n", 3).is_err());
    }
}
