//! `arauto explain`: prints, for one broadcast, which sessions got it.

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
    /// The broadcast's sequence number.
    #[arg(value_name = "SEQ", value_parser = clap::value_parser!(u64).range(1..))]
    seq: u64,

    /// The report that `arauto serve --report FILE` wrote; `-` is stdin.
    #[arg(long, value_name = "FILE")]
    report: PathBuf,

    /// Print one JSON object per line, for each session.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let (report, seq) = (read(&args.report)?, Seq(args.seq));
    if seq > report.head {
        let message = format!(
            "there is no broadcast {seq}: the last one in this report is {}",
            report.head
        );
        return Err(Failure::new(sysexits::USAGE, message));
    }
    let mut out = Output::stdout();
    if args.json {
        for record in &report.sessions {
            out.json(&json_line(record, seq))?;
        }
    } else {
        out.text(&summary(&report, seq))?;
    }
    out.finish()
}

fn summary(report: &Report, seq: Seq) -> String {
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
            explanation(record, fate),
        ]);
    }
    let counts = counts
        .iter()
        .map(|(fate, count)| format!("{count} {}", name(*fate)));
    let counts = counts.collect::<Vec<_>>().join(", ");
    let counts = if counts.is_empty() {
        "no session existed when the stop began".to_owned()
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

fn json_line(record: &SessionRecord, seq: Seq) -> Value {
    let fate = record.fate(seq);
    json!({
        "session": record.session, "user": record.user, "endpoint": record.endpoint,
        "fate": name(fate), "because": explanation(record, fate),
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

fn explanation(record: &SessionRecord, fate: Fate) -> String {
    let sent = record.sent;
    match fate {
        Fate::Acked => format!(
            "the client acknowledged all broadcasts up to {}",
            record.acked
        ),
        Fate::Sent(Evidence::Read) => {
            format!("the client has read everything written, up to {sent}")
        }
        Fate::Sent(Evidence::KernelAcked) => {
            format!("the client's kernel has received everything written, up to {sent}")
        }
        Fate::Sent(_) => {
            format!("written, as all up to {sent}; how much the client has read is unknown")
        }
        Fate::Missing => format!("the last broadcast written was {sent}"),
        Fate::Gap => {
            "the log no longer held it; the client got a `gap`, if its dialect has gaps".to_owned()
        }
        Fate::Unplaced => {
            "the report is from an older arauto and does not say where the session's broadcasts \
             began"
                .to_owned()
        }
        Fate::Unlisted => "the report no longer lists the early gaps of this session".to_owned(),
        Fate::Before => "published before the session's first broadcast".to_owned(),
        Fate::Behind if record.reason == CloseReason::Lost => {
            format!("the client broke the connection after broadcast {sent}")
        }
        Fate::Behind => format!(
            "the session ended ({}) after broadcast {sent}",
            clean(record.reason.as_str())
        ),
        Fate::NoReader => {
            "the session had not logged in, or its listener sends no broadcasts".to_owned()
        }
        _ => String::new(),
    }
}
