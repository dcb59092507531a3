//! The tables, in Markdown.

use std::fmt::Write;

use super::Results;
use crate::bars::{Figure, Limit, bar};
use crate::load::Figures;
use crate::measure::{RowResult, Runs};
use crate::peer::System;
use crate::rows::{ROWS, Row, Work};
use crate::stats::{Spread, digits};

/// The figures that a row compares, the main one first.
fn figures(row: &Row) -> &'static [Figure] {
    match row.work {
        Work::Latency { .. } => &[Figure::P50, Figure::P99],
        Work::FanOut(_) if row.is_paced() => &[Figure::Cpu],
        Work::FanOut(_) | Work::Loops(_) => &[Figure::Rate, Figure::Cpu],
    }
}

/// arauto's figure over another's, within each round.
fn ratio(result: &RowResult, figure: Figure, than: System) -> Option<Spread> {
    let (ours, theirs) = (result.of(System::Arauto)?, result.of(than)?);
    let rounds = ours.rounds.iter().zip(&theirs.rounds);
    Spread::of(rounds.filter_map(|(ours, theirs)| Some(figure.of(ours)? / figure.of(theirs)?)))
}

/// Whether a bar is for this ratio, and whether it is met.
fn verdict(row: &Row, figure: Figure, than: System, ratio: Spread) -> (String, &'static str) {
    match bar(row.id, figure, than) {
        None => (String::new(), ""),
        Some(limit) => {
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
    }
}

/// Each ratio that has a bar, and whether that is met.
pub fn bars(results: &Results) -> String {
    let mut text = "| work | figure | over | median (least to most) | bar | |\n\
                    |---|---|---|---|---|---|\n"
        .to_owned();
    ratios(results, &mut text, true);
    text
}

/// The ratios that nothing is asked of.
pub fn other_ratios(results: &Results) -> String {
    let mut text = "| work | figure | over | median (least to most) |\n\
                    |---|---|---|---|\n"
        .to_owned();
    ratios(results, &mut text, false);
    text
}

fn ratios(results: &Results, text: &mut String, with_bar: bool) {
    for row in ROWS {
        let Some(result) = results.row(row.id) else {
            continue;
        };
        for figure in figures(row) {
            for than in row.systems.iter().filter(|than| **than != System::Arauto) {
                if bar(row.id, *figure, *than).is_some() != with_bar {
                    continue;
                }
                let start = format!("| {} | {} | {} |", row.title, figure.name(), than.name());
                let Some(ratio) = ratio(result, *figure, *than) else {
                    let _ = writeln!(text, "{start} not measured |{}", " |".repeat(2));
                    continue;
                };
                let (limit, met) = verdict(row, *figure, *than, ratio);
                let _ = match with_bar {
                    true => writeln!(text, "{start} {ratio} | {limit} | {met} |"),
                    false => writeln!(text, "{start} {ratio} |"),
                };
            }
        }
    }
}

/// The results of each system: medians, and the least and the most of the rounds.
pub fn figures_of_all(results: &Results) -> String {
    let mut text = "| work | system | a second | server CPU s a million | p50 us | p99 us \
                    | load busy | others busy | lost |\n\
                    |---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for row in ROWS {
        let Some(result) = results.row(row.id) else {
            continue;
        };
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
        let _ = writeln!(text, "{start} failed |{}", " |".repeat(6));
        return;
    };
    let shown = |spread: Option<Spread>| spread.map_or(String::new(), |s| s.to_string());
    let percent = |share: fn(&Figures) -> f64| {
        let spread = Spread::of(runs.rounds.iter().map(share));
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
        "{start} {} | {} | {} | {} | {} | {} | {lost} |",
        rate_text(rate),
        shown(spread(Figure::Cpu)),
        shown(spread(Figure::P50)),
        shown(spread(Figure::P99)),
        percent(|f| f.load_busy),
        percent(|f| f.others_busy),
    );
}

fn rate_text(rate: Spread) -> String {
    match rate.median >= 1e6 {
        true => format!("{} M", rate.times(1e-6)),
        false => format!("{} k", rate.times(1e-3)),
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
