//! What a work found, for a person and for a program.

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

/// The format of the JSON. Keys may be added to it.
const VERSION: u32 = 1;

/// What a work measured: its fields are the JSON's `figures`.
pub(super) trait Figures: Serialize {
    /// The same for a person.
    fn rows(&self, rows: &mut Rows);

    /// What went wrong with what was counted, in a sentence.
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

/// What `--json` writes.
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

/// Names and values, to be aligned.
#[derive(Default)]
pub(super) struct Rows(Vec<(String, String)>);

impl Rows {
    pub(super) fn add(&mut self, name: &str, value: impl Display) {
        self.0.push((name.to_owned(), value.to_string()));
    }

    fn text(&self) -> String {
        let width = self.0.iter().map(|(name, _)| name.chars().count()).max();
        let width = width.unwrap_or_default();
        let line = |(name, value): &(String, String)| format!("{name:<width$}  {value}\n");
        self.0.iter().map(line).collect()
    }
}

/// A number that one can read: `1 234 567`, and `3.14` where it is small.
pub(super) fn number(value: f64) -> String {
    if value.abs() < 100.0 {
        return format!("{value:.2}");
    }
    if value < 0.0 {
        return format!("-{}", number(-value));
    }
    grouped(&format!("{value:.0}"))
}

/// How many of how many.
pub(super) fn counted(had: u64, wanted: u64) -> String {
    let (had, wanted) = (grouped(&had.to_string()), grouped(&wanted.to_string()));
    format!("{had} of {wanted}")
}

/// What is not known on this system, or of this server.
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

#[cfg(test)]
mod tests {
    use super::{counted, number};

    #[test]
    fn numbers_are_in_groups_of_three() {
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
