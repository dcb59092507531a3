//! The output of the demo.

use std::sync::OnceLock;

use crate::cli::exit::Failure;
use crate::cli::output::Output;

/// The first failure to print, from any thread.
static PRINT_FAILURE: OnceLock<Failure> = OnceLock::new();

/// Prints a heading.
pub(super) fn print_heading(text: &str) {
    print_line(&format!("\n{text}"));
}

/// Prints a line. If that fails the demo still runs to its end, and fails there.
pub(super) fn print_line(text: &str) {
    let mut out = Output::stdout();
    let printed = out.text(&format!("{text}\n")).and_then(|()| out.flush());
    if let Err(failure) = printed {
        PRINT_FAILURE.get_or_init(|| failure);
    }
}

/// Returns the first failure to print, if there was one.
pub(super) fn print_failure() -> Option<&'static Failure> {
    PRINT_FAILURE.get()
}
