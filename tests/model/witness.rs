//! What truly happened to each frame and to each broadcast of a session.
//!
//! It is noted where frames are given to the session, and where its effects reach the other
//! actors and the client. No decision looks at it: the properties hold the session's own
//! numbers against it.

use smallvec::SmallVec;

/// The truth about one session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Witness {
    pub fates: SmallVec<[Fate; 4]>,
    /// Whether the client was told that it is logged in.
    pub is_member: bool,
    /// Whether no frame may be admitted any more.
    pub is_cut: bool,
    /// How far the broadcasts were promised, where the session ended by itself.
    pub promised: Option<u64>,
    /// The broadcast behind which the client stands: it was written all before.
    pub seen: u64,
    /// The gaps that the client was told.
    pub gaps: SmallVec<[(u64, u64); 2]>,
    /// The seqs that the hub gave to frames which are not answered yet.
    pub assigned: SmallVec<[(u8, u64); 2]>,
    /// The last frame that was answered.
    pub last_answered: Option<u8>,
    /// Whether the client was not waited for any longer.
    pub is_timed_out: bool,
    /// The first breach of a rule that holds at each instant.
    pub fault: Option<Fault>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    Unread,
    InWork,
    /// Answered in any way but with the error `stopping`.
    Answered,
    Refused,
    /// Read, and not counted.
    Taken,
    /// Admitted though its session's cut was made.
    BehindCut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A frame was answered behind the answer to a later one.
    OutOfOrder,
    /// `published` has another seq than the broadcast.
    WrongSeq,
    /// A broadcast was left out, sent twice, or told as missing though it was not.
    NotExact,
    /// Something was sent behind `closing`.
    BehindClosing,
}

impl Fate {
    pub fn is_in_work(self) -> bool {
        matches!(self, Fate::InWork | Fate::BehindCut)
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

    pub fn find(&mut self, is_found: bool, fault: Fault) {
        if is_found {
            self.fault.get_or_insert(fault);
        }
    }

    /// The session has begun to follow the log.
    pub fn follow(&mut self, after: u64) {
        self.seen = after;
    }

    pub fn note_broadcast(&mut self, seq: u64) {
        self.find(seq != self.seen + 1, Fault::NotExact);
        self.seen = seq;
    }

    pub fn note_gap(&mut self, from: u64, to: u64) {
        // A resume that cannot be honoured is told of all that was before.
        let is_of_resume = from == 1 && to == self.seen;
        if is_of_resume {
            return;
        }
        self.find(from != self.seen + 1 || to < from, Fault::NotExact);
        self.gaps.push((from, to));
        self.seen = to;
    }

    /// A frame was handed to the server's parts that work for the session.
    pub fn admit(&mut self, frame: u8, may_be_late: bool) {
        let is_late = self.is_cut && !may_be_late;
        self.fates[usize::from(frame)] = match is_late {
            true => Fate::BehindCut,
            false => Fate::InWork,
        };
    }

    /// A frame was answered, or refused. Those before the login, and the login, do not count.
    pub fn answer(&mut self, frame: u8, is_refusal: bool, is_login: bool) {
        let was_later = self.last_answered.is_some_and(|last| last > frame);
        self.find(was_later, Fault::OutOfOrder);
        self.last_answered = self.last_answered.max(Some(frame));
        let fate = &mut self.fates[usize::from(frame)];
        *fate = match (*fate, is_refusal) {
            (Fate::BehindCut, _) => Fate::BehindCut,
            _ if is_login || !self.is_member => Fate::Taken,
            (_, true) => Fate::Refused,
            (_, false) => Fate::Answered,
        };
    }

    /// The client was told the seq of its message.
    pub fn note_published(&mut self, frame: u8, seq: u64) {
        let known = self.assigned.iter().position(|(of, _)| *of == frame);
        let told = known.map(|at| self.assigned.remove(at).1);
        self.find(told != Some(seq), Fault::WrongSeq);
    }

    /// The session has ended by itself: broadcasts up to `last` were promised.
    pub fn end_by_itself(&mut self, last: u64) {
        self.promised = Some(last);
        self.is_cut = true;
    }
}
