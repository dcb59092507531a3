//! A model of the shutdown, which a model checker explores state by state. The tests of the real
//! server meet some orders of events by chance. The model meets every order.
//!
//! The decisions are the shipped code: the stop machine of `src/close/stop`, the core of each
//! session, of `src/actors/session/core`, the registry of services, of `src/services/registry`, and the
//! count of the signals, of `src/cli/stopping/count.rs`. The model adds the surroundings of these:
//! - [`setting`]: the clients of a run and the failures that may occur; [`state`]: the server and
//!   its clients at one instant; [`begin`]: the first state; [`step`]: the steps from a state to
//!   the next states, and [`events`], those of them that need not happen;
//! - [`services`]: the registry of services, and a session's part in it; [`calls`]: the actual fate of
//!   each call;
//! - [`supervisor`]: the surroundings of the stop machine; [`signals`]: the signals; [`hub`]: auth, the hub, its log and its
//!   journal; [`cursor`], [`numbers`]: what the hub stores beside broadcasts; [`crash`]: a kill;
//! - [`outside`], [`connection`], [`item`], [`reader`]: the effects of a session's core; [`routes`]: for whom
//!   a broadcast is; [`driver`], [`session`]: the
//!   inputs of a session's core; [`frames`]: the frames of clients; [`reading`]: clients that read;
//! - [`witness`]: the actual fate of each frame and each broadcast; [`properties`], [`reachable`]:
//!   the properties to check; [`intact`]: tests that the intact rules satisfy the properties;
//! - [`broken`]: rules that a setting can break; [`found`]: tests that the checker finds each
//!   broken rule;
//! - [`shared`]: parts that many states have in common; [`trace`]: counter-examples as text.
//!
//! The model is as asynchronous as the server. Each actor has a mailbox, first in first out, and
//! mailboxes interleave freely. A session's answer to an order, a handler's result, an answer of
//! the hub and a connection that was handed over may take any time to arrive. One step is one poll
//! of one actor: the actor takes a message or a frame, then goes on until nothing moves. A client
//! may send its frames at any instant. The model has no step for sending: a session receives its
//! client's next frames at any instant. A client reads all frames that wait in its socket, or none.
//! The socket holds [`setting::SOCKET`] frames.
//!
//! The passing of time is a step, too. A deadline of the stop machine passes when nothing else can
//! happen. In addition, deadlines pass at any instant, as often as the setting allows.
//!
//! The property that every run ends is an `eventually` of stateright. Stateright checks such a
//! property only in the last state of a path, so it would miss a cycle. There are no cycles,
//! because every step uses up something that does not come back: a frame, a message, a phase, or
//! room in a socket. Only reading renews that room, and only once for each frame.
//! [`intact::no_run_returns_to_an_earlier_state`] checks this in a whole state space.
//!
//! Two kinds of step are taken before all others, and alone (`step::independent_step`). No other
//! step can prevent them, and their order makes no difference to a later state.

mod begin;
mod broken;
mod calls;
mod connection;
mod crash;
mod cursor;
mod driver;
mod events;
mod found;
mod frames;
mod hub;
mod intact;
mod item;
mod numbers;
mod outside;
mod properties;
mod reachable;
mod reader;
mod reading;
mod routes;
mod services;
mod session;
mod setting;
mod shared;
#[path = "../../src/cli/stopping/count.rs"]
mod signal_count;
mod signals;
mod state;
mod step;
mod supervisor;
mod trace;
mod witness;
