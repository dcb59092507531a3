//! Carries out the effects of a session's decisions on plain values.

mod effects;
mod services;

use crate::broken::Broken;
use crate::connection::{Io, Job, Wait};
use crate::item::Item;
use crate::reader::View;
use crate::setting::{Frame, Setting};
use crate::state::{Answer, FrameNumbers, SlotId, ToHub, World};

/// The surroundings of the session in one slot.
pub struct Outside<'a> {
    pub setting: &'a Setting,
    pub world: &'a mut World,
    pub io: &'a mut Io,
    pub at: SlotId,
    /// The number of the frame that is being served.
    pub serving: u8,
    /// The numbers of the publishes that were gathered into a run.
    pub gathered: Vec<u8>,
    /// Whether the session is ending because of a panic.
    pub is_panicking: bool,
    /// Whether the session has had an effect in this run.
    pub has_acted: bool,
}

impl Outside<'_> {
    fn frame(&self, number: u8) -> Frame {
        let frames = &self.setting.clients[self.at].frames;
        // The login before the first state is not in the client's list.
        *frames.get(usize::from(number)).unwrap_or(&Frame::Login)
    }

    fn add_job(&mut self, wait: Wait, first: u8, frames: usize) {
        self.has_acted = true;
        let is_uncounted = wait == Wait::Hub && self.setting.is(Broken::RunsUncounted);
        let counted = if is_uncounted { 0 } else { frames };
        self.world.in_work += counted;
        self.io.jobs.push(Job {
            wait,
            first,
            frames,
            counted,
            resume: None,
            asks_for_cursor: false,
            is_judged: false,
        });
    }

    /// Admits the gathered publishes as a run, and returns it.
    fn begin_run(&mut self, frames: usize) -> FrameNumbers {
        let run: FrameNumbers = std::mem::take(&mut self.gathered).into();
        run.iter().for_each(|frame| self.admit(*frame));
        self.add_job(Wait::Hub, run[0], frames);
        run
    }

    fn view(&self) -> View<'_> {
        View {
            setting: self.setting,
            world: self.world,
            user: self.setting.user(self.at),
        }
    }

    /// Whether the session has logged in with the cursor.
    fn has_cursor(&self) -> bool {
        let client = &self.setting.clients[self.at];
        self.io.has_entered && client.asks_for_cursor()
    }

    fn admit(&mut self, frame: u8) {
        let may_be_late = matches!(self.frame(frame), Frame::Shutdown | Frame::ShutdownNow);
        self.io.witness.admit(frame, may_be_late);
    }

    fn tell_hub(&mut self, message: ToHub) {
        match self.world.hub.is_alive {
            true => self.world.hub.mailbox.push(message),
            false => self.io.take_answer(Answer::ActorEnded),
        }
    }

    /// Records the fate of the frame that an item answers.
    fn record_fate(&mut self, item: Item) {
        if let Some(frame) = item.answers() {
            let is_login = self.frame(frame).is_login();
            let is_refusal = matches!(item, Item::Refusal(_));
            if !self.frame(frame).may_be_overtaken() {
                self.io.witness.record_order(frame);
            }
            self.io.witness.answer(frame, is_refusal, is_login);
        }
    }

    /// Queues an item for the client, and records the fate of the frame that the item answers.
    fn queue(&mut self, item: Item) {
        self.record_fate(item);
        if !matches!(item, Item::Stopping | Item::Closing { .. }) {
            self.io.last_answer = Some(self.io.reached());
        }
        self.io.queue.push(item);
    }
}
