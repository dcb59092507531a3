//! Formats a report's numbers and names for people.

use arauto::wire::text::body_line;
use arauto::{Body, Micros, Seq, SessionRecord};

use crate::cli::digits::grouped;

/// Formats a time with about three digits.
pub(in crate::cli) fn span(time: Micros) -> String {
    match time.0 {
        0 => "0 ms".to_owned(),
        us @ ..100 => format!("{us} us"),
        us @ ..10_000 => format!("{:.2} ms", us as f64 / 1e3),
        us @ ..1_000_000 => format!("{:.0} ms", us as f64 / 1e3),
        us @ ..100_000_000 => format!("{:.2} s", us as f64 / 1e6),
        us => format!("{:.0} s", us as f64 / 1e6),
    }
}

/// Formats a time that may be unknown.
pub(super) fn optional_span(time: Option<Micros>) -> String {
    time.map_or_else(|| "-".to_owned(), span)
}

/// Formats the first few ranges of sequence numbers.
pub(super) fn ranges(ranges: &[(Seq, Seq)]) -> String {
    const SHOWN: usize = 3;
    let shown = ranges.iter().take(SHOWN).map(|(from, to)| {
        if from == to {
            from.to_string()
        } else {
            format!("{from}-{to}")
        }
    });
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if ranges.len() > SHOWN {
        text.push_str(&format!(" and {} more", ranges.len() - SHOWN));
    }
    text
}

/// Formats the broadcasts that a session misses, some of which may not have been for it.
pub(super) fn misses(record: &SessionRecord) -> String {
    let missing = ranges(&record.missing);
    match record.missing_undecided_to {
        Some(to) => format!("{missing} (up to {to}, those that were for it)"),
        None => missing,
    }
}

/// Formats how many broadcasts sessions miss.
pub(super) fn missed<'r>(records: impl Iterator<Item = &'r SessionRecord> + Clone) -> String {
    let sum: u64 = records.clone().map(SessionRecord::missed).sum();
    let is_undecided = |record: &SessionRecord| record.missing_undecided_to.is_some();
    match records.into_iter().any(is_undecided) {
        true => format!("at most {sum}"),
        false => sum.to_string(),
    }
}

/// Formats the user of a session.
pub(super) fn user(record: &SessionRecord) -> String {
    record.user.as_deref().map_or("-".to_owned(), clean)
}

/// Escapes text from other users, so that it cannot break a line or colour a terminal, and
/// replaces the characters that XML does not allow.
pub(in crate::cli) fn clean(text: &str) -> String {
    body_line(&Body::text(text)).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

/// Formats a number, with its digits in groups of three.
pub(super) fn count(number: usize) -> String {
    grouped(&number.to_string())
}

/// Describes an exit code of the server.
pub(super) fn exit_meaning(exit: u8) -> &'static str {
    match exit {
        0 => "everything accepted was answered and has arrived",
        3 => "delivery not confirmed in time: the report lists what is missing",
        4 => "forced by a second signal or --now: the report lists what is missing",
        70 => "a part of the server panicked",
        _ => "unknown to this version of arauto",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn span_has_about_three_digits() {
        let spans = [0, 4, 310, 12_345, 2_013_000, 700_000_000].map(|us| span(Micros(us)));
        assert_eq!(
            spans,
            ["0 ms", "4 us", "0.31 ms", "12 ms", "2.01 s", "700 s"]
        );
    }

    #[test]
    fn ranges_beyond_the_third_are_counted() {
        let many: Vec<_> = (1..=5)
            .map(|n| (Seq(n * 10), Seq(n * 10 + n - 1)))
            .collect();
        assert_eq!(ranges(&many), "10, 20-21, 30-32 and 2 more");
        assert_eq!(count(1_234_567), "1 234 567");
        assert_eq!(count(123), "123");
    }
}
