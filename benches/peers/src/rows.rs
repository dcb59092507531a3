//! The work that every system is given, as data.

use crate::engine::output::Writes;
use crate::load::fan_out::FanOut;
use crate::load::loops::Loops;
use crate::peer::System::{
    self, Arauto, ArautoUpper, Bare, BareFramed, EpollEcho, Mosquitto, Nats, Redis, TokioEcho,
};

/// The work of one run.
#[derive(Debug, Clone, Copy)]
pub enum Work {
    /// Publishers and readers.
    FanOut(FanOut),
    /// One client, one request at a time, with the server on the same cpu.
    Latency {
        /// Bytes of a body.
        size: usize,
    },
    /// Clients in closed loops.
    Loops(Loops),
}

/// One line of the bars' table.
#[derive(Debug)]
pub struct Row {
    /// Names it, for `--only` and in the results.
    pub id: &'static str,
    /// The name in the tables.
    pub title: &'static str,
    /// The work.
    pub work: Work,
    /// The systems that do it, in this order in every round.
    pub systems: &'static [System],
}

impl Row {
    /// Returns whether its figure is the server's CPU time and not its rate.
    pub fn is_paced(&self) -> bool {
        matches!(self.work, Work::FanOut(FanOut { pace: Some(_), .. }))
    }
}

const SERVERS: &[System] = &[Arauto, Bare, BareFramed, Nats, Redis, Mosquitto];
/// Without mosquitto, which does not come near two million deliveries a second.
const FAST_SERVERS: &[System] = &[Arauto, Bare, BareFramed, Nats, Redis];
const ECHOES: &[System] = &[Arauto, ArautoUpper, Redis, TokioEcho, EpollEcho];
const LOOPS: &[System] = &[Arauto, Redis, TokioEcho, EpollEcho];

const fn saturated(readers: usize, size: usize) -> Work {
    Work::FanOut(FanOut {
        publishers: 1,
        readers,
        size,
        writes: Writes::Pipelined,
        pace: None,
    })
}

const fn paced(pace: u64) -> Work {
    Work::FanOut(FanOut {
        publishers: 1,
        readers: 100,
        size: 128,
        writes: Writes::Single,
        pace: Some(pace),
    })
}

const fn loops(in_flight: usize) -> Work {
    Work::Loops(Loops {
        clients: 64,
        in_flight,
        size: 128,
    })
}

/// All of them.
pub const ROWS: &[Row] = &[
    Row {
        id: "fan-out-10",
        title: "fan-out, 10 readers, 128 bytes",
        work: saturated(10, 128),
        systems: SERVERS,
    },
    Row {
        id: "fan-out-100",
        title: "fan-out, 100 readers, 128 bytes",
        work: saturated(100, 128),
        systems: SERVERS,
    },
    Row {
        id: "fan-out-1000",
        title: "fan-out, 1,000 readers, 128 bytes",
        work: saturated(1000, 128),
        systems: SERVERS,
    },
    Row {
        id: "fan-out-16-bytes",
        title: "fan-out, 100 readers, 16 bytes",
        work: saturated(100, 16),
        systems: SERVERS,
    },
    Row {
        id: "fan-out-4-kib",
        title: "fan-out, 100 readers, 4 KiB",
        work: saturated(100, 4096),
        systems: SERVERS,
    },
    Row {
        id: "writers-32",
        title: "32 publishers, one write a message, 100 readers, 128 bytes",
        work: Work::FanOut(FanOut {
            publishers: 32,
            readers: 100,
            size: 128,
            writes: Writes::Single,
            pace: None,
        }),
        systems: SERVERS,
    },
    Row {
        id: "paced-1000",
        title: "paced, 1,000 messages a second, 100 readers, 128 bytes",
        work: paced(1000),
        systems: SERVERS,
    },
    Row {
        id: "paced-20000",
        title: "paced, 20,000 messages a second, 100 readers, 128 bytes",
        work: paced(20_000),
        systems: FAST_SERVERS,
    },
    Row {
        id: "request",
        title: "request and reply, one cpu, 128 bytes",
        work: Work::Latency { size: 128 },
        systems: ECHOES,
    },
    Row {
        id: "loops-1",
        title: "64 closed loops, 1 request in flight each, 128 bytes",
        work: loops(1),
        systems: LOOPS,
    },
    Row {
        id: "loops-16",
        title: "64 closed loops, 16 requests in flight each, 128 bytes",
        work: loops(16),
        systems: LOOPS,
    },
];
