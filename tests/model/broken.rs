//! Ways to break the protocol, each a switch of the same model.
//!
//! Those of the supervisor are decisions of the stop machine, replaced through its
//! [`StopRules`].

use crate::close::Phase;
use crate::close::stop::rules::StopRules;

/// One rule that a server does not keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Broken {
    /// Sessions are drained to the head that there is, and then the log is sealed.
    DrainBeforeSeal,
    /// `closing` is queued though a frame is in work.
    ClosingBeforeReplies,
    /// The head to drain to is read when the seal is asked for, and not from its answer.
    CutReadTwice,
    /// The roster is believed complete once the doors are shut.
    NoSettle,
    /// The requests phase waits for a marker to go through the mailboxes.
    MarkerForCounter,
    /// Actors are stopped as soon as nothing is in work: `System::stop` at its best.
    SystemStop,
    /// Written bytes are reported as read.
    WrittenIsRead,
    /// The cut is told and not kept.
    AdmitsBehindTheCut,
    /// A publish that came too late for the log is refused, and answered besides.
    RefusalAnsweredToo,
    /// Phases wait for as long as it takes.
    NoDeadlines,
    /// A roster that was not complete by the seal's deadline is believed all the same.
    RosterBelieved,
    /// A session that ends by itself and is cut short before its cut reports the cut as reached.
    CutForgotten,
    /// A session that the server itself fails in the stop is owed nothing more.
    OwedForgotten,
    /// A head that the hub has not answered by its deadline is believed all the same.
    HeadGuessed,
}

/// The rules of the stop machine: the contract, but for the one that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Deviation(pub Option<Broken>);

impl Deviation {
    fn is(self, broken: Broken) -> bool {
        self.0 == Some(broken)
    }
}

impl StopRules for Deviation {
    fn next(&self, phase: Phase) -> Option<Phase> {
        match phase {
            Phase::Requests if self.is(Broken::DrainBeforeSeal) => Some(Phase::Drain),
            Phase::Drain if self.is(Broken::DrainBeforeSeal) => Some(Phase::Hub),
            Phase::Hub if self.is(Broken::DrainBeforeSeal) => Some(Phase::Close),
            Phase::Requests if self.is(Broken::SystemStop) => Some(Phase::Actors),
            _ => phase.next(),
        }
    }

    fn has_deadlines(&self) -> bool {
        !self.is(Broken::NoDeadlines)
    }

    // A marker would have gone through every mailbox by the time that the phase begins.
    fn awaits_requests(&self) -> bool {
        !self.is(Broken::MarkerForCounter)
    }

    fn takes_head_from_seal(&self) -> bool {
        !self.is(Broken::CutReadTwice)
    }

    fn reports_unsealed_log(&self) -> bool {
        !self.is(Broken::HeadGuessed)
    }

    fn reports_unsealed_listeners(&self) -> bool {
        !self.is(Broken::RosterBelieved)
    }
}
