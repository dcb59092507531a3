//! The report of a stop, for a person.

use std::collections::BTreeMap;

use arauto::{Report, SessionRecord};
use comfy_table::{ContentArrangement, Table, presets};

/// A table without lines, which `awk` can read as well.
pub(super) fn plain_table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header);
    table
}

/// Phases, then sessions by outcome.
pub(super) fn tables(report: &Report) -> String {
    let mut phases = plain_table(["phase", "may take", "took", ""]);
    for line in &report.phases {
        phases.add_row([
            line.phase.to_string(),
            format!("{} ms", line.budget_ms),
            format!("{} ms", line.took_ms),
            if line.in_time { "" } else { "too late" }.to_owned(),
        ]);
    }
    let mut text = format!(
        "{phases}\n\nstopped by {}, exit {}, last broadcast {}\n\n{}",
        report.reason,
        report.exit,
        report.head,
        sessions(&report.sessions)
    );
    for trouble in &report.trouble {
        text.push_str("\ntrouble: ");
        text.push_str(trouble);
    }
    text
}

fn sessions(records: &[SessionRecord]) -> String {
    let mut groups: BTreeMap<(&str, &str), Vec<&SessionRecord>> = BTreeMap::new();
    for record in records {
        let key = (record.reason.as_str(), record.evidence.as_str());
        groups.entry(key).or_default().push(record);
    }
    let header = [
        "sessions",
        "ended by",
        "bytes are",
        "accepted",
        "answered",
        "refused",
        "missing",
    ];
    let mut table = plain_table(header);
    for ((reason, evidence), group) in groups {
        let sum = |count: fn(&SessionRecord) -> u64| group.iter().map(|r| count(r)).sum::<u64>();
        table.add_row([
            group.len().to_string(),
            reason.to_owned(),
            evidence.to_owned(),
            sum(|record| record.accepted).to_string(),
            sum(|record| record.answered).to_string(),
            sum(|record| record.refused).to_string(),
            sum(missing).to_string(),
        ]);
    }
    table.to_string()
}

fn missing(record: &SessionRecord) -> u64 {
    let ranges = record.missing.iter();
    ranges.map(|(from, to)| to.0 - from.0 + 1).sum()
}
