//! The phases as columns, and the x position of an instant in them.

use arauto::{Micros, Phase, Report};
use maud::{Markup, html};

use super::super::sections::took;
use super::super::words::span;
use super::layout::{Layout, px};

/// The phases, side by side.
pub(super) struct Columns(Vec<Column>);

struct Column {
    phase: Phase,
    began: u64,
    took: u64,
    in_time: bool,
    left: f64,
    right: f64,
}

impl Columns {
    /// Gives each phase the least width, and shares out the rest of the width by duration.
    /// `None`: the report has no times.
    pub(super) fn of(report: &Report, layout: &Layout) -> Option<Columns> {
        let lines = &report.phases;
        let total: u64 = lines.iter().map(|line| took(line).0).sum();
        if lines.is_empty() || lines.iter().skip(1).all(|line| line.began_us == Micros(0)) {
            return None;
        }
        let width = layout.right() - layout.left();
        let least = layout.least_column_width().min(width / lines.len() as f64);
        let shared = width - least * lines.len() as f64;
        let mut left = layout.left();
        let columns = lines.iter().map(|line| {
            let took = took(line).0;
            let right = left + least + shared * took as f64 / total.max(1) as f64;
            Column {
                phase: line.phase,
                began: line.began_us.0,
                took,
                in_time: line.in_time,
                left: std::mem::replace(&mut left, right),
                right,
            }
        });
        Some(Columns(columns.collect()))
    }

    /// Returns the x position of an instant.
    pub(super) fn x(&self, at: Micros) -> f64 {
        let passed = self.0.partition_point(|column| column.began <= at.0);
        let Some(column) = passed.checked_sub(1).map(|index| &self.0[index]) else {
            return self.left();
        };
        let part = match column.took {
            0 => 0.5,
            took => (at.0 - column.began) as f64 / took as f64,
        };
        column.left + part.min(1.0) * (column.right - column.left)
    }

    pub(super) fn left(&self) -> f64 {
        self.0.first().map_or(0.0, |column| column.left)
    }

    pub(super) fn right(&self) -> f64 {
        self.0.last().map_or(0.0, |column| column.right)
    }

    /// Draws the columns down to `bottom`, with their names.
    pub(super) fn draw(&self, layout: &Layout, bottom: f64) -> Markup {
        let top = layout.top() - 4.0;
        html! {
            @for (index, column) in self.0.iter().enumerate() {
                @let (width, height) = (px(column.right - column.left), px(bottom - top));
                @if !column.in_time || index % 2 == 0 {
                    rect class=(if column.in_time { "column" } else { "late" })
                        x=(px(column.left)) y=(px(top)) width=(width) height=(height) {}
                }
                (column.name(layout))
            }
        }
    }
}

impl Column {
    fn name(&self, layout: &Layout) -> Markup {
        let (name, time) = (self.phase.as_str(), span(Micros(self.took)));
        let grave = if self.in_time { "quiet" } else { "quiet grave" };
        let middle = (self.left + self.right) / 2.0;
        if layout.has_turned_names() {
            let (x, y) = (px(middle + 4.0), px(layout.top() - 8.0));
            let turn = format!("rotate(-90 {x} {y})");
            return html! {
                text x=(x) y=(y) transform=(turn) {
                    (name) " " tspan class=(grave) { (time) }
                }
            };
        }
        html! {
            text x=(px(middle)) y=(px(layout.names() + 12.0)) text-anchor="middle" { (name) }
            text class=(grave) x=(px(middle)) y=(px(layout.names() + 27.0)) text-anchor="middle" { (time) }
        }
    }
}
