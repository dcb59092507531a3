//! The shutdown as a model that is checked state by state: what the tests of the real
//! server meet by chance, this meets in every order.
//!
//! The decisions are the shipped code: the stop machine of `src/close/stop`, and the core of each
//! session, of `src/actors/session/core`. The model is what surrounds the two:
//! - [`setting`]: who is there, and what may go wrong; [`state`]: everything at one instant;
//!   [`begin`]: the first instant; [`step`]: what can happen next;
//! - [`supervisor`]: the surroundings of the stop machine; [`hub`]: the hub, log and journal;
//! - [`outside`], [`connection`]: the effects of a session's core; [`driver`], [`session`]: what
//!   gives it its inputs;
//! - [`witness`]: what truly happened; [`properties`], [`possible`]: what must hold; [`intact`]:
//!   that it does;
//! - [`broken`], [`found`]: rules that are not kept, and that each of these is found.
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

mod begin;
mod broken;
mod connection;
mod driver;
mod found;
mod hub;
mod intact;
mod outside;
mod possible;
mod properties;
mod session;
mod setting;
mod shared;
mod state;
mod step;
mod supervisor;
mod told;
mod witness;
