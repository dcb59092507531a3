//! Receives the signals of this process, and counts those that stop it.

use std::io;
use std::time::Instant;

use arauto::{ExitCode, Millis};

use super::count::{SignalCount, StopRequest};
use crate::cli::os::{ServerSignal, ServerSignals, Terminal};

/// The effect of a signal that does not end the process immediately.
pub(super) enum SignalAction {
    Stop,
    Insist,
    Reload,
}

/// The stop signals, counted, and the signals to reload the settings.
pub(super) struct Signals {
    signals: ServerSignals,
    count: SignalCount,
    /// The time of the first stop signal.
    first: Option<Millis>,
    is_forced: bool,
    terminal: Terminal,
}

impl Signals {
    /// Starts to receive signals. Call it within a runtime, before other threads start.
    pub(super) fn begin() -> io::Result<Signals> {
        Ok(Signals {
            signals: ServerSignals::begin()?,
            count: SignalCount::default(),
            first: None,
            is_forced: false,
            terminal: Terminal::remember(),
        })
    }

    /// Returns the effect of the next signal that has one. Cancel safe.
    pub(super) async fn next(&mut self) -> SignalAction {
        loop {
            match self.signals.next().await {
                ServerSignal::Reload => return SignalAction::Reload,
                ServerSignal::Stop => {
                    if let Some(action) = self.count_one() {
                        return action;
                    }
                }
            }
        }
    }

    /// Counts a stop signal. The third one ends the process.
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

    /// Returns when the first stop signal came.
    pub(super) fn first(&self) -> Option<Millis> {
        self.first
    }

    /// Returns whether a second stop signal has come.
    pub(super) fn is_forced(&self) -> bool {
        self.is_forced
    }

    /// Restores the terminal's settings.
    pub(super) fn restore_terminal(&self) {
        self.terminal.restore();
    }
}
