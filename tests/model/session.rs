//! The session: what each message and each frame does, as in
//! `src/actors/session/`: `serve.rs`, `work.rs`, and the orders of `mod.rs`.
//!
//! A step is what happens in one poll of the actor: something is handled, then the
//! pump goes round until nothing moves ([`crate::ending`]).

use crate::close::stop::Input;
use crate::close::{CloseReason, Phase};
use crate::wire::ErrorCode;

use crate::broken::Broken;
use crate::setting::{Frame, Setting};
use crate::state::{
    Answer, Ending, EndingStep, Fate, Item, Order, Pending, Place, Seq, Session, SessionSlot,
    SlotId, State, ToHub, Wait, id,
};

impl Session {
    /// Whether a frame may be admitted, or refused, now.
    pub fn may_serve(&self) -> bool {
        let is_open = match self.place {
            Place::Greeting | Place::Ready => true,
            Place::Ending(ending) => ending.refuses_frames(),
            Place::Absent | Place::LoggingIn | Place::Closed { .. } => false,
        };
        is_open && self.pending.is_none() && !self.is_broken
    }

    pub fn answer(&mut self, item: Item) {
        if !self.is_broken {
            self.outbox.push(item);
        }
    }

    fn start_ending(&mut self, reason: CloseReason, step: EndingStep, is_ordered: bool) {
        let was_ordered = matches!(self.place, Place::Ending(ending) if ending.is_ordered);
        self.place = Place::Ending(Ending {
            reason,
            step,
            failed_in_stop: false,
            is_ordered: is_ordered || was_ordered,
            may_linger: false,
        });
    }

    pub fn end(&mut self, reason: CloseReason, head: Seq) {
        self.promised = Some(head);
        self.start_ending(reason, EndingStep::ToCut(head), false);
    }

    /// Ends with an error: nothing but `closing` follows it.
    pub fn fail(&mut self, reason: CloseReason, in_stop: bool) {
        self.answer(Item::Failure);
        // A session that the server itself fails in the stop is owed what all others get.
        self.promised = (!in_stop).then_some(self.cursor);
        self.start_ending(reason, EndingStep::ToCut(self.cursor), false);
        if let Place::Ending(ending) = &mut self.place {
            ending.failed_in_stop = in_stop;
        }
    }

    fn refuse(&mut self, frame: usize) {
        self.fates[frame] = Fate::Refused;
        self.answer(Item::Refusal(frame as u8));
    }
}

impl Ending {
    fn refuses_frames(self) -> bool {
        self.reason == CloseReason::Shutdown && self.is_ordered && self.step < EndingStep::Goodbye
    }
}

impl State {
    /// A handed-over connection becomes a session: `Usher::start`.
    pub fn start(&mut self, at: SlotId, is_stopping: bool) {
        let session = &mut self.slots[at].session;
        session.place = Place::Greeting;
        if is_stopping {
            session.fail(CloseReason::Shutdown, false);
        }
        self.happened(Input::Opened(id(at)));
    }

    /// The client's next frame is there and is served.
    pub fn serve(&mut self, setting: &Setting, at: SlotId) {
        let head = self.hub.head;
        let session = &mut self.slots[at].session;
        let Some(number) = session.next_frame() else {
            return;
        };
        let frame = setting.clients[at].frames[number];
        let is_late = matches!(session.place, Place::Ending(_));
        if is_late && !setting.is(Broken::AdmitsBehindTheCut) {
            return session.serve_late(number, frame);
        }
        match (session.place, frame) {
            (_, Frame::Fim) => {
                session.fates[number] = Fate::Taken;
                session.end(CloseReason::Fim, head);
            }
            (Place::Greeting, Frame::Login) => {
                session.fates[number] = Fate::Taken;
                session.place = Place::LoggingIn;
                session.set_to_work(number, Wait::Auth);
            }
            (Place::Greeting, _) | (_, Frame::Login) => {
                session.fates[number] = Fate::Taken;
                session.answer(Item::Answer(number as u8));
            }
            (_, Frame::Request) => self.admit(at, number, Wait::Handler),
            (_, Frame::Publish) => {
                self.admit(at, number, Wait::Hub);
                self.ask_hub(at, ToHub::Publish(at));
            }
        }
        if is_late && frame != Frame::Fim {
            self.slots[at].session.fates[number] = Fate::BehindCut;
        }
    }

    fn admit(&mut self, at: SlotId, number: usize, wait: Wait) {
        let session = &mut self.slots[at].session;
        session.tally.accepted += 1;
        session.fates[number] = Fate::InWork;
        session.set_to_work(number, wait);
        self.in_work += 1;
    }

    fn ask_hub(&mut self, at: SlotId, message: ToHub) {
        if self.hub.is_alive {
            self.hub.mailbox.push(message);
        } else {
            self.give(at, Answer::Gone);
        }
    }

    /// The answer of another actor; nobody may wait for it any more.
    pub fn give(&mut self, at: SlotId, answer: Answer) {
        if let Some(pending) = &mut self.slots[at].session.pending {
            pending.wait = Wait::Answer(answer);
        }
    }

    /// Auth looks at the login. Once it is sealed, it refuses.
    pub fn check_login(&mut self, at: SlotId) {
        if self.acceptor.is_sealed {
            self.give(at, Answer::Stopping);
        } else {
            let pending = self.slots[at].session.pending.as_mut();
            pending.expect("a login waits").wait = Wait::Hub;
            self.ask_hub(at, ToHub::Join(at));
        }
    }

