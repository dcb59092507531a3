//! The sessions of a server that runs, as a report would have them.

use serde::{Deserialize, Serialize};

use super::{RecentRoutes, SessionRecord};
use crate::wire::Seq;

/// The sessions of a running server at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// The stream that the seqs count in.
    pub stream: String,
    /// The newest broadcast.
    pub head: Seq,
    /// The routes of the newest broadcasts.
    pub routes: RecentRoutes,
    /// Every session, by number.
    pub sessions: Vec<SessionRecord>,
}
