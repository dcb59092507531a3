//! The signals of the process, and their effects as in `src/cli/stopping`.
//!
//! The shipped count decides the effect of each signal. The signals of the model come so far apart
//! that each is counted.

use std::time::Duration;

use arauto::internal::close::stop::{Haste, Input};
use arauto::{ExitCode, StopReason};

use crate::broken::Broken;
use crate::setting::Setting;
use crate::signal_count::StopRequest;
use crate::state::{BASE, World};

/// The time between two signals.
const APART: Duration = Duration::from_secs(1);

impl World {
    /// Takes a signal: the next of those that may still come.
    pub fn signal(&mut self, setting: &Setting) {
        self.left.signals -= 1;
        let now = *BASE + APART * self.signals_taken(setting).into();
        let request = match self.signals.note(now) {
            Some(StopRequest::Exit) if setting.is(Broken::ThirdSignalInsists) => {
                Some(StopRequest::Insist)
            }
            request => request,
        };
        let reason = StopReason::Signal;
        match request {
            Some(StopRequest::Stop) => {
                let haste = Haste::AsPlanned;
                self.send_input(Input::Stop { reason, haste });
            }
            Some(StopRequest::Insist) => {
                let haste = Haste::Insist;
                self.send_input(Input::Stop { reason, haste });
            }
            // The process ends with everything as it is, and writes no report.
            Some(StopRequest::Exit) => self.supervisor.exit = Some(ExitCode::Forced),
            None => {}
        }
    }

    /// Returns the number of signals that have come.
    fn signals_taken(&self, setting: &Setting) -> u8 {
        setting.signals - self.left.signals
    }

    /// Whether a third signal has come.
    pub fn has_third_signal(&self, setting: &Setting) -> bool {
        self.signals_taken(setting) >= 3
    }
}
