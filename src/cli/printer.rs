//! Printing bodies.

use std::io::{self, IsTerminal, Write};

use arauto::Body;
use arauto::wire::text::body_line;

use super::exit::{Failure, stdout_failed};

/// A pipe gets bodies as they are, a terminal gets them without what it would obey.
pub(super) struct Printer {
    out: io::BufWriter<io::Stdout>,
    is_terminal: bool,
}

impl Printer {
    pub(super) fn new() -> Self {
        Printer {
            out: io::BufWriter::new(io::stdout()),
            is_terminal: io::stdout().is_terminal(),
        }
    }

    /// Prints a body as a line. `false`: nobody reads what is printed.
    pub(super) fn print(&mut self, body: &Body<'_>) -> Result<bool, Failure> {
        let harmless = body
            .as_text()
            .is_some_and(|text| !text.contains(char::is_control));
        let printed = if self.is_terminal && !harmless {
            writeln!(self.out, "{}", body_line(body))
        } else {
            let written = self.out.write_all(body.as_bytes());
            written.and_then(|()| self.out.write_all(b"\n"))
        };
        // A person sees each at once; a pipe gets them in blocks.
        let printed = match self.is_terminal {
            true => printed.and_then(|()| self.out.flush()),
            false => printed,
        };
        go_on(printed)
    }

    /// Shows a pipe, too, what has been printed.
    pub(super) fn flush(&mut self) -> Result<bool, Failure> {
        go_on(self.out.flush())
    }
}

fn go_on(printed: io::Result<()>) -> Result<bool, Failure> {
    match printed {
        Ok(()) => Ok(true),
        Err(error) => stdout_failed(&error).map(|_| false),
    }
}
