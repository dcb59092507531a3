//! The work that every system is given, as data.

mod table;

use crate::figure::Figure;
use crate::load::fan_out::FanOut;
use crate::load::loops::Loops;
use crate::load::memory::Held;
use crate::load::publishers::Publishers;
use crate::load::services::Services;
use crate::load::starts::Moment;
use crate::load::topics::Topics;
use crate::peer::System;
use crate::start::Storage;
pub use table::ROWS;

/// The work of one run.
#[derive(Debug, Clone, Copy)]
pub enum Work {
    /// Publishers and readers.
    FanOut(FanOut),
    /// One client, one request at a time.
    RoundTrips {
        /// Bytes of a body.
        size: usize,
    },
    /// One publisher and one subscriber, one message at a time.
    Delivery {
        /// Bytes of a body.
        size: usize,
    },
    /// Clients in closed loops.
    Loops(Loops),
    /// Publishers in closed loops, whose messages are on disk when they are answered.
    Publishers(Publishers),
    /// One such publisher, one message at a time.
    Commits {
        /// Bytes of a body.
        size: usize,
    },
    /// Callers of a service and its responders.
    Services(Services),
    /// One publisher to many topics, and readers of some of them.
    Topics(Topics),
    /// A server that holds topics or subscriptions.
    Memory(Held),
    /// A server that starts and stops.
    Starts(Moment),
}

impl Work {
    /// Returns the figures that a row of this work compares, the main one first.
    pub fn figures(self) -> &'static [Figure] {
        match self {
            Work::RoundTrips { .. } | Work::Delivery { .. } | Work::Commits { .. } => {
                &[Figure::P50, Figure::P99]
            }
            Work::Services(work) if work.is_one_at_a_time() => &[Figure::P50, Figure::P99],
            Work::Services(_) => &[Figure::Rate, Figure::Cpu, Figure::P50, Figure::P99],
            Work::Starts(_) => &[Figure::P50],
            Work::FanOut(FanOut { pace: Some(_), .. }) => {
                &[Figure::Cpu, Figure::P50, Figure::P99, Figure::P999]
            }
            Work::FanOut(_) | Work::Loops(_) | Work::Publishers(_) | Work::Topics(_) => {
                &[Figure::Rate, Figure::Cpu]
            }
            Work::Memory(_) => &[Figure::Bytes],
        }
    }
}

/// The processors that server and load may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cpus {
    /// All of them.
    All,
    /// One, the same for both.
    One,
}

/// One line of the bars' table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Names it, for `--only` and in the results.
    pub id: &'static str,
    /// The rows that `--only` chooses by this name.
    pub group: &'static str,
    /// The name in the tables.
    pub title: &'static str,
    /// The work.
    pub work: Work,
    /// The processors that server and load may use.
    pub cpus: Cpus,
    /// Whether clients use TCP with TLS.
    pub tls: bool,
    /// The data that servers keep on disk.
    pub storage: Storage,
    /// The systems that do it, in this order in every round. The first is arauto.
    pub systems: &'static [System],
}

impl Row {
    /// Creates a row whose servers and load use all processors.
    const fn new(
        [group, id, title]: [&'static str; 3],
        work: Work,
        systems: &'static [System],
    ) -> Row {
        Row {
            id,
            group,
            title,
            work,
            cpus: Cpus::All,
            tls: false,
            storage: Storage::Nothing,
            systems,
        }
    }

    /// Pins server and load to the same processor.
    const fn on_one_cpu(mut self) -> Row {
        self.cpus = Cpus::One;
        self
    }

    /// Lets servers keep this on disk.
    const fn with(mut self, storage: Storage) -> Row {
        self.storage = storage;
        self
    }

    /// Lets clients use TCP with TLS.
    const fn over_tls(mut self) -> Row {
        self.tls = true;
        self
    }

    /// Returns arauto, which the row's other systems are compared with.
    pub fn subject(&self) -> System {
        self.systems[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn row_names_are_unique_and_arauto_is_first() {
        let mut names = HashSet::new();
        for row in ROWS {
            assert!(names.insert(row.id), "{} is there twice", row.id);
            assert_eq!(row.subject(), System::Arauto, "{}", row.id);
        }
    }
}
