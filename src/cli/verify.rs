//! `arauto verify`: checks a copy, or the database of a data folder.

use std::path::{Path, PathBuf};

use arauto::internal::verify::{MOST_FAULTS, Verified, verify};
use serde_json::json;

use super::backup::{check_exists, contents};
use super::escape::one_line;
use super::exit::{Failure, complain, sysexits};
use super::output::Output;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,

    /// A copy made by `arauto backup`, or a server's data folder. The server may be running.
    #[arg(value_name = "FILE|DIR")]
    path: PathBuf,
}

/// Checks a database, and prints what there is. Its faults go to stderr, one a line.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let database = match args.path.is_dir() {
        true => args.path.join("arauto.db"),
        false => args.path.clone(),
    };
    check_exists(&database)?;
    let verified = verify(&database)?;
    let mut out = Output::stdout();
    match args.json {
        true => out.json(&object(&database, &verified))?,
        false => out.line(&line(&database, &verified))?,
    }
    let code = out.finish()?;
    for fault in &verified.faults {
        complain(&format!("{}: {}", database.display(), one_line(fault)));
    }
    let count = verified.faults.len();
    if count == 0 {
        return Ok(code);
    }
    let (noun, further) = match (count, verified.is_cut) {
        (_, true) => ("faults", format!("; the check ended after {MOST_FAULTS}")),
        (1, false) => ("fault", String::new()),
        (_, false) => ("faults", String::new()),
    };
    let message = format!(
        "{} has {count} {noun}{further}; see docs/operations.md; it was not changed",
        database.display()
    );
    Err(Failure::new(sysexits::DATAERR, message))
}

fn line(path: &Path, verified: &Verified) -> String {
    let judged = match verified.faults.is_empty() {
        true => "sound",
        false => "damaged",
    };
    let Verified { schema, bytes, .. } = verified;
    let rows = &verified.rows;
    let contents = contents(rows.accounts, rows.rules, verified.stream.as_ref());
    format!(
        "{}: {judged}: schema {schema}, {contents}, {bytes} bytes",
        path.display()
    )
}

fn object(path: &Path, verified: &Verified) -> serde_json::Value {
    let stream = verified.stream.as_ref();
    json!({
        "file": path.display().to_string(),
        "sound": verified.faults.is_empty(),
        "schema": verified.schema,
        "accounts": verified.rows.accounts,
        "rules": verified.rows.rules,
        "stream": stream.map(|stream| &stream.name),
        "from": stream.map(|stream| stream.first),
        "to": stream.map(|stream| stream.head),
        "bytes": verified.bytes,
        "faults": verified.faults,
    })
}
