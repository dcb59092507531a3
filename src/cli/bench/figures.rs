//! The figures of a measurement, for a person and as JSON.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use bytesize::ByteSize;
use serde::Serialize;

use super::process::Machine;
use crate::cli::digits::grouped;
use crate::cli::exit::{Failure, sysexits};
use crate::cli::output;
use crate::cli::whole_file;
use crate::load::clocks::per_million;
use crate::load::latencies::Percentiles;

/// The format of the JSON. Keys may be added to it.
const VERSION: u32 = 1;

/// The digits to which latencies are held.
pub(super) const LATENCY_DIGITS: u8 = 3;

/// The result of a measurement. Its fields are the JSON's `figures`.
pub(super) trait Figures: Serialize {
    /// Adds the figures to a table for a person.
    fn rows(&self, rows: &mut Rows);

    /// Returns what is wrong with the counts, if anything.
    fn trouble(&self) -> Option<String>;
}

/// The server that was measured.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ServerFigures {
    pub(super) endpoint: String,
    pub(super) name: String,
    /// Whether the bench started it.
    pub(super) is_own: bool,
    pub(super) pid: Option<u32>,
    /// The most memory (RSS) that it held since its start.
    pub(super) peak_memory_bytes: Option<u64>,
    /// Its exit code, where the bench stopped it.
    pub(super) exit: Option<i32>,
}

impl ServerFigures {
    fn rows(&self, rows: &mut Rows) {
        rows.add("server's peak memory", bytes(self.peak_memory_bytes));
        if let Some(exit) = self.exit {
            rows.add("server's exit code", exit);
        }
        rows.add("server", format!("{} at {}", self.name, self.endpoint));
    }
}

/// The document that `--json` writes.
#[derive(Serialize)]
pub(super) struct Document<'a, P, F> {
    version: u32,
    work: &'static str,
    date: String,
    parameters: &'a P,
    figures: &'a F,
    server: &'a ServerFigures,
    machine: Machine,
}

impl<'a, P: Serialize, F: Figures> Document<'a, P, F> {
    pub(super) fn new(
        work: &'static str,
        parameters: &'a P,
        figures: &'a F,
        server: &'a ServerFigures,
    ) -> Self {
        Document {
            version: VERSION,
            work,
            date: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            parameters,
            figures,
            server,
            machine: Machine::this(),
        }
    }

    /// Prints it for a person.
    pub(super) fn print(&self) -> Result<(), Failure> {
        let mut rows = Rows::default();
        self.figures.rows(&mut rows);
        self.server.rows(&mut rows);
        output::print(&rows.text()).map(drop)
    }

    /// Writes it for a program.
    pub(super) fn write(&self, path: &Path) -> Result<(), Failure> {
        whole_file::replace(path, |file| {
            serde_json::to_writer_pretty(&mut *file, self)?;
            file.write_all(b"\n")
        })
        .map_err(|error| json_failed(path, &error))
    }
}

pub(super) fn json_failed(path: &Path, error: &io::Error) -> Failure {
    let message = format!("the figures {}: {error}", path.display());
    Failure::new(sysexits::CANTCREAT, message)
}

/// Names and values, which are printed in two columns.
#[derive(Default)]
pub(super) struct Rows(Vec<(String, String)>);

impl Rows {
    pub(super) fn add(&mut self, name: &str, value: impl Display) {
        self.0.push((name.to_owned(), value.to_string()));
    }

    /// Adds a row for each percentile, under the name of what was timed.
    pub(super) fn add_latency(&mut self, what: &str, latency: Option<&Percentiles>) {
        let Some(latency) = latency else {
            return;
        };
        for (name, micros) in [
            ("p50", latency.p50_us),
            ("p90", latency.p90_us),
            ("p99", latency.p99_us),
            ("p99.9", latency.p999_us),
            ("max", latency.max_us),
        ] {
            self.add(&format!("{what} {name}"), time(micros / 1e6));
        }
    }

    /// Adds the CPU time of the server and the clients. `each` is what is counted, with
    /// the number of decimals of the server's time for a million of them.
    pub(super) fn add_cpu(
        &mut self,
        (server, clients): (Option<f64>, Option<f64>),
        done: u64,
        (each, decimals): (&str, usize),
    ) {
        let a_million = server.map(|cpu| per_million(cpu, done));
        self.add(
            &format!("server's CPU, a million {each}"),
            known(a_million, |seconds| format!("{seconds:.decimals$} s")),
        );
        self.add("server's CPU", known(server, time));
        self.add("clients' CPU", known(clients, time));
    }

    fn text(&self) -> String {
        let width = self.0.iter().map(|(name, _)| name.chars().count()).max();
        let width = width.unwrap_or_default();
        let line = |(name, value): &(String, String)| format!("{name:<width$}  {value}\n");
        self.0.iter().map(line).collect()
    }
}

/// Formats a number for a person: `1 234 567`, and `3.14` where it is small.
pub(super) fn number(value: f64) -> String {
    if value.abs() < 100.0 {
        return format!("{value:.2}");
    }
    if value < 0.0 {
        return format!("-{}", number(-value));
    }
    grouped(&format!("{value:.0}"))
}

/// Formats a count and the expected count.
pub(super) fn counted(had: u64, wanted: u64) -> String {
    let (had, wanted) = (grouped(&had.to_string()), grouped(&wanted.to_string()));
    format!("{had} of {wanted}")
}

/// Stands for a figure that is not known on this system, or of this server.
pub(super) const UNKNOWN: &str = "unknown";

pub(super) fn known(value: Option<f64>, form: impl FnOnce(f64) -> String) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), form)
}

pub(super) fn bytes(value: Option<u64>) -> String {
    value.map_or_else(
        || UNKNOWN.to_owned(),
        |bytes| ByteSize(bytes).display().iec().to_string(),
    )
}

/// Formats a time for a person: `1.23 ms`.
pub(super) fn time(seconds: f64) -> String {
    match seconds {
        _ if seconds < 1e-3 => format!("{:.1} us", seconds * 1e6),
        _ if seconds < 1.0 => format!("{:.2} ms", seconds * 1e3),
        _ => format!("{seconds:.2} s"),
    }
}

/// Returns the trouble of a measurement whose sessions received fewer messages than were
/// published.
pub(super) fn missing(received: u64, expected: u64, gaps: u64) -> Option<String> {
    (received < expected).then(|| {
        format!("the sessions received {received} messages of {expected}, with {gaps} gaps")
    })
}

#[cfg(test)]
mod tests {
    use super::{counted, number};

    #[test]
    fn long_number_is_printed_in_groups_of_three() {
        for (value, text) in [
            (0.5, "0.50"),
            (999.6, "1 000"),
            (123_456.0, "123 456"),
            (1_234_567.0, "1 234 567"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!(number(-1234.0), "-1 234");
        assert_eq!(counted(12, 1000), "12 of 1 000");
    }
}
