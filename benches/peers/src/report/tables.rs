//! The tables, in Markdown.

use std::fmt::Write;

use super::Results;
use crate::bars::{Limit, Than, bars_of};
use crate::figure::Figure;
use crate::load::Figures;
use crate::measure::{RowResult, Runs};
use crate::rows::{ROWS, Row};
use crate::stats::{Spread, digits};

/// Returns a bar's limit, and whether a ratio meets it.
fn verdict(limit: Limit, ratio: Spread) -> (String, &'static str) {
    let shown = match limit {
        Limit::AtLeast(limit) => format!(">= {}", digits(limit)),
        Limit::AtMost(limit) => format!("<= {}", digits(limit)),
    };
    let met = match limit.is_met_by(ratio.median) {
        true => "met",
        false => "**missed**",
    };
    (shown, met)
}

/// The rows that were measured.
fn measured(results: &Results) -> impl Iterator<Item = (&'static Row, &RowResult)> {
    ROWS.iter()
        .filter_map(|row| Some((row, results.row(row.id)?)))
}

/// Each ratio that has a bar, and whether that is met.
pub fn bars(results: &Results) -> String {
    let mut text = "| work | figure | over | median (least to most) | bar | |\n\
                    |---|---|---|---|---|---|\n"
        .to_owned();
    for (row, result) in measured(results) {
        for bar in bars_of(row) {
            let (figure, than) = (bar.figure.name(), bar.than.name());
            let start = format!("| {} | {figure} | {than} |", row.title);
            let _ = match bar.than.ratio(bar.figure, row, result) {
                None => writeln!(text, "{start} not measured | | |"),
                Some(ratio) => {
                    let (limit, met) = verdict(bar.limit, ratio);
                    writeln!(text, "{start} {ratio} | {limit} | {met} |")
                }
            };
        }
    }
    text
}

/// The ratios that nothing is asked of.
pub fn other_ratios(results: &Results) -> String {
    let mut text = "| work | figure | over | median (least to most) |\n\
                    |---|---|---|---|\n"
        .to_owned();
    for (row, result) in measured(results) {
        for figure in row.work.figures() {
            for system in &row.systems[1..] {
                let than = Than::System(*system);
                if bars_of(row).any(|bar| bar.figure == *figure && bar.than == than) {
                    continue;
                }
                let (title, figure_name) = (row.title, figure.name());
                let start = format!("| {title} | {figure_name} | {} |", system.name());
                let _ = match than.ratio(*figure, row, result) {
                    None => writeln!(text, "{start} not measured |"),
                    Some(ratio) => writeln!(text, "{start} {ratio} |"),
                };
            }
        }
    }
    text
}

/// The results of each system: medians, and the least and the most of the rounds.
pub fn figures_of_all(results: &Results) -> String {
    let mut text = "| work | system | a second | server CPU s a million | p50 us | p99 us \
                    | p99.9 us | bytes each | load busy | others busy | lost |\n\
                    |---|---|---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for (row, result) in measured(results) {
        for runs in &result.runs {
            line(&mut text, row, runs);
        }
    }
    text
}

fn line(text: &mut String, row: &Row, runs: &Runs) {
    let start = format!("| {} | {} |", row.title, runs.system.name());
    let spread = |figure: Figure| Spread::of(runs.rounds.iter().filter_map(|f| figure.of(f)));
    let Some(rate) = spread(Figure::Rate) else {
        let _ = writeln!(text, "{start} failed |{}", " |".repeat(8));
        return;
    };
    let shown = |spread: Option<Spread>| spread.map_or(String::new(), |s| s.to_string());
    let percent = |share: fn(&Figures) -> Option<f64>| {
        let spread = Spread::of(runs.rounds.iter().filter_map(share));
        spread.map_or(String::new(), |s| format!("{:.0}%", s.median * 100.0))
    };
    let lost: u64 = runs.rounds.iter().map(|f| f.lost).sum();
    let done: u64 = runs.rounds.iter().map(|f| f.done).sum();
    let lost = match lost {
        0 => "0".to_owned(),
        lost => format!("{} of {}", count(lost), count(done + lost)),
    };
    let _ = writeln!(
        text,
        "{start} {} | {} | {} | {} | {} | {} | {} | {} | {lost} |",
        rate_text(rate),
        shown(spread(Figure::Cpu)),
        shown(spread(Figure::P50)),
        shown(spread(Figure::P99)),
        shown(spread(Figure::P999)),
        shown(spread(Figure::Bytes)),
        percent(|f| Some(f.load_busy)),
        percent(|f| f.others_busy),
    );
}

fn rate_text(rate: Spread) -> String {
    match rate.median {
        1e6.. => format!("{} M", rate.times(1e-6)),
        1e3.. => format!("{} k", rate.times(1e-3)),
        _ => rate.to_string(),
    }
}

fn count(number: u64) -> String {
    match number {
        0..10_000 => number.to_string(),
        10_000..10_000_000 => format!("{} k", digits(number as f64 / 1e3)),
        _ => format!("{} M", digits(number as f64 / 1e6)),
    }
}

/// The machine of the measurement.
pub fn machine(results: &Results) -> String {
    let mut text = "| | |\n|---|---|\n".to_owned();
    for (name, fact) in &results.machine.0 {
        let _ = writeln!(text, "| {name} | {} |", fact.replace('|', "\\|"));
    }
    text
}

/// The problems, one line each; empty where there were none.
pub fn failures(results: &Results) -> String {
    let mut text = String::new();
    for row in &results.rows {
        for runs in &row.runs {
            if let Some(error) = &runs.failed {
                let error = error.split_whitespace().collect::<Vec<_>>().join(" ");
                let _ = writeln!(text, "- {}, {}: {error}", row.row, runs.system.name());
            }
        }
    }
    text
}
