//! The effects of a session's decisions, and the questions that they ask.
//!
//! The core calls these methods and does nothing else to the world. The session's shell
//! implements them with a connection, the log and the other actors; a test, a model checker or
//! a fuzzer can implement them with plain values. Calls are dispatched statically.

use std::sync::Arc;
use std::time::Duration;

use super::hears::Hears;
pub use super::questions::{Ask, AskCursors, Done, Entry, LoginFailure};
use super::rules::{Contract, SessionRules};
pub use super::service_effects::ServiceEffects;

use crate::accounts::{RevocationReason, UserName};
use crate::actors::handler::{Outcome, Request};
use crate::actors::hub::{Contents, JudgedContents, NotPublished, Verdicts};
use crate::close::{Evidence, Micros, SessionCalls, SessionFilter, SubscribeRules};
use crate::topic::{Pattern, Permissions, RuleKind};
use crate::wire::{ErrorCode, Login, Role, Seq, ServerFrame, SessionId, TopicLine, WireError};

/// The outside of a session.
pub trait Effects: ServiceEffects {
    /// Returns the rules that the session keeps. Only the model checker replaces them.
    fn rules(&self) -> impl SessionRules {
        Contract
    }

    /// Returns what is known of the output. It costs no system call.
    fn output(&self) -> Output;

    /// Whether more answers may be made: a client that does not read them is not read from.
    fn has_room(&self) -> bool;

    /// Returns the part of the session's record that its decisions do not know.
    fn identity(&self) -> Identity;

