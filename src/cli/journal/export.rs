//! `arauto export`: prints a journal, of a running server too.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use arauto::Seq;
use arauto::internal::journal::JournalExport;
use arauto::wire::ServerFrame;
use serde::Serialize;

use super::line::{Footer, FooterTag, Header, HeaderTag, Line, VERSION};
use crate::cli::backup::check_exists;
use crate::cli::exit::{Failure, sysexits};
use crate::cli::os::default_data_folder;
use crate::cli::output::{Output, json_line};
use crate::cli::whole_file::NewFile;

#[derive(clap::Args)]
pub(in crate::cli) struct ExportArgs {
    /// The server's data folder [default: as for `arauto serve`].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Write lines of JSON, the only form that there is.
    #[arg(long, required = true)]
    jsonl: bool,

    /// Begin with this seq [default: the oldest one that the journal has].
    #[arg(long, value_name = "SEQ")]
    from: Option<u64>,

    /// End with this seq [default: the newest one].
    #[arg(long, value_name = "SEQ")]
    to: Option<u64>,

    /// Write to this file, which must not exist yet [default: stdout].
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Exports the journal of a data folder.
pub(in crate::cli) fn run_export(args: &ExportArgs) -> Result<u8, Failure> {
    let folder = args.data.clone().unwrap_or_else(default_data_folder);
    let database = folder.join("arauto.db");
    check_exists(&database)?;
    let journal = JournalExport::open(&database)?;
    let header = header(&journal, args)?;
    let mut out = Sink::open(args.output.as_deref())?;
    write(journal, &header, &mut out)?;
    out.finish()
}

/// Returns the header of the export that the arguments ask for.
fn header(journal: &JournalExport, args: &ExportArgs) -> Result<Header, Failure> {
    let (first, head) = (journal.first(), journal.head());
    let from = args.from.map_or(first, Seq);
    let to = args.to.map_or(head, Seq);
    let has_all = from >= first && to <= head && from <= to.next();
    // A journal without broadcasts has the range from its next seq to its head.
    if !has_all || to.next() < first {
        let message = match first <= head {
            true => format!("the journal has seq {first} to {head}, and not {from} to {to}"),
            false => format!("the journal has no broadcasts, and not {from} to {to}"),
        };
        return Err(Failure::new(sysexits::USAGE, message));
    }
    Ok(Header {
        arauto: HeaderTag::Journal,
        version: VERSION,
        stream: journal.stream().to_owned(),
        from,
        to,
    })
}

fn write(mut journal: JournalExport, header: &Header, out: &mut Sink) -> Result<(), Failure> {
    out.line(header)?;
    let mut kept = 0;
    journal.kept_below(header.from, |frame| {
        kept += 1;
        out.frame(Line::of_kept(frame), frame)
    })?;
    let mut broadcasts = 0;
    journal.broadcasts(header.from, header.to, |frame| {
        broadcasts += 1;
        out.frame(Line::of_broadcast(frame), frame)
    })?;
    journal.finish()?;
    out.line(&Footer {
        arauto: FooterTag::End,
        kept,
        broadcasts,
    })
}

/// The output of an export.
enum Sink {
    Stdout(Output),
    File(BufWriter<NewFile>),
}

impl Sink {
    fn open(path: Option<&Path>) -> Result<Sink, Failure> {
        match path {
            None => Ok(Sink::Stdout(Output::stdout())),
            Some(path) => {
                let file = NewFile::new(path).map_err(|error| failed(path, &error))?;
                Ok(Sink::File(BufWriter::new(file)))
            }
        }
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), Failure> {
        match self {
            Sink::Stdout(out) => out.json(line),
            Sink::File(out) => {
                let written = json_line(line).and_then(|line| out.write_all(line.as_bytes()));
                written.map_err(|error| failed(out.get_ref().path(), &error))
            }
        }
    }

    fn frame(&mut self, line: Option<Line<'_>>, frame: &ServerFrame<'_>) -> Result<(), Failure> {
        match line {
            Some(line) => self.line(&line),
            None => {
                let message = format!("the journal has a frame that is no broadcast: {frame:?}");
                Err(Failure::new(sysexits::DATAERR, message))
            }
        }
    }

    fn finish(self) -> Result<u8, Failure> {
        match self {
            Sink::Stdout(out) => out.finish(),
            Sink::File(out) => {
                let path = out.get_ref().path().to_owned();
                let written = out.into_inner().map_err(io::IntoInnerError::into_error);
                written
                    .and_then(NewFile::keep)
                    .map_err(|error| failed(&path, &error))?;
                Ok(0)
            }
        }
    }
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    let message = format!("{}: {error}", path.display());
    Failure::new(sysexits::CANTCREAT, message)
}
