//! Sizes and colours, in a wide layout and in a narrow one for phones.

/// The colours, light and dark. People with colour blindness can tell them apart (palette of
/// Okabe and Ito).
pub(in crate::cli::report) const STYLE: &str = "\
.timeline text { font: 12px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #1c2430; }
.timeline .title { font-size: 15px; font-weight: 600; }
.timeline .quiet { fill: #5a6573; font-size: 11px; }
.timeline .grave { fill: #b23c00; }
.paper { fill: #ffffff; }
.column { fill: #f1f3f6; }
.late { fill: #fbe3d4; }
.rule { stroke: #d5dae1; stroke-width: 1; }
.work { fill: #b9c1cc; }
.drain { fill: #56b4e9; }
.closing { fill: #009e73; }
.over { fill: #e3e7ec; }
.broken { fill: #d55e00; }
.ink { fill: #1c2430; stroke: none; }
.line { stroke: #1c2430; stroke-width: 2; fill: none; }
.rug { stroke: #1c2430; stroke-width: 1; stroke-opacity: .55; }
.wave { stroke: #7a2f8f; stroke-width: 1; stroke-opacity: .6; }
.plum { fill: #7a2f8f; }
@media (prefers-color-scheme: dark) {
.timeline text { fill: #e6e9ee; }
.timeline .quiet { fill: #9aa5b3; }
.timeline .grave { fill: #ff9a5c; }
.paper { fill: #12161c; }
.column { fill: #1b212a; }
.late { fill: #3d2618; }
.rule { stroke: #323b47; }
.work { fill: #657080; }
.over { fill: #262d37; }
.ink { fill: #f4f6f8; }
.line { stroke: #f4f6f8; }
.rug { stroke: #f4f6f8; }
.wave { stroke: #d79be8; }
.plum { fill: #d79be8; }
}
";

/// The approximate width of a letter of 12 px.
const LETTER: f64 = 7.0;

/// The sizes and positions of a picture, in pixels.
pub(super) struct Layout {
    width: f64,
    is_narrow: bool,
}

impl Layout {
    pub(super) fn of_width(width: u32) -> Layout {
        Layout {
            width: f64::from(width),
            is_narrow: width < 600,
        }
    }

    pub(super) fn width(&self) -> f64 {
        self.width
    }

    /// Returns the margin at both sides.
    pub(super) fn edge(&self) -> f64 {
        8.0
    }

    /// Returns where the columns begin. In the narrow layout a lane's name stands above it.
    pub(super) fn left(&self) -> f64 {
        if self.is_narrow { self.edge() } else { 190.0 }
    }

    pub(super) fn right(&self) -> f64 {
        self.width - self.edge()
    }

    /// Returns the y position of the columns' names.
    pub(super) fn names(&self) -> f64 {
        52.0
    }

    /// Returns whether the columns' names are turned by 90 degrees: in the narrow layout a column
    /// is too narrow for its name.
    pub(super) fn has_turned_names(&self) -> bool {
        self.is_narrow
    }

    /// Returns the least width of a column.
    pub(super) fn least_column_width(&self) -> f64 {
        if self.is_narrow { 24.0 } else { 62.0 }
    }

    /// Returns the y position of the first lane.
    pub(super) fn top(&self) -> f64 {
        self.names() + if self.is_narrow { 112.0 } else { 38.0 }
    }

    pub(super) fn gap(&self) -> f64 {
        8.0
    }

    pub(super) fn lane_height(&self) -> f64 {
        if self.is_narrow { 32.0 } else { 20.0 }
    }

    /// Returns where in a lane its bar begins; it is [`Layout::BAR`] high.
    pub(super) fn bar(&self) -> f64 {
        if self.is_narrow { 17.0 } else { 4.0 }
    }

    pub(super) const BAR: f64 = 12.0;

    /// Returns the position (x, y) of the name of a lane that begins at `y`.
    pub(super) fn name_at(&self, y: f64) -> (f64, f64) {
        (self.edge(), y + 14.0)
    }

    /// Returns how many letters a lane's name may have.
    pub(super) fn name_letters(&self) -> usize {
        let width = if self.is_narrow {
            self.right() - self.edge()
        } else {
            self.left() - self.edge() - 8.0
        };
        (width / LETTER) as usize
    }

    /// Returns the approximate width of a text of 12 px.
    pub(super) fn text_width(text: &str) -> f64 {
        text.chars().count() as f64 * LETTER
    }
}

/// Shortens a text to at most this many letters.
pub(super) fn fitted(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    let kept = text.chars().take(letters.saturating_sub(1));
    kept.chain(['…']).collect()
}

/// Formats a coordinate, to a tenth of a pixel.
pub(super) fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}
