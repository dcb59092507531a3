//! The double of everything around the core.

use std::sync::Arc;
use std::time::Duration;

use super::effect::Effect;
use crate::accounts::{RevocationReason, UserName};
use crate::actors::handler::{Outcome, Request};
use crate::actors::hub::{Contents, JudgedContents, NotPublished, Verdicts};
use crate::actors::session::core::effects::{
    Ask, AskCursors, Effects, Event, Identity, Output, Reception,
};
use crate::actors::session::core::hears::Hears;
use crate::close::{Evidence, Micros};
use crate::framing::Framing;
use crate::services::CallRefusal;
use crate::topic::{Pattern, Permissions, RuleKind};
use crate::wire::{Dialect, Login, Role, Seq, ServerFrame, SessionId, TopicLine};

/// The outside of a session. Public fields are what a test sets.
#[derive(Debug, Clone, PartialEq)]
pub struct Outside {
    pub output: Output,
    pub has_room: bool,
    pub is_open: bool,
    pub half_closes: bool,
    pub is_hung_up: bool,
    pub has_input: bool,
    pub evidence: Evidence,
    pub best_evidence: Evidence,
    pub head: Seq,
    pub stop_time: Option<Micros>,
    /// How long publishers must wait for readers.
    pub publish_wait: Option<Duration>,
    /// How long the user must wait for a list.
    pub list_wait: Option<Duration>,
    /// The role of the account.
    pub account_role: Role,
    /// The rules for the account, or for all accounts where the client has none.
    pub permissions: Option<Arc<Permissions>>,
    pub revoked: Option<RevocationReason>,
    /// Whether the session has a cursor.
    pub has_cursor: bool,
    pub is_superseded: bool,
    pub is_own_user: bool,
    /// Whether there is a permit for the peer that is identified.
    pub has_permit: bool,
    /// The handler's answer; `None`: it comes later.
    pub reply: Option<Outcome>,
    /// The result of direct publishes; `None`: publishes go to the hub.
    pub published: Option<Result<Seq, NotPublished>>,
    /// The result of direct numbered publishes; `None`: they go to the hub.
    pub judged: Option<Result<Verdicts, NotPublished>>,
    /// Whether calls are refused, and why.
    pub call_refusal: Option<CallRefusal>,
    /// The calls that have ended on the server's side, before the session was told.
    pub ended_calls: Vec<u64>,
    pub calls_held: usize,
    /// Whether an answer that may turn out too long does.
    pub is_too_long: bool,
    /// The frames of the answers, in the CBOR dialect.
    pub answers: Vec<Vec<u8>>,
    pub effects: Vec<Effect>,
    /// The broadcasts that the session hears, or asks for in a login that is under way.
    pub hears: Hears,
    user: Option<String>,
    after: Option<Seq>,
}

impl Default for Outside {
    fn default() -> Self {
        Outside {
            output: Output {
                is_clear: true,
                ..Output::default()
            },
            has_room: true,
            is_open: true,
            half_closes: true,
            is_hung_up: false,
            has_input: false,
            evidence: Evidence::Written,
            best_evidence: Evidence::Read,
            head: Seq::ZERO,
            stop_time: None,
            publish_wait: None,
            list_wait: None,
            account_role: Role::Escritor,
            permissions: None,
            revoked: None,
            has_cursor: false,
            is_superseded: false,
            is_own_user: false,
            has_permit: true,
            reply: None,
            published: None,
            judged: None,
            call_refusal: None,
            ended_calls: Vec::new(),
            calls_held: 0,
            is_too_long: false,
            answers: Vec::new(),
            effects: Vec::new(),
            hears: Hears::EVERYTHING,
            user: None,
            after: None,
        }
    }
}

impl Effects for Outside {
    fn output(&self) -> Output {
        self.output
    }

    fn has_room(&self) -> bool {
        self.has_room
    }

    fn identity(&self) -> Identity {
        Identity {
            session: SessionId(7),
            user: self.user.clone(),
            endpoint: "unix:@a".to_owned(),
            after: self.after,
            gaps: Vec::new(),
            gaps_unlisted_to: None,
            reception: Reception::default(),
            calls: None,
        }
    }

    fn answer(&mut self, frame: &ServerFrame<'_>) {
        if self.output.is_broken {
            return;
        }
        let mut bytes = Vec::new();
        let _ = Dialect::Cbor.encode(Framing::Stream, frame, &mut bytes); // it sends every frame
        self.answers.push(bytes);
        self.output.is_clear = false;
        let is_notice = match frame {
            ServerFrame::Stopping(stopping) => stopping.id.is_none(),
            ServerFrame::Closing(_) => true,
            _ => false,
        };
        if !is_notice {
            self.output.last_answer = Some(self.output.reached);
        }
    }

    fn answer_within(&mut self, frame: &ServerFrame<'_>) -> bool {
        if !self.is_too_long {
            self.answer(frame);
        }
        !self.is_too_long
    }

    fn follow(&mut self, after: Seq, hears: &Hears) {
        self.hears = hears.clone();
        self.effects.push(Effect::Follow(after));
        self.after = Some(after);
        self.output.follows = true;
        (self.output.reached, self.output.sent) = (after, after);
    }

