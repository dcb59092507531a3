//! A real output, and the plain values of the core's own tests.

use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use super::session::{Io, READER};
use crate::accounts::{RevocationReason, UserName};
use crate::actors::handler::{Outcome, Request};
use crate::actors::hub::{Contents, JudgedContents, NotPublished, Verdicts};
use crate::actors::session::core::effects::{Ask, AskCursors, Effects, Event, Identity, Output};
use crate::actors::session::core::hears::Hears;
use crate::actors::session::outlet::Recipient;
use crate::close::{Evidence, Micros};
use crate::framing::Failure;
use crate::topic::{Pattern, Permissions, RuleKind};
use crate::wire::{Login, Role, Seq, ServerFrame, TopicLine};

impl Effects for Io {
    fn output(&self) -> Output {
        self.outlet.state()
    }

    fn has_room(&self) -> bool {
        self.outlet.has_room()
    }

    fn identity(&self) -> Identity {
        let (gaps, gaps_unlisted_to) = self.outlet.gaps();
        Identity {
            gaps: gaps.to_vec(),
            gaps_unlisted_to,
            reception: self.outlet.reception(),
            ..self.others.identity()
        }
    }

    fn answer(&mut self, frame: &ServerFrame<'_>) {
        self.outlet.answer(frame);
    }

    fn answer_within(&mut self, frame: &ServerFrame<'_>) -> bool {
        self.outlet.answer_within(frame)
    }

    fn follow(&mut self, after: Seq, hears: &Hears) {
        self.others.follow(after, hears);
        let recipient = Recipient {
            name: Arc::from(READER),
            permissions: Arc::default(),
        };
        self.outlet.follow(after, recipient, hears, false);
    }

    fn choose(&mut self, hears: &Hears) -> Seq {
        self.outlet.set_hears(hears)
    }

    fn hears(&self) -> Hears {
        self.outlet.hears()
    }

    fn send_kept(&mut self, filter: Option<&[Pattern<'_>]>, until: Seq) {
        self.outlet.send_kept(filter, until);
    }

    fn topics(
        &self,
        pattern: Option<&Pattern<'_>>,
        after: &str,
        most: usize,
    ) -> (Vec<TopicLine<'static>>, bool) {
        self.others.topics(pattern, after, most)
    }

    fn stop_following(&mut self) {
        self.others.stop_following();
        self.outlet.stop_following();
    }

    fn shut_output(&mut self) {
        self.others.shut_output();
        let mut cx = Context::from_waker(Waker::noop());
        self.outlet.shut(&mut self.link, &mut cx);
    }

    fn abandon_output(&mut self) {
        self.others.abandon_output();
        self.outlet.give_up(Failure::PeerGone);
    }

    fn is_open(&self) -> bool {
        true
    }

    fn half_closes(&self) -> bool {
        true
    }

    fn is_hung_up(&self) -> bool {
        self.others.is_hung_up()
    }

    fn has_input(&self) -> bool {
        !self.link.input.is_empty()
    }

    fn evidence(&self) -> Evidence {
        self.others.evidence()
    }

    fn best_evidence(&self) -> Evidence {
        self.others.best_evidence()
    }

    fn head(&self) -> Seq {
        self.log.head()
    }

    fn stop_time(&self) -> Option<Micros> {
        self.others.stop_time()
    }

    fn may_publish(&mut self) -> Result<(), Duration> {
        self.others.may_publish()
    }

    fn may_list(&mut self, user: &UserName) -> Result<(), Duration> {
        self.others.may_list(user)
    }

    fn role(&self) -> Option<Role> {
        self.others.role()
    }

    fn permissions(&self, kind: RuleKind) -> Option<Arc<Permissions>> {
        self.others.permissions(kind)
    }

    fn has_account(&self, name: &str) -> bool {
        self.others.has_account(name)
    }

    fn revoked(&self) -> Option<RevocationReason> {
        self.others.revoked()
    }

    fn is_own_user(&self) -> bool {
        self.others.is_own_user()
    }

    fn identify(&mut self) -> bool {
        self.others.identify()
    }

    fn log_in(&mut self, login: &Login<'_>) {
        self.others.log_in(login);
    }

    fn abandon_login(&mut self) {
        self.others.abandon_login();
    }

    fn enter(&mut self, user: &UserName) {
        self.others.enter(user);
    }

    fn request(&mut self, request: Request<'_>) -> Option<Outcome> {
        self.others.request(request)
    }

    fn publish_now(
        &mut self,
        user: &UserName,
        contents: &Contents,
    ) -> Option<Result<Seq, NotPublished>> {
        self.others.publish_now(user, contents)
    }

    fn publish(&mut self, user: &UserName, contents: Contents, frames: usize) {
        self.others.publish(user, contents, frames);
    }

    fn publish_judged_now(
        &mut self,
        user: &UserName,
        messages: &JudgedContents,
    ) -> Option<Result<Verdicts, NotPublished>> {
        self.others.publish_judged_now(user, messages)
    }

    fn publish_judged(&mut self, user: &UserName, messages: JudgedContents, frames: usize) {
        self.others.publish_judged(user, messages, frames);
    }

    fn ask(&mut self, ask: Ask) {
        self.others.ask(ask);
    }

    fn ask_cursors(&mut self, ask: AskCursors) {
        self.others.ask_cursors(ask);
    }

    fn ack(&mut self, seq: Seq) {
        self.others.ack(seq);
    }

    fn is_superseded(&self) -> bool {
        self.others.is_superseded()
    }

    fn leave(&mut self, user: &UserName) {
        self.others.leave(user);
    }

    fn carried_out(&mut self) {
        self.others.carried_out();
    }

    fn log(&mut self, event: Event<'_>) {
        self.others.log(event);
    }
}
