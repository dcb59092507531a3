//! The decisions of a session, without I/O.
//!
//! Problem: the rules of a session (in which state a frame is served, in which order it is
//! answered, what is owed at the end, what a stop changes) must be checkable one by one, by
//! tests, a model checker and a fuzzer, and none of these has sockets, actors or a clock.
//!
//! So [`Core`] is plain state with inputs and effects. The inputs are its public methods: a
//! [`frame`](Core::frame), the result of a piece of [work](Core::done), an order of the
//! supervisor ([`announce`](Core::announce), [`drain`](Core::drain), [`close`](Core::close)),
//! the [end of the input](Core::hang_up), the [output's progress](Core::advance) and the
//! [time](Core::tick). The core carries out the effects of an input through [`Effects`] before
//! the method returns. The shell around it (`../actor.rs`, `../io/`) has the connection, the actors
//! and the timers, and decides nothing.
//!
//! Invariants:
//! - Every admitted frame is answered once, in the order of the frames ([`work`]).
//! - Nothing follows `closing`.
//! - A session that waits for time says for how long: [`Core::wake_at`].
//!
//! Read on: [`state`] has the states and what is owed at the end, [`policy`] what differs
//! between the kinds of sessions, [`effects`] all that a decision can do, [`rules`] the decisions
//! that the model checker replaces. `requests.rs` serves frames, `publish.rs` gathers publishes into
//! runs (`judged.rs` has the frames of those that the hub judges one by one), `subscribe.rs` changes
//! the filter, `topics.rs` lists the topics, `services.rs` has calls and offers (`own_calls.rs` what
//! is known of them), `login.rs` has logins, `shutdown.rs` the supervisor's
//! orders, `ending.rs` the way to the close, `deadlines.rs` the waiting.

mod answers;
pub mod effects;
pub mod hears;
mod judged;
mod notice;
mod operators;
mod own_calls;
pub mod policy;
pub mod rules;
mod run;
mod service_effects;
mod state;
mod tally;
mod timers;
mod tokens;
mod work;

mod deadlines;
pub mod ending;
mod failing;
mod login;
mod may_publish;
mod publish;
mod questions;
mod record;
mod requests;
mod services;
pub mod shutdown;
mod subscribe;
mod topics;

#[cfg(any(test, fuzzing))]
pub mod saved;
#[cfg(any(test, fuzzing))]
pub mod testing;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use self::effects::Effects;
use self::hears::Hears;
use self::notice::Notice;
use self::own_calls::ServicePart;
use self::policy::{ConnectRefusal, FeatureLimits, Policy, SessionLimits};
use self::run::Run;
use self::state::{Ending, Member, State};
use self::tally::Tally;
use self::timers::Timers;
use self::work::WorkQueue;
use crate::accounts::UserName;
use crate::close::Evidence;
use crate::rate::Bucket;
use crate::wire::{Features, Seq, ServerFrame, SessionId, VERSION, Welcome};

/// The optional features of the contract that sessions serve. A frame of another one gets
/// `unsupported`.
const SERVED: Features = Features {
    topics: true,
    producer: true,
    cursor: true,
    services: true,
};

/// The decisions of one session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Core {
    session: SessionId,
    policy: Policy,
    limits: Arc<SessionLimits>,
    is_journaled: bool,
    state: State,
    /// Boxed, as few sessions publish at any moment.
    run: Option<Box<Run>>,
    work: WorkQueue,
    timers: Timers,
    tally: Tally,
    input: Input,
    /// The token bucket: before the login for every frame, after it for the request rate.
    /// Boxed, as few servers have the latter.
    bucket: Option<Box<Bucket>>,
    /// The last seq that the client said it has read.
    acked: Seq,
    /// How far the bytes got, once the session is closed.
    evidence: Option<Evidence>,
    /// The notices of a stop to the client. Boxed, as few sessions get one at any moment.
    notice: Option<Box<Notice>>,
    /// The session's part in services. Boxed, as few sessions have one.
    services: Option<Box<ServicePart>>,
    /// Whether the permit of a client that has not logged in was given to another peer.
    is_permit_withdrawn: bool,
    /// Whether the session closes without waiting until its last frame is read.
    is_brief: bool,
    /// Whether somebody waits until an order has been carried out.
    is_awaited: bool,
}

/// The state of a session's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    /// The client has closed its side, or reading has failed.
    is_over: bool,
    /// Reading has failed on this side: the client may still be there.
    is_unreadable: bool,
}

/// The values that a session begins with.
#[derive(Debug, Clone)]
pub struct Setup<'a> {
    /// The session's number.
    pub session: SessionId,
    /// The kind of the session.
    pub policy: Policy,
    /// The session's limits, which it shares with others of its listener.
    pub limits: Arc<SessionLimits>,
    /// The limits of optional features.
    pub feature_limits: FeatureLimits,
    /// Whether publishes wait for a disk.
    pub is_journaled: bool,
    /// The server's name and version.
    pub server: &'a str,
    /// The log's head when the connection was let in: broadcasts without a login begin here.
    pub head: Seq,
    /// The broadcasts of a session without a login.
    pub hears: &'a Hears,
    /// Why the session only tells that the client cannot stay.
    pub refusal: Option<ConnectRefusal>,
}

