//! The shutdown as a model that is checked state by state: what the tests of the real
//! server meet by chance, this meets in every order.
//!
//! The supervisor's decisions are the shipped code: the model drives `src/close/stop`, the
//! stop machine, and carries out its effects. Sessions and the hub are models of the actors;
//! their steps carry the names of the code's messages and phases, so that a counter-example
//! can be read beside the code:
//! - [`setting`]: who is there, and what may go wrong; [`state`]: everything at one
//!   instant; [`step`]: what can happen next;
//! - [`supervisor`]: the surroundings of the stop machine; [`session`], [`ending`], [`hub`]:
//!   what each actor does;
//! - [`properties`]: what must hold; [`intact`]: that it does;
//! - [`broken`], [`found`]: rules that are not kept, and that each of these is found. Rules of
//!   the supervisor are replaced in the stop machine itself (`close::stop::rules`).
//!
//! Everything asynchronous there is so here. Each actor has a mailbox, first in first out,
//! and mailboxes interleave freely; a session's answer to an order, a handler's future,
//! the hub's answer and a connection that was handed over are on their way for as long as
//! they like. One step is one poll of one actor: a message or a frame, then the pump
//! until nothing moves. A frame that a session reads at any instant is one that its
//! client sent at any instant. A client reads everything or nothing of what waits in its
//! socket, and that takes [`setting::SOCKET`] frames.
//!
//! Time is a step too. A deadline of the stop machine passes when nothing else can happen,
//! and, as often as the setting says, at any instant.
//!
//! That every run ends is an `eventually`. Stateright looks for one only at a path's last
//! state, and would miss a cycle. There are none: every step uses something up that is
//! never given back (a frame, a message, a phase, room to write that only reading
//! renews, and that only for as many frames as there are), which
//! [`intact::no_run_returns_to_an_earlier_state`] holds against a whole state space.
//!
//! Two steps are taken before all others and alone ([`step`], `inner`), as nothing can
//! hinder them or tell in which order they came.

mod broken;
/// The promises and decisions of a stop: the server's own code.
#[expect(
    dead_code,
    unused_imports,
    reason = "the sources are the library's, and the model uses a part of them"
)]
#[path = "../../src/close/mod.rs"]
mod close;
mod ending;
mod found;
mod hub;
mod intact;
mod properties;
mod session;
mod setting;
mod state;
mod step;
mod supervisor;
mod told;

/// The modules of the library that `close` uses, by the paths that it has there.
mod link {
    pub use arauto::Evidence;
}
mod sync {
    pub use futures_util::task::AtomicWaker;
    pub use std::sync::atomic::{AtomicUsize, Ordering};
}
mod wire {
    pub use arauto::wire::{ErrorCode, Millis, Seq, SessionId};
}
