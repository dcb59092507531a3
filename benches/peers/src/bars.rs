//! The ratios to the other systems that arauto has to reach, as data.

use crate::figure::Figure;
use crate::measure::RowResult;
use crate::peer::System;
use crate::rows::Row;
use crate::stats::Spread;

/// The figure that arauto's figure is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Than {
    /// Another system's figure.
    System(System),
    /// The best figure that one of several systems has in the round.
    Best {
        /// Names them in tables.
        name: &'static str,
        /// The systems.
        of: &'static [System],
    },
    /// Nothing: the limit is of arauto's figure itself.
    Nothing,
}

impl Than {
    /// Returns its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Than::System(system) => system.name(),
            Than::Best { name, .. } => name,
            Than::Nothing => "itself, in us or bytes",
        }
    }

    fn systems(&self) -> &[System] {
        match self {
            Than::System(system) => std::slice::from_ref(system),
            Than::Best { of, .. } => of,
            Than::Nothing => &[],
        }
    }

    /// Returns arauto's figure over this one, within each round; without another one
    /// arauto's figure.
    pub fn ratio(self, figure: Figure, row: &Row, result: &RowResult) -> Option<Spread> {
        let ours = result.of(row.subject())?;
        let ratios = ours.rounds.iter().enumerate().filter_map(|(round, ours)| {
            let theirs = self.systems().iter().filter_map(|system| {
                let runs = result.of(*system)?;
                figure.of(runs.rounds.get(round)?)
            });
            let ours = figure.of(ours)?;
            match theirs.reduce(|one, other| figure.better(one, other)) {
                Some(best) => Some(ours / best),
                None => (self == Than::Nothing).then_some(ours),
            }
        });
        Spread::of(ratios)
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

/// A ratio, arauto's figure over another's, and its limit. In a few rows arauto's figure
/// itself has a limit.
#[derive(Debug, Clone, Copy)]
pub struct Bar {
    /// The row's id.
    pub row: &'static str,
    /// The figure.
    pub figure: Figure,
    /// The other figure.
    pub than: Than,
    /// The ratio's limit.
    pub limit: Limit,
}

const fn bar(row: &'static str, figure: Figure, than: Than, limit: Limit) -> Bar {
    Bar {
        row,
        figure,
        than,
        limit,
    }
}

const BARE: Than = Than::System(System::Bare);
const BARE_FRAMED: Than = Than::System(System::BareFramed);
const REDIS: Than = Than::System(System::Redis);
const SQLITE: Than = Than::System(System::Sqlite);
const JETSTREAM: Than = Than::System(System::Nats);
const TOKIO_ECHO: Than = Than::System(System::TokioEcho);
/// The newer one is not the faster one in every row.
const NATS: Than = Than::Best {
    name: "nats-server, the better of both",
    of: &[System::Nats, System::NatsDebian],
};

const MOSQUITTO: Than = Than::System(System::Mosquitto);
const UNFILTERED: Than = Than::System(System::ArautoUnfiltered);
const NO_TOPIC: Than = Than::System(System::ArautoNoTopic);

const BEST_PEER: Than = Than::Best {
    name: "the best of nats-server (both) and redis-server",
    of: &[System::Nats, System::NatsDebian, System::Redis],
};

const fn rate(row: &'static str, than: Than, limit: f64) -> Bar {
    let limit = Limit::AtLeast(limit);
    bar(row, Figure::Rate, than, limit)
}

const fn cost(row: &'static str, figure: Figure, than: Than, limit: f64) -> Bar {
    bar(row, figure, than, Limit::AtMost(limit))
}

/// All of them.
pub const BARS: &[Bar] = &[
    rate("fan-out-1", BARE_FRAMED, 0.85),
    rate("fan-out-2", BARE_FRAMED, 0.85),
    rate("fan-out-5", BARE_FRAMED, 0.85),
    rate("fan-out-10", BARE_FRAMED, 0.85),
    rate("fan-out-10", NATS, 6.0),
    rate("fan-out-10", REDIS, 6.0),
    rate("fan-out-100", BARE, 0.85),
    rate("fan-out-100", NATS, 10.0),
    rate("fan-out-100", REDIS, 6.0),
    cost("fan-out-100", Figure::Cpu, NATS, 1.0 / 12.0),
    cost("fan-out-100", Figure::Cpu, REDIS, 1.0 / 5.0),
    rate("fan-out-1000", BARE, 0.85),
    rate("fan-out-1000", NATS, 10.0),
    rate("fan-out-1000", REDIS, 9.0),
    rate("fan-out-16-bytes", NATS, 15.0),
    rate("fan-out-16-bytes", REDIS, 15.0),
    rate("fan-out-4-kib", BARE, 0.95),
    rate("fan-out-4-kib", NATS, 4.0),
    rate("fan-out-4-kib", REDIS, 1.8),
    rate("publishers-32", BARE, 0.9),
    rate("publishers-32", NATS, 7.0),
    rate("publishers-32", REDIS, 7.0),
    rate("topics-1000", NATS, 2.0),
    rate("topics-1000", REDIS, 2.0),
    rate("topics-1000", MOSQUITTO, 10.0),
    rate("topics-10000", NATS, 2.0),
    rate("topics-10000", REDIS, 2.0),
    rate("topics-10000", MOSQUITTO, 10.0),
    rate("topics-pattern", NATS, 2.0),
    rate("topics-pattern", REDIS, 2.0),
    rate("topics-pattern", MOSQUITTO, 10.0),
    rate("topics-mixed", NATS, 2.0),
    rate("topics-mixed", REDIS, 2.0),
    rate("topics-mixed", MOSQUITTO, 10.0),
    rate("topics-mixed", UNFILTERED, 0.9),
    cost("topics-unread", Figure::Cpu, NO_TOPIC, 1.2),
    cost("memory-topic", Figure::Bytes, Than::Nothing, 250.0),
    cost("memory-subscription", Figure::Bytes, Than::Nothing, 150.0),
    cost("delivery", Figure::P50, BARE, 1.3),
    cost("delivery", Figure::P50, NATS, 0.5),
    cost("delivery", Figure::P50, REDIS, 0.95),
    cost("delivery", Figure::P99, REDIS, 1.0),
    cost("paced-1000", Figure::Cpu, BARE, 1.15),
    cost("paced-1000", Figure::Cpu, REDIS, 0.8),
    cost("paced-20000", Figure::Cpu, BARE, 1.05),
    cost("paced-20000", Figure::Cpu, REDIS, 1.0),
    cost("paced-20000", Figure::P50, BEST_PEER, 1.0),
    cost("paced-20000", Figure::P99, BEST_PEER, 1.0),
    cost("paced-20000", Figure::P999, BEST_PEER, 1.0),
    cost("request", Figure::P50, REDIS, 0.95),
    cost("request", Figure::P50, TOKIO_ECHO, 1.1),
    cost("request", Figure::P99, REDIS, 1.0),
    rate("loops-1", REDIS, 1.2),
    rate("loops-1-one-cpu", REDIS, 1.0),
    rate("loops-16", REDIS, 1.6),
    rate("services-64", NATS, 2.0),
    rate("services-64", REDIS, 2.0),
    cost("services-1-one-cpu", Figure::P50, NATS, 1.0),
    cost("services-1-one-cpu", Figure::P99, NATS, 1.0),
    rate("tls-fan-out", NATS, 4.0),
    rate("tls-fan-out", REDIS, 4.0),
    rate("tls-loops", REDIS, 1.1),
    rate("journal-64", JETSTREAM, 4.0),
    cost("journal-1", Figure::P50, SQLITE, 1.2),
    cost("start", Figure::P50, Than::Nothing, 25_000.0),
    cost("stop", Figure::P50, Than::Nothing, 25_000.0),
];

/// Returns the bars of a row.
pub fn bars_of(row: &Row) -> impl Iterator<Item = &'static Bar> {
    BARS.iter().filter(move |bar| bar.row == row.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Figures;
    use crate::measure::Runs;
    use crate::rows::ROWS;

    #[test]
    fn bar_refers_to_an_existing_row_system_and_figure() {
        for bar in BARS {
            let row = ROWS.iter().find(|row| row.id == bar.row);
            let row = row.expect(bar.row);
            assert!(row.work.figures().contains(&bar.figure), "{bar:?}");
            for system in bar.than.systems() {
                assert!(row.systems.contains(system), "{bar:?}");
            }
        }
    }

    fn runs(system: System, rates: &[f64]) -> Runs {
        let figures = |rate: &f64| Figures {
            rate: *rate,
            ..Figures::default()
        };
        Runs {
            system,
            rounds: rates.iter().map(figures).collect(),
            failed: None,
        }
    }

    #[test]
    fn ratio_to_the_best_compares_with_the_best_of_each_round() {
        let result = RowResult {
            row: "fan-out-10".to_owned(),
            runs: vec![
                runs(System::Arauto, &[8.0, 8.0]),
                runs(System::Nats, &[2.0, 1.0]),
                runs(System::NatsDebian, &[1.0, 4.0]),
            ],
        };
        let row = ROWS.iter().find(|row| row.id == "fan-out-10");
        let ratio = NATS.ratio(Figure::Rate, row.expect("a row"), &result);
        let ratio = ratio.expect("rounds");
        assert_eq!((ratio.least, ratio.most), (2.0, 4.0));
    }
}
