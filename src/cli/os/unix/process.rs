//! Prepares the process at its start: the stack, the descriptors, the signal mask.

use std::io;
use std::process::ExitCode;
use std::thread;

use nix::sys::signal::{SigSet, SigmaskHow, Signal};

/// The stack size of the thread that runs the command, in bytes.
const STACK: usize = 4 << 20;

/// Runs the command on a thread with a fixed stack size, so that `ulimit -s` does not matter.
///
/// The first thread waits with all signals blocked, so that the command's thread gets them.
/// SIGXFSZ stays blocked there too: at the limit of `ulimit -f` write(2) returns an error
/// instead of ending the process.
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
        // A panic has been printed already.
        Ok(thread) => thread.join().unwrap_or(ExitCode::from(101)),
        // No thread could be started: the command runs on this stack.
        Err(_) => {
            unblock(before.unwrap_or_else(|_| SigSet::empty()));
            command()
        }
    }
}

fn unblock(mut mask: SigSet) {
    mask.add(Signal::SIGXFSZ);
    let _ = mask.thread_set_mask(); // it fails for an invalid operation only
}

/// Checks that this many descriptors can be open at once, by opening them.
///
/// # Errors
/// The limit is too low (EMFILE, ENFILE).
pub(in crate::cli) fn has_descriptors(count: usize) -> io::Result<()> {
    let mut held = Vec::with_capacity(count);
    for _ in 0..count {
        held.push(rustix::io::dup(rustix::stdio::stdin())?);
    }
    Ok(())
}
