//! Prepares what the system gives a process at its start: a stack, descriptors, a signal mask.

use std::io;
use std::process::ExitCode;
use std::thread;

use nix::sys::signal::{SigSet, SigmaskHow, Signal};

/// The stack of the thread that the command runs on.
const STACK: usize = 4 << 20;

/// Runs the command on a stack of its own, whatever `ulimit -s` says of the first one.
///
/// The first thread waits with every signal blocked, so that each reaches the command. There
/// SIGXFSZ stays blocked: a file that may not grow (`ulimit -f`) is an error of write(2),
/// and not the end of the process.
pub(in crate::cli) fn on_own_stack(command: fn() -> ExitCode) -> ExitCode {
    let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK);
    let started = thread::Builder::new()
        .name("arauto-main".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            unblock(before.unwrap_or_else(|_| SigSet::empty()));
            command()
        });
    match started {
        // A panic has been printed.
        Ok(thread) => thread.join().unwrap_or(ExitCode::from(101)),
        // There is no thread to have: the stack that is there has to do.
        Err(_) => {
            unblock(before.unwrap_or_else(|_| SigSet::empty()));
            command()
        }
    }
}

fn unblock(mut mask: SigSet) {
    mask.add(Signal::SIGXFSZ);
    let _ = mask.thread_set_mask(); // the mask is one, and so it cannot fail
}

/// Whether so many descriptors can be had at once.
///
/// # Errors
/// They cannot (EMFILE, ENFILE).
pub(in crate::cli) fn has_descriptors(count: usize) -> io::Result<()> {
    let mut held = Vec::with_capacity(count);
    for _ in 0..count {
        held.push(rustix::io::dup(rustix::stdio::stdin())?);
    }
    Ok(())
}
