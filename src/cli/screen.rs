//! The terminal that the console's input line, the broadcasts and the log share.
//!
//! While a line is being edited, output is printed above it and does not break it.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rustyline::ExternalPrinter;

use super::escape::one_line;
use super::output::Output;

type Printer = Box<dyn ExternalPrinter + Send>;

/// The shared terminal; clones share one state.
#[derive(Clone, Default)]
pub(super) struct Screen {
    printer: Arc<Mutex<Option<Printer>>>,
}

impl Screen {
    /// Prints through `printer` from now on: a line is being edited on the terminal.
    pub(super) fn edit(&self, printer: impl ExternalPrinter + Send + 'static) {
        *self.printer.lock() = Some(Box::new(printer));
    }

    /// Ends the editing of a line.
    pub(super) fn release(&self) {
        // Gives up on a printer that is blocked by its terminal.
        if let Some(mut printer) = self.printer.try_lock_for(Duration::from_millis(200)) {
            *printer = None;
        }
    }

    /// Prints one broadcast.
    pub(super) fn print(&self, line: &str) {
        let mut printer = self.printer.lock();
        let Some(editing) = &mut *printer else {
            // Unlocked first: a blocked stdout must not block the log.
            drop(printer);
            let mut out = Output::stdout();
            let _ = out.line(line).and_then(|()| out.flush()); // the server goes on
            return;
        };
        if editing.print(format!("{}\n", one_line(line))).is_err() {
            *printer = None; // the terminal is gone; the log may still reach stderr
        }
    }
}

/// Writes log records above the line that is being edited, or to stderr.
impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(printer) = &mut *self.printer.lock() {
            let text = String::from_utf8_lossy(bytes).into_owned();
            if printer.print(text).is_ok() {
                return Ok(bytes.len());
            }
        }
        io::stderr().write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
