//! Draws a stop as a picture: one lane per actor, one column per phase.
//!
//! Within a column time is to scale. The columns are not, so that a phase of a microsecond is
//! visible beside one of eight seconds. More than [`MAX_LANES`] sessions are drawn as bands, one
//! per outcome.

mod band;
mod column;
mod lane;
mod layout;
mod legend;

use arauto::{Report, SessionOutcome, SessionRecord};
use maud::{Markup, PreEscaped, html};

use self::band::Band;
use self::column::Columns;
use self::lane::Lane;
use self::layout::Layout;
pub(super) use self::layout::STYLE;
use super::sections;
use super::words::{count, exit_meaning, span};

/// The most sessions that are drawn with a lane each.
const MAX_LANES: usize = 40;

/// The outcomes, from top to bottom: the worst first.
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
    /// Draws the report, `width` pixels wide. `None`: the report has no times.
    pub(super) fn of(report: &Report, width: u32) -> Option<Timeline> {
        let layout = Layout::of_width(width);
        let columns = Columns::of(report, &layout)?;
        let mut rows = Vec::new();
        let mut y = layout.top();
        for line in &report.actors {
            let lane = Lane::of_actor(line);
            rows.push(lane.draw(&layout, &columns, y));
            y += layout.lane_height();
        }
        y += layout.gap();
        if report.sessions.len() <= MAX_LANES {
            for record in &report.sessions {
                rows.push(Lane::of_session(record).draw(&layout, &columns, y));
                y += layout.lane_height();
            }
        } else {
            for outcome in OUTCOMES {
                let is_in = |record: &&SessionRecord| record.outcome() == outcome;
                let records: Vec<_> = report.sessions.iter().filter(is_in).collect();
                if records.is_empty() {
                    continue;
                }
                let band = Band::of(outcome, &records, report.sessions.len());
                rows.push(band.draw(&layout, &columns, y));
                y += band.height(&layout) + layout.gap();
            }
        }
        let (legend, end) = legend::draw(&layout, y + layout.gap());
        let label = title(report);
        let drawing = html! {
            rect class="paper" width="100%" height="100%" {}
            (heading(report, &layout))
            (columns.draw(&layout, y))
            @for row in &rows { (row) }
            (legend)
        };
        Some(Timeline {
            width: layout.width(),
            height: end,
            label,
            drawing,
        })
    }

    /// Returns the picture as an SVG file.
    pub(super) fn file(&self) -> String {
        let style = html! { style { (PreEscaped(STYLE)) } };
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n{}\n",
            self.element(style).into_string()
        )
    }

    /// Returns the picture as a part of a page that has [`STYLE`].
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

fn heading(report: &Report, layout: &Layout) -> Markup {
    let grave = if report.exit == 0 {
        "title"
    } else {
        "title grave"
    };
    html! {
        text class=(grave) x=(layout.edge()) y="22" { (title(report)) }
        text class="quiet" x=(layout.edge()) y="40" { (exit_meaning(report.exit)) }
    }
}
