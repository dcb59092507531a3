//! Prompts at the terminal for an answer that is not echoed.
//!
//! If a signal ends or stops the process during the prompt, the echo is turned on again first.
//! For this the signals are blocked and read as data (signalfd(2)). Each takes its usual effect
//! once the terminal's settings are restored.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};

use nix::sys::signal::{SigSet, SigmaskHow, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// The longest answer, in bytes: the longest line of a terminal (termios(3)).
const LONGEST: usize = 4096;

/// The signals with which a keyboard, a terminal or a supervisor ends or stops a process.
const SIGNALS: [Signal; 5] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGQUIT,
    Signal::SIGHUP,
    Signal::SIGTSTP,
];

/// Prompts at this process's terminal, even if stdin and stdout are redirected. `None`: end of
/// file.
///
/// # Errors
/// The process has no terminal, the terminal cannot be read, or the answer is too long or not
/// UTF-8.
pub(in crate::cli) fn read_hidden(prompt: &str) -> io::Result<Option<String>> {
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    let mut hidden = HiddenPrompt::begin(terminal)?;
    let answer = hidden.answer(prompt);
    hidden.end();
    let Some(bytes) = answer? else {
        return Ok(None);
    };
    String::from_utf8(bytes)
        .map(Some)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

/// A terminal with its echo off, and blocked signals.
struct HiddenPrompt {
    terminal: File,
    settings: Termios,
    mask: SigSet,
    signals: SignalFd,
}

impl HiddenPrompt {
    fn begin(terminal: File) -> io::Result<HiddenPrompt> {
        let settings = tcgetattr(&terminal)?;
        let blocked: SigSet = SIGNALS.into_iter().collect();
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let signals = SignalFd::with_flags(&blocked, flags)?;
        let mask = blocked.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        let prompt = HiddenPrompt {
            terminal,
            settings,
            mask,
            signals,
        };
        prompt.hide()?;
        Ok(prompt)
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
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.settings); // the terminal may be gone
        let _ = self.terminal.write_all(b"\n"); // the typed one was not echoed
    }

    fn answer(&mut self, prompt: &str) -> io::Result<Option<Vec<u8>>> {
        let mut typed = Vec::new();
        self.terminal.write_all(prompt.as_bytes())?;
        loop {
            if let Some(signal) = self.wait()? {
                self.deliver(signal)?;
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

    /// Waits for input (`None`) or a signal.
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
            if let Some(info) = self.signals.read_signal()? {
                let number = i32::try_from(info.ssi_signo).unwrap_or_default();
                return Ok(Signal::try_from(number).ok());
            }
            return Ok(None);
        }
    }

    /// Lets the signal take its usual effect, with the terminal restored. If the process goes on
    /// afterwards, hides the echo again.
    fn deliver(&mut self, signal: Signal) -> io::Result<()> {
        self.end();
        self.mask.thread_set_mask()?;
        raise(signal)?;
        let blocked: SigSet = SIGNALS.into_iter().collect();
        blocked.thread_block()?;
        self.hide()
    }
}

impl Drop for HiddenPrompt {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.settings); // the terminal may be gone
        let _ = self.mask.thread_set_mask(); // it fails for an invalid operation only
    }
}
