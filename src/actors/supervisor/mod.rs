//! The supervisor: knows every session, and stops the server in order.
//!
//! The console, the signals and an admin's `shutdown` only send it [`Stop`]. It imports no
//! other actor: sessions take [`Order`]s through recipients, and what else must be stopped
//! is its [`Components`].
//!
//! It decides nothing itself. Every message of a stop becomes an input of the
//! [stop machine](crate::close::stop), and [`actor`] carries out the effects.

mod actor;
mod began;
mod components;
mod live_sessions;
mod messages;
mod observation;
mod recent_routes;
mod server_state;
mod session_info;

use std::sync::Arc;

pub use actor::Supervisor;
pub use components::Components;
pub use messages::{
    ActorFailed, Count, Dismiss, Ended, GetStatus, List, Opened, Revoked, SetStopLimit, Stop,
    Superseded, Supervise, WaitFor,
};
pub use observation::Observe;
pub use session_info::SessionInfo;

pub use crate::close::stop::{Haste, Order, Status, StoreClosed};

/// Is called with each phase of the stop when the phase ends.
pub type PhaseObserver = Arc<dyn Fn(&crate::close::PhaseLine) + Send + Sync>;
