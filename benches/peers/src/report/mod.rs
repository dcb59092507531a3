//! The results, for people: tables, a page and a picture.

pub mod document;
pub mod machine;
mod plot;
pub mod tables;

use serde::{Deserialize, Serialize};

use crate::measure::RowResult;
use machine::Machine;

/// Everything that one command has measured.
#[derive(Debug, Serialize, Deserialize)]
pub struct Results {
    /// On what.
    pub machine: Machine,
    /// How often everybody got its turn.
    pub rounds: usize,
    /// Row by row.
    pub rows: Vec<RowResult>,
}

impl Results {
    /// Whether every run was done.
    pub fn is_whole(&self) -> bool {
        let mut runs = self.rows.iter().flat_map(|row| &row.runs);
        runs.all(|runs| runs.failed.is_none())
    }

    /// The results of one row.
    pub fn row(&self, id: &str) -> Option<&RowResult> {
        self.rows.iter().find(|row| row.row == id)
    }
}
