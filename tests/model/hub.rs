//! Auth, the hub, its log and its journal. Messages have the same effects as in `src/actors/hub`.

use arauto::internal::close::stop::Input;
use arauto::{Component, Seq};

use crate::broken::Broken;
use crate::connection::Wait;
use crate::setting::Setting;
use crate::state::{Answer, Batch, SlotId, State, ToHub};

impl State {
    /// Handles the first message of the hub's mailbox.
    pub fn hub_handles(&mut self, setting: &Setting) {
        let hub = &mut self.world.hub;
        match hub.mailbox.remove(0) {
            ToHub::Publish { from, .. } if hub.is_sealed => self.give(from, Answer::LogSealed),
            ToHub::Publish { from, frames } => {
                let first = hub.assigned + 1;
                hub.assigned += frames as u64;
                self.record_assigned(from, first, frames);
                self.answer_later(setting, from, Answer::Published(first));
            }
            ToHub::Join(from) => {
                let before = hub.assigned;
                hub.assigned += u64::from(!hub.is_sealed);
                let head = hub.assigned;
                self.answer_later(setting, from, Answer::Joined { before, head });
            }
            // A sealed log gets no `left`.
            ToHub::Leave => {
                hub.assigned += u64::from(!hub.is_sealed);
                self.advance_log(setting);
            }
            ToHub::Seal => {
                (hub.is_sealed, hub.is_sealing) = (true, true);
                self.advance_log(setting);
            }
            ToHub::Stop => self.hub_ends(),
        }
    }

    /// Answers a session: at once, or with a journal after the commit of the batch.
    fn answer_later(&mut self, setting: &Setting, at: SlotId, answer: Answer) {
        if setting.is_journaled && !setting.is(Broken::AnsweredBeforeCommit) {
            self.world.hub.next.answers.push((at, answer));
            let jobs = &mut self.slots[at].io.jobs;
            if let Some(job) = jobs.iter_mut().find(|job| job.wait == Wait::Hub) {
                job.wait = Wait::Journal;
            }
        } else {
            self.give(at, answer);
        }
        self.advance_log(setting);
    }

    /// Makes the assigned broadcasts visible or, with a journal, begins to write them. Then seals
    /// the log, if a seal is waiting.
    fn advance_log(&mut self, setting: &Setting) {
        let hub = &mut self.world.hub;
        if setting.is_journaled {
            hub.next.last = hub.assigned;
            let has_more = hub.assigned > hub.head || !hub.next.answers.is_empty();
            if hub.in_flight == Batch::default() && has_more {
                hub.in_flight = std::mem::take(&mut hub.next);
                return;
            }
            if hub.in_flight != Batch::default() {
                return;
            }
        }
        self.move_head(setting, self.world.hub.assigned);
        if std::mem::take(&mut self.world.hub.is_sealing) {
            let head = Seq(self.world.hub.head);
            self.world.send_input(Input::LogSealed(Some(head)));
        }
    }

    /// Moves the log's head, and its tail if the log is full.
    fn move_head(&mut self, setting: &Setting, head: u64) {
        let hub = &mut self.world.hub;
        hub.head = head;
        if let Some(holds) = setting.log_holds {
            hub.tail = hub.tail.max(head.saturating_sub(holds));
        }
    }

    /// Commits the batch in flight: its broadcasts become visible, and its requests are answered.
    pub fn commit(&mut self, setting: &Setting) {
        let batch = std::mem::take(&mut self.world.hub.in_flight);
        self.move_head(setting, batch.last);
        for (at, answer) in batch.answers {
            self.give(at, answer);
        }
        self.advance_log(setting);
    }

    /// Fails the commit of the batch in flight. The batch after it fails as well.
    pub fn fail_commit(&mut self, setting: &Setting) {
        let hub = &mut self.world.hub;
        hub.assigned = hub.head;
        let batches = [
            std::mem::take(&mut hub.in_flight),
            std::mem::take(&mut hub.next),
        ];
        for (at, _) in batches.into_iter().flat_map(|batch| batch.answers) {
            let visible = self.world.hub.head;
            let assigned = &mut self.slots[at].io.witness.assigned;
            assigned.retain(|(_, seq)| *seq <= visible);
            self.give(at, Answer::CommitFailed);
        }
        self.advance_log(setting);
    }

    /// Lets auth check a login. A sealed auth refuses the login.
    pub fn check_login(&mut self, at: SlotId) {
        if self.world.acceptor.is_sealed {
            return self.give(at, Answer::LoginRefused);
        }
        if let Some(job) = self.slots[at].io.jobs.first_mut() {
            job.wait = Wait::Hub;
        }
        match self.world.hub.is_alive {
            true => self.world.hub.mailbox.push(ToHub::Join(at)),
            false => self.give(at, Answer::ActorEnded),
        }
    }

    /// Records the seqs that the hub has assigned to the frames of a session's next run.
    fn record_assigned(&mut self, at: SlotId, first: u64, count: usize) {
        let io = &mut self.slots[at].io;
        let Some(run) = io.jobs.iter().find(|job| job.wait == Wait::Hub) else {
            return;
        };
        let in_work = (0..).zip(&io.witness.fates);
        let frames = in_work.filter(|(number, fate)| *number >= run.first && fate.is_in_work());
        let numbers = frames.map(|(number, _)| number).take(count);
        let assigned: Vec<(u8, u64)> = numbers.zip(first..).collect();
        io.witness.assigned.extend(assigned);
    }

    /// Ends the hub by a panic, which its sentinel reports to the supervisor.
    pub fn hub_panics(&mut self) {
        self.hub_ends();
        self.world.send_input(Input::Failed(Component::Hub));
    }

    /// Ends the hub. Drops the messages in its mailbox and the batches that are not committed.
    fn hub_ends(&mut self) {
        self.world.hub.is_alive = false;
        if std::mem::take(&mut self.world.supervisor.stops_actors) {
            self.world.send_input(Input::ActorsStopped);
        }
        let hub = &mut self.world.hub;
        let batches = [
            std::mem::take(&mut hub.in_flight),
            std::mem::take(&mut hub.next),
        ];
        let head = Seq(hub.head);
        if std::mem::take(&mut hub.is_sealing) {
            self.world.send_input(Input::LogSealed(Some(head)));
        }
        for (at, _) in batches.into_iter().flat_map(|batch| batch.answers) {
            self.give(at, Answer::ActorEnded);
        }
        for message in std::mem::take(&mut self.world.hub.mailbox) {
            match message {
                ToHub::Publish { from, .. } | ToHub::Join(from) => {
                    self.give(from, Answer::ActorEnded)
                }
                ToHub::Seal => self.world.send_input(Input::LogSealed(None)),
                ToHub::Leave | ToHub::Stop => {}
            }
        }
    }
}
