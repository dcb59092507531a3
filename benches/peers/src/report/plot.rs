//! The picture: deliveries a second, grouped by work, one colour a system.

use std::path::Path;

use anyhow::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::Results;
use crate::bars::Figure;
use crate::peer::System;
use crate::rows::{ROWS, Row, Work};
use crate::stats::Spread;

const SIZE: (u32, u32) = (1180, 560);
const MARGIN: i32 = 16;
const LEFT: u32 = 64;
const BOTTOM: u32 = 56;

/// The order of the bars in each group, and their colours: told apart by people
/// who do not see red and green, too.
const SYSTEMS: &[(System, RGBColor)] = &[
    (System::Arauto, RGBColor(0, 90, 181)),
    (System::Bare, RGBColor(120, 120, 120)),
    (System::BareFramed, RGBColor(185, 185, 185)),
    (System::Nats, RGBColor(230, 159, 0)),
    (System::NatsDebian, RGBColor(245, 205, 120)),
    (System::Redis, RGBColor(204, 65, 37)),
    (System::Mosquitto, RGBColor(140, 86, 160)),
];

/// Returns the name of a group, in two short lines.
fn label(row: &Row) -> Option<[String; 2]> {
    match row.work {
        Work::FanOut(work) if work.pace.is_none() && !row.tls => {
            let size = match work.size {
                4096 => "4 KiB".to_owned(),
                size => format!("{size} bytes"),
            };
            let readers = match work.publishers {
                1 => format!("readers: {}", work.readers),
                some => format!("{some} publishers, {} readers", work.readers),
            };
            Some([readers, size])
        }
        _ => None,
    }
}

/// Draws what was measured into `path`.
pub fn draw(results: &Results, path: &Path) -> Result<()> {
    let groups: Vec<_> = ROWS
        .iter()
        .filter_map(|row| Some((label(row)?, results.row(row.id)?)))
        .collect();
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let wide = groups.len() as f64 * GROUP;
    let mut chart = ChartBuilder::on(&area)
        .margin(MARGIN)
        .margin_top(64)
        .x_label_area_size(BOTTOM)
        .y_label_area_size(LEFT)
        .build_cartesian_2d(0.0..wide, (1e4..1e9).log_scale())?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .disable_x_axis()
        .y_labels(6)
        .max_light_lines(0)
        .y_label_formatter(&|rate| short(*rate))
        .label_style(font(13))
        .bold_line_style(RGBColor(225, 225, 225))
        .draw()?;
    let plot = chart.plotting_area();
    for (group, (label, result)) in groups.iter().enumerate() {
        let left = group as f64 * GROUP;
        for (line, text) in label.iter().enumerate() {
            let (x, y) = plot.map_coordinate(&(left + GROUP / 2.0, 1e4));
            let place = (x, y + 8 + 18 * line as i32);
            area.draw(&Text::new(text.clone(), place, centred(13, VPos::Top)))?;
        }
        for (index, (system, colour)) in SYSTEMS.iter().enumerate() {
            let rates = result.of(*system).map(|runs| &runs.rounds);
            let rates = rates.into_iter().flatten();
            let Some(rate) = Spread::of(rates.filter_map(|f| Figure::Rate.of(f))) else {
                continue;
            };
            let x = left + (GROUP - SYSTEMS.len() as f64) / 2.0 + index as f64;
            let corners = [(x + 0.06, 1e4), (x + 0.94, rate.median)];
            plot.draw(&Rectangle::new(corners, colour.filled()))?;
            let ends = [(x + 0.5, rate.least), (x + 0.5, rate.most)];
            plot.draw(&PathElement::new(ends, BLACK.stroke_width(1)))?;
            let (x, y) = plot.map_coordinate(&(x + 0.5, rate.most.max(rate.median)));
            let place = (x, y - 4);
            area.draw(&Text::new(
                short(rate.median),
                place,
                centred(10, VPos::Bottom),
            ))?;
        }
    }
    legend(&area)?;
    area.present()?;
    Ok(())
}

/// The width of a group in bars: six, and room to the next.
const GROUP: f64 = 7.4;

fn legend(area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>) -> Result<()> {
    let title = "deliveries a second, logarithmic; bars are medians, lines the least and the most";
    let x = LEFT as i32 + MARGIN;
    area.draw(&Text::new(title, (x, 10), font(15)))?;
    for (index, (system, colour)) in SYSTEMS.iter().enumerate() {
        let x = x + 130 * index as i32;
        area.draw(&Rectangle::new([(x, 40), (x + 12, 52)], colour.filled()))?;
        area.draw(&Text::new(system.name(), (x + 18, 39), font(13)))?;
    }
    Ok(())
}

fn font(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&BLACK)
}

fn centred(size: u32, vertical: VPos) -> TextStyle<'static> {
    font(size).pos(Pos::new(HPos::Center, vertical))
}

/// A number in as few signs as can be: `3.4M`, `120k`.
fn short(value: f64) -> String {
    let (value, unit) = match value {
        value if value >= 1e9 => (value / 1e9, "G"),
        value if value >= 1e6 => (value / 1e6, "M"),
        value => (value / 1e3, "k"),
    };
    let text = match value >= 10.0 {
        true => format!("{value:.0}"),
        false => format!("{value:.1}"),
    };
    let text = text.strip_suffix(".0").unwrap_or(&text);
    format!("{text}{unit}")
}
