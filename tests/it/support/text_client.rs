//! A client of the text dialect.

use std::io::{BufRead, BufReader, Write};

use super::os::Stream;

/// A client that sends and receives lines of UTF-8.
pub struct TextClient {
    reader: BufReader<Stream>,
}

impl TextClient {
    pub fn over(stream: Stream) -> TextClient {
        TextClient {
            reader: BufReader::new(stream),
        }
    }

    /// Sends a line.
    pub fn send_text(&mut self, line: &str) {
        self.send(format!("{line}\n").as_bytes());
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.reader
            .get_mut()
            .write_all(bytes)
            .expect("the server reads");
    }

    /// Returns the next line without its line feed; `None` at the end of the input.
    pub fn receive_text(&mut self) -> Option<String> {
        let mut line = String::new();
        let length = self
            .reader
            .read_line(&mut line)
            .expect("the server writes utf-8");
        if length == 0 {
            return None;
        }
        let line = line.strip_suffix('\n').expect("a line ends in LF");
        assert!(
            !line.contains(char::is_control),
            "{line:?} is one line for a terminal"
        );
        Some(line.to_owned())
    }

    #[track_caller]
    pub fn expect(&mut self, line: &str) {
        assert_eq!(self.receive_text().as_deref(), Some(line));
    }

    /// Sends a line, and asserts the answer.
    #[track_caller]
    pub fn exchange(&mut self, line: &str, answer: &str) {
        self.send_text(line);
        self.expect(answer);
    }

    #[track_caller]
    pub fn expect_end(&mut self) {
        assert_eq!(self.receive_text(), None);
    }

    /// Skips to the next line that begins with `start`, and returns it.
    pub fn skip_to(&mut self, start: &str) -> String {
        loop {
            let line = self
                .receive_text()
                .unwrap_or_else(|| panic!("the end before {start}"));
            if line.starts_with(start) {
                return line;
            }
        }
    }
}
