//! Carries out the effects of a session's decisions on plain values.

use std::sync::Arc;
use std::time::Duration;

use arauto::Pattern;
use arauto::internal::session::effects::{Ask, AskCursors, Effects, Event, Identity, Output};
use arauto::internal::session::hears::Hears;
use arauto::internal::session::rules::SessionRules;
use arauto::internal::session::{
    Contents, JudgedContents, NotPublished, RevocationReason, Verdicts,
};
use arauto::internal::topic::{Permissions, RuleKind};
use arauto::wire::{Login, Role, Seq, ServerFrame, TopicLine};
use arauto::{ErrorCode, Evidence, Micros, Outcome, Request, UserName};

use crate::broken::{Broken, Deviation};
use crate::connection::{Io, Item, Job, Reader, Wait};
use crate::setting::{Frame, Setting};
use crate::state::{Answer, SlotId, ToHub, ToSupervisor, World, id};

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
        });
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
            let is_login = matches!(self.frame(frame), Frame::Login | Frame::Resume(_));
            let is_refusal = matches!(item, Item::Refusal(_));
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

fn number(id: u64) -> u8 {
    u8::try_from(id).expect("a client sends fewer than 256 frames")
}

impl Effects for Outside<'_> {
    fn rules(&self) -> impl SessionRules {
        Deviation(self.setting.broken)
    }

    fn output(&self) -> Output {
        self.io.output()
    }

    fn has_room(&self) -> bool {
        self.io.has_room()
    }

    fn identity(&self) -> Identity {
        let reader = self.io.reader.as_ref();
        let gaps = reader.map(|reader| &reader.gaps[..]).unwrap_or_default();
        Identity {
            session: id(self.at),
            user: self.io.has_entered.then(String::new),
            endpoint: String::new(),
            after: reader.map(|reader| Seq(reader.after)),
            gaps: gaps
                .iter()
                .map(|(from, to)| (Seq(*from), Seq(*to)))
                .collect(),
            gaps_unlisted_to: None,
        }
    }

    fn answer(&mut self, frame: &ServerFrame<'_>) {
        self.has_acted = true;
        if self.io.is_broken {
            // The client is gone and gets no answer. The frame's fate is recorded all the same.
            if let Some(item) = item_of(frame) {
                self.record_fate(item);
            }
            return;
        }
        if let ServerFrame::Published(published) = frame {
            let (frame, seq) = (number(published.id), published.seq.0);
            let committed = match self.setting.is_journaled {
                true => self.world.hub.head,
                // Without a journal nothing outlasts the process, and nothing is promised to.
                false => u64::MAX,
            };
            self.io.witness.record_published(frame, seq, committed);
        }
        let Some(item) = item_of(frame) else { return };
        self.queue(item);
        match frame {
            ServerFrame::LoggedIn(_) => self.io.witness.is_member = true,
            ServerFrame::Stopping(_) => self.io.witness.is_cut = true,
            _ => {}
        }
        if let (Item::Refusal(frame), true) = (item, self.setting.is(Broken::RefusalAnsweredToo))
            && self.frame(frame) == Frame::Publish
        {
            self.queue(Item::Answer(frame));
        }
    }

    fn answer_within(&mut self, frame: &ServerFrame<'_>) -> bool {
        self.answer(frame);
        true
    }

    fn follow(&mut self, after: Seq, _: &Hears) {
        self.io.witness.follow(after.0);
        self.io.reader = Some(Reader {
            after: after.0,
            reached: after.0,
            gaps: smallvec::SmallVec::new(),
        });
    }

    fn choose(&mut self, _: &Hears) -> Seq {
        unreachable!("no client of the model changes its filter")
    }

    fn hears(&self) -> Hears {
        Hears::EVERYTHING
    }

    fn send_kept(&mut self, _: Option<&[Pattern<'_>]>, _: Seq) {
        unreachable!("no client of the model asks for kept values")
    }

    fn topics(
        &self,
        _: Option<&Pattern<'_>>,
        _: &str,
        _: usize,
    ) -> (Vec<TopicLine<'static>>, bool) {
        unreachable!("no client of the model lists topics")
    }

    fn stop_following(&mut self) {}

    fn shut_output(&mut self) {
        self.has_acted |= !self.io.is_shut;
        self.io.is_shut = true;
    }

    fn abandon_output(&mut self) {
        self.has_acted |= !self.io.is_broken;
        self.io.give_up();
    }

    fn is_open(&self) -> bool {
        true
    }

    fn half_closes(&self) -> bool {
        true
    }

    fn is_hung_up(&self) -> bool {
        self.io.client.is_gone || self.io.client.has_closed
    }

    fn has_input(&self) -> bool {
        false
    }

    fn evidence(&self) -> Evidence {
        self.io.evidence(self.setting)
    }

    fn best_evidence(&self) -> Evidence {
        Evidence::Read
    }

    fn head(&self) -> Seq {
        self.world.head()
    }

    fn stop_time(&self) -> Option<Micros> {
        self.world.phase()?;
        if self.setting.is(Broken::OwedForgotten) && self.is_panicking {
            return None;
        }
        Some(Micros(0)) // the sessions' clock stands still
    }

    fn may_publish(&mut self) -> Result<(), Duration> {
        Ok(())
    }

    fn may_list(&mut self, _: &UserName) -> Result<(), Duration> {
        Ok(())
    }

    fn role(&self) -> Option<Role> {
        let client = &self.setting.clients[self.at];
        let is_admin = client.has(Frame::Shutdown) || client.has(Frame::ShutdownNow);
        self.io.has_entered.then_some(match is_admin {
            true => Role::Admin,
            false => Role::Escritor,
        })
    }

    fn permissions(&self, _: RuleKind) -> Option<Arc<Permissions>> {
        None
    }

    fn has_account(&self, _name: &str) -> bool {
        true
    }

    fn revoked(&self) -> Option<RevocationReason> {
        None
    }

    fn is_own_user(&self) -> bool {
        false
    }

    fn identify(&mut self) -> bool {
        true
    }

    fn log_in(&mut self, login: &Login<'_>) {
        self.add_job(Wait::Auth, self.serving, 0);
        if let (Some(job), Some(resume)) = (self.io.jobs.last_mut(), &login.resume) {
            job.resume = Some(resume.after.0);
        }
    }

    fn abandon_login(&mut self) {}

    fn enter(&mut self, _: &UserName) {
        self.io.has_entered = true;
    }

    fn request(&mut self, _: Request<'_>) -> Option<Outcome> {
        self.admit(self.serving);
        self.add_job(Wait::Handler, self.serving, 1);
        None
    }

    // The path through the hub's mailbox includes the order in which the hub answers at once.
    fn publish_now(&mut self, _: &UserName, _: &Contents) -> Option<Result<Seq, NotPublished>> {
        None
    }

    fn publish(&mut self, _: &UserName, _: Contents, frames: usize) {
        let run = std::mem::take(&mut self.gathered);
        run.iter().for_each(|frame| self.admit(*frame));
        self.add_job(Wait::Hub, run[0], frames);
        let from = self.at;
        self.tell_hub(ToHub::Publish { from, frames });
    }

    // The clients of the model number no messages: a numbered run takes the same way as another.
    fn publish_judged_now(
        &mut self,
        _: &UserName,
        _: &JudgedContents,
    ) -> Option<Result<Verdicts, NotPublished>> {
        None
    }

    fn publish_judged(&mut self, _: &UserName, _: JudgedContents, frames: usize) {
        unreachable!("{frames} messages have a number");
    }

    fn ask(&mut self, ask: Ask) {
        self.admit(self.serving);
        self.add_job(Wait::Supervisor, self.serving, 1);
        if let Ask::Stop { now } = ask {
            let from = self.at;
            let shutdown = ToSupervisor::Shutdown { from, now };
            self.world.supervisor.mailbox.push(shutdown);
        }
    }

    fn ask_cursors(&mut self, _: AskCursors) {
        unreachable!("no client of the model is an operator");
    }

    fn ack(&mut self, _: Seq) {}

    fn is_superseded(&self) -> bool {
        false
    }

    fn leave(&mut self, _: &UserName) {
        self.has_acted = true;
        self.world.tell_hub(ToHub::Leave);
    }

    fn carried_out(&mut self) {
        self.has_acted = true;
        self.io.has_carried_out = true;
    }

    fn log(&mut self, _: Event<'_>) {}
}

/// Returns a frame as an item of the queue; `None` for a broadcast and for other frames that the
/// model does not have.
fn item_of(frame: &ServerFrame<'_>) -> Option<Item> {
    Some(match frame {
        ServerFrame::Welcome(_) => Item::Welcome,
        ServerFrame::LoggedIn(answer) => Item::Answer(number(answer.id)),
        ServerFrame::Reply(answer) => Item::Answer(number(answer.id)),
        ServerFrame::Published(answer) => Item::Answer(number(answer.id)),
        ServerFrame::Present(answer) => Item::Answer(number(answer.id)),
        ServerFrame::Pong(answer) => Item::Answer(number(answer.id)),
        ServerFrame::Cursors(_) | ServerFrame::CursorRemoved(_) => {
            unreachable!("no client of the model is an operator")
        }
        ServerFrame::Sessions(answer) => Item::Answer(number(answer.id)),
        ServerFrame::Topics(answer) => Item::Answer(number(answer.id)),
        ServerFrame::Subscribed(answer) => Item::Answer(number(answer.id)),
        ServerFrame::Gap(gap) => Item::Gap(gap.from.0, gap.to.0),
        ServerFrame::Error(error) => match error.id {
            Some(id) if error.code == ErrorCode::Stopping => Item::Refusal(number(id)),
            Some(id) => Item::Answer(number(id)),
            None => Item::Failure,
        },
        ServerFrame::Stopping(stopping) => match stopping.id {
            Some(id) => Item::Answer(number(id)),
            None => Item::Stopping,
        },
        ServerFrame::Closing(closing) => Item::Closing {
            accepted: closing.accepted,
            refused: closing.refused,
        },
        ServerFrame::Message(_)
        | ServerFrame::Joined(_)
        | ServerFrame::Left(_)
        | ServerFrame::Kept(_)
        | ServerFrame::Passed(_) => return None,
    })
}
