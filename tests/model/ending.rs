//! The pump: writes, and takes the next steps of an ending, as in
//! `src/actors/session/ending.rs` and `record.rs`.

use crate::close::stop::Input;
use crate::close::{CloseReason, Evidence, Micros, Phase, SessionRecord, Times};

use crate::broken::Broken;
use crate::setting::{SOCKET, Setting};
use crate::state::{
    Ending, EndingStep, Item, Owed, Place, SessionSlot, SlotId, State, ToHub, id, seq,
};
use crate::wire::Seq;

/// The next step that a session takes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Move {
    /// Reading or writing has failed.
    NoteBreak,
    Write,
    SayGoodbye,
    TellDone,
    Linger,
    Close(CloseReason),
}

impl State {
    /// Goes round until nothing moves. Whether anything did.
    pub fn pump(&mut self, setting: &Setting, at: SlotId) -> bool {
        let mut moved = false;
        while let Some(next) = self.next_move(setting, at) {
            moved = true;
            self.make(setting, at, next);
        }
        moved
    }

    /// Whether the session, woken now, would do something.
    pub fn has_move(&self, setting: &Setting, at: SlotId) -> bool {
        self.next_move(setting, at).is_some()
    }

    fn next_move(&self, setting: &Setting, at: SlotId) -> Option<Move> {
        let slot = &self.slots[at];
        if !slot.session.is_there() {
            None
        } else if slot.is_gone && !slot.session.is_broken {
            Some(Move::NoteBreak)
        } else if slot.unread < SOCKET && slot.has_more(self.hub.head) {
            Some(Move::Write)
        } else {
            slot.next_step(setting)
        }
    }

    fn make(&mut self, setting: &Setting, at: SlotId, next: Move) {
        let slot = &mut self.slots[at];
        match next {
            Move::NoteBreak => slot.session.is_broken = true,
            Move::Write => slot.write(),
            Move::SayGoodbye => self.say_goodbye(at),
            Move::TellDone => self.tell_done(setting, at),
            Move::Linger => {
                if let Place::Ending(ending) = &mut slot.session.place {
                    ending.step = EndingStep::Lingering;
                }
            }
            Move::Close(reason) => self.close(setting, at, reason),
        }
    }

    fn say_goodbye(&mut self, at: SlotId) {
        let session = &mut self.slots[at].session;
        let Place::Ending(ending) = &mut session.place else {
            return;
        };
        ending.step = EndingStep::Goodbye;
        let is_ordered = ending.is_ordered;
        session.answer(Item::Closing {
            accepted: session.tally.accepted,
            refused: session.tally.refused,
        });
        let was_member = std::mem::take(&mut session.is_member);
        if was_member && !is_ordered && self.hub.is_alive {
            self.hub.mailbox.push(ToHub::Leave);
        }
    }

    /// The end: nothing is read or written any more. Whoever waits is told, and so
    /// is the supervisor: the actor stops in the same poll.
    pub fn close(&mut self, setting: &Setting, at: SlotId, reason: CloseReason) {
        let (own, owed) = match self.slots[at].session.place {
            Place::Ending(ending) => (ending.reason, ending.owed()),
            _ if reason == CloseReason::Shutdown => (reason, Owed::UpToHead),
            _ => (reason, Owed::Nothing),
        };
        let reason = match reason {
            CloseReason::Shutdown => own,
            _ => reason,
        };
        // A client that broke the connection is promised nothing more.
        let owed = match owed {
            _ if reason == CloseReason::Lost => Owed::Nothing,
            Owed::UpTo(_) if setting.is(Broken::CutForgotten) => Owed::Nothing,
            owed => owed,
        };
        self.slots[at].session.place = Place::Closed { reason, owed };
        self.drop_work(at);
        self.tell_done(setting, at);
        let is_member = std::mem::take(&mut self.slots[at].session.is_member);
        if is_member && self.hub.is_alive {
            self.hub.mailbox.push(ToHub::Leave);
        }
        let mut record = self.record(setting, at);
        if self.supervisor.phase().is_some() {
            record.times_us.stopped = Some(Micros(0));
        }
        self.happened(Input::Ended {
            record,
            has_failed: false,
        });
        self.slots[at].session.orders.clear(); // its mailbox is gone
    }

    fn tell_done(&mut self, setting: &Setting, at: SlotId) {
        if let Some(phase) = self.slots[at].session.waiting.take() {
            self.tell(setting, at, phase);
        }
    }

    /// The answer to the order of `phase`, where somebody still waits for it. For the answer
    /// to the announcement somebody always does.
    pub fn tell(&mut self, setting: &Setting, at: SlotId, phase: Phase) {
        if phase == Phase::Announce || self.supervisor.phase() == Some(phase) {
            let record = self.record(setting, at);
            self.slots[at].session.told.push((phase, record));
        }
    }

