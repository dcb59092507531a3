//! The figures of a run that are compared.

use crate::load::Figures;

/// One of a run's figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// Deliveries, or requests, a second.
    Rate,
    /// Server CPU seconds a million of them.
    Cpu,
    /// The median latency.
    P50,
    /// The latency that one in a hundred exceeds.
    P99,
    /// The latency that one in a thousand exceeds.
    P999,
    /// The bytes that the server holds for each.
    Bytes,
}

impl Figure {
    /// Returns the figure of a run.
    pub fn of(self, figures: &Figures) -> Option<f64> {
        match self {
            Figure::Rate => Some(figures.rate),
            Figure::Cpu => figures.cpu,
            Figure::P50 => figures.p50,
            Figure::P99 => figures.p99,
            Figure::P999 => figures.p999,
            Figure::Bytes => figures.bytes,
        }
    }

    /// Returns its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Figure::Rate => "rate",
            Figure::Cpu => "server CPU",
            Figure::P50 => "p50",
            Figure::P99 => "p99",
            Figure::P999 => "p99.9",
            Figure::Bytes => "memory",
        }
    }

    /// Returns the better one of two values.
    pub fn better(self, one: f64, other: f64) -> f64 {
        match self {
            Figure::Rate => one.max(other),
            _ => one.min(other),
        }
    }
}
