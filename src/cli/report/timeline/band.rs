//! Draws many sessions of one outcome as a band: at each moment, how many of them had reached
//! which point of the stop.

use std::collections::BTreeMap;

use arauto::{Micros, SessionOutcome, SessionRecord, Times};
use maud::{Markup, html};

use super::super::words::{clean, count, missed};
use super::column::Columns;
use super::lane::was_over;
use super::layout::{Layout, fitted, px};

/// A band that is not drawn yet.
pub(super) struct Band<'a> {
    outcome: SessionOutcome,
    records: &'a [&'a SessionRecord],
    times: Vec<Times>,
    /// The share of all sessions, from 0 to 1.
    share: f64,
}

impl<'a> Band<'a> {
    pub(super) fn of(
        outcome: SessionOutcome,
        records: &'a [&'a SessionRecord],
        sessions: usize,
    ) -> Band<'a> {
        let over = Times {
            stopped: Some(Micros(0)),
            ..Times::default()
        };
        let times = records.iter().map(|record| match was_over(record) {
            true => over,
            false => record.times_us,
        });
        Band {
            outcome,
            records,
            times: times.collect(),
            share: records.len() as f64 / sessions as f64,
        }
    }

    /// Returns the height, with a minimum: a small group must be visible beside a large one.
    pub(super) fn height(&self, layout: &Layout) -> f64 {
        layout.bar() + 34.0 + 86.0 * self.share
    }

    pub(super) fn draw(&self, layout: &Layout, columns: &Columns, y: f64) -> Markup {
        let (name_x, name_y) = layout.name_at(y);
        let top = y + layout.bar();
        let height = y + self.height(layout) - top;
        let letters = layout.name_letters();
        let (name, notes) = (self.name(), self.notes());
        html! {
            g {
                title { (name) @for note in &notes { ", " (note) } }
                @if layout.has_turned_names() {
                    text x=(px(name_x)) y=(px(name_y)) {
                        (name) " " tspan class="quiet" { (fitted(&notes.join(", "), letters.saturating_sub(name.len() + 2))) }
                    }
                } @else {
                    text x=(px(name_x)) y=(px(name_y)) { (name) }
                    @for (index, note) in notes.iter().enumerate() {
                        text class="quiet" x=(px(name_x)) y=(px(name_y + 15.0 * (index + 1) as f64)) {
                            (fitted(note, letters))
                        }
                    }
                }
                (self.areas(columns, top, height))
                (self.rug(columns, |times| times.last_reply, "rug", (top, top + 6.0)))
                (self.rug(columns, |times| times.last_broadcast, "wave", (top + 7.0, top + 13.0)))
            }
        }
    }

    fn name(&self) -> String {
        format!("{} {}", count(self.records.len()), self.outcome.as_str())
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let missed = missed(self.records.iter().copied());
        if missed != "0" {
            notes.push(format!("misses {missed} broadcasts"));
        }
        let unanswered = self.records.iter();
        let unanswered: u64 = unanswered
            .map(|r| r.accepted.saturating_sub(r.answered))
            .sum();
        if unanswered > 0 {
            notes.push(format!("{unanswered} frames unanswered"));
        }
        let mut endpoints: BTreeMap<&str, usize> = BTreeMap::new();
        for record in self.records {
            *endpoints.entry(&record.endpoint).or_default() += 1;
        }
        let most = 2;
        let shown = endpoints.iter().take(most);
        notes.extend(
            shown.map(|(endpoint, sessions)| format!("{} {}", count(*sessions), clean(endpoint))),
        );
        if endpoints.len() > most {
            notes.push(format!("and {} more endpoints", endpoints.len() - most));
        }
        notes
    }

    /// Draws the areas, from the bottom: the sessions that are over, those that are closing,
    /// those between their cut and closing, and above them those at work.
    fn areas(&self, columns: &Columns, top: f64, height: f64) -> Markup {
        let over = self.xs(columns, |times| times.stopped);
        let closing = self.xs(columns, |times| times.closing.or(times.stopped));
        let cut = self.xs(columns, |times| {
            times.cut.or(times.closing).or(times.stopped)
        });
        let (left, width) = (columns.left(), columns.right() - columns.left());
        let is_cut_off = self.outcome != SessionOutcome::Complete;
        let steps = |xs: &[f64]| self.steps(xs, columns, top, height);
        html! {
            rect class="work" x=(px(left)) y=(px(top)) width=(px(width)) height=(px(height)) {}
            path class=(if is_cut_off { "broken" } else { "drain" }) d=(steps(&cut)) {}
            path class="closing" d=(steps(&closing)) {}
            path class="over" d=(steps(&over)) {}
        }
    }

    /// Returns the sorted x positions at which the sessions reached the point `of`.
    fn xs(&self, columns: &Columns, of: impl Fn(&Times) -> Option<Micros>) -> Vec<f64> {
        let times = self.times.iter().filter_map(of);
        let mut xs: Vec<f64> = times.map(|at| columns.x(at)).collect();
        xs.sort_by(f64::total_cmp);
        xs
    }

    /// Returns the path of the area below the number of sessions that have passed `xs`, to half
    /// a pixel.
    fn steps(&self, xs: &[f64], columns: &Columns, top: f64, height: f64) -> String {
        let (bottom, right) = (top + height, columns.right());
        let level = |passed: usize| bottom - height * passed as f64 / self.records.len() as f64;
        let mut path = format!(
            "M{} {}",
            px(xs.first().copied().unwrap_or(right)),
            px(bottom)
        );
        let mut from = 0;
        while from < xs.len() {
            let here = xs[from];
            let passed = xs.partition_point(|x| *x <= here + 0.5);
            path.push_str(&format!("H{}V{}", px(here), px(level(passed))));
            from = passed;
        }
        path.push_str(&format!("H{}V{}Z", px(right), px(bottom)));
        path
    }

    /// Draws a stroke at each pixel at which at least one session reached the point `of`.
    fn rug(
        &self,
        columns: &Columns,
        of: impl Fn(&Times) -> Option<Micros>,
        class: &str,
        (from, to): (f64, f64),
    ) -> Markup {
        let mut xs: Vec<u64> = self
            .xs(columns, of)
            .iter()
            .map(|x| x.round() as u64)
            .collect();
        xs.dedup();
        let strokes = xs.iter().map(|x| format!("M{x} {}V{}", px(from), px(to)));
        let strokes: String = strokes.collect();
        html! { @if !strokes.is_empty() { path class=(class) d=(strokes) {} } }
    }
}
