//! The load: one thread whose clients do the same cheap thing for every server.
//!
//! The load engine decides what a client writes and counts. Here its
//! clients are polled when epoll says that they are ready.

mod clients;
mod clocks;
pub mod commits;
pub mod delivery;
pub mod fan_out;
mod frames;
pub mod loops;
pub mod memory;
mod pace;
pub mod publishers;
pub mod round_trips;
pub mod services;
mod socket;
pub mod starts;
pub mod topics;

use serde::{Deserialize, Serialize};

use crate::engine::latencies::Latencies;

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
    /// Server CPU seconds a million done, if one server was there for all of the run.
    pub cpu: Option<f64>,
    /// The share of the run in which the load's own thread was busy.
    pub load_busy: f64,
    /// The share of all processors that neither the load nor the server used, and
    /// that was busy all the same. Where it is not near 0, the run was disturbed.
    /// `None` if it is unknown what the server used.
    pub others_busy: Option<f64>,
    /// The median latency in microseconds, where each message was timed.
    pub p50: Option<f64>,
    /// The latency that one in a hundred exceeds.
    pub p99: Option<f64>,
    /// The latency that one in a thousand exceeds.
    pub p999: Option<f64>,
    /// The bytes that the server holds for each of what is done, where that is the work.
    pub bytes: Option<f64>,
}

impl Figures {
    /// Adds the latencies that were recorded in the run.
    fn with_latencies(self, latencies: &Latencies) -> Figures {
        let percentiles = latencies.percentiles();
        let percentiles = percentiles.as_ref();
        Figures {
            p50: percentiles.map(|it| it.p50_us),
            p99: percentiles.map(|it| it.p99_us),
            p999: percentiles.map(|it| it.p999_us),
            ..self
        }
    }
}
