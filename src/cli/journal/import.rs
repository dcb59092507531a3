//! `arauto import`: makes the journal of a data folder from an export.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use arauto::backup::CopyError;
use arauto::internal::journal::JournalImport;
use serde::de::DeserializeOwned;

use super::line::{Footer, Header, Kind, Line, MARK, VERSION};
use crate::cli::bounded::{LineError, Lines};
use crate::cli::exit::{Failure, complain, sysexits};
use crate::cli::os::default_data_folder;

/// The longest line, in bytes.
const LONGEST_LINE: usize = 1 << 30;

#[derive(clap::Args)]
pub(in crate::cli) struct ImportArgs {
    /// The data folder, which is made if there is none [default: as for `arauto serve`].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// The export; `-` is stdin.
    file: PathBuf,
}

/// Imports a journal into the folder of a server, which must not be running.
pub(in crate::cli) fn run_import(args: &ImportArgs) -> Result<u8, Failure> {
    let folder = args.data.clone().unwrap_or_else(default_data_folder);
    if args.file == Path::new("-") {
        return import(io::stdin().lock(), &args.file, &folder);
    }
    let file = File::open(&args.file).map_err(|error| {
        let message = format!("{}: {error}", args.file.display());
        Failure::new(sysexits::NOINPUT, message)
    })?;
    import(BufReader::new(file), &args.file, &folder)
}

fn import(input: impl BufRead, file: &Path, folder: &Path) -> Result<u8, Failure> {
    let mut export = Export {
        lines: Lines::new(input, LONGEST_LINE),
        number: 0,
    };
    let of_line =
        |failure: Failure, number: u64| failure.at(&format!("{}: line {number}", file.display()));
    let header = export.header();
    let header = header.map_err(|failure| of_line(failure, export.number))?;
    let opened = arauto::internal::open_data_folder(folder).map_err(CopyError::from)?;
    let mut import =
        JournalImport::begin(&opened, header.from, header.to).map_err(|error| match error {
            CopyError::BadImport(_) => of_line(error.into(), 1),
            error => error.into(),
        })?;
    let counts = export.pass_to(&mut import);
    let (kept, broadcasts) = counts.map_err(|failure| match failure.code() {
        sysexits::DATAERR => of_line(failure, export.number),
        _ => failure,
    })?;
    let footer = export.number - 1; // it was read to its end
    let stream = import.finish().map_err(|error| match error {
        CopyError::BadImport(_) => of_line(error.into(), footer),
        error => error.into(),
    })?;
    let kept = match kept {
        0 => String::new(),
        kept => format!(" and {kept} older kept values"),
    };
    complain(&format!(
        "imported: {broadcasts} broadcasts{kept} as the new stream {}, seq {} to {}, into {}; an \
         export has no accounts, `arauto users import` adds them",
        stream.name,
        stream.first,
        stream.head,
        folder.display()
    ));
    Ok(0)
}

/// An export that is being read.
struct Export<R> {
    lines: Lines<R>,
    /// The number of the line that was read last, from 1.
    number: u64,
}

impl<R: BufRead> Export<R> {
    fn header(&mut self) -> Result<Header, Failure> {
        let line = self.next()?.unwrap_or_default();
        if !line.starts_with(MARK) {
            let problem = "it is not the header of a journal that `arauto export` has written";
            return Err(wrong(problem));
        }
        // The version first: the header of another one may have other keys.
        let version: serde_json::Value = parsed(&line)?;
        match version.get("version").and_then(serde_json::Value::as_u64) {
            Some(VERSION) => parsed(&line),
            Some(newer) if newer > VERSION => Err(wrong(format!(
                "version {newer} of the export is newer than this arauto, which knows up to \
                 {VERSION}"
            ))),
            _ => Err(wrong("the header has no version that there was")),
        }
    }

    /// Reads the rest. Returns the number of kept values and of broadcasts.
    fn pass_to(&mut self, import: &mut JournalImport) -> Result<(u64, u64), Failure> {
        let (mut kept, mut broadcasts) = (0, 0);
        loop {
            let Some(line) = self.next()? else {
                return Err(wrong("the footer is missing: the export is not complete"));
            };
            if line.starts_with(MARK) {
                let footer: Footer = parsed(&line)?;
                if (footer.kept, footer.broadcasts) != (kept, broadcasts) {
                    return Err(wrong(format!(
                        "the footer counts {} kept values and {} broadcasts, and there are {kept} \
                         and {broadcasts}",
                        footer.kept, footer.broadcasts
                    )));
                }
                return match self.next()? {
                    None => Ok((kept, broadcasts)),
                    Some(_) => Err(wrong("it follows the footer, which ends an export")),
                };
            }
            let parsed: Line<'_> = serde_json::from_slice(&line).map_err(not_json)?;
            let kind = parsed.kind;
            let frame = parsed.into_frame().map_err(wrong)?;
            if kind == Kind::Kept {
                kept += 1;
                import.keep(&frame)?;
            } else {
                broadcasts += 1;
                import.append(&frame)?;
            }
        }
    }

    fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        self.number += 1;
        self.lines.next().map_err(|error| match error {
            LineError::Io(error) => Failure::new(sysexits::NOINPUT, error.to_string()),
            LineError::TooLong { limit, .. } => wrong(format!("it is longer than {limit} bytes")),
        })
    }
}

fn parsed<T: DeserializeOwned>(line: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(line).map_err(not_json)
}

fn not_json(error: serde_json::Error) -> Failure {
    wrong(format!("it is no line of an export: {error}"))
}

fn wrong(problem: impl Into<String>) -> Failure {
    Failure::new(sysexits::DATAERR, problem)
}
