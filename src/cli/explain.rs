//! `arauto explain`: what became of one broadcast.

use std::collections::BTreeMap;
use std::path::PathBuf;

use arauto::{CloseReason, Evidence, Fate, Report, Seq, SessionRecord};
use serde_json::{Value, json};

use super::exit::{Failure, sysexits};
use super::output::Output;
use super::report::{clean, read};
use super::table::{lines, plain_table};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The broadcast's number.
    #[arg(value_name = "SEQ", value_parser = clap::value_parser!(u64).range(1..))]
    seq: u64,

    /// The report that `arauto serve --report FILE` has written; `-` is stdin.
    #[arg(long, value_name = "FILE")]
    report: PathBuf,

    /// Print one JSON object a line and session.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let (report, seq) = (read(&args.report)?, Seq(args.seq));
    if seq > report.head {
        let what = format!(
            "there is no broadcast {seq}: the last one of this stop is {}",
            report.head
        );
        return Err(Failure::new(sysexits::USAGE, what));
    }
    let mut out = Output::stdout();
    if args.json {
        for record in &report.sessions {
            out.json(&line(record, seq))?;
        }
    } else {
        out.text(&told(&report, seq))?;
    }
    out.finish()
}

fn told(report: &Report, seq: Seq) -> String {
    let mut table = plain_table(["session", "user", "endpoint", "fate", "because"]);
    let mut counts: BTreeMap<Fate, usize> = BTreeMap::new();
    for record in &report.sessions {
        let fate = record.fate(seq);
        *counts.entry(fate).or_default() += 1;
        table.add_row([
            record.session.to_string(),
            record.user.as_deref().map_or("-".to_owned(), clean),
            clean(&record.endpoint),
            name(fate).to_owned(),
            because(record, fate),
        ]);
    }
    let counts = counts
        .iter()
        .map(|(fate, count)| format!("{count} {}", name(*fate)));
    let counts = counts.collect::<Vec<_>>().join(", ");
    let counts = if counts.is_empty() {
        "no session was there when the stop began".to_owned()
    } else {
        counts
    };
    format!(
        "broadcast {seq} of {}, stream {}: {counts}\n\n{}\n",
        report.head,
        clean(&report.stream),
        lines(&table)
    )
}

fn line(record: &SessionRecord, seq: Seq) -> Value {
    let fate = record.fate(seq);
    json!({
        "session": record.session, "user": record.user, "endpoint": record.endpoint,
        "fate": name(fate), "because": because(record, fate),
    })
}

fn name(fate: Fate) -> &'static str {
    match fate {
        Fate::Acked => "acked",
        Fate::Sent(evidence) => evidence.as_str(),
        Fate::Missing => "missing",
        Fate::Gap => "gap",
        Fate::Unlisted => "unlisted",
        Fate::Unplaced => "unplaced",
        Fate::Before => "before",
        Fate::Behind => "behind",
        Fate::NoReader => "no-reader",
        _ => "unknown",
    }
}

fn because(record: &SessionRecord, fate: Fate) -> String {
    let sent = record.sent;
    match fate {
        Fate::Acked => format!("the client said that it has read up to {}", record.acked),
        Fate::Sent(Evidence::Read) => {
            format!("the client has read all that was written, up to {sent}")
        }
        Fate::Sent(Evidence::KernelAcked) => {
            format!("the client's kernel has all that was written, up to {sent}")
        }
        Fate::Sent(_) => format!("written, as all up to {sent}; nobody knows how much was read"),
        Fate::Missing => format!("the last one written was {sent}"),
        Fate::Gap => {
            "it fell off the log; the client was told by `gap`, where its dialect has that"
                .to_owned()
        }
        Fate::Unplaced => {
            "the report is an older one: it does not say where its broadcasts began".to_owned()
        }
        Fate::Unlisted => "the report no longer lists such early gaps of this session".to_owned(),
        Fate::Before => "made before the session's broadcasts begin".to_owned(),
        Fate::Behind if record.reason == CloseReason::Lost.as_str() => {
            format!("the client broke the connection behind {sent}")
        }
        Fate::Behind => format!(
            "the session ended ({}) behind {sent}",
            clean(&record.reason)
        ),
        Fate::NoReader => "it had not logged in, or its listener sends no broadcasts".to_owned(),
        _ => String::new(),
    }
}