    pub fn record(&self, setting: &Setting, at: SlotId) -> SessionRecord {
        let slot = &self.slots[at];
        let session = &slot.session;
        let (reason, owed) = match session.place {
            Place::Closed { reason, owed } => (reason, owed),
            Place::Ending(ending) => (ending.reason, ending.owed()),
            _ => (CloseReason::Shutdown, Owed::UpToHead),
        };
        let sent = session.cursor;
        let owed = if session.follows { owed } else { Owed::Nothing };
        let cut = match owed {
            Owed::Nothing => sent,
            Owed::UpTo(cut) => cut,
            Owed::UpToHead => self.hub.head,
        };
        let follows = session.follows;
        SessionRecord {
            session: id(at),
            user: follows.then(String::new),
            endpoint: String::new(),
            reason: reason.to_string(),
            accepted: session.tally.accepted.into(),
            answered: session.tally.answered.into(),
            refused: session.tally.refused.into(),
            after: follows.then(|| seq(session.after)),
            cut: seq(cut),
            sent: seq(sent),
            missing: (sent < cut)
                .then(|| (seq(sent + 1), seq(cut)))
                .into_iter()
                .collect(),
            gaps: Vec::new(),
            is_owed_head: owed == Owed::UpToHead,
            gaps_unlisted_to: None,
            acked: Seq::ZERO,
            evidence: slot.evidence(setting),
            times_us: Times::default(),
        }
    }
}

impl SessionSlot {
    /// Up to where broadcasts are written.
    fn until(&self, head: u8) -> u8 {
        match self.session.place {
            _ if !self.session.follows => 0,
            Place::Ending(ending) => match ending.step {
                EndingStep::Refusing => head,
                EndingStep::ToCut(cut) => cut.min(head),
                EndingStep::Goodbye | EndingStep::Lingering => 0,
            },
            _ => head,
        }
    }

    /// Whether there is something to write: answers, then broadcasts.
    fn has_more(&self, head: u8) -> bool {
        !self.session.is_broken && (!self.is_clear() || self.session.cursor < self.until(head))
    }

    fn is_clear(&self) -> bool {
        usize::from(self.session.written) == self.session.outbox.len()
    }

    fn write(&mut self) {
        self.unread += 1;
        if self.is_clear() {
            self.session.cursor += 1;
        } else {
            self.session.written += 1;
        }
    }

    fn evidence(&self, setting: &Setting) -> Evidence {
        if self.session.is_broken || !self.is_clear() {
            Evidence::Queued
        } else if self.seems_read(setting) {
            Evidence::Read
        } else {
            Evidence::Written
        }
    }

    /// `is_read`: what the system says of it.
    fn seems_read(&self, setting: &Setting) -> bool {
        self.is_read() || (setting.is(Broken::WrittenIsRead) && !self.is_gone)
    }

    /// `move_on`: the next step of an ending, if it can be taken.
    fn next_step(&self, setting: &Setting) -> Option<Move> {
        let session = &self.session;
        let (is_broken, is_pending) = (session.is_broken, session.pending.is_some());
        let Place::Ending(ending) = session.place else {
            return (is_broken && !is_pending).then_some(Move::Close(CloseReason::Lost));
        };
        let waits_for_work = is_pending && !setting.is(Broken::ClosingBeforeReplies);
        let is_read = self.seems_read(setting);
        match ending.step {
            EndingStep::Refusing => is_broken.then_some(Move::Close(CloseReason::Lost)),
            EndingStep::ToCut(_) if is_broken && !is_pending => {
                Some(Move::Close(lost_or(ending.reason)))
            }
            EndingStep::ToCut(_) if waits_for_work => None,
            EndingStep::ToCut(cut) if session.follows && session.cursor < cut => None,
            EndingStep::ToCut(_) => Some(Move::SayGoodbye),
            _ if is_broken => Some(Move::Close(lost_or(ending.reason))),
            EndingStep::Goodbye if !self.is_clear() => None,
            EndingStep::Goodbye if ending.is_ordered && !ending.may_linger => {
                (is_read && session.waiting.is_some()).then_some(Move::TellDone)
            }
            EndingStep::Goodbye => Some(Move::Linger),
            EndingStep::Lingering => is_read.then_some(Move::Close(ending.reason)),
        }
    }
}

impl Ending {
    /// Where it has still to get to.
    fn owed(self) -> Owed {
        match (self.reason, self.step) {
            (CloseReason::Shutdown, _) => Owed::UpToHead,
            _ if self.failed_in_stop => Owed::UpToHead,
            (_, EndingStep::ToCut(cut)) => Owed::UpTo(cut),
            _ => Owed::Nothing,
        }
    }
}

fn lost_or(reason: CloseReason) -> CloseReason {
    match reason {
        CloseReason::Error(_) => reason,
        _ => CloseReason::Lost,
    }
}
