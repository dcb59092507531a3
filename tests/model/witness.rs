//! The actual fate of each frame and each broadcast of a session.
//!
//! The model records a fate when a session gets a frame, and when an effect of the session reaches
//! another actor or the client. No decision reads the record. The properties compare the session's
//! own numbers with it.

use smallvec::SmallVec;

/// The record of one session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Witness {
    /// The fate of each of the client's frames, by the frame's number.
    pub fates: SmallVec<[Fate; 4]>,
    /// Whether the client was told that it is logged in.
    pub is_member: bool,
    /// Whether the session's cut is made, so that it may admit no more frames.
    pub is_cut: bool,
    /// The last broadcast that was promised to a session that ended by itself; `None` for others.
    pub promised: Option<u64>,
    /// The seq up to which all broadcasts after the session's start were written or told as missing.
    pub seen: u64,
    /// The first and last seqs of the gaps that the client was told.
    pub gaps: SmallVec<[(u64, u64); 2]>,
    /// The frames that the hub has handled and that are not answered yet: their numbers and seqs.
    pub assigned: SmallVec<[(u8, u64); 2]>,
    /// The highest number of an answered frame.
    pub last_answered: Option<u8>,
    /// Whether a time-out of the session has passed.
    pub is_timed_out: bool,
    /// The first fault of the session.
    pub fault: Option<Fault>,
}

/// The fate of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// The session has not served the frame.
    Unread,
    /// Admitted, and not answered yet.
    InWork,
    /// Answered with anything except the error `stopping`.
    Answered,
    /// Answered with the error `stopping`.
    Refused,
    /// Served, but in no count.
    Uncounted,
    /// Admitted after the session's cut.
    AdmittedAfterCut,
}

/// A breach of a rule that must hold at each instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A frame was answered after a later frame.
    OutOfOrder,
    /// A `published` had a different seq from its broadcast.
    WrongSeq,
    /// A broadcast was left out, sent twice, or told as missing although it was not.
    NotExact,
    /// A frame was sent after `closing`.
    SentAfterClosing,
    /// A `published` was sent before the journal had the broadcast.
    PublishedBeforeCommit,
}

impl Fate {
    pub fn is_in_work(self) -> bool {
        matches!(self, Fate::InWork | Fate::AdmittedAfterCut)
    }
}

impl Witness {
    pub fn new(frames: usize) -> Witness {
        Witness {
            fates: SmallVec::from_elem(Fate::Unread, frames),
            is_member: false,
            is_cut: false,
            promised: None,
            seen: 0,
            gaps: SmallVec::new(),
            assigned: SmallVec::new(),
            last_answered: None,
            is_timed_out: false,
            fault: None,
        }
    }

    /// Records a fault if it has occurred. The first fault stays.
    pub fn record_fault(&mut self, has_occurred: bool, fault: Fault) {
        if has_occurred {
            self.fault.get_or_insert(fault);
        }
    }

    /// Records that the session follows the log after a seq.
    pub fn follow(&mut self, after: u64) {
        self.seen = after;
    }

    /// Records that a broadcast was written.
    pub fn record_broadcast(&mut self, seq: u64) {
        self.record_fault(seq != self.seen + 1, Fault::NotExact);
        self.seen = seq;
    }

    /// Records that a gap was written.
    pub fn record_gap(&mut self, from: u64, to: u64) {
        // If the server cannot resume, it sends a gap of all broadcasts before the reader's start.
        let is_of_resume = from == 1 && to == self.seen;
        if is_of_resume {
            return;
        }
        self.record_fault(from != self.seen + 1 || to < from, Fault::NotExact);
        self.gaps.push((from, to));
        self.seen = to;
    }

    /// Records that the session admitted a frame. `may_be_late` is set if the frame may be admitted
    /// after the cut.
    pub fn admit(&mut self, frame: u8, may_be_late: bool) {
        let is_late = self.is_cut && !may_be_late;
        self.fates[usize::from(frame)] = match is_late {
            true => Fate::AdmittedAfterCut,
            false => Fate::InWork,
        };
    }

    /// Records that a frame was answered or refused. The login and the frames before it do not
    /// count.
    pub fn answer(&mut self, frame: u8, is_refusal: bool, is_login: bool) {
        let was_later = self.last_answered.is_some_and(|last| last > frame);
        self.record_fault(was_later, Fault::OutOfOrder);
        self.last_answered = self.last_answered.max(Some(frame));
        let fate = &mut self.fates[usize::from(frame)];
        *fate = match (*fate, is_refusal) {
            (Fate::AdmittedAfterCut, _) => Fate::AdmittedAfterCut,
            _ if is_login || !self.is_member => Fate::Uncounted,
            (_, true) => Fate::Refused,
            (_, false) => Fate::Answered,
        };
    }

    /// Records that the client was told the seq of its message, while `committed` was the last
    /// broadcast that would outlast the process.
    pub fn record_published(&mut self, frame: u8, seq: u64, committed: u64) {
        self.record_fault(seq > committed, Fault::PublishedBeforeCommit);
        let known = self.assigned.iter().position(|(of, _)| *of == frame);
        let told = known.map(|at| self.assigned.remove(at).1);
        self.record_fault(told != Some(seq), Fault::WrongSeq);
    }

    /// Records that the session has ended by itself and that broadcasts up to `last` were promised.
    pub fn end_by_itself(&mut self, last: u64) {
        self.promised = Some(last);
        self.is_cut = true;
    }
}
