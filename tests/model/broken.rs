//! Ways to break the protocol, each a switch of the same model.
//!
//! Decisions of the stop machine are replaced through its [`StopRules`], and decisions of the
//! session's core through its [`SessionRules`]. The others are broken in the surroundings of
//! these two: in what the effects do, or in what they tell.

use arauto::Phase;
use arauto::internal::close::stop::rules::StopRules;
use arauto::internal::session::rules::SessionRules;

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
    /// A frame is served though answers to earlier ones are outstanding.
    OrderForgotten,
    /// A reader that has fallen off the log goes on without a word.
    GapUntold,
    /// An ack of what was not sent is believed.
    AckBelieved,
    /// Runs of publishes are not in the count of frames in work.
    RunsUncounted,
    /// The answer to a later run is taken for the answer to the oldest.
    LaterRunFirst,
}

/// The rules of both machines: the contract, but for the one that is broken.
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

impl SessionRules for Deviation {
    fn keeps_cut(&self) -> bool {
        !self.is(Broken::AdmitsBehindTheCut)
    }

    fn awaits_work(&self) -> bool {
        !self.is(Broken::ClosingBeforeReplies)
    }

    fn keeps_order(&self) -> bool {
        !self.is(Broken::OrderForgotten)
    }

    fn checks_acks(&self) -> bool {
        !self.is(Broken::AckBelieved)
    }

    fn owes_up_to_cut(&self) -> bool {
        !self.is(Broken::CutForgotten)
    }
}
