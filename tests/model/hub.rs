//! Auth, the hub, its log and its journal. Messages have the same effects as in `src/actors/hub`.

use arauto::internal::close::stop::Input;
use arauto::internal::session::{JudgedContents, Verdict};
use arauto::{Component, Seq};

use crate::broken::Broken;
use crate::connection::Wait;
use crate::driver;
use crate::routes::{Entry, Route};
use crate::setting::{Frame, Setting};
use crate::state::{Answer, Batch, Hub, SlotId, State, ToHub, ToSupervisor};

/// Returns the broadcast that a client's frame publishes.
fn entry(setting: &Setting, from: SlotId, frame: Frame) -> Entry {
    Entry {
        route: frame.route().expect("the frame publishes"),
        number: match frame {
            Frame::Numbered(n) => Some((setting.user(from), n)),
            _ => None,
        },
    }
}

impl Hub {
    /// Gives a broadcast the next seq.
    fn push(&mut self, setting: &Setting, entry: Entry) {
        self.assigned += 1;
        if setting.has_routes() {
            self.history.push(entry);
        }
    }

    fn push_presence(&mut self, setting: &Setting) {
        let entry = Entry {
            route: Route::Presence,
            number: None,
        };
        self.push(setting, entry);
    }

    /// Begins to write the next batch.
    fn begin_batch(&mut self) {
        self.in_flight = std::mem::take(&mut self.next);
        self.in_flight.has_cursor = self.cursor.is_queued;
        self.cursor.begin_batch();
        self.numbers.begin_batch();
    }
}

impl State {
    /// Handles the first message of the hub's mailbox.
    pub fn hub_handles(&mut self, setting: &Setting) {
        let hub = &mut self.world.hub;
        match hub.mailbox.remove(0) {
            ToHub::Publish { from, .. } | ToHub::PublishJudged { from, .. } if hub.is_sealed => {
                self.give(from, Answer::LogSealed);
            }
            ToHub::Publish { from, run } => {
                let first = hub.assigned + 1;
                for (number, seq) in run.into_iter().zip(first..) {
                    self.assign(setting, from, number, seq);
                }
                self.answer_later(setting, from, Answer::Published(first));
            }
            ToHub::PublishJudged {
                from,
                run,
                messages,
            } => self.judge(setting, from, &run, *messages),
            ToHub::Join(from) => {
                let before = hub.assigned;
                if !hub.is_sealed {
                    hub.push_presence(setting);
                }
                let head = hub.assigned;
                self.answer_later(setting, from, Answer::Joined { before, head });
            }
            ToHub::OpenCursor { from, head } => self.open_cursor(setting, from, head),
            // A sealed log gets no `left`.
            ToHub::Leave => {
                if !hub.is_sealed {
                    hub.push_presence(setting);
                }
                self.advance_log(setting);
            }
            ToHub::Seal => {
                (hub.is_sealed, hub.is_sealing) = (true, true);
                self.advance_log(setting);
            }
            ToHub::Stop => {
                hub.cursor.write_last(setting);
                hub.was_stopped = true;
                self.hub_ends();
            }
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
                return hub.begin_batch();
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
        self.world.hub.numbers.commit(setting);
        if batch.has_cursor {
            self.world.hub.cursor.commit();
        }
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
        hub.history.truncate(hub.head);
        hub.numbers.fail(setting);
        hub.cursor.fail(setting);
        let batches = [
            std::mem::take(&mut hub.in_flight),
            std::mem::take(&mut hub.next),
        ];
        for (at, answer) in batches.into_iter().flat_map(|batch| batch.answers) {
            if matches!(answer, Answer::Opened { .. }) {
                self.world.tell_hub(ToHub::Leave); // the user was announced
            }
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

    /// Gives a message of a client's frame the next seq.
    fn assign(&mut self, setting: &Setting, from: SlotId, number: u8, seq: u64) {
        let frame = setting.clients[from].frames[usize::from(number)];
        self.world.hub.push(setting, entry(setting, from, frame));
        let io = &mut self.slots[from].io;
        if io.jobs.iter().any(|job| job.wait == Wait::Hub) {
            io.witness.assigned.push((number, seq));
        }
    }

    /// Judges messages with numbers. Verdicts wait for the batch, also those on which nothing is
    /// published: they may rest on a message that is not committed.
    fn judge(&mut self, setting: &Setting, from: SlotId, run: &[u8], messages: JudgedContents) {
        let hub = &mut self.world.hub;
        let account = match setting.is(Broken::NumbersOfSession) {
            true => from,
            false => setting.user(from),
        };
        let next = hub.assigned + 1;
        let verdicts = hub.numbers.judge(&driver::user(account), messages, next);
        if !setting.is_journaled {
            hub.numbers.begin_batch();
            hub.numbers.commit(setting);
        }
        for (number, verdict) in run.iter().zip(&verdicts) {
            if let Verdict::Published(seq) = verdict {
                self.assign(setting, from, *number, seq.0);
            }
        }
        let is_new = |verdict: &Verdict| matches!(verdict, Verdict::Published(_));
        let answer = Answer::Judged([verdicts.first().copied(), verdicts.get(1).copied()]);
        match setting.is(Broken::RepeatUnawaited) && !verdicts.iter().any(is_new) {
            true => self.give(from, answer),
            false => self.answer_later(setting, from, answer),
        }
    }

    /// Gives a session the cursor.
    fn open_cursor(&mut self, setting: &Setting, from: SlotId, head: u64) {
        let opened = self.world.hub.cursor.open(from, head, setting);
        if let Some(superseded) = opened.superseded {
            let message = ToSupervisor::Superseded(superseded);
            self.world.supervisor.mailbox.push(message);
        }
        if self.slots[from].core.is_none() {
            self.world.hub.cursor.release(from);
        }
        let answer = Answer::Opened {
            begin: opened.begin,
            is_new: opened.is_new,
        };
        match opened.must_wait {
            true => self.answer_later(setting, from, answer),
            false => self.give(from, answer),
        }
    }

    /// Writes the cursor's position, without broadcasts.
    pub fn store_cursor(&mut self) {
        let hub = &mut self.world.hub;
        hub.next.last = hub.assigned;
        hub.begin_batch();
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
                ToHub::Publish { from, .. }
                | ToHub::PublishJudged { from, .. }
                | ToHub::OpenCursor { from, .. }
                | ToHub::Join(from) => self.give(from, Answer::ActorEnded),
                ToHub::Seal => self.world.send_input(Input::LogSealed(None)),
                ToHub::Leave | ToHub::Stop => {}
            }
        }
    }
}
