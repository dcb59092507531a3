//! One actor's way through the stop.

use arauto::{ActorLine, Micros, SessionOutcome, SessionRecord, Times};
use maud::{Markup, html};

use super::super::words::{clean, maybe, ranges, user};
use super::column::Columns;
use super::legend::Mark;
use super::look::{Look, fitted, px};

/// Whether an actor came to its end.
#[derive(Debug, Clone, Copy)]
enum Way {
    Whole,
    CutOff,
    /// Nothing was left to do when the stop began.
    Over,
}

/// Whether a session had come to its end when the stop began: it has no times, and is
/// owed nothing.
pub(super) fn was_over(record: &SessionRecord) -> bool {
    record.times_us == Times::default() && record.is_whole()
}

/// A lane, before it is drawn.
pub(super) struct Lane {
    name: String,
    /// What a pointer that rests on it is told.
    detail: String,
    times: Times,
    way: Way,
    /// What it misses.
    missing: Option<String>,
}

impl Lane {
    /// An actor that is no session: it is sealed, and stops.
    pub(super) fn of_actor(line: &ActorLine) -> Lane {
        let times = Times {
            cut: line.sealed_us,
            stopped: line.stopped_us,
            ..Times::default()
        };
        let (name, sealed, stopped) = (clean(&line.actor), maybe(times.cut), maybe(times.stopped));
        Lane {
            detail: format!("{name}: sealed {sealed}, stopped {stopped}"),
            name,
            times,
            way: match times.stopped {
                Some(_) => Way::Whole,
                None => Way::CutOff,
            },
            missing: None,
        }
    }

    pub(super) fn of_session(record: &SessionRecord) -> Lane {
        let times = record.times_us;
        let name = format!("{} {}", record.session, user(record));
        let missing =
            (!record.missing.is_empty()).then(|| format!("misses {}", ranges(&record.missing)));
        let detail = format!(
            "{name} at {}: {}, {}; accepted {}, answered {}, refused {}; cut {}, last reply {}, \
             last broadcast {}, closing {}, stopped {}",
            clean(&record.endpoint),
            record.outcome().as_str(),
            record.evidence.as_str(),
            record.accepted,
            record.answered,
            record.refused,
            maybe(times.cut),
            maybe(times.last_reply),
            maybe(times.last_broadcast),
            maybe(times.closing),
            maybe(times.stopped),
        );
        Lane {
            name,
            detail,
            times,
            way: match record.outcome() {
                _ if was_over(record) => Way::Over,
                SessionOutcome::Complete => Way::Whole,
                _ => Way::CutOff,
            },
            missing,
        }
    }

    pub(super) fn draw(&self, look: &Look, columns: &Columns, y: f64) -> Markup {
        let (name_x, name_y) = look.name_at(y);
        let bar = y + look.bar();
        let middle = bar + Look::BAR / 2.0;
        html! {
            g {
                title { (self.detail) }
                text x=(px(name_x)) y=(px(name_y)) { (fitted(&self.name, look.name_letters())) }
                (self.bars(columns, bar))
                @for (mark, at) in self.marks() {
                    @if let Some(at) = at { (mark.draw(columns.x(at), middle)) }
                }
                @if let Some(missing) = &self.missing { (self.missed(look, columns, missing, y)) }
            }
        }
    }

    /// At work until the cut, on the way to `closing`, and from there to the end.
    fn bars(&self, columns: &Columns, y: f64) -> Markup {
        let times = &self.times;
        let end = times.stopped.map_or(columns.right(), |at| columns.x(at));
        let x = |at: Option<Micros>| at.map_or(end, |at| columns.x(at).min(end));
        let cut = x(times.cut.or(times.closing));
        let closing = x(times.closing);
        let (drain, last) = match self.way {
            Way::Whole => ("drain", "closing"),
            Way::CutOff if times.closing.is_none() => ("broken", "broken"),
            Way::CutOff => ("drain", "broken"),
            Way::Over => ("over", "over"),
        };
        let first = if let Way::Over = self.way {
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
                        height=(px(Look::BAR)) {}
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

    /// On a phone beside the name, at a desk on the bar, before its end.
    fn missed(&self, look: &Look, columns: &Columns, missing: &str, y: f64) -> Markup {
        let (_, name_y) = look.name_at(y);
        if look.turns_names() {
            let x = px(look.right());
            return html! {
                text class="grave" x=(x) y=(px(name_y)) text-anchor="end" { (missing) }
            };
        }
        let width = Look::text_width(missing) + 8.0;
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
