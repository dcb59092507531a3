//! Reads a report from a file, and checks it.

use std::path::Path;

use arauto::{Micros, Pattern, RecentCalls, RecentRoutes, Report, Seq, SessionRecord, Topic};

use crate::cli::bounded;
use crate::cli::exit::{Failure, sysexits};

/// The largest number that every JSON reader represents exactly. Sums of such numbers do not
/// overflow here.
const LARGEST: u64 = (1 << 53) - 1;

/// The first millisecond after the year 9999.
const YEAR_10000: u64 = 253_402_300_800_000;

/// The longest report, in bytes: about 250,000 sessions.
const LONGEST: usize = 256 << 20;

/// Reads a report; `-` is stdin.
pub(in crate::cli) fn read(path: &Path) -> Result<Report, Failure> {
    let named = |problem: String| format!("cannot read the report {}: {problem}", path.display());
    let text = bounded::read_text(path, LONGEST)
        .map_err(|error| Failure::new(error.code(), named(error.to_string())))?;
    let refuse = |problem: String| {
        let advice = "it must be a file that `arauto serve --report FILE` wrote";
        Failure::new(sysexits::DATAERR, named(format!("{problem}; {advice}")))
    };
    let report: Report = serde_json::from_str(&text).map_err(|error| refuse(error.to_string()))?;
    if report.version != 1 {
        let version = report.version;
        let problem = format!(
            "its format is version {version}, this arauto reads version 1: use a newer one"
        );
        return Err(Failure::new(sysexits::DATAERR, named(problem)));
    }
    check(&report).map_err(refuse)?;
    Ok(report)
}

/// Checks that the report's numbers are possible.
fn check(report: &Report) -> Result<(), String> {
    let is_sane = |number: u64| number <= LARGEST;
    if report.began.0 >= YEAR_10000 || !is_sane(report.head.0) {
        return Err("`began` or `head` is too large".to_owned());
    }
    let mut last = Micros(0);
    for line in &report.phases {
        let numbers = [
            line.budget_ms,
            line.took_ms,
            line.began_us.0,
            line.took_us.0,
        ];
        if !numbers
            .into_iter()
            .all(|number| is_sane(number.saturating_mul(1000)))
        {
            return Err(format!("a time of the phase {} is too large", line.phase));
        }
        if line.began_us < last {
            return Err(format!(
                "the phase {} begins before the phase that precedes it",
                line.phase
            ));
        }
        last = line.began_us;
    }
    report.routes.as_ref().map_or(Ok(()), check_routes)?;
    report.calls.as_ref().map_or(Ok(()), check_calls)?;
    for record in &report.sessions {
        check_session(record)
            .map_err(|problem| format!("session {}: {problem}", record.session))?;
    }
    Ok(())
}

fn check_routes(routes: &RecentRoutes) -> Result<(), String> {
    let mut last = routes.above;
    for routed in &routes.listed {
        let seq = routed.seq;
        if seq <= last || seq.0 > LARGEST {
            return Err(format!("the route of broadcast {seq} is not in order"));
        }
        last = seq;
        if let Some(topic) = &routed.topic {
            let problem = |error| format!("the topic of broadcast {seq} is wrong: {error}");
            Topic::new(&**topic).map_err(problem)?;
        }
    }
    if routes.above.0 > LARGEST || routes.direct_to > routes.above {
        return Err("`above` or `direct_to` of the routes is too large".to_owned());
    }
    Ok(())
}

fn check_calls(calls: &RecentCalls) -> Result<(), String> {
    let mut last = 0;
    for recorded in &calls.listed {
        let call = recorded.call;
        if call <= last || call > calls.last {
            return Err(format!("call {call} is not in order"));
        }
        last = call;
        let took = recorded.took_us.map_or(0, |took| took.0);
        if recorded.made_us.unsigned_abs() > LARGEST || took > LARGEST {
            return Err(format!("a time of call {call} is too large"));
        }
    }
    if calls.last > LARGEST || calls.unlisted > calls.last {
        return Err("`last` or `unlisted` of the calls is too large".to_owned());
    }
    Ok(())
}

fn check_session(record: &SessionRecord) -> Result<(), String> {
    let counts = [record.accepted, record.answered, record.refused];
    let seqs = [record.cut, record.sent, record.acked].map(|seq| seq.0);
    let unlisted = record.filter.as_ref().map(|filter| filter.unlisted);
    let others = [Some(record.not_for_it), unlisted].into_iter().flatten();
    if counts
        .into_iter()
        .chain(seqs)
        .chain(others)
        .any(|number| number > LARGEST)
    {
        return Err("a number is too large".to_owned());
    }
    let filter = record.filter.as_ref();
    let patterns = filter.and_then(|filter| filter.patterns.as_ref());
    let rules = record.rules.iter();
    let rules = rules.flat_map(|rules| rules.deny.iter().chain(&rules.allow));
    for pattern in patterns.into_iter().flatten().chain(rules) {
        let problem = |error| format!("{pattern:?} is not a pattern: {error}");
        Pattern::new(&**pattern).map_err(problem)?;
    }
    for (from, to) in record.missing.iter().chain(&record.gaps) {
        if *from == Seq::ZERO || from > to || to.0 > LARGEST {
            return Err(format!("{from} to {to} is not a range of broadcasts"));
        }
    }
    Ok(())
}
