//! The hub and its log: what each message does, as in `src/actors/hub.rs`, without a
//! journal.

use crate::close::stop::Input;

use crate::state::{Answer, State, ToHub, seq};

impl State {
    /// Handles the first message of the hub's mailbox.
    pub fn hub_handles(&mut self) {
        match self.hub.mailbox.remove(0) {
            ToHub::Publish(at) if self.hub.is_sealed => self.give(at, Answer::Sealed),
            ToHub::Publish(at) => {
                self.hub.head += 1;
                self.give(at, Answer::Published);
            }
            ToHub::Join(at) => {
                self.push_presence();
                self.give(at, Answer::Joined(self.hub.head));
            }
            ToHub::Leave => self.push_presence(),
            ToHub::Seal => {
                self.hub.is_sealed = true;
                self.happened(Input::LogSealed(Some(seq(self.hub.head))));
            }
            ToHub::Stop => self.hub_ends(),
        }
    }

    /// A sealed log announces nobody.
    fn push_presence(&mut self) {
        if !self.hub.is_sealed {
            self.hub.head += 1;
        }
    }

    /// Its panic: nobody answers what is in its mailbox; the sentinel tells of it.
    pub fn hub_panics(&mut self) {
        self.hub_ends();
        self.happened(Input::Failed("the hub"));
    }

    /// Messages that are queued behind a stop are dropped.
    fn hub_ends(&mut self) {
        self.hub.is_alive = false;
        if std::mem::take(&mut self.supervisor.stops_actors) {
            self.happened(Input::ActorsStopped);
        }
        for message in std::mem::take(&mut self.hub.mailbox) {
            match message {
                ToHub::Publish(at) | ToHub::Join(at) => self.give(at, Answer::Gone),
                ToHub::Seal => self.happened(Input::LogSealed(None)),
                ToHub::Leave | ToHub::Stop => {}
            }
        }
    }
}