/// The result of giving the core a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// It must be given again later: it was not looked at.
    Later,
    /// It was added to the run of publishes, which [`Core::end_pass`] sends.
    Gathered,
    /// It was served.
    Done,
}

impl Core {
    /// Begins a session: its welcome is queued.
    pub fn begin<E: Effects>(setup: Setup<'_>, now: Instant, fx: &mut E) -> Core {
        let policy = setup.policy;
        let rate = policy.first_rate(&setup.limits);
        let is_brief = setup.refusal == Some(ConnectRefusal::FullBriefly);
        let mut core = Core {
            session: setup.session,
            policy,
            limits: setup.limits,
            is_journaled: setup.is_journaled,
            state: State::Greeting,
            run: None,
            work: WorkQueue::default(),
            timers: Timers::default(),
            tally: Tally::default(),
            input: Input::default(),
            bucket: rate.map(|rate| Box::new(Bucket::full(rate, now))),
            acked: Seq::ZERO,
            evidence: None,
            notice: None,
            services: None,
            is_permit_withdrawn: false,
            // Where closing discards unread bytes, the session waits until they are read.
            is_brief: is_brief && fx.half_closes(),
            is_awaited: false,
        };
        core.greet(setup.server, setup.feature_limits, fx);
        match setup.refusal {
            Some(why) => core.fail(why.code(), why.message(), fx),
            None if policy.has_login() => {}
            None => {
                core.state = State::Ready(Member::Nameless);
                if policy.is_outbound() {
                    fx.follow(setup.head, setup.hears);
                }
            }
        }
        core.begin_deadlines(now);
        core
    }

    fn greet<E: Effects>(&self, server: &str, feature_limits: FeatureLimits, fx: &mut E) {
        fx.answer(&ServerFrame::Welcome(Welcome {
            version: VERSION,
            server: server.into(),
            session: self.session,
            max_frame: self.limits.max_frame as u64,
            max_body: Some(self.limits.max_body() as u64),
            idle_timeout: self.limits.idle_timeout_millis(),
            features: SERVED.names(),
            limits: Some(feature_limits.named()),
        }));
    }

    /// Whether nothing is read or written any more.
    pub fn is_closed(&self) -> bool {
        self.state.is_closed()
    }

    /// Whether `closing` is queued: nothing may follow it.
    pub fn has_said_closing(&self) -> bool {
        self.state.has_said_closing()
    }

    /// Whether the client is told of gaps, or ends on the first one.
    pub fn ends_on_gap(&self) -> bool {
        self.state.is_ready() && self.limits.slow == policy::SlowPolicy::Disconnect
    }

    /// Whether the input is dropped unread, and broadcasts begin with the connection.
    pub fn is_outbound(&self) -> bool {
        self.policy.is_outbound()
    }

    /// Whether the permit of a client that has not logged in was given to another peer.
    pub fn is_permit_withdrawn(&self) -> bool {
        self.is_permit_withdrawn
    }

    /// Whether a piece of work is under way.
    pub fn has_work(&self) -> bool {
        !self.work.is_empty()
    }

    /// Whether a frame may be admitted, or refused, now.
    pub fn takes_frames<E: Effects>(&self, fx: &E) -> bool {
        let is_open = self.state.is_open()
            || self.state.refuses_frames()
            || (self.state.has_said_closing() && !self.is_closed())
            || self.drains_calls(fx);
        let may_run_on = || {
            self.is_journaled
                && self.state.is_ready()
                && self.work.takes_run(self.limits.frames_in_work)
        };
        is_open && (self.work.is_empty() || may_run_on()) && fx.has_room()
    }

    /// Whether more input is to be received now, where frames are taken.
    pub fn wants_input(&self) -> bool {
        !self.timers.is_held() && !self.input.is_over
    }

    /// Whether the input has come to its end.
    pub fn is_input_over(&self) -> bool {
        self.input.is_over
    }

    /// Returns how many bytes one read takes at most.
    pub fn read_size(&self) -> usize {
        self.policy.read_size(&self.state)
    }

    /// Returns the longest frame that the client may send now.
    pub fn frame_limit(&self) -> usize {
        match self.state.member() {
            Some(_) => self.limits.max_frame,
            None => self.limits.max_frame_before_login,
        }
    }

    /// Returns when [`Core::tick`] must be called at the latest.
    pub fn wake_at(&self) -> Option<Instant> {
        let linger_until = self.state.ending().and_then(Ending::linger_until);
        let call = self.services.as_ref().and_then(|part| part.next_deadline());
        let call = call.map(|(deadline, _)| deadline);
        let moments = [self.timers.next(), linger_until, call];
        moments.into_iter().flatten().min()
    }

    /// Returns the user that the hub believes to be present in this session.
    pub fn present_user(&self) -> Option<&UserName> {
        self.state.member().and_then(Member::user)
    }

    /// Whether input that can be had and a frame that may be served are awaited, so that only
    /// the connection can call the session.
    pub fn waits_for_input<E: Effects>(&self, fx: &E) -> bool {
        self.takes_frames(fx) && self.wants_input()
    }

    /// Whether the end of the input should have ended the session.
    pub fn is_left_open(&self) -> bool {
        self.input.is_over
            && self.state.is_open()
            && self.work.is_empty()
            && !self.awaits_services()
            && !self.timers.is_held()
    }
}
