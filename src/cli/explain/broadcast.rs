//! Explains one broadcast: which sessions got it, and why it was not for the others.

use std::collections::BTreeMap;

use arauto::{
    CloseReason, Evidence, Fate, KnownRoute, NotForIt, RoutedBroadcast, Seq, SessionRecord,
    Undecided,
};
use serde_json::{Value, json};

use super::source::Source;
use crate::cli::exit::{Failure, sysexits};
use crate::cli::output::Output;
use crate::cli::report::clean;
use crate::cli::table::{lines, plain_table};

/// Prints what became of a broadcast.
///
/// # Errors
/// There is no such broadcast, or stdout is closed.
pub(super) fn explain(source: Source<'_>, seq: Seq, as_json: bool) -> Result<u8, Failure> {
    if seq > source.head() {
        let (teller, head) = (source.name(), source.head());
        let message =
            format!("there is no broadcast {seq}: the last one that {teller} knows is {head}");
        return Err(Failure::new(sysexits::USAGE, message));
    }
    let mut out = Output::stdout();
    if as_json {
        for record in source.sessions() {
            out.json(&json_line(source, record, seq))?;
        }
    } else {
        out.text(&summary(source, seq))?;
    }
    out.finish()
}

fn summary(source: Source<'_>, seq: Seq) -> String {
    let mut table = plain_table(["session", "user", "endpoint", "fate", "because"]);
    // In the order of the fates.
    let mut counts: BTreeMap<Fate, usize> = BTreeMap::new();
    for record in source.sessions() {
        let fate = source.fate(record, seq);
        *counts.entry(fate).or_default() += 1;
        table.add_row([
            record.session.to_string(),
            record.user.as_deref().map_or("-".to_owned(), clean),
            clean(&record.endpoint),
            name(fate).to_owned(),
            explanation(source, record, seq),
        ]);
    }
    let mut named: Vec<(&str, usize)> = Vec::new();
    for (fate, count) in counts {
        match named.last_mut() {
            Some((last, sum)) if *last == name(fate) => *sum += count,
            _ => named.push((name(fate), count)),
        }
    }
    let counts = named.iter().map(|(name, count)| format!("{count} {name}"));
    let counts = counts.collect::<Vec<_>>().join(", ");
    let counts = match (counts.is_empty(), source) {
        (false, _) => counts,
        (true, Source::Stopped(_)) => "no session existed when the stop began".to_owned(),
        (true, Source::Running(_)) => "there is no session".to_owned(),
    };
    format!(
        "broadcast {seq} of {}, stream {}: {counts}\n{}\n{}\n",
        source.head(),
        clean(source.stream()),
        route(source, seq),
        lines(&table)
    )
}

/// Describes a broadcast in a line, as far as it is known.
fn route(source: Source<'_>, seq: Seq) -> String {
    let Some(routes) = source.routes() else {
        return String::new();
    };
    match routes.of(seq) {
        KnownRoute::Everybody => "a message without a topic, to everybody\n".to_owned(),
        KnownRoute::Listed(routed) => format!("{}\n", described(routed)),
        _ => format!(
            "its topic is unknown: {} lists the topics of broadcasts above {}\n",
            source.name(),
            routes.above
        ),
    }
}

fn described(routed: &RoutedBroadcast) -> String {
    if routed.presence {
        return "a user joined or left".to_owned();
    }
    let to = routed.to.as_ref();
    let to = to.map_or_else(String::new, |user| format!(" to the user {}", clean(user)));
    match &routed.topic {
        Some(topic) => format!("a message{to} with the topic {}", clean(topic)),
        None => format!("a message{to} without a topic"),
    }
}

fn json_line(source: Source<'_>, record: &SessionRecord, seq: Seq) -> Value {
    let fate = source.fate(record, seq);
    let mut line = json!({
        "session": record.session, "user": record.user, "endpoint": record.endpoint,
        "fate": name(fate), "because": explanation(source, record, seq),
    });
    if let Some(why) = why(fate) {
        line["why"] = json!(why);
    }
    if let Some(KnownRoute::Listed(routed)) = source.routes().map(|routes| routes.of(seq)) {
        let RoutedBroadcast {
            topic,
            to,
            presence,
            ..
        } = routed;
        line["route"] = json!({ "topic": topic, "to": to, "presence": presence });
    }
    line
}

