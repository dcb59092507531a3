//! Writes the page of tables, docs/performance/tables.md, and the picture beside it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::{Results, plot, tables};

/// The picture's file, in the folder of the page.
const PICTURE: &str = "comparison.svg";

/// Returns the whole page.
pub fn page(results: &Results) -> String {
    let failures = tables::failures(results);
    let failures = match failures.is_empty() {
        true => String::new(),
        false => format!("\n## What failed\n\n{failures}"),
    };
    format!(
        "# Figures beside other servers\n\n\
         `benches/peers/run` writes this page and its picture. \
         [performance.md](../performance.md) sums up the\n\
         results, and [method.md](method.md) says what is compared and how it is measured.\n\n\
         ## Ratios that have a bar\n\n\
         arauto's figure over the other's in the same round; rounds: {}.\n\n{}\n\
         ## Other ratios\n\n{}\n\
         ## Figures\n\n\
         ![Throughput and latency, by work and system]({PICTURE})\n\n{}{failures}\n\
         ## Machine\n\n{}",
        results.rounds,
        tables::bars(results),
        tables::other_ratios(results),
        tables::figures_of_all(results),
        tables::machine(results),
    )
}

/// Writes the page to `path`, and draws the picture beside it.
///
/// # Errors
/// The file that could not be written.
pub fn write(results: &Results, path: &Path) -> Result<()> {
    plot::draw(results, &path.with_file_name(PICTURE))?;
    fs::write(path, page(results)).with_context(|| path.display().to_string())
}
