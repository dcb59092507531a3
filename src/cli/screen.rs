//! One terminal for the console's line, the broadcasts and the log: whoever
//! prints while a person types goes around the line, not through it.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rustyline::ExternalPrinter;

use super::output::{Output, one_line};

type Printer = Box<dyn ExternalPrinter + Send>;

/// Where to print; clones share it.
#[derive(Clone, Default)]
pub(super) struct Screen {
    printer: Arc<Mutex<Option<Printer>>>,
}

impl Screen {
    /// From now on a line is being edited on the terminal.
    pub(super) fn edit(&self, printer: impl ExternalPrinter + Send + 'static) {
        *self.printer.lock() = Some(Box::new(printer));
    }

    /// Nobody edits any more.
    pub(super) fn release(&self) {
        // A printer that is stuck on its terminal is left to itself.
        if let Some(mut printer) = self.printer.try_lock_for(Duration::from_millis(200)) {
            *printer = None;
        }
    }

    /// Prints a line of broadcasts.
    pub(super) fn print(&self, line: &str) {
        let mut printer = self.printer.lock();
        let Some(editing) = &mut *printer else {
            // Not while the lock is held: a stuck stdout must not hold up the log.
            drop(printer);
            let mut out = Output::stdout();
            let _ = out.line(line).and_then(|()| out.flush()); // the server goes on
            return;
        };
        if editing.print(format!("{}\n", one_line(line))).is_err() {
            *printer = None; // the terminal is gone; the log may still go somewhere
        }
    }
}

/// The log's way to the terminal, or to stderr.
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
