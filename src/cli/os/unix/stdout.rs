//! Standard output that reports every failed write.
//!
//! The problem: `std::io::Stdout` ignores EBADF, so that output to a descriptor that is open for
//! reading only is lost silently. And before main begins, the standard library opens /dev/null in
//! place of a closed descriptor, so that output to a closed stdout is lost too. Other commands,
//! such as ls(1), fail in both cases.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::{Errno, fcntl_getfd, retry_on_intr, write};

/// Whether stdout was closed when the process began.
static WAS_CLOSED: AtomicBool = AtomicBool::new(false);

// SAFETY: it runs before main, and makes only one system call and one atomic store. Neither needs
// the standard library's runtime.
#[ctor::ctor(unsafe, anonymous)]
fn note_closed_stdout() {
    let is_closed = fcntl_getfd(io::stdout()) == Err(Errno::BADF);
    WAS_CLOSED.store(is_closed, Ordering::Relaxed);
}

/// Writes to standard output without a buffer.
#[derive(Debug)]
pub(in crate::cli) struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if WAS_CLOSED.load(Ordering::Relaxed) {
            return Err(Errno::BADF.into());
        }
        Ok(retry_on_intr(|| write(io::stdout(), bytes))?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
