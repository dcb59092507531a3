//! The one writer for everything that a command prints.
//!
//! - A terminal never gets a character that it would obey instead of show (see
//!   [`escape`](super::escape)). A file or a pipe gets the text unchanged, for scripts.
//! - No output is lost silently: every write and the last flush are checked, so a full disk or
//!   a reader that has gone shows in the exit code.

use std::io::{self, BufWriter, IsTerminal, Write};

use arauto::Body;
use arauto::wire::text::body_line;
use serde::Serialize;

use super::escape::{self, is_hostile};
use super::exit::{Failure, stdout_failed};
use super::os::Stdout;

/// A command's output: stdout, or any writer in tests.
pub(super) struct Output<W: Write = Stdout> {
    out: BufWriter<W>,
    is_terminal: bool,
}

impl Output {
    /// Prints to stdout.
    pub(super) fn stdout() -> Self {
        let is_terminal = io::stdout().is_terminal();
        Output::new(Stdout, is_terminal)
    }
}

impl<W: Write> Output<W> {
    fn new(out: W, is_terminal: bool) -> Self {
        Output {
            out: BufWriter::new(out),
            is_terminal,
        }
    }

    /// Prints text that the command has laid out: its line feeds are kept on a terminal too.
    pub(super) fn text(&mut self, text: &str) -> Result<(), Failure> {
        let printed = match self.is_terminal {
            true => self.out.write_all(escape::shown(text).as_bytes()),
            false => self.out.write_all(text.as_bytes()),
        };
        checked(printed)
    }

    /// Clears a terminal and moves to its top (ECMA-48: CUP, ED). A file or a pipe gets nothing.
    pub(super) fn clear(&mut self) -> Result<(), Failure> {
        match self.is_terminal {
            true => checked(self.out.write_all(b"\x1b[H\x1b[2J")),
            false => Ok(()),
        }
    }

    /// Prints one line. A line feed within it is data, and is escaped on a terminal.
    pub(super) fn line(&mut self, line: &str) -> Result<(), Failure> {
        let printed = match self.is_terminal {
            true => writeln!(self.out, "{}", escape::one_line(line)),
            false => writeln!(self.out, "{line}"),
        };
        checked(printed)
    }

    /// Prints a value as one line of JSON. Hostile characters are escaped for pipes too: to a
    /// JSON reader the text is the same.
    pub(super) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let line = json_line(value);
        checked(line.and_then(|line| self.out.write_all(line.as_bytes())))
    }

    /// Prints a body as a line. A terminal shows each at once; a pipe gets them in blocks.
    pub(super) fn body(&mut self, body: &Body<'_>) -> Result<(), Failure> {
        let is_harmless = body
            .as_text()
            .is_some_and(|text| !text.contains(is_hostile));
        if !self.is_terminal || is_harmless {
            let written = self.out.write_all(body.as_bytes());
            checked(written.and_then(|()| self.out.write_all(b"\n")))?;
        } else {
            self.line(&body_line(body))?;
        }
        match self.is_terminal {
            true => self.flush(),
            false => Ok(()),
        }
    }

    /// Writes out the buffered output.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        checked(self.out.flush())
    }

    /// Flushes the output and returns the exit code 0.
    ///
    /// # Errors
    /// The output could not be written.
    pub(super) fn finish(mut self) -> Result<u8, Failure> {
        self.flush()?;
        Ok(0)
    }
}

/// Returns a value as one line of JSON, as [`Output::json`] prints it.
///
/// # Errors
/// The value cannot be formatted.
pub(super) fn json_line(value: &impl Serialize) -> io::Result<String> {
    let text = serde_json::to_string(value)?;
    Ok(format!("{}\n", escape::json(&text)))
}

fn checked(printed: io::Result<()>) -> Result<(), Failure> {
    printed.map_err(|error| stdout_failed(&error))
}

/// Prints one text and returns the command's exit code.
pub(super) fn print(text: &str) -> Result<u8, Failure> {
    let mut out = Output::stdout();
    out.text(text)?;
    out.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\u{1b}[31m\u{9b}m\u{202e}\u{2028}\u{200b}\u{e0041}b";

    fn printed(is_terminal: bool, print: impl Fn(&mut Output<&mut Vec<u8>>)) -> String {
        let mut bytes = Vec::new();
        let mut out = Output::new(&mut bytes, is_terminal);
        print(&mut out);
        out.flush().expect("a Vec takes it");
        drop(out);
        String::from_utf8(bytes).expect("it is text")
    }

    #[test]
    fn terminal_gets_no_hostile_character_from_any_printer() {
        let ways: [fn(&mut Output<&mut Vec<u8>>); 4] = [
            |out| out.text(HOSTILE).expect("room"),
            |out| out.line(HOSTILE).expect("room"),
            |out| out.json(&HOSTILE).expect("room"),
            |out| out.body(&Body::text(HOSTILE)).expect("room"),
        ];
        for print in ways {
            let text = printed(true, print);
            let left: Vec<char> = text.chars().filter(|c| is_hostile(*c)).collect();
            assert!(left.iter().all(|c| *c == '\n'), "{text:?}");
        }
    }

    #[test]
    fn pipe_gets_text_unescaped() {
        let line = printed(false, |out| out.line(HOSTILE).expect("room"));
        assert_eq!(line, format!("{HOSTILE}\n"));
        let bytes = Body::from(vec![0xff, b'\n']);
        let mut kept = Vec::new();
        let mut out = Output::new(&mut kept, false);
        out.body(&bytes).expect("room");
        out.flush().expect("room");
        drop(out);
        assert_eq!(kept, b"\xff\n\n");
    }

    #[test]
    fn escaped_json_parses_to_the_same_text() {
        for is_terminal in [true, false] {
            let line = printed(is_terminal, |out| out.json(&HOSTILE).expect("room"));
            let read: String = serde_json::from_str(&line).expect("it is json");
            assert_eq!(read, HOSTILE);
        }
    }

    #[test]
    fn terminal_gets_line_feeds_of_the_layout_only() {
        let print = |out: &mut Output<&mut Vec<u8>>| {
            out.text("a\tb\nc\n").expect("room");
            out.line("d\ne").expect("room");
        };
        assert_eq!(printed(true, print), "a\tb\nc\nd\\u{a}e\n");
        assert_eq!(printed(false, print), "a\tb\nc\nd\ne\n");
    }
}
