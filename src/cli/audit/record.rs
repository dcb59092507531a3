//! A record of the audit log: one JSON object on a line.

use std::fmt::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::cli::escape;

/// The longest text of a record, in bytes before it is escaped; a longer one is cut.
const LONGEST_TEXT: usize = 1024;

/// The last moment that has a form in RFC 3339, in seconds since 1970.
const END_OF_TIME: u64 = 253_402_300_799;

/// The fields of records. Each record has some of them; docs/operations.md has the table.
#[derive(Debug, Default, Serialize)]
pub(super) struct Fields<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) session: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) registered: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) endpoint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) host: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) peer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) change: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pattern: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) effect: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) act: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) done: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) now: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) listen: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cause: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exit: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sessions: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) incomplete: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) accepted: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) head: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trouble: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<String>,
}

#[derive(Serialize)]
struct Record<'a> {
    time: &'a str,
    event: &'a str,
    #[serde(flatten)]
    fields: &'a Fields<'a>,
}

/// Returns the line of a record, with its line feed. Whatever a field holds, there is no other line
/// feed in it, and nothing that a terminal would obey.
pub(super) fn line(at: SystemTime, event: &str, fields: &Fields<'_>) -> Vec<u8> {
    let time = time(at);
    let record = Record {
        time: &time,
        event,
        fields,
    };
    let json = serde_json::to_string(&record).expect("these types have nothing that JSON lacks");
    let mut line = escape::json(&json).into_owned().into_bytes();
    line.push(b'\n');
    line
}

/// Returns a moment in UTC with microseconds, as RFC 3339 writes it.
pub(super) fn time(at: SystemTime) -> String {
    let since_epoch = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let since_epoch = since_epoch.min(Duration::from_secs(END_OF_TIME));
    let mut text = String::new();
    write!(
        text,
        "{}",
        humantime::format_rfc3339_micros(UNIX_EPOCH + since_epoch)
    )
    .expect("it is a moment up to the year 9999");
    text
}

/// Cuts a text that is too long for a record.
pub(super) fn bounded(text: &str) -> &str {
    let mut end = text.len().min(LONGEST_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_micros(micros)
    }

    #[test]
    fn record_begins_with_time_and_event_and_has_no_empty_fields() {
        let fields = Fields {
            session: Some(7),
            user: Some("ana"),
            ..Fields::default()
        };
        let line = line(at(1_764_000_000_123_456), "login", &fields);
        let expected = "{\"time\":\"2025-11-24T16:00:00.123456Z\",\"event\":\"login\",\
                        \"session\":7,\"user\":\"ana\"}\n";
        assert_eq!(String::from_utf8(line).expect("it is utf-8"), expected);
    }

    #[test]
    fn hostile_text_stays_in_its_field_and_on_its_line() {
        let hostile = "a\"}\n{\"event\":\"login\"\u{1b}[31m\u{202e}\u{2028}\u{0}";
        let fields = Fields {
            reason: Some(hostile),
            ..Fields::default()
        };
        let line = String::from_utf8(line(at(0), "refused", &fields)).expect("it is utf-8");
        assert_eq!(line.matches('\n').count(), 1);
        assert!(!line.trim_end().contains(escape::is_hostile), "{line}");
        let record: serde_json::Value = serde_json::from_str(&line).expect("it is json");
        assert_eq!(record["reason"], hostile);
        assert_eq!(record["event"], "refused");
    }

    #[test]
    fn every_moment_of_a_clock_has_a_text() {
        assert_eq!(time(at(0)), "1970-01-01T00:00:00.000000Z");
        let before = UNIX_EPOCH - Duration::from_secs(5);
        assert_eq!(time(before), "1970-01-01T00:00:00.000000Z");
        let far = UNIX_EPOCH + Duration::from_secs(END_OF_TIME * 2);
        assert_eq!(time(far), "9999-12-31T23:59:59.000000Z");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(bounded("olá"), "olá");
        let long = "á".repeat(LONGEST_TEXT);
        assert_eq!(bounded(&long).len(), LONGEST_TEXT);
        assert_eq!(bounded(&long[..]).chars().count(), LONGEST_TEXT / 2);
    }
}
