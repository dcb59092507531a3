//! Reads files and lines within a limit, so that no input takes unbounded memory.
//!
//! A byte order mark of UTF-8 at the start of a text is skipped. One of UTF-16 is an error that
//! names the encoding.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::exit::sysexits;

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// The operating system's error.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file is longer than the limit.
    #[error("it is longer than {limit} bytes, the limit for such a file")]
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The text is UTF-16, by its byte order mark.
    #[error("it is UTF-16 by its byte order mark: save it as UTF-8")]
    Utf16,
    /// The text is not UTF-8.
    #[error("line {line} is not UTF-8")]
    NotUtf8 {
        /// The line's number, from 1.
        line: usize,
    },
}

impl ReadError {
    /// Returns the exit code for this error.
    pub(super) fn code(&self) -> u8 {
        match self {
            ReadError::Io(_) => sysexits::NOINPUT,
            _ => sysexits::DATAERR,
        }
    }
}

/// Why a line cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineError {
    /// The operating system's error.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The line is longer than the limit.
    #[error("line {number} is longer than {limit} bytes")]
    TooLong {
        /// The line's number, from 1.
        number: u64,
        /// The limit in bytes, without the line feed.
        limit: usize,
    },
}

/// Reads a whole file; `-` is stdin.
///
/// # Errors
/// See [`ReadError`].
pub(super) fn read_bytes(path: &Path, limit: usize) -> Result<Vec<u8>, ReadError> {
    if path == Path::new("-") {
        read_all(io::stdin().lock(), limit)
    } else {
        read_all(File::open(path)?, limit)
    }
}

/// Reads a whole text file; `-` is stdin.
///
/// # Errors
/// See [`ReadError`].
pub(super) fn read_text(path: &Path, limit: usize) -> Result<String, ReadError> {
    text(read_bytes(path, limit)?)
}

/// Reads the first line of a file, without its line ending; `-` is stdin, from which only that
/// line is consumed.
///
/// # Errors
/// See [`ReadError`].
pub(super) fn read_first_line(path: &Path, limit: usize) -> Result<String, ReadError> {
    let line = if path == Path::new("-") {
        Lines::new(io::stdin().lock(), limit).next()
    } else {
        Lines::new(BufReader::new(File::open(path)?), limit).next()
    };
    match line {
        Ok(line) => Ok(without_cr(text(line.unwrap_or_default())?)),
        Err(LineError::Io(error)) => Err(error.into()),
        Err(LineError::TooLong { limit, .. }) => Err(ReadError::TooLong { limit }),
    }
}

fn without_cr(mut line: String) -> String {
    if line.ends_with('\r') {
        line.pop();
    }
    line
}

fn read_all(input: impl Read, limit: usize) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    input.take(most).read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        return Err(ReadError::TooLong { limit });
    }
    Ok(bytes)
}

fn text(mut bytes: Vec<u8>) -> Result<String, ReadError> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(ReadError::Utf16);
    }
    if bytes.starts_with("\u{feff}".as_bytes()) {
        bytes.drain(.."\u{feff}".len());
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
        ReadError::NotUtf8 { line }
    })
}

/// The lines of an input, each within a limit.
pub(super) struct Lines<R> {
    input: R,
    limit: usize,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    /// Reads lines of at most `limit` bytes each.
    pub(super) fn new(input: R, limit: usize) -> Self {
        Lines {
            input,
            limit,
            number: 0,
        }
    }

    /// Reads the next line, without its line feed. `None`: the end of the input.
    ///
    /// # Errors
    /// See [`LineError`]. Of a line that is too long, at most the limit has been read.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, LineError> {
        self.number += 1;
        let mut line = Vec::new();
        loop {
            let part = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                part => part?,
            };
            if part.is_empty() {
                return Ok(Some(line).filter(|line| !line.is_empty()));
            }
            let end = part.iter().position(|byte| *byte == b'\n');
            let length = end.unwrap_or(part.len());
            if line.len() + length > self.limit {
                return Err(LineError::TooLong {
                    number: self.number,
                    limit: self.limit,
                });
            }
            line.extend_from_slice(&part[..length]);
            self.input.consume(length + usize::from(end.is_some()));
            if end.is_some() {
                return Ok(Some(line));
            }
        }
    }

    /// Skips the rest of a line that is too long. `false`: the end of the input.
    ///
    /// # Errors
    /// The input cannot be read.
    pub(super) fn skip_line(&mut self) -> io::Result<bool> {
        loop {
            let part = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                part => part?,
            };
            if part.is_empty() {
                return Ok(false);
            }
            let end = part.iter().position(|byte| *byte == b'\n');
            let length = end.map_or(part.len(), |end| end + 1);
            self.input.consume(length);
            if end.is_some() {
                return Ok(true);
            }
        }
    }
}

impl<R: Read> Lines<BufReader<R>> {
    /// Returns whether the next line is buffered, so that reading it does not wait.
    pub(super) fn has_next(&self) -> bool {
        self.input.buffer().contains(&b'\n')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_is_read_up_to_its_limit_and_no_further() {
        let mut lines = Lines::new(&b"abc\n\nabcd\nx"[..], 3);
        assert_eq!(lines.next().expect("it fits"), Some(b"abc".to_vec()));
        assert_eq!(lines.next().expect("it fits"), Some(Vec::new()));
        let error = lines.next().expect_err("it is one byte too long");
        assert_eq!(error.to_string(), "line 3 is longer than 3 bytes");
        assert!(lines.skip_line().expect("it is memory"));
        assert_eq!(lines.next().expect("it fits"), Some(b"x".to_vec()));
        assert_eq!(lines.next().expect("this is the end"), None);
    }

    #[test]
    fn endless_line_is_refused_at_the_limit() {
        let endless = BufReader::new(io::repeat(b'x'));
        let error = Lines::new(endless, 1 << 20)
            .next()
            .expect_err("it has no end");
        assert!(matches!(error, LineError::TooLong { number: 1, .. }));
        let error = read_all(io::repeat(b'x'), 1 << 20).expect_err("it has no end");
        assert!(matches!(error, ReadError::TooLong { .. }));
    }

    #[test]
    fn byte_order_mark_of_utf_8_is_skipped_of_utf_16_named() {
        assert_eq!(text(b"\xef\xbb\xbfsenha".to_vec()).expect("utf-8"), "senha");
        for mark in [&b"\xff\xfes\0"[..], b"\xfe\xff\0s"] {
            assert!(matches!(text(mark.to_vec()), Err(ReadError::Utf16)));
        }
        let error = text(b"a\nb\xff\n".to_vec()).expect_err("0xff is in no text");
        assert_eq!(error.to_string(), "line 2 is not UTF-8");
    }
}
