//! `arauto report`: a stop's report for a person, in words or as a picture.

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
pub(super) use self::words::clean;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The report that `arauto serve --report FILE` has written; `-` is stdin.
    #[arg(value_name = "FILE")]
    report: PathBuf,

    /// Draw the stop as a timeline into this SVG file; `-` is stdout.
    #[arg(long, value_name = "OUT")]
    svg: Option<PathBuf>,

    /// Write pictures and tables into this HTML file, which needs no other; `-` is
    /// stdout.
    #[arg(long, value_name = "OUT")]
    html: Option<PathBuf>,

    /// The SVG's width in pixels; below 600 it is drawn for a phone.
    #[arg(long, value_name = "PIXELS", default_value_t = 960, requires = "svg",
          value_parser = clap::value_parser!(u32).range(320..=4000))]
    width: u32,

    /// List every session that is not complete, not only the first 20.
    #[arg(long)]
    all: bool,
}

pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let report = read(&args.report)?;
    if args.svg.is_none() && args.html.is_none() {
        let most = if args.all { usize::MAX } else { 20 };
        let text = sections::text(&sections::all(&report, most));
        return output::print(&format!("{}\n\n{text}\n", sections::head(&report)));
    }
    for out in args.svg.iter().chain(&args.html) {
        if out != Path::new("-") {
            whole_file::check(out).map_err(|error| unwritten(out, &error))?;
        }
    }
    if let Some(out) = &args.svg {
        write(out, &timeline(&report, args.width)?.file())?;
    }
    if let Some(out) = &args.html {
        let pictures = [timeline(&report, 960)?, timeline(&report, 390)?];
        write(out, &page::html(&report, &pictures))?;
    }
    Ok(0)
}

fn timeline(report: &Report, width: u32) -> Result<Timeline, Failure> {
    Timeline::of(report, width).ok_or_else(|| {
        let what = "the report has no times: it was written by an older arauto";
        Failure::new(sysexits::DATAERR, what)
    })
}

fn write(out: &Path, text: &str) -> Result<(), Failure> {
    if out == Path::new("-") {
        return output::print(text).map(drop);
    }
    whole_file::replace(out, |file| file.write_all(text.as_bytes()))
        .map_err(|error| unwritten(out, &error))
}

fn unwritten(out: &Path, error: &io::Error) -> Failure {
    Failure::new(sysexits::CANTCREAT, format!("{}: {error}", out.display()))
}
