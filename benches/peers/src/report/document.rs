//! Puts the tables into docs/performance.md, and the picture beside it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::{Results, plot, tables};

const BEGIN: &str = "<!-- peers:begin -->";
const END: &str = "<!-- peers:end -->";

/// Everything that stands between the markers.
pub fn section(results: &Results) -> String {
    let failures = tables::failures(results);
    let failures = match failures.is_empty() {
        true => String::new(),
        false => format!("\n### What failed\n\n{failures}"),
    };
    format!(
        "\n### Ratios that have a bar\n\n\
         arauto's figure over the other's in the same round; rounds: {}.\n\n{}\n\
         ### Other ratios\n\n{}\n\
         ### Figures\n\n\
         ![Deliveries a second, by work and system](performance.svg)\n\n{}{failures}\n\
         ### Machine\n\n{}\n",
        results.rounds,
        tables::bars(results),
        tables::other_ratios(results),
        tables::figures_of_all(results),
        tables::machine(results),
    )
}

/// Replaces that part of the page, and draws the picture anew.
pub fn write(results: &Results, page: &Path) -> Result<()> {
    let text = fs::read_to_string(page).with_context(|| page.display().to_string())?;
    let missing = || format!("{}: no {BEGIN} and {END}", page.display());
    let (before, rest) = text.split_once(BEGIN).with_context(missing)?;
    let (_, after) = rest.split_once(END).with_context(missing)?;
    let section = section(results);
    plot::draw(results, &page.with_extension("svg"))?;
    fs::write(page, format!("{before}{BEGIN}\n{section}{END}{after}"))?;
    Ok(())
}
