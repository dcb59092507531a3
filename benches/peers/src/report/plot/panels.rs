//! The contents of the picture, as data.

use plotters::style::RGBColor;

use crate::figure::Figure;
use crate::peer::System;

/// The order of the bars in each group, and their colours: told apart by people who do not
/// see red and green, too.
pub const SYSTEMS: &[(System, RGBColor)] = &[
    (System::Arauto, RGBColor(0, 90, 181)),
    (System::Bare, RGBColor(120, 120, 120)),
    (System::BareFramed, RGBColor(185, 185, 185)),
    (System::TokioEcho, RGBColor(150, 150, 150)),
    (System::EpollEcho, RGBColor(90, 90, 90)),
    (System::Sqlite, RGBColor(70, 150, 140)),
    (System::Nats, RGBColor(230, 159, 0)),
    (System::NatsDebian, RGBColor(245, 205, 120)),
    (System::Redis, RGBColor(204, 65, 37)),
    (System::Mosquitto, RGBColor(140, 86, 160)),
];

/// The meaning of the line at the top of a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// From the least to the most of the rounds.
    Rounds,
    /// Up to another figure, the median of the rounds, with a mark at a third one.
    UpTo(Figure, Figure),
}

/// A row of groups of bars.
#[derive(Debug)]
pub struct Panel {
    /// The text above it.
    pub title: &'static str,
    /// The height of a bar.
    pub figure: Figure,
    /// The meaning of the line at its top.
    pub line: Line,
    /// Rows by their ids, and the name below each, in two lines.
    pub groups: &'static [(&'static str, [&'static str; 2])],
}

const PERCENTILES: Line = Line::UpTo(Figure::P99, Figure::P999);

/// All of them, from the top.
pub const PANELS: &[Panel] = &[
    Panel {
        title: "deliveries a second, one publisher, 128 bytes: more is better",
        figure: Figure::Rate,
        line: Line::Rounds,
        groups: &[
            ("fan-out-1", ["1 reader", ""]),
            ("fan-out-2", ["2 readers", ""]),
            ("fan-out-5", ["5 readers", ""]),
            ("fan-out-10", ["10 readers", ""]),
            ("fan-out-100", ["100 readers", ""]),
            ("fan-out-1000", ["1,000 readers", ""]),
        ],
    },
    Panel {
        title: "deliveries or requests a second in other work: more is better",
        figure: Figure::Rate,
        line: Line::Rounds,
        groups: &[
            ("fan-out-16-bytes", ["100 readers", "16 bytes"]),
            ("fan-out-4-kib", ["100 readers", "4 KiB"]),
            ("publishers-32", ["32 publishers", "100 readers"]),
            ("tls-fan-out", ["100 readers", "TLS"]),
            ("loops-1", ["64 clients", "requests"]),
            ("loops-1-one-cpu", ["64 clients", "one CPU"]),
            ("loops-16", ["64 clients", "16 in flight"]),
            ("tls-loops", ["64 clients", "TLS"]),
        ],
    },
    Panel {
        title: "latency in microseconds: bars and numbers p50, lines up to p99, dots p99.9; less is better",
        figure: Figure::P50,
        line: PERCENTILES,
        groups: &[
            ("delivery", ["publish to delivery", "one CPU"]),
            ("delivery-all-cpus", ["publish to delivery", "all CPUs"]),
            ("paced-1000", ["1,000 messages a second", "to 100 readers"]),
            (
                "paced-20000",
                ["20,000 messages a second", "to 100 readers"],
            ),
            ("request", ["request to reply", "one CPU"]),
            ("journal-1", ["publish to answer", "on disk"]),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::ROWS;

    #[test]
    fn picture_shows_existing_rows_and_knows_all_their_systems() {
        for panel in PANELS {
            for (id, _) in panel.groups {
                let row = ROWS.iter().find(|row| row.id == *id).expect(id);
                for system in row.systems {
                    let is_shown = SYSTEMS.iter().any(|(shown, _)| shown == system);
                    assert!(is_shown || *system == System::ArautoUpper, "{system:?}");
                }
            }
        }
    }
}