fn name(fate: Fate) -> &'static str {
    match fate {
        Fate::Acked => "acked",
        Fate::Sent(evidence) => evidence.as_str(),
        Fate::NotForIt(_) => "not-for-it",
        Fate::Missing => "missing",
        Fate::Waiting => "waiting",
        Fate::Gap => "gap",
        Fate::Undecided(_) => "undecided",
        Fate::Unlisted => "unlisted",
        Fate::Unplaced => "unplaced",
        Fate::Before => "before",
        Fate::Behind => "behind",
        Fate::NoReader => "no-reader",
        _ => "unknown",
    }
}

/// Returns the reason of a fate that has several, in a word.
fn why(fate: Fate) -> Option<&'static str> {
    match fate {
        Fate::NotForIt(why) => Some(why.as_str()),
        Fate::Undecided(why) => Some(why.as_str()),
        _ => None,
    }
}

fn explanation(source: Source<'_>, record: &SessionRecord, seq: Seq) -> String {
    let (fate, sent) = (source.fate(record, seq), record.sent);
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
        Fate::NotForIt(why) => not_for_it(record, why),
        Fate::Missing => format!("the last broadcast written was {sent}"),
        Fate::Waiting => format!("not written yet; the last broadcast written is {sent}"),
        Fate::Gap => {
            "the log no longer held it; the client got a `gap`, if its dialect has gaps".to_owned()
        }
        Fate::Undecided(why) => {
            let written = if seq > sent {
                "not written, and"
            } else {
                "written, or not for the session:"
            };
            format!("{written} {}", undecided(source, record, why))
        }
        Fate::Unplaced => {
            "the report is from an older arauto and does not say where the session's broadcasts \
             began"
                .to_owned()
        }
        Fate::Unlisted => format!(
            "{} no longer lists the early gaps of this session",
            source.name()
        ),
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

fn not_for_it(record: &SessionRecord, why: NotForIt) -> String {
    match why {
        NotForIt::Filter => format!("no pattern of its filter matches: {}", patterns(record)),
        NotForIt::Rules => {
            "the operator's rules did not let the session receive this topic".to_owned()
        }
        NotForIt::AnotherUser => "the message is for another user only".to_owned(),
        NotForIt::Presence => "the session is not told who joins and who leaves".to_owned(),
        _ => String::new(),
    }
}

/// Formats the first patterns of a session's filter.
fn patterns(record: &SessionRecord) -> String {
    const SHOWN: usize = 3;
    let filter = record.filter.as_ref();
    let patterns = filter.and_then(|filter| filter.patterns.as_deref());
    let patterns = patterns.unwrap_or_default();
    let shown = patterns.iter().take(SHOWN).map(|pattern| clean(pattern));
    let shown = shown.collect::<Vec<_>>().join(", ");
    match patterns.len() {
        0 => "it is empty".to_owned(),
        count if count > SHOWN => format!("{shown} and {} more", count - SHOWN),
        _ => shown,
    }
}

/// Explains why it cannot be told whether a broadcast was for a session.
fn undecided(source: Source<'_>, record: &SessionRecord, why: Undecided) -> String {
    let (filter, teller) = (record.filter.as_ref(), source.name());
    match why {
        Undecided::RouteUnlisted => {
            let above = source.routes().map_or(Seq::ZERO, |routes| routes.above);
            format!("{teller} lists the topics of broadcasts above {above} only")
        }
        Undecided::FilterChanged => {
            let since = filter.map_or(Seq::ZERO, |filter| filter.since);
            format!("{teller} knows the session's filter for broadcasts above {since} only")
        }
        Undecided::PatternsUnlisted => {
            let unlisted = filter.map_or(0, |filter| filter.unlisted);
            format!(
                "none of the listed patterns matches, and {unlisted} patterns of the session are \
                 not listed"
            )
        }
        Undecided::WithheldUnlisted => {
            let to = record.withheld_unlisted_to.unwrap_or(Seq::ZERO);
            format!("{teller} does not list what rules kept from the session up to {to}")
        }
        Undecided::RulesUnlisted => {
            let unlisted = record.rules.as_ref().map_or(0, |rules| rules.unlisted);
            format!(
                "none of the listed rules denies it, and {unlisted} rules about the session are \
                 not listed"
            )
        }
        _ => String::new(),
    }
}
