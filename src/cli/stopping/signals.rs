//! The signals of this process, counted.

use std::io;
use std::time::Instant;

use arauto::{ExitCode, Millis};

use super::count::{SignalCount, StopRequest};
use crate::cli::os::{ServerSignal, ServerSignals, Terminal};

/// The effect of a signal that does not end the process at once.
pub(super) enum SignalAction {
    Stop,
    Insist,
    Reload,
}

/// The signals to stop, counted, and those to read the certificate again.
pub(super) struct Signals {
    signals: ServerSignals,
    count: SignalCount,
    /// When the first came.
    first: Option<Millis>,
    is_forced: bool,
    terminal: Terminal,
}

impl Signals {
    /// Hears them from here on; within a runtime, and before there are other threads.
    pub(super) fn begin() -> io::Result<Signals> {
        Ok(Signals {
            signals: ServerSignals::begin()?,
            count: SignalCount::default(),
            first: None,
            is_forced: false,
            terminal: Terminal::remember(),
        })
    }

    /// The next one that asks for something. Cancel safe.
    pub(super) async fn next(&mut self) -> SignalAction {
        loop {
            match self.signals.next().await {
                ServerSignal::Reload => return SignalAction::Reload,
                ServerSignal::Stop => {
                    if let Some(told) = self.count_one() {
                        return told;
                    }
                }
            }
        }
    }

    /// Counts a signal to stop; the third ends the process.
    pub(super) fn count_one(&mut self) -> Option<SignalAction> {
        match self.count.note(Instant::now())? {
            StopRequest::Stop => {
                self.first = Some(Millis::now());
                Some(SignalAction::Stop)
            }
            StopRequest::Insist => {
                self.is_forced = true;
                Some(SignalAction::Insist)
            }
            StopRequest::Exit => {
                self.terminal.restore();
                std::process::exit(i32::from(ExitCode::Forced.code()))
            }
        }
    }

    /// When the first one to stop came.
    pub(super) fn first(&self) -> Option<Millis> {
        self.first
    }

    /// Whether a second one has come.
    pub(super) fn is_forced(&self) -> bool {
        self.is_forced
    }

    /// Puts the terminal back as it was found.
    pub(super) fn restore_terminal(&self) {
        self.terminal.restore();
    }
}
