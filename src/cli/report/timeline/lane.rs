//! Draws one actor's course through the stop as a lane.

use arauto::{ActorLine, Micros, SessionOutcome, SessionRecord, Times};
use maud::{Markup, html};

use super::super::words::{clean, optional_span, ranges, user};
use super::column::Columns;
use super::layout::{Layout, fitted, px};
use super::legend::Mark;

/// How an actor ended.
#[derive(Debug, Clone, Copy)]
enum LaneEnd {
    Complete,
    CutOff,
    /// It had ended before the stop began.
    Earlier,
}

/// Returns whether a session had ended before the stop began: it has no times, and misses
/// nothing.
pub(super) fn was_over(record: &SessionRecord) -> bool {
    record.times_us == Times::default() && record.is_whole()
}

/// A lane that is not drawn yet.
pub(super) struct Lane {
    name: String,
    /// The tooltip.
    detail: String,
    times: Times,
    end: LaneEnd,
    /// The text about missing broadcasts.
    missing: Option<String>,
}

impl Lane {
    /// Makes the lane of an actor that is not a session: it is sealed, and stops.
    pub(super) fn of_actor(line: &ActorLine) -> Lane {
        let times = Times {
            cut: line.sealed_us,
            stopped: line.stopped_us,
            ..Times::default()
        };
        let (name, sealed, stopped) = (
            clean(&line.actor.to_string()),
            optional_span(times.cut),
            optional_span(times.stopped),
        );
        Lane {
            detail: format!("{name}: sealed {sealed}, stopped {stopped}"),
            name,
            times,
            end: match times.stopped {
                Some(_) => LaneEnd::Complete,
                None => LaneEnd::CutOff,
            },
            missing: None,
        }
    }

    pub(super) fn of_session(record: &SessionRecord) -> Lane {
        let times = record.times_us;
        let name = format!("{} {}", record.session, user(record));
        let verb = match record.missing_undecided_to {
            Some(_) => "may miss",
            None => "misses",
        };
        let missing =
            (!record.missing.is_empty()).then(|| format!("{verb} {}", ranges(&record.missing)));
        let detail = format!(
            "{name} at {}: {}, {}; accepted {}, answered {}, refused {}; cut {}, last reply {}, \
             last broadcast {}, closing {}, stopped {}",
            clean(&record.endpoint),
            record.outcome().as_str(),
            record.evidence.as_str(),
            record.accepted,
            record.answered,
            record.refused,
            optional_span(times.cut),
            optional_span(times.last_reply),
            optional_span(times.last_broadcast),
            optional_span(times.closing),
            optional_span(times.stopped),
        );
        Lane {
            name,
            detail,
            times,
            end: match record.outcome() {
                _ if was_over(record) => LaneEnd::Earlier,
                SessionOutcome::Complete => LaneEnd::Complete,
                _ => LaneEnd::CutOff,
            },
            missing,
        }
    }

    pub(super) fn draw(&self, layout: &Layout, columns: &Columns, y: f64) -> Markup {
        let (name_x, name_y) = layout.name_at(y);
        let bar = y + layout.bar();
        let middle = bar + Layout::BAR / 2.0;
        html! {
            g {
                title { (self.detail) }
                text x=(px(name_x)) y=(px(name_y)) { (fitted(&self.name, layout.name_letters())) }
                (self.bars(columns, bar))
                @for (mark, at) in self.marks() {
                    @if let Some(at) = at { (mark.draw(columns.x(at), middle)) }
                }
                @if let Some(missing) = &self.missing { (self.missed(layout, columns, missing, y)) }
            }
        }
    }

    /// Draws the bars: at work until the cut, then until `closing`, then until the end.
    fn bars(&self, columns: &Columns, y: f64) -> Markup {
        let times = &self.times;
        let end = times.stopped.map_or(columns.right(), |at| columns.x(at));
        let x = |at: Option<Micros>| at.map_or(end, |at| columns.x(at).min(end));
        let cut = x(times.cut.or(times.closing));
        let closing = x(times.closing);
        let (drain, last) = match self.end {
            LaneEnd::Complete => ("drain", "closing"),
            LaneEnd::CutOff if times.closing.is_none() => ("broken", "broken"),
            LaneEnd::CutOff => ("drain", "broken"),
            LaneEnd::Earlier => ("over", "over"),
        };
        let first = if let LaneEnd::Earlier = self.end {
            "over"
        } else {
            "work"
        };
        let parts = [
            (first, columns.left(), cut),
            (drain, cut, closing),
            (last, closing, end),
        ];
        html! {
            @for (class, from, to) in parts {
                @if to > from {
                    rect class=(class) x=(px(from)) y=(px(y)) width=(px(to - from))
                        height=(px(Layout::BAR)) {}
                }
            }
        }
    }

    fn marks(&self) -> [(Mark, Option<Micros>); 5] {
        let times = &self.times;
        [
            (Mark::Cut, times.cut),
            (Mark::LastReply, times.last_reply),
            (Mark::LastBroadcast, times.last_broadcast),
            (Mark::Closing, times.closing),
            (Mark::Stopped, times.stopped),
        ]
    }

    /// Draws the text about missing broadcasts: in the narrow layout beside the name, else on the
    /// bar, before its end.
    fn missed(&self, layout: &Layout, columns: &Columns, missing: &str, y: f64) -> Markup {
        let (_, name_y) = layout.name_at(y);
        if layout.has_turned_names() {
            let x = px(layout.right());
            return html! {
                text class="grave" x=(x) y=(px(name_y)) text-anchor="end" { (missing) }
            };
        }
        let width = Layout::text_width(missing) + 8.0;
        let end = self
            .times
            .stopped
            .map_or(columns.right(), |at| columns.x(at));
        let left = (end - width - 8.0).max(columns.left());
        html! {
            rect class="paper" x=(px(left)) y=(px(y + 3.0)) width=(px(width)) height="14" rx="3" {}
            text class="grave" x=(px(left + 4.0)) y=(px(name_y)) { (missing) }
        }
    }
}
