//! A stop as a picture: a lane an actor, the phases as columns.
//!
//! Within a column time is to scale; the columns are not, so that a phase of a
//! microsecond can be seen beside one of eight seconds. More than [`MOST_LANES`]
//! sessions are folded into bands, one an outcome.

mod band;
mod column;
mod lane;
mod legend;
mod look;

use arauto::{Report, SessionOutcome, SessionRecord};
use maud::{Markup, PreEscaped, html};

use self::band::Band;
use self::column::Columns;
use self::lane::Lane;
use self::look::Look;
pub(super) use self::look::STYLE;
use super::sections;
use super::words::{count, meaning, span};

/// Sessions that have a lane each, at most.
const MOST_LANES: usize = 40;

/// The outcomes, the gravest first: what is to be looked at is on top.
const OUTCOMES: [SessionOutcome; 5] = [
    SessionOutcome::Missing,
    SessionOutcome::Unanswered,
    SessionOutcome::Unproven,
    SessionOutcome::Lost,
    SessionOutcome::Complete,
];

/// A picture that has been drawn.
pub(super) struct Timeline {
    width: f64,
    height: f64,
    label: String,
    drawing: Markup,
}

impl Timeline {
    /// Draws the report so many pixels wide. `None` if it has no times.
    pub(super) fn of(report: &Report, width: u32) -> Option<Timeline> {
        let look = Look::of_width(width);
        let columns = Columns::of(report, &look)?;
        let mut rows = Vec::new();
        let mut y = look.top();
        for line in &report.actors {
            let lane = Lane::of_actor(line);
            rows.push(lane.draw(&look, &columns, y));
            y += look.lane_height();
        }
        y += look.gap();
        if report.sessions.len() <= MOST_LANES {
            for record in &report.sessions {
                rows.push(Lane::of_session(record).draw(&look, &columns, y));
                y += look.lane_height();
            }
        } else {
            for outcome in OUTCOMES {
                let is_in = |record: &&SessionRecord| record.outcome() == outcome;
                let records: Vec<_> = report.sessions.iter().filter(is_in).collect();
                if records.is_empty() {
                    continue;
                }
                let band = Band::of(outcome, &records, report.sessions.len());
                rows.push(band.draw(&look, &columns, y));
                y += band.height(&look) + look.gap();
            }
        }
        let (legend, end) = legend::draw(&look, y + look.gap());
        let label = title(report);
        let drawing = html! {
            rect class="paper" width="100%" height="100%" {}
            (heading(report, &look))
            (columns.draw(&look, y))
            @for row in &rows { (row) }
            (legend)
        };
        Some(Timeline {
            width: look.width(),
            height: end,
            label,
            drawing,
        })
    }

    /// As a file of its own.
    pub(super) fn file(&self) -> String {
        let style = html! { style { (PreEscaped(STYLE)) } };
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n{}\n",
            self.element(style).into_string()
        )
    }

    /// As a part of a page that has [`STYLE`].
    pub(super) fn inline(&self) -> Markup {
        self.element(html! {})
    }

    fn element(&self, style: Markup) -> Markup {
        let view = format!("0 0 {} {}", self.width, self.height);
        html! {
            svg xmlns="http://www.w3.org/2000/svg" viewBox=(view) width=(self.width)
                height=(self.height) class="timeline" role="img" aria-label=(self.label) {
                (style)
                (self.drawing)
            }
        }
    }
}

fn title(report: &Report) -> String {
    format!(
        "{}: exit {} after {}, {} sessions",
        report.reason,
        report.exit,
        span(sections::total(report)),
        count(report.sessions.len())
    )
}

fn heading(report: &Report, look: &Look) -> Markup {
    let grave = if report.exit == 0 {
        "title"
    } else {
        "title grave"
    };
    html! {
        text class=(grave) x=(look.edge()) y="22" { (title(report)) }
        text class="quiet" x=(look.edge()) y="40" { (meaning(report.exit)) }
    }
}
