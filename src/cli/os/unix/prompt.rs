//! A question at the terminal whose answer is not shown.
//!
//! The terminal belongs to the user and to other programs, too: whatever ends or stops this
//! process while it asks, the echo is on again first. Signals are blocked and read as data
//! meanwhile (signalfd(2)); each gets its usual effect once the terminal is as it was.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};

use nix::sys::signal::{SigSet, SigmaskHow, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// The longest answer, in bytes: as much as a terminal's line holds (termios(3)).
const LONGEST: usize = 4096;

/// The signals by which a keyboard, a terminal or a supervisor ends or stops a process.
const SIGNALS: [Signal; 5] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGQUIT,
    Signal::SIGHUP,
    Signal::SIGTSTP,
];

/// Asks at the terminal of this process, wherever its streams lead. `None`: end of file.
///
/// # Errors
/// There is no such terminal, or it cannot be read.
pub(in crate::cli) fn read_hidden(prompt: &str) -> io::Result<Option<String>> {
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    let mut asking = Asking::begin(terminal)?;
    let answer = asking.answer(prompt);
    asking.end();
    let Some(bytes) = answer? else {
        return Ok(None);
    };
    String::from_utf8(bytes)
        .map(Some)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

/// A terminal that does not echo, and signals that wait.
struct Asking {
    terminal: File,
    settings: Termios,
    mask: SigSet,
    signals: SignalFd,
}

impl Asking {
    fn begin(terminal: File) -> io::Result<Asking> {
        let settings = tcgetattr(&terminal)?;
        let blocked: SigSet = SIGNALS.into_iter().collect();
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let signals = SignalFd::with_flags(&blocked, flags)?;
        let mask = blocked.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        let asking = Asking {
            terminal,
            settings,
            mask,
            signals,
        };
        asking.hide()?;
        Ok(asking)
    }

    fn hide(&self) -> io::Result<()> {
        let mut hidden = self.settings.clone();
        let shown = LocalModes::ECHO | LocalModes::ECHOE | LocalModes::ECHOK | LocalModes::ECHONL;
        hidden.local_modes.remove(shown);
        hidden
            .local_modes
            .insert(LocalModes::ICANON | LocalModes::ISIG);
        Ok(tcsetattr(&self.terminal, OptionalActions::Now, &hidden)?)
    }

    fn end(&mut self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.settings); // or it is gone
        let _ = self.terminal.write_all(b"\n"); // what was typed for it was not shown
    }

    fn answer(&mut self, prompt: &str) -> io::Result<Option<Vec<u8>>> {
        let mut typed = Vec::new();
        self.terminal.write_all(prompt.as_bytes())?;
        loop {
            if let Some(signal) = self.wait()? {
                self.obey(signal)?;
                self.terminal.write_all(prompt.as_bytes())?;
                continue;
            }
            let mut part = [0; 512];
            let length = self.terminal.read(&mut part)?;
            if length == 0 {
                return Ok(Some(typed).filter(|typed| !typed.is_empty()));
            }
            typed.extend_from_slice(&part[..length]);
            if typed.len() > LONGEST {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too long"));
            }
            if typed.last() == Some(&b'\n') {
                typed.pop();
                return Ok(Some(typed));
            }
        }
    }

    /// Waits for a line, or a signal.
    fn wait(&self) -> io::Result<Option<Signal>> {
        loop {
            let mut asked = [
                PollFd::new(&self.signals, PollFlags::IN),
                PollFd::new(&self.terminal, PollFlags::IN),
            ];
            match poll(&mut asked, None) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            if let Some(told) = self.signals.read_signal()? {
                let number = i32::try_from(told.ssi_signo).unwrap_or_default();
                return Ok(Signal::try_from(number).ok());
            }
            return Ok(None);
        }
    }

    /// Lets the signal have its effect; where that is not the end, asks again.
    fn obey(&mut self, signal: Signal) -> io::Result<()> {
        self.end();
        self.mask.thread_set_mask()?;
        raise(signal)?;
        let blocked: SigSet = SIGNALS.into_iter().collect();
        blocked.thread_block()?;
        self.hide()
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.settings); // or it is gone
        let _ = self.mask.thread_set_mask(); // the mask was one before
    }
}
