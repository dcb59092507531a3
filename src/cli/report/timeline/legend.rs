//! The legend: explains the marks and the colours.

use maud::{Markup, html};

use super::layout::{Layout, px};

/// A point in an actor's course through the stop.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mark {
    Cut,
    LastReply,
    LastBroadcast,
    Closing,
    Stopped,
}

impl Mark {
    const ALL: [(Mark, &str); 5] = [
        (Mark::Cut, "cut, or sealed"),
        (Mark::LastReply, "last reply"),
        (Mark::LastBroadcast, "last broadcast"),
        (Mark::Closing, "closing"),
        (Mark::Stopped, "stopped"),
    ];

    /// Draws the mark, centred on a point.
    pub(super) fn draw(self, x: f64, y: f64) -> Markup {
        let points = |corners: &[(f64, f64)]| {
            let corners = corners
                .iter()
                .map(|(dx, dy)| format!("{},{}", px(x + dx), px(y + dy)));
            corners.collect::<Vec<_>>().join(" ")
        };
        match self {
            Mark::Cut => html! {
                line class="line" x1=(px(x)) x2=(px(x)) y1=(px(y - 7.0)) y2=(px(y + 7.0)) {}
            },
            Mark::LastReply => html! { circle class="ink" cx=(px(x)) cy=(px(y)) r="3.2" {} },
            Mark::LastBroadcast => html! {
                polygon class="plum" points=(points(&[(0., -5.), (5., 0.), (0., 5.), (-5., 0.)])) {}
            },
            Mark::Closing => html! {
                polygon class="ink" points=(points(&[(-3.5, -5.), (4.5, 0.), (-3.5, 5.)])) {}
            },
            Mark::Stopped => html! {
                rect class="ink" x=(px(x - 2.5)) y=(px(y - 6.0)) width="5" height="12" {}
            },
        }
    }
}

const COLOURS: [(&str, &str); 5] = [
    ("work", "at work"),
    ("drain", "from the cut to closing"),
    ("closing", "from closing to the end"),
    ("broken", "cut off, or broke off"),
    ("late", "a deadline passed"),
];

const LINE: f64 = 18.0;

/// Draws the legend from `y` on, and returns the y position below it.
pub(super) fn draw(layout: &Layout, y: f64) -> (Markup, f64) {
    let mut position = EntryPosition {
        right: layout.right(),
        left: layout.edge(),
        x: layout.edge(),
        y: y + LINE / 2.0,
    };
    let colours = COLOURS.map(|(class, name)| {
        let (x, y) = position.next(name);
        html! {
            rect class=(class) x=(px(x)) y=(px(y - 5.0)) width="12" height="10" {}
            text x=(px(x + 17.0)) y=(px(y + 4.0)) { (name) }
        }
    });
    position.next_line();
    let marks = Mark::ALL.map(|(mark, name)| {
        let (x, y) = position.next(name);
        html! {
            (mark.draw(x + 6.0, y))
            text x=(px(x + 17.0)) y=(px(y + 4.0)) { (name) }
        }
    });
    let note = "within a column time is to scale";
    let (x, note_y) = position.next(note);
    let legend = html! {
        @for entry in colours.iter().chain(&marks) { (entry) }
        text class="quiet" x=(px(x)) y=(px(note_y + 4.0)) { (note) }
    };
    (legend, note_y + LINE)
}

/// The position of the next entry.
struct EntryPosition {
    left: f64,
    right: f64,
    x: f64,
    y: f64,
}

impl EntryPosition {
    fn next_line(&mut self) {
        (self.x, self.y) = (self.left, self.y + LINE);
    }

    fn next(&mut self, name: &str) -> (f64, f64) {
        let width = 17.0 + Layout::text_width(name);
        if self.x + width > self.right && self.x > self.left {
            self.next_line();
        }
        let here = (self.x, self.y);
        self.x += width + 14.0;
        here
    }
}
