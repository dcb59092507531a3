//! Rules of the protocol that a setting can break. The model is the same otherwise.
//!
//! Rules of the stop machine are broken through its [`StopRules`], and rules of a session's core
//! through its [`SessionRules`]. The other rules are broken in the surroundings of the two: in the
//! effects, or in the results that the effects report.

use arauto::Phase;
use arauto::internal::close::stop::rules::StopRules;
use arauto::internal::session::rules::SessionRules;

/// A broken rule. Each variant describes the wrong behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Broken {
    /// Sessions are drained to the current head before the log is sealed.
    DrainBeforeSeal,
    /// `closing` is queued while a frame is in work.
    ClosingBeforeReplies,
    /// The head to drain to is read when the seal is requested, and not taken from the answer.
    CutReadTwice,
    /// The roster counts as complete as soon as the listeners are sealed.
    NoSettle,
    /// The requests phase ends when a marker message has passed the mailboxes. It does not wait for
    /// the count of frames in work.
    MarkerForCounter,
    /// Actors are stopped as soon as nothing is in work, which is the best that `System::stop` can
    /// do.
    SystemStop,
    /// Written bytes are reported as read.
    WrittenIsRead,
    /// A session has its cut, but still admits later frames.
    AdmitsBehindTheCut,
    /// A refused publish gets an answer as well as the refusal.
    RefusalAnsweredToo,
    /// Phases have no deadlines: each waits until its work is done.
    NoDeadlines,
    /// A roster that is not complete by the seal's deadline is not reported.
    RosterBelieved,
    /// A session ends by itself and is cut short before its cut, but reports the cut as reached.
    CutForgotten,
    /// A session that the server fails during the stop is owed no more broadcasts.
    OwedForgotten,
    /// The hub does not return the sealed head by its deadline, and this is not reported.
    HeadGuessed,
    /// A frame is served while answers to earlier frames are outstanding.
    OrderForgotten,
    /// A reader that has fallen off the log's tail goes on without a `gap`.
    GapUntold,
    /// An ack of a broadcast that was not sent is accepted.
    AckBelieved,
    /// Runs of publishes are missing from the count of frames in work.
    RunsUncounted,
    /// The answer to a later run is taken before the answer to the oldest run.
    LaterRunFirst,
    /// The third signal only cuts the stop short, as the second one does.
    ThirdSignalInsists,
    /// The hub answers a publish before its commit.
    AnsweredBeforeCommit,
    /// A session with a filter that has gone through the log up to its cut does not say so by
    /// `passed`.
    PassedUntold,
    /// `passed` names a seq whose broadcast is not committed.
    PassedUncommitted,
    /// A session judges its broadcasts by the rules that there were at its login.
    RulesOfLogin,
    /// `subscribed` names a seq that is below the place from which the filter holds.
    SubscribedEarly,
    /// A message to one user is sent to all sessions without a filter.
    DirectToAll,
    /// The hub stops without the acks that are not stored yet.
    AcksLeftAtStop,
    /// Acks whose batch has failed are not written again.
    FailedAcksForgotten,
    /// A login with a cursor is answered before its begin is on disk.
    CursorUnawaited,
    /// An ack of a session whose cursor another session has taken moves the cursor.
    SupersededAcks,
    /// The numbers of producers are stored one batch after their messages.
    NumbersStoredLater,
    /// The numbers of a batch that failed count as published.
    FailedNumbersTaken,
    /// A number that was sent again is answered before the batch of its message is committed.
    RepeatUnawaited,
    /// The numbers of a producer belong to the session, rather than the account.
    NumbersOfSession,
    /// Calls are missing from the count of frames in work.
    CallsUncounted,
    /// Answers to calls are dropped behind the cut of the session that answers.
    AnswersBehindTheCutDropped,
    /// The announcement of the stop ends the offers of a session.
    RespondersEndFirst,
    /// A caller is not told that the session which had its call has ended.
    HeldCallForgotten,
    /// A call whose session has ended is made again, for another session.
    HeldCallMadeAgain,
    /// An answer to a call that another session has is taken.
    ForeignAnswerTaken,
    /// Calls have no deadlines.
    DeadlinesForgotten,
    /// A call whose deadline passes is recorded as one whose caller has left.
    DeadlinesMisrecorded,
    /// `withdraw` drops the calls that the session has.
    WithdrawalDropsCalls,
    /// `closing` is queued while a call of the session, or one that it has to answer, is in work.
    ClosingBeforeCalls,
    /// The calls of a caller that has left stay with the sessions that have them.
    CallsOfLeaverStay,
}

/// The rules of the stop machine and of sessions: the contract, except for the broken rule.
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

    // A marker message would have passed every mailbox before the phase begins.
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

    fn awaits_calls(&self) -> bool {
        !self.is(Broken::ClosingBeforeCalls)
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
