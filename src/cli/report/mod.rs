//! `arauto report`: shows the report of a stop as tables or as a picture.

mod file;
mod page;
mod section;
mod sections;
mod timeline;
mod words;

use std::io;
use std::path::{Path, PathBuf};

use arauto::Report;

use self::timeline::Timeline;
use super::exit::{Failure, sysexits};
use super::output;
use super::whole_file;

pub(super) use self::file::read;
pub(super) use self::sections::summary;
pub(super) use self::words::{clean, span};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The report that `arauto serve --report FILE` wrote; `-` is stdin.
    #[arg(value_name = "FILE")]
    report: PathBuf,

    /// Draw the stop as a timeline, into this SVG file; `-` is stdout.
    #[arg(long, value_name = "OUT")]
    svg: Option<PathBuf>,

    /// Write the timeline and the tables into this HTML file; `-` is stdout.
    #[arg(long, value_name = "OUT")]
    html: Option<PathBuf>,

    /// The width of the SVG in pixels; below 600 it has the layout for a phone.
    #[arg(long, value_name = "PIXELS", default_value_t = 960, requires = "svg",
          value_parser = clap::value_parser!(u32).range(320..=4000))]
    width: u32,

    /// List every incomplete session, not only the first 20.
    #[arg(long)]
    all: bool,
}

pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let report = read(&args.report)?;
    if args.svg.is_none() && args.html.is_none() {
        let limit = if args.all { usize::MAX } else { 20 };
        let text = sections::text(&sections::all(&report, limit));
        return output::print(&format!("{}\n\n{text}\n", sections::head(&report)));
    }
    for out in args.svg.iter().chain(&args.html) {
        if out != Path::new("-") {
            whole_file::check(out).map_err(|error| write_failed(out, &error))?;
        }
    }
    if let Some(out) = &args.svg {
        write(out, &draw(&report, args.width)?.file())?;
    }
    if let Some(out) = &args.html {
        write(out, &html(&report, usize::MAX)?)?;
    }
    Ok(0)
}

/// The most incomplete sessions on the page of the last report.
const MOST_SESSIONS: usize = 200;

/// Returns the report in a file as a page; `None`: there is no file.
///
/// # Errors
/// The file cannot be read or has no report that can be drawn.
pub(super) fn last_page(path: &Path) -> Result<Option<String>, Failure> {
    match path.try_exists() {
        Ok(false) => Ok(None),
        // Reading it tells the error.
        Ok(true) | Err(_) => html(&read(path)?, MOST_SESSIONS).map(Some),
    }
}

fn html(report: &Report, limit: usize) -> Result<String, Failure> {
    let pictures = [draw(report, 960)?, draw(report, 390)?];
    Ok(page::html(report, &pictures, limit))
}

fn draw(report: &Report, width: u32) -> Result<Timeline, Failure> {
    Timeline::of(report, width).ok_or_else(|| {
        let message = "the report has no times, so it cannot be drawn: an older arauto wrote it";
        Failure::new(sysexits::DATAERR, message)
    })
}

fn write(out: &Path, text: &str) -> Result<(), Failure> {
    if out == Path::new("-") {
        return output::print(text).map(drop);
    }
    whole_file::replace(out, |file| file.write_all(text.as_bytes()))
        .map_err(|error| write_failed(out, &error))
}

fn write_failed(out: &Path, error: &io::Error) -> Failure {
    let message = format!("cannot write {}: {error}", out.display());
    Failure::new(sysexits::CANTCREAT, message)
}
