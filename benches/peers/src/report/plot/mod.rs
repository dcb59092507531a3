//! The picture: throughput and latency, grouped by work, one colour a system.

mod panels;

use std::path::Path;

use anyhow::Result;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::Results;
use crate::figure::Figure;
use crate::measure::{RowResult, Runs};
use crate::stats::Spread;
use panels::{Line, PANELS, Panel, SYSTEMS};

const WIDTH: u32 = 1180;
const HEAD: u32 = 84;
const PANEL: u32 = 330;
const MARGIN: i32 = 16;
const LEFT: u32 = 64;
const BOTTOM: u32 = 48;

/// The room between two groups, in bars.
const GAP: f64 = 1.4;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// One system's bar.
struct Bar {
    colour: RGBColor,
    height: f64,
    /// Where the line at its top begins and ends.
    line: [f64; 2],
    /// A dot above it.
    mark: Option<f64>,
}

struct Group {
    label: [&'static str; 2],
    bars: Vec<Bar>,
}

/// Draws what was measured into `path`.
pub fn draw(results: &Results, path: &Path) -> Result<()> {
    let height = HEAD + PANEL * PANELS.len() as u32;
    let area = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    legend(&area)?;
    let (_, rest) = area.split_vertically(HEAD);
    let places = rest.split_evenly((PANELS.len(), 1));
    for (panel, place) in PANELS.iter().zip(&places) {
        let groups = groups(panel, results);
        if !groups.is_empty() {
            draw_panel(panel, &groups, &area, place)?;
        }
    }
    area.present()?;
    Ok(())
}

/// Returns the groups of a panel that have figures.
fn groups(panel: &Panel, results: &Results) -> Vec<Group> {
    let groups = panel.groups.iter().filter_map(|(id, label)| {
        let result = results.row(id)?;
        Some(Group {
            label: *label,
            bars: bars(panel, result),
        })
    });
    groups.filter(|group| !group.bars.is_empty()).collect()
}

fn bars(panel: &Panel, result: &RowResult) -> Vec<Bar> {
    let bars = SYSTEMS.iter().filter_map(|(system, colour)| {
        let runs = result.of(*system)?;
        let spread = spread(runs, panel.figure)?;
        let (line, mark) = match panel.line {
            Line::Rounds => ([spread.least, spread.most], None),
            Line::UpTo(end, mark) => {
                let [end, mark] =
                    [end, mark].map(|figure| Some(self::spread(runs, figure)?.median));
                ([spread.median, end.unwrap_or(spread.median)], mark)
            }
        };
        Some(Bar {
            colour: *colour,
            height: spread.median,
            line,
            mark,
        })
    });
    bars.collect()
}

fn spread(runs: &Runs, figure: Figure) -> Option<Spread> {
    Spread::of(runs.rounds.iter().filter_map(|round| figure.of(round)))
}

/// Returns the powers of ten between which all bars end.
fn range(groups: &[Group]) -> std::ops::Range<f64> {
    let bars = || groups.iter().flat_map(|group| &group.bars);
    let least = bars().map(|bar| bar.height).fold(f64::MAX, f64::min);
    let ends = bars().map(|bar| bar.line[1].max(bar.mark.unwrap_or(0.0)));
    let most = ends.fold(least, f64::max);
    // The lowest bar is to be seen, and the highest number to have room.
    let (low, high) = ((least / 2.0).log10().floor(), (most * 2.0).log10().ceil());
    10f64.powf(low)..10f64.powf(high)
}

fn draw_panel(panel: &Panel, groups: &[Group], area: &Area<'_>, place: &Area<'_>) -> Result<()> {
    let range = range(groups);
    let bottom = range.start;
    let bars: usize = groups.iter().map(|group| group.bars.len()).sum();
    let wide = bars as f64 + GAP * groups.len() as f64;
    let mut chart = ChartBuilder::on(place)
        .margin(MARGIN)
        .margin_top(36)
        .x_label_area_size(BOTTOM)
        .y_label_area_size(LEFT)
        .build_cartesian_2d(0.0..wide, range.log_scale())?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .disable_x_axis()
        .y_labels(6)
        .max_light_lines(0)
        .y_label_formatter(&|value| short(*value))
        .label_style(font(13))
        .bold_line_style(RGBColor(225, 225, 225))
        .draw()?;
    let plot = chart.plotting_area();
    let (_, top) = place.get_base_pixel();
    area.draw(&Text::new(panel.title, (MARGIN, top + 8), font(15)))?;
    let mut left = GAP / 2.0;
    for group in groups {
        let middle = left + group.bars.len() as f64 / 2.0;
        let (x, y) = plot.map_coordinate(&(middle, bottom));
        for (line, text) in group.label.iter().enumerate() {
            let place = (x, y + 8 + 18 * line as i32);
            area.draw(&Text::new(*text, place, centred(13, VPos::Top)))?;
        }
        for (index, bar) in group.bars.iter().enumerate() {
            let left = left + index as f64;
            let middle = left + 0.5;
            let corners = [(left + 0.06, bottom), (left + 0.94, bar.height)];
            plot.draw(&Rectangle::new(corners, bar.colour.filled()))?;
            let ends = bar.line.map(|end| (middle, end));
            plot.draw(&PathElement::new(ends, BLACK.stroke_width(1)))?;
            if let Some(mark) = bar.mark {
                plot.draw(&Circle::new((middle, mark), 2, BLACK.filled()))?;
            }
            // Above a bar whose line says something else its number would be read as that.
            let (at, style) = match panel.line {
                Line::Rounds => (bar.line[1], centred(10, VPos::Bottom)),
                Line::UpTo(..) => (bottom, on(bar.colour)),
            };
            let (x, y) = plot.map_coordinate(&(middle, at));
            area.draw(&Text::new(short(bar.height), (x, y - 4), style))?;
        }
        left += group.bars.len() as f64 + GAP;
    }
    Ok(())
}

fn legend(area: &Area<'_>) -> Result<()> {
    let title = "All scales are logarithmic. Bars and numbers are medians of the rounds; \
                 lines of rates go from the least to the most.";
    area.draw(&Text::new(title, (MARGIN, 10), font(13)))?;
    let columns = SYSTEMS.len().div_ceil(2);
    for (index, (system, colour)) in SYSTEMS.iter().enumerate() {
        let x = MARGIN + 170 * (index % columns) as i32;
        let y = 36 + 20 * (index / columns) as i32;
        area.draw(&Rectangle::new([(x, y), (x + 12, y + 12)], colour.filled()))?;
        area.draw(&Text::new(system.name(), (x + 18, y - 1), font(13)))?;
    }
    Ok(())
}

fn font(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&BLACK)
}

fn centred(size: u32, vertical: VPos) -> TextStyle<'static> {
    font(size).pos(Pos::new(HPos::Center, vertical))
}

/// Returns the style of a number at the foot of a bar of this colour.
fn on(colour: RGBColor) -> TextStyle<'static> {
    let RGBColor(red, green, blue) = colour;
    let is_dark = u32::from(red) + u32::from(green) + u32::from(blue) < 400;
    let text = if is_dark { &WHITE } else { &BLACK };
    centred(10, VPos::Bottom).color(text)
}

/// Formats a number in as few characters as possible: `3.4M`, `120k`, `9.3`.
fn short(value: f64) -> String {
    let (value, unit) = match value {
        1e9.. => (value / 1e9, "G"),
        1e6.. => (value / 1e6, "M"),
        1e3.. => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let text = match value >= 10.0 {
        true => format!("{value:.0}"),
        false => format!("{value:.1}"),
    };
    let text = text.strip_suffix(".0").unwrap_or(&text);
    format!("{text}{unit}")
}
