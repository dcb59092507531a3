//! The tables of a report.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use arauto::{Micros, Millis, PhaseLine, Report, SessionOutcome, SessionRecord};

use super::section::Section;
use super::words::{clean, count, exit_meaning, missed, misses, optional_span, span, user};

/// How many of the slowest sessions are listed.
const SLOWEST: usize = 5;

/// Formats the report as a few lines and its two main tables.
pub(in crate::cli) fn summary(report: &Report) -> String {
    let sections = [phases(report), outcomes(report)];
    format!("{}\n\n{}", head(report), text(&sections))
}

/// Returns every table of the report that is not empty, with at most `limit` incomplete
/// sessions.
pub(super) fn all(report: &Report, limit: usize) -> Vec<Section> {
    let sections = [
        phases(report),
        actors(report),
        outcomes(report),
        slowest(report),
        incomplete(report, limit),
    ];
    let sections = sections.into_iter();
    sections.filter(|section| !section.is_empty()).collect()
}

pub(super) fn text(sections: &[Section]) -> String {
    let sections = sections.iter().map(Section::text);
    sections.collect::<Vec<_>>().join("\n\n")
}

/// Formats the head of the report: the reason, the time, the duration, and what went wrong.
pub(super) fn head(report: &Report) -> String {
    let (exit, meaning) = (report.exit, exit_meaning(report.exit));
    let planned: u64 = report.phases.iter().map(|line| line.budget_ms).sum();
    let mut text = format!(
        "stopped by {}, exit {exit}: {meaning}\n{}took {} of {}; last broadcast {} of stream {}",
        report.reason,
        began(report),
        span(total(report)),
        span(Micros(planned * 1000)),
        report.head,
        clean(&report.stream),
    );
    for trouble in &report.trouble {
        text.push_str("\ntrouble: ");
        text.push_str(&clean(&trouble.to_string()));
    }
    text
}

/// Formats when the stop began; reports of older versions do not say it.
fn began(report: &Report) -> String {
    if report.began == Millis(0) {
        return String::new();
    }
    let began = UNIX_EPOCH + Duration::from_millis(report.began.0);
    format!("began {}, ", humantime::format_rfc3339_seconds(began))
}

/// Returns the time from the stop's beginning to the end of its last phase. Reports of older
/// versions do not say how much time passed between phases.
pub(super) fn total(report: &Report) -> Micros {
    let phases = report.phases.iter();
    let end = phases.clone().map(|line| line.began_us.0 + took(line).0);
    let sum = phases.map(|line| took(line).0).sum();
    Micros(end.max().unwrap_or_default().max(sum))
}

/// Returns how long a phase took; reports of older versions have milliseconds only.
pub(super) fn took(line: &PhaseLine) -> Micros {
    line.took_us.max(Micros(line.took_ms * 1000))
}

fn phases(report: &Report) -> Section {
    let mut section = Section::new("phases", &["phase", "may take", "took", ""]);
    for line in &report.phases {
        section.row([
            line.phase.to_string(),
            span(Micros(line.budget_ms * 1000)),
            span(took(line)),
            if line.in_time { "" } else { "too late" }.to_owned(),
        ]);
    }
    section
}

fn actors(report: &Report) -> Section {
    let mut section = Section::new("actors", &["actor", "sealed", "stopped"]);
    for line in &report.actors {
        section.row([
            clean(&line.actor.to_string()),
            optional_span(line.sealed_us),
            optional_span(line.stopped_us),
        ]);
    }
    section
}

fn outcomes(report: &Report) -> Section {
    let mut groups: BTreeMap<_, Vec<&SessionRecord>> = BTreeMap::new();
    for record in &report.sessions {
        let key = (record.outcome(), record.reason.as_str(), record.evidence);
        groups.entry(key).or_default().push(record);
    }
    let header = &[
        "sessions",
        "outcome",
        "ended by",
        "bytes are",
        "accepted",
        "answered",
        "refused",
        "missing",
        "not for it",
    ];
    let mut section = Section::new("sessions by outcome", header);
    for ((outcome, reason, evidence), group) in groups {
        let sum = |count: fn(&SessionRecord) -> u64| group.iter().map(|r| count(r)).sum::<u64>();
        section.row([
            group.len().to_string(),
            outcome.as_str().to_owned(),
            clean(reason),
            evidence.as_str().to_owned(),
            sum(|record| record.accepted).to_string(),
            sum(|record| record.answered).to_string(),
            sum(|record| record.refused).to_string(),
            missed(group.iter().copied()),
            sum(|record| record.not_for_it).to_string(),
        ]);
    }
    section
}

fn slowest(report: &Report) -> Section {
    let header = &[
        "session",
        "user",
        "endpoint",
        "outcome",
        "cut",
        "last reply",
        "last broadcast",
        "closing",
        "stopped",
    ];
    let mut section = Section::new("the slowest sessions, since the stop began", header);
    let mut sessions: Vec<_> = report.sessions.iter().collect();
    // A session that never stopped counts as the slowest.
    sessions.sort_by_key(|record| {
        let stopped = record.times_us.stopped;
        Reverse(stopped.unwrap_or(Micros(u64::MAX)))
    });
    for record in sessions.into_iter().take(SLOWEST) {
        let times = record.times_us;
        section.row([
            record.session.to_string(),
            user(record),
            clean(&record.endpoint),
            record.outcome().as_str().to_owned(),
            optional_span(times.cut),
            optional_span(times.last_reply),
            optional_span(times.last_broadcast),
            optional_span(times.closing),
            optional_span(times.stopped),
        ]);
    }
    section
}

fn incomplete(report: &Report, limit: usize) -> Section {
    let header = &[
        "session",
        "user",
        "endpoint",
        "outcome",
        "accepted",
        "answered",
        "bytes are",
        "sent",
        "misses",
    ];
    let mut section = Section::new("sessions that are not complete", header);
    let is_listed = |record: &&SessionRecord| {
        let outcome = record.outcome();
        !matches!(outcome, SessionOutcome::Complete | SessionOutcome::Lost)
    };
    let listed: Vec<_> = report.sessions.iter().filter(is_listed).collect();
    for record in listed.iter().take(limit) {
        section.row([
            record.session.to_string(),
            user(record),
            clean(&record.endpoint),
            record.outcome().as_str().to_owned(),
            record.accepted.to_string(),
            record.answered.to_string(),
            record.evidence.as_str().to_owned(),
            record.sent.to_string(),
            misses(record),
        ]);
    }
    if listed.len() > limit {
        let rest = count(listed.len() - limit);
        section.rest(format!("and {rest} more; --all lists them"));
    }
    section
}
