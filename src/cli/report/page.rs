//! The report as one HTML page, which needs no other file.

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
.for-phone { display: none; }
@media (max-width: 599px) { .for-desk { display: none; } .for-phone { display: block; } }
";

/// The page: the picture twice, for a desk and for a phone, and every table.
pub(super) fn html(report: &Report, [desk, phone]: &[Timeline; 2]) -> String {
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
                div class="for-desk" { (desk.inline()) }
                div class="for-phone" { (phone.inline()) }
                @for section in sections::all(report, usize::MAX) { (section.html()) }
            }
        }
    };
    page.into_string()
}
