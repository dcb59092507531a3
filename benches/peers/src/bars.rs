//! The ratios to the other systems that arauto has to reach, as data.

use crate::load::Figures;
use crate::peer::System::{self, Bare, Nats, Redis, TokioEcho};

/// One of a run's figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// Deliveries, or requests, a second.
    Rate,
    /// Server CPU seconds a million of them.
    Cpu,
    /// The median round trip.
    P50,
    /// The round trip that one in a hundred exceeds.
    P99,
}

impl Figure {
    /// Returns the figure of a run.
    pub fn of(self, figures: &Figures) -> Option<f64> {
        match self {
            Figure::Rate => Some(figures.rate),
            Figure::Cpu => Some(figures.cpu),
            Figure::P50 => figures.p50,
            Figure::P99 => figures.p99,
        }
    }

    /// Returns its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Figure::Rate => "rate",
            Figure::Cpu => "server CPU",
            Figure::P50 => "p50",
            Figure::P99 => "p99",
        }
    }
}

/// The limit of a ratio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
}

impl Limit {
    /// Returns whether a ratio keeps to it.
    pub fn is_met_by(self, ratio: f64) -> bool {
        match self {
            Limit::AtLeast(limit) => ratio >= limit,
            Limit::AtMost(limit) => ratio <= limit,
        }
    }
}

/// A ratio, arauto's figure over another's, and its limit.
#[derive(Debug, Clone, Copy)]
pub struct Bar {
    /// The row's id.
    pub row: &'static str,
    /// The figure.
    pub figure: Figure,
    /// The other system.
    pub than: System,
    /// The ratio's limit.
    pub limit: Limit,
}

const fn rate(row: &'static str, than: System, limit: f64) -> Bar {
    Bar {
        row,
        figure: Figure::Rate,
        than,
        limit: Limit::AtLeast(limit),
    }
}

const fn cost(row: &'static str, figure: Figure, than: System, limit: f64) -> Bar {
    let limit = Limit::AtMost(limit);
    Bar {
        figure,
        limit,
        ..rate(row, than, 0.0)
    }
}

/// All of them.
pub const BARS: &[Bar] = &[
    rate("fan-out-10", Bare, 0.7),
    rate("fan-out-10", Nats, 6.0),
    rate("fan-out-10", Redis, 6.0),
    rate("fan-out-100", Bare, 0.85),
    rate("fan-out-100", Nats, 10.0),
    rate("fan-out-100", Redis, 6.0),
    cost("fan-out-100", Figure::Cpu, Nats, 1.0 / 12.0),
    cost("fan-out-100", Figure::Cpu, Redis, 1.0 / 5.0),
    rate("fan-out-1000", Bare, 0.85),
    rate("fan-out-1000", Nats, 10.0),
    rate("fan-out-1000", Redis, 9.0),
    rate("fan-out-16-bytes", Nats, 15.0),
    rate("fan-out-4-kib", Bare, 0.95),
    rate("fan-out-4-kib", Nats, 4.0),
    rate("fan-out-4-kib", Redis, 1.8),
    rate("writers-32", Nats, 6.0),
    rate("writers-32", Redis, 6.0),
    cost("paced-1000", Figure::Cpu, Bare, 1.15),
    cost("paced-1000", Figure::Cpu, Redis, 1.0),
    cost("paced-20000", Figure::Cpu, Bare, 1.15),
    cost("paced-20000", Figure::Cpu, Redis, 1.0),
    cost("request", Figure::P50, Redis, 1.15),
    cost("request", Figure::P50, TokioEcho, 1.2),
    cost("request", Figure::P99, Redis, 1.0),
    rate("loops-1", Redis, 1.1),
    rate("loops-16", Redis, 1.1),
];

/// Returns the limit of one ratio, if it has one.
pub fn bar(row: &str, figure: Figure, than: System) -> Option<Limit> {
    BARS.iter()
        .find(|bar| bar.row == row && bar.figure == figure && bar.than == than)
        .map(|bar| bar.limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::ROWS;

    #[test]
    fn bar_refers_to_an_existing_row_and_system() {
        for bar in BARS {
            let row = ROWS.iter().find(|row| row.id == bar.row);
            let row = row.expect(bar.row);
            assert!(row.systems.contains(&bar.than), "{bar:?}");
        }
    }
}