    /// Queues an answer, or another frame that is not a broadcast.
    fn answer(&mut self, frame: &ServerFrame<'_>);

    /// Queues an answer if it is no longer than the client can take it. Returns whether it is.
    fn answer_within(&mut self, frame: &ServerFrame<'_>) -> bool;

    /// Sends the broadcasts behind `after` that the session wants to hear from now on.
    fn follow(&mut self, after: Seq, hears: &Hears);

    /// Sends only what the session wants to hear from now on. Returns the seq behind which that
    /// holds.
    fn choose(&mut self, hears: &Hears) -> Seq;

    /// Returns what the session hears.
    fn hears(&self) -> Hears;

    /// Sends the kept values of the topics that a filter matches, without a filter of all topics, but
    /// those above `until`, before any further broadcast.
    fn send_kept(&mut self, filter: Option<&[Pattern<'_>]>, until: Seq);

    /// Sends no further broadcast, and holds no publisher back.
    fn stop_following(&mut self);

    /// Shuts the write side: the client sees the end after the last byte. Calling it again
    /// goes on with a shutdown that had to wait.
    fn shut_output(&mut self);

    /// Drops what is queued: the client has gone.
    fn abandon_output(&mut self);

    /// Whether the client can be told anything yet: a handshake may come first.
    fn is_open(&self) -> bool;

    /// Whether either side of the connection can be closed on its own. It stays the same.
    fn half_closes(&self) -> bool;

    /// Once the client has closed its side: whether nothing reaches it any more.
    fn is_hung_up(&self) -> bool;

    /// Whether the system holds input that has not been received yet.
    fn has_input(&self) -> bool;

    /// Returns how far the written bytes are known to have got.
    fn evidence(&self) -> Evidence;

    /// Returns the best that [`Effects::evidence`] can ever say of this kind of connection.
    fn best_evidence(&self) -> Evidence;

    /// Returns the last seq of the log.
    fn head(&self) -> Seq;

    /// Returns the time since the server's stop began, once it has.
    fn stop_time(&self) -> Option<Micros>;

    /// Lets a publish through, or returns when to ask again: slow readers hold it back.
    fn may_publish(&mut self) -> Result<(), Duration>;

    /// Takes a token of the user for a list, or returns when there will be one.
    fn may_list(&mut self, user: &UserName) -> Result<(), Duration>;

    /// Returns the topics that a pattern matches, without one all, whose names are above `after`: in
    /// the order of their names, and as many as fit into `most` bytes of a frame. Also returns
    /// whether there are more.
    fn topics(
        &self,
        pattern: Option<&Pattern<'_>>,
        after: &str,
        most: usize,
    ) -> (Vec<TopicLine<'static>>, bool);

    /// Returns the account's role now, once the session has entered.
    fn role(&self) -> Option<Role>;

    /// Returns the operator's rules for the client at this moment if one of them is about this
    /// kind of use. A client without an account has the rules for all accounts.
    fn permissions(&self, kind: RuleKind) -> Option<Arc<Permissions>>;

    /// Whether there is an account of this name.
    fn has_account(&self, name: &str) -> bool;

    /// Returns why the session is granted nothing any more.
    fn revoked(&self) -> Option<RevocationReason>;

    /// Whether the client is a local process of the server's own user.
    fn is_own_user(&self) -> bool;

    /// Finds out who the client is, where that was not known before its first frame. Returns
    /// whether there is a permit for that peer.
    fn identify(&mut self) -> bool;

    /// Has a login checked and announced: [`Done::Login`].
    fn log_in(&mut self, login: &Login<'_>);

    /// Has the login that is in work dropped before its password is hashed.
    fn abandon_login(&mut self);

    /// Makes the user of the login that was done last the session's.
    fn enter(&mut self, user: &UserName);

    /// Asks the handler. `None`: its answer comes later, as [`Done::Replied`].
    fn request(&mut self, request: Request<'_>) -> Option<Outcome>;

    /// Publishes these directly, if the publish is uncontended, and returns the first seq. `None`:
    /// nothing was published, and [`Effects::publish`] must be called.
    fn publish_now(
        &mut self,
        user: &UserName,
        contents: &Contents,
    ) -> Option<Result<Seq, NotPublished>>;

    /// Has the hub publish these: [`Done::Published`].
    fn publish(&mut self, user: &UserName, contents: Contents, frames: usize);

    /// As [`Effects::publish_now`], for messages that the hub judges one by one: returns the verdicts.
    fn publish_judged_now(
        &mut self,
        user: &UserName,
        messages: &JudgedContents,
    ) -> Option<Result<Verdicts, NotPublished>>;

    /// Has the hub judge these, and publish those that are new: [`Done::Judged`].
    fn publish_judged(&mut self, user: &UserName, messages: JudgedContents, frames: usize);

    /// Asks another actor; each answer comes as the [`Done`] of the same name.
    fn ask(&mut self, ask: Ask);

    /// Asks the hub about cursors; each answer comes as the [`Done`] of the same name.
    fn ask_cursors(&mut self, ask: AskCursors);

    /// Moves the session's cursor, where it has one, to this seq.
    fn ack(&mut self, seq: Seq);

    /// Whether another session has taken this session's cursor.
    fn is_superseded(&self) -> bool;

    /// Tells the hub that a session of this user is over.
    fn leave(&mut self, user: &UserName);

    /// Tells the giver of the last order that it has been carried out.
    fn carried_out(&mut self);

    /// Logs an event.
    fn log(&mut self, event: Event<'_>);
}

/// The state of a session's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Output {
    /// The last broadcast that is on its way or has been written.
    pub reached: Seq,
    /// The last broadcast that has been written whole.
    pub sent: Seq,
    /// The broadcast behind which the last answer stands.
    pub last_answer: Option<Seq>,
    /// Whether broadcasts are sent, or were.
    pub follows: bool,
    /// Whether nothing is queued.
    pub is_clear: bool,
    /// Whether nothing more can be written.
    pub is_broken: bool,
    /// Whether that is a failure of this side, and not the peer's going.
    pub has_failed: bool,
}

/// The part of a session's record that its decisions do not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The session's number.
    pub session: SessionId,
    /// The user that has logged in.
    pub user: Option<String>,
    /// The listener.
    pub endpoint: String,
    /// The broadcast behind which the session's own begin.
    pub after: Option<Seq>,
    /// The latest gaps that the client was told.
    pub gaps: Vec<(Seq, Seq)>,
    /// The seq up to which earlier gaps are not listed.
    pub gaps_unlisted_to: Option<Seq>,
    /// The broadcasts that the client chose and may receive.
    pub reception: Reception,
    /// The counts of the session's calls, if it had any part in services.
    pub calls: Option<SessionCalls>,
}

/// The broadcasts that a client chose and may receive, for the report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reception {
    /// The client's choice; `None` for everything that is for everybody.
    pub filter: Option<SessionFilter>,
    /// The operator's rules about what the client receives.
    pub rules: Option<SubscribeRules>,
    /// The latest broadcasts that rules kept from the client.
    pub withheld: Vec<Seq>,
    /// The seq up to which earlier ones are not listed.
    pub withheld_unlisted_to: Option<Seq>,
}

/// An event for the log.
#[derive(Debug)]
pub enum Event<'a> {
    /// A login succeeded.
    LoggedIn(&'a Entry),
    /// A login was refused with this code.
    LoginRefused(ErrorCode),
    /// The client's bytes are not what the contract allows.
    BadInput(&'a WireError),
    /// The account grants the session nothing any more.
    Revoked(&'a RevocationReason),
    /// Another session has taken the cursor.
    Superseded,
    /// The client asked for the server's stop.
    ShutdownRequested {
        /// The user, where the client has logged in.
        user: Option<&'a UserName>,
        /// Whether the drain is skipped.
        now: bool,
    },
    /// The client did not read to the end in time.
    NotReadInTime,
}