    fn choose(&mut self, hears: &Hears) -> Seq {
        self.hears = hears.clone();
        self.output.reached
    }

    fn hears(&self) -> Hears {
        self.hears.clone()
    }

    fn send_kept(&mut self, filter: Option<&[Pattern<'_>]>, until: Seq) {
        let filter = filter.map(|filter| filter.iter().map(Pattern::to_string).collect());
        self.effects.push(Effect::SendKept(filter, until));
    }

    fn topics(
        &self,
        _: Option<&Pattern<'_>>,
        _: &str,
        _: usize,
    ) -> (Vec<TopicLine<'static>>, bool) {
        (Vec::new(), false)
    }

    fn stop_following(&mut self) {
        self.effects.push(Effect::StopFollowing);
    }

    fn shut_output(&mut self) {
        self.effects.push(Effect::ShutOutput);
    }

    fn abandon_output(&mut self) {
        self.effects.push(Effect::AbandonOutput);
        self.break_output(false);
    }

    fn is_open(&self) -> bool {
        self.is_open
    }

    fn half_closes(&self) -> bool {
        self.half_closes
    }

    fn is_hung_up(&self) -> bool {
        self.is_hung_up
    }

    fn has_input(&self) -> bool {
        self.has_input
    }

    fn evidence(&self) -> Evidence {
        self.evidence
    }

    fn best_evidence(&self) -> Evidence {
        self.best_evidence
    }

    fn head(&self) -> Seq {
        self.head
    }

    fn stop_time(&self) -> Option<Micros> {
        self.stop_time
    }

    fn may_publish(&mut self) -> Result<(), Duration> {
        self.publish_wait.map_or(Ok(()), Err)
    }

    fn may_list(&mut self, _user: &UserName) -> Result<(), Duration> {
        self.list_wait.map_or(Ok(()), Err)
    }

    fn role(&self) -> Option<Role> {
        self.user.as_ref().map(|_| self.account_role)
    }

    fn permissions(&self, kind: RuleKind) -> Option<Arc<Permissions>> {
        let permissions = self.permissions.as_ref();
        permissions.filter(|of| of.has_rules(kind)).cloned()
    }

    fn has_account(&self, name: &str) -> bool {
        ["ana", "rui"].contains(&name)
    }

    fn revoked(&self) -> Option<RevocationReason> {
        self.revoked.clone()
    }

    fn is_own_user(&self) -> bool {
        self.is_own_user
    }

    fn identify(&mut self) -> bool {
        self.has_permit
    }

    fn log_in(&mut self, login: &Login<'_>) {
        self.hears = Hears::of(login);
        self.effects.push(Effect::LogIn(login.user.to_string()));
    }

    fn abandon_login(&mut self) {
        self.effects.push(Effect::AbandonLogin);
    }

    fn enter(&mut self, user: &UserName) {
        self.effects.push(Effect::Enter(user.to_string()));
        self.user = Some(user.to_string());
    }

    fn request(&mut self, request: Request<'_>) -> Option<Outcome> {
        self.effects.push(Effect::Request(request.user.to_owned()));
        self.reply.clone()
    }

    fn publish_now(
        &mut self,
        user: &UserName,
        contents: &Contents,
    ) -> Option<Result<Seq, NotPublished>> {
        let first = self.published?;
        let effect = Effect::PublishNow(user.to_string(), contents.bytes());
        self.effects.push(effect);
        Some(first)
    }

    fn publish(&mut self, user: &UserName, _bodies: Contents, frames: usize) {
        let user = user.to_string();
        self.effects.push(Effect::Publish(user, frames));
    }

    fn publish_judged_now(
        &mut self,
        user: &UserName,
        messages: &JudgedContents,
    ) -> Option<Result<Verdicts, NotPublished>> {
        let judged = self.judged.clone()?;
        let effect = Effect::JudgeNow(user.to_string(), messages.bytes());
        self.effects.push(effect);
        Some(judged)
    }

    fn publish_judged(&mut self, user: &UserName, messages: JudgedContents, frames: usize) {
        let effect = Effect::PublishJudged(user.to_string(), frames, messages.bytes());
        self.effects.push(effect);
    }

    fn ask(&mut self, ask: Ask) {
        self.effects.push(Effect::Ask(ask));
    }

    fn ask_cursors(&mut self, ask: AskCursors) {
        self.effects.push(Effect::AskCursors(ask));
    }

    fn ack(&mut self, seq: Seq) {
        if self.has_cursor {
            self.effects.push(Effect::Ack(seq));
        }
    }

    fn is_superseded(&self) -> bool {
        self.is_superseded
    }

    fn leave(&mut self, user: &UserName) {
        self.effects.push(Effect::Leave(user.to_string()));
    }

    fn carried_out(&mut self) {
        self.effects.push(Effect::CarriedOut);
    }

    fn log(&mut self, event: Event<'_>) {
        self.effects.push(Effect::Log(match event {
            Event::LoggedIn(_) => "logged in",
            Event::LoginRefused(_) => "login refused",
            Event::BadInput(_) => "bad input",
            Event::Revoked(_) => "revoked",
            Event::Superseded => "superseded",
            Event::ShutdownRequested { .. } => "shutdown requested",
            Event::NotReadInTime => "not read in time",
        }));
    }
}
