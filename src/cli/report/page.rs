//! Writes the report as one self-contained HTML page.

use arauto::Report;
use maud::{DOCTYPE, PreEscaped, html};

use super::sections;
use super::timeline::{self, Timeline};

const STYLE: &str = "\
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 1rem auto; max-width: 62rem; padding: 0 .5rem; }
h1 { font-size: 1.3rem; margin: 0 0 .5rem; }
h2 { font-size: 1.05rem; margin: 1.5rem 0 .3rem; }
.table { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .8rem .2rem 0; text-align: left; white-space: nowrap; }
th { border-bottom: 1px solid #8888; font-weight: 600; }
svg { display: block; max-width: 100%; height: auto; }
.narrow { display: none; }
@media (max-width: 599px) { .wide { display: none; } .narrow { display: block; } }
";

/// Returns the page: the timeline in two layouts, for wide and for narrow windows, and every
/// table, in which at most `limit` incomplete sessions are listed.
pub(super) fn html(report: &Report, [wide, narrow]: &[Timeline; 2], limit: usize) -> String {
    let head = sections::head(report);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "arauto: a stop" }
                style { (PreEscaped(STYLE)) (PreEscaped(timeline::STYLE)) }
            }
            body {
                h1 { "A stop of arauto" }
                @for line in head.lines() { p { (line) } }
                div class="wide" { (wide.inline()) }
                div class="narrow" { (narrow.inline()) }
                @for section in sections::all(report, limit) { (section.html()) }
            }
        }
    };
    page.into_string()
}
