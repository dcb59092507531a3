//! Sizes and colours: for a desk, and for a phone.

/// Colours that the colour-blind can tell apart (Okabe and Ito), light and dark.
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

/// About how wide a letter of 12 px is.
const LETTER: f64 = 7.0;

/// Sizes, in pixels.
pub(super) struct Look {
    width: f64,
    is_phone: bool,
}

impl Look {
    pub(super) fn of_width(width: u32) -> Look {
        Look {
            width: f64::from(width),
            is_phone: width < 600,
        }
    }

    pub(super) fn width(&self) -> f64 {
        self.width
    }

    /// What is left free at both sides.
    pub(super) fn edge(&self) -> f64 {
        8.0
    }

    /// Where the columns begin: on a phone a lane's name stands above it.
    pub(super) fn left(&self) -> f64 {
        if self.is_phone { self.edge() } else { 190.0 }
    }

    pub(super) fn right(&self) -> f64 {
        self.width - self.edge()
    }

    /// Where the columns' names stand.
    pub(super) fn names(&self) -> f64 {
        52.0
    }

    /// On a phone a column is too narrow for its name.
    pub(super) fn turns_names(&self) -> bool {
        self.is_phone
    }

    /// What a column has at least.
    pub(super) fn narrowest(&self) -> f64 {
        if self.is_phone { 24.0 } else { 62.0 }
    }

    /// Where the first lane begins.
    pub(super) fn top(&self) -> f64 {
        self.names() + if self.is_phone { 112.0 } else { 38.0 }
    }

    pub(super) fn gap(&self) -> f64 {
        8.0
    }

    pub(super) fn lane_height(&self) -> f64 {
        if self.is_phone { 32.0 } else { 20.0 }
    }

    /// Where in a lane its bar begins; it is [`Look::BAR`] high.
    pub(super) fn bar(&self) -> f64 {
        if self.is_phone { 17.0 } else { 4.0 }
    }

    pub(super) const BAR: f64 = 12.0;

    /// Where a name stands, for a lane that begins at `y`: x and y.
    pub(super) fn name_at(&self, y: f64) -> (f64, f64) {
        (self.edge(), y + 14.0)
    }

    /// How many letters a lane's name has room for.
    pub(super) fn name_letters(&self) -> usize {
        let room = if self.is_phone {
            self.right() - self.edge()
        } else {
            self.left() - self.edge() - 8.0
        };
        (room / LETTER) as usize
    }

    /// How wide a text of 12 px is, about.
    pub(super) fn text_width(text: &str) -> f64 {
        text.chars().count() as f64 * LETTER
    }
}

/// A text that is cut where it is longer than so many letters.
pub(super) fn fitted(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    let kept = text.chars().take(letters.saturating_sub(1));
    kept.chain(['…']).collect()
}

/// A coordinate, to a tenth of a pixel.
pub(super) fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}
