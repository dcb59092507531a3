//! The load: one thread whose clients do the same cheap thing for every server.
//!
//! The load engine decides what a client writes and counts. Here its
//! clients are polled when epoll says that they are ready.

mod clients;
mod clocks;
pub mod fan_out;
pub mod latency;
pub mod loops;
mod socket;
mod ticks;

use serde::{Deserialize, Serialize};

/// The most bytes that a client that pipelines offers in one write.
const OFFER: usize = 256 * 1024;

/// The figures of one run.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Figures {
    /// Deliveries, or requests that were answered.
    pub done: u64,
    /// Deliveries that were due and never came.
    pub lost: u64,
    /// From the first byte that was sent to the last one that was due.
    pub seconds: f64,
    /// Done a second.
    pub rate: f64,
    /// Server CPU seconds a million done.
    pub cpu: f64,
    /// The share of the run in which the load's own thread was busy.
    pub load_busy: f64,
    /// The share of all processors that neither the load nor the server used, and
    /// that was busy all the same. Where it is not near 0, the run was disturbed.
    pub others_busy: f64,
    /// Round trips, in microseconds; where each was timed.
    pub p50: Option<f64>,
    /// The same.
    pub p99: Option<f64>,
}
