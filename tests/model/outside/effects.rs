//! The core's effects on the surroundings.

use std::sync::Arc;
use std::time::Duration;

use arauto::Pattern;
use arauto::internal::session::effects::{
    Ask, AskCursors, Effects, Event, Identity, Output, Reception,
};
use arauto::internal::session::hears::Hears;
use arauto::internal::session::rules::SessionRules;
use arauto::internal::session::{
    Contents, JudgedContents, NotPublished, RevocationReason, Verdicts,
};
use arauto::internal::topic::{Permissions, RuleKind};
use arauto::wire::{Login, Role, Seq, ServerFrame, TopicLine};
use arauto::{ErrorCode, Evidence, Micros, Outcome, Request, UserName};

use super::Outside;
use crate::broken::{Broken, Deviation};
use crate::connection::Wait;
use crate::item::{Item, item_of, number};
use crate::reader::{Reader, topics};
use crate::setting::Frame;
use crate::state::{ToHub, ToSupervisor, id};

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
            reception: Reception::default(),
            calls: self.calls(),
        }
    }

    fn answer(&mut self, frame: &ServerFrame<'_>) {
        self.has_acted = true;
        self.record_call(frame);
        if self.io.is_broken {
            // The client is gone and gets no answer. The frame's fate is recorded all the same.
            if let Some(item) = item_of(frame) {
                self.record_fate(item);
            }
            return;
        }
        if let ServerFrame::Published(published) = frame {
            let (at, seq) = (number(published.id), published.seq.0);
            let committed = match self.setting.is_journaled {
                true => self.world.hub.head,
                // Without a journal nothing outlasts the process, and nothing is promised to.
                false => u64::MAX,
            };
            match self.frame(at) {
                Frame::Numbered(n) => {
                    let number = (self.setting.user(self.at), n);
                    let is_own = self.world.hub.history.has_number(seq, number);
                    let witness = &mut self.io.witness;
                    witness.record_numbered(n, at, seq, is_own, committed);
                }
                _ => self.io.witness.record_published(at, seq, committed),
            }
        }
        let Some(item) = item_of(frame) else { return };
        self.queue(item);
        match frame {
            ServerFrame::LoggedIn(answer) => {
                self.io.witness.is_member = true;
                if self.world.hub.cursor.holder == Some(self.at) {
                    self.world.hub.cursor.note_told(answer.seq.0);
                }
            }
            ServerFrame::Error(error) if error.code == ErrorCode::Superseded => {
                let reached = self.io.reached();
                self.io.witness.end_by_itself(reached);
            }
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

    fn follow(&mut self, after: Seq, hears: &Hears) {
        self.io.witness.follow(after.0, topics(hears));
        let reader = Reader::new(after.0, hears, self.view());
        self.io.reader = Some(reader);
    }

    fn choose(&mut self, hears: &Hears) -> Seq {
        let Some(mut reader) = self.io.reader.take() else {
            return Seq::ZERO;
        };
        let after = reader.choose(hears, self.view());
        self.io.reader = Some(reader);
        let topics = topics(hears).expect("a client of the model never removes its filter");
        self.io.witness.hears.push((after, topics));
        Seq(after)
    }

    fn hears(&self) -> Hears {
        let reader = self.io.reader.as_ref();
        reader.map_or(Hears::EVERYTHING, Reader::hears)
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
        let options = login.options.as_deref();
        if let Some(job) = self.io.jobs.last_mut() {
            job.asks_for_cursor = options.is_some_and(|options| options.cursor.is_some());
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
        let run = self.begin_run(frames);
        let from = self.at;
        self.tell_hub(ToHub::Publish { from, run });
    }

    fn publish_judged_now(
        &mut self,
        _: &UserName,
        _: &JudgedContents,
    ) -> Option<Result<Verdicts, NotPublished>> {
        None
    }

    fn publish_judged(&mut self, _: &UserName, messages: JudgedContents, frames: usize) {
        let run = self.begin_run(frames);
        if let Some(job) = self.io.jobs.last_mut() {
            job.is_judged = true;
        }
        let (from, messages) = (self.at, Box::new(messages));
        self.tell_hub(ToHub::PublishJudged {
            from,
            run,
            messages,
        });
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

    fn ack(&mut self, seq: Seq) {
        if self.has_cursor() {
            let (at, setting) = (self.at, self.setting);
            self.world.hub.cursor.ack(at, seq.0, setting);
        }
    }

    fn is_superseded(&self) -> bool {
        self.has_cursor() && self.world.hub.cursor.holder != Some(self.at)
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
