//! Standard output. The standard library reports a failed write here.

use std::io::{self, Write};

/// Writes to standard output.
#[derive(Debug)]
pub(in crate::cli) struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stdout().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}