    /// The piece of work is done: its frame is answered, then out of the count.
    pub fn conclude(&mut self, setting: &Setting, at: SlotId) {
        let session = &mut self.slots[at].session;
        let Some(pending) = session.pending.take() else {
            return;
        };
        let number = usize::from(pending.frame);
        if setting.clients[at].frames[number] == Frame::Login {
            return self.conclude_login(at, pending);
        }
        let was_behind = session.fates[number] == Fate::BehindCut;
        if pending.wait == Wait::Answer(Answer::Sealed) {
            session.tally.accepted -= 1;
            session.tally.refused += 1;
            session.refuse(number);
            if setting.is(Broken::RefusalAnsweredToo) {
                session.answer(Item::Answer(pending.frame));
            }
        } else {
            session.tally.answered += 1;
            session.fates[number] = Fate::Answered;
            session.answer(Item::Answer(pending.frame));
        }
        if was_behind {
            session.fates[number] = Fate::BehindCut;
        }
        self.in_work -= 1;
    }

    fn conclude_login(&mut self, at: SlotId, pending: Pending) {
        let session = &mut self.slots[at].session;
        let number = usize::from(pending.frame);
        let joined = match pending.wait {
            Wait::Answer(Answer::Joined(head)) => Some(head),
            _ => None,
        };
        if session.place != Place::LoggingIn {
            // Ended meanwhile: the hub is told that nobody came.
            session.answer(Item::Refusal(pending.frame));
            if joined.is_some() && self.hub.is_alive {
                self.hub.mailbox.push(ToHub::Leave);
            }
            return;
        }
        session.place = Place::Greeting;
        match joined {
            None => session.answer(Item::Refusal(number as u8)),
            Some(head) => {
                session.answer(Item::Answer(number as u8));
                (session.after, session.cursor, session.follows) = (head, head, true);
                session.is_member = true;
                session.place = Place::Ready;
            }
        }
    }

    /// A handler's panic: what is in work is lost, and this session ends.
    pub fn panic(&mut self, setting: &Setting, at: SlotId) {
        self.drop_work(at);
        let reason = CloseReason::Error(ErrorCode::Internal);
        let in_stop = self.supervisor.phase().is_some();
        let session = &mut self.slots[at].session;
        let is_saying_goodbye = matches!(
            session.place,
            Place::Ending(ending) if ending.step >= EndingStep::Goodbye
        );
        if is_saying_goodbye {
            self.close(setting, at, reason);
        } else {
            session.fail(reason, in_stop);
            if setting.is(Broken::OwedForgotten)
                && let Place::Ending(ending) = &mut session.place
            {
                ending.failed_in_stop = false;
            }
        }
    }

    pub fn drop_work(&mut self, at: SlotId) {
        let session = &mut self.slots[at].session;
        let Some(pending) = session.pending.take() else {
            return;
        };
        if matches!(
            session.fates[usize::from(pending.frame)],
            Fate::InWork | Fate::BehindCut
        ) {
            self.in_work -= 1; // the drop of its `Work`
        }
    }

    /// Handles the first order of its mailbox. The pump runs when there is no other.
    pub fn handle(&mut self, setting: &Setting, at: SlotId) {
        let order = self.slots[at].session.orders.remove(0);
        let done = match order {
            Order::Announce => {
                self.slots[at].session.announce();
                true
            }
            Order::Drain(cut) => self.slots[at].session.begin_drain(cut),
            Order::Close => self.slots[at].session.begin_close(),
            Order::Finish => {
                self.close(setting, at, CloseReason::Shutdown);
                self.tell(setting, at, Phase::Actors);
                return;
            }
        };
        if done {
            self.tell(setting, at, order.phase());
        }
        if self.slots[at].session.orders.is_empty() {
            self.pump(setting, at);
        }
    }
}

impl Session {
    fn set_to_work(&mut self, number: usize, wait: Wait) {
        self.pending = Some(Pending {
            frame: number as u8,
            wait,
        });
    }

    /// A frame behind the cut: refused, each with its answer.
    fn serve_late(&mut self, number: usize, frame: Frame) {
        match frame {
            Frame::Fim => self.fates[number] = Fate::Taken,
            Frame::Login => {
                self.fates[number] = Fate::Taken;
                self.answer(Item::Refusal(number as u8));
            }
            Frame::Request | Frame::Publish => {
                if self.is_member {
                    self.tally.refused += 1;
                    self.refuse(number);
                } else {
                    self.fates[number] = Fate::Taken;
                    self.answer(Item::Refusal(number as u8));
                }
            }
        }
    }

    fn announce(&mut self) {
        if !matches!(self.place, Place::Ending(_) | Place::Closed { .. }) {
            self.answer(Item::Stopping);
            self.start_ending(CloseReason::Shutdown, EndingStep::Refusing, true);
        }
    }

    /// Whether there is nothing to wait for.
    fn begin_drain(&mut self, cut: Seq) -> bool {
        match &mut self.place {
            Place::Closed { .. } => return true,
            Place::Ending(ending) if ending.step == EndingStep::Refusing => {
                ending.step = EndingStep::ToCut(cut);
            }
            Place::Ending(ending) => {
                ending.is_ordered = true;
                ending.step = ending.step.min(EndingStep::Goodbye);
            }
            _ => self.start_ending(CloseReason::Shutdown, EndingStep::ToCut(cut), true),
        }
        self.waiting = Some(Phase::Drain);
        false
    }

    fn begin_close(&mut self) -> bool {
        let Place::Ending(ending) = &mut self.place else {
            return true;
        };
        (ending.is_ordered, ending.may_linger) = (true, true);
        self.waiting = Some(Phase::Close);
        false
    }
}

impl SessionSlot {
    /// Whether the client has been sent all that was written, and has read it.
    pub fn is_read(&self) -> bool {
        self.unread == 0 && !self.is_gone
    }
}
