//! The promises and the course of a stop, as plain state: phases, counts,
//! evidence, the report, and the [`stop`] machine. Nothing here knows actors or sockets; the
//! supervisor and the sessions act on it.

mod calls;
mod component;
mod fate;
mod in_work;
mod observation;
mod phase;
mod recent_calls;
mod record;
mod report;
mod routes;
mod selection;
pub mod stop;
mod stopwatch;
#[cfg(test)]
mod testing;
mod trouble;
mod verdict;

pub use calls::SessionCalls;
pub use component::{ActorName, Component};
pub use fate::Fate;
pub use in_work::{InWork, Work};
pub use observation::Observation;
pub use recent_calls::{CallEnd, CallParty, KnownCall, RecentCalls, RecordedCall};
pub use record::{SessionOutcome, SessionRecord};
pub use report::{ActorLine, ExitCode, PhaseLine, Report};
pub use routes::{KnownRoute, RecentRoutes, RoutedBroadcast};
pub use selection::{SessionFilter, SubscribeRules};
pub use stopwatch::{Micros, Stopwatch, Times};
pub use trouble::Trouble;
pub use verdict::{NotForIt, Undecided};

pub use crate::link::Evidence;
pub use crate::wire::{CloseReason, Phase, StopReason};
