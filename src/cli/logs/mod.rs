//! The log: structured records on stderr, written by a thread that blocks no other.
//!
//! No field can start a second record, colour a terminal or hide text: control characters, and
//! characters that reorder a line, are escaped in both formats.
//!
//! Where stderr is systemd's journal, a record has no time and no colour, and begins with its
//! priority ([`journal`]). A service of Windows has no stderr: its event log takes such records too.

mod format;
mod journal;
mod queue;

use std::fmt;
use std::io::{self, IsTerminal, Write};

use tracing::field::Field;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::util::SubscriberInitExt;

pub(super) use self::format::LogFormat;
use self::journal::WithPriority;
use self::queue::{DROPPED, LogGuard};
use super::escape::{self, one_line};
use super::os::{event_log_sink, is_stderr_journal};
use super::screen::Screen;

/// Starts the log. `ARAUTO_LOG` filters it, in the syntax of tracing's EnvFilter, as in
/// `ARAUTO_LOG=debug`. While stderr is blocked, records beyond the queue's bound are dropped,
/// and the log says how many.
pub(super) fn start(form: LogFormat, screen: Screen) -> LogGuard {
    let filter = EnvFilter::try_from_env("ARAUTO_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter);
    let (sink, has_priority): (Box<dyn Write + Send>, bool) = match event_log_sink() {
        Some(event_log) => (event_log, true),
        None => (Box::new(screen), is_stderr_journal()),
    };
    let (started, guard) = match (form, has_priority) {
        (LogFormat::Human, false) => {
            let (writer, guard) = queue::start(sink, human_drop_notice);
            let log = log.with_ansi(io::stderr().is_terminal()).with_target(false);
            let log = log.with_writer(writer).fmt_fields(human_fields());
            (log.finish().try_init(), guard)
        }
        (LogFormat::Human, true) => {
            let (writer, guard) = queue::start(sink, journal::human_drop_notice);
            let log = log.with_ansi(false).with_target(false).with_level(false);
            let log = log.without_time().map_event_format(WithPriority);
            let log = log.with_writer(writer).fmt_fields(human_fields());
            (log.finish().try_init(), guard)
        }
        (LogFormat::Json, false) => {
            let (writer, guard) = queue::start(EscapeJson(sink), json_drop_notice);
            let log = log.json().flatten_event(true).with_writer(writer);
            (log.finish().try_init(), guard)
        }
        (LogFormat::Json, true) => {
            let (writer, guard) = queue::start(EscapeJson(sink), journal::json_drop_notice);
            let log = log.json().flatten_event(true).without_time();
            let log = log.map_event_format(WithPriority).with_writer(writer);
            (log.finish().try_init(), guard)
        }
    };
    started.expect("the log is started once");
    guard
}

fn human_drop_notice(records: u64) -> Vec<u8> {
    format!("{}  WARN {DROPPED} records={records}\n", now()).into_bytes()
}

fn json_drop_notice(records: u64) -> Vec<u8> {
    let (timestamp, target) = (now(), env!("CARGO_PKG_NAME"));
    let record = serde_json::json!({
        "timestamp": timestamp, "level": "WARN", "message": DROPPED, "records": records,
        "target": target,
    });
    format!("{record}\n").into_bytes()
}

/// Formats the current time as tracing does in every other record.
fn now() -> String {
    let mut now = String::new();
    let written = SystemTime.format_time(&mut Writer::new(&mut now));
    written.expect("a String takes it");
    now
}

/// Formats fields as `name=value`, escaped so that the record stays on one line.
fn human_fields() -> impl for<'a> tracing_subscriber::fmt::FormatFields<'a> + Send + Sync + 'static
{
    debug_fn(
        |writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug| {
            let value = format!("{value:?}");
            let value = one_line(&value);
            match field.name() {
                "message" => writer.write_str(&value),
                name if writer.has_ansi_escapes() => {
                    write!(writer, "\u{1b}[3m{name}\u{1b}[0m\u{1b}[2m=\u{1b}[0m{value}")
                }
                name => write!(writer, "{name}={value}"),
            }
        },
    )
    .delimited(" ")
}

/// Escapes the hostile characters of JSON records. serde_json escapes the ASCII control
/// characters only.
#[derive(Clone)]
struct EscapeJson<W>(W);

impl<W: Write> Write for EscapeJson<W> {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(record);
        self.0.write_all(escape::json(&text).as_bytes())?;
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::cli::escape::is_hostile;

    #[derive(Clone, Default)]
    struct SharedBuffer(Arc<Mutex<Vec<u8>>>);

    impl Write for SharedBuffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no test panics here").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl SharedBuffer {
        fn text(&self) -> String {
            let bytes = self.0.lock().expect("no test panics here").clone();
            String::from_utf8(bytes).expect("the log is utf-8")
        }
    }

    const HOSTILE: &str = "a\r\n2026 ERROR forged\u{1b}[31m\u{0}\u{7f}\u{85}\u{9b}31m\u{202e}\u{2066}\u{2028}\u{200b}\u{e0041}b";

    fn log_hostile_fields() {
        let error = std::io::Error::other(HOSTILE);
        tracing::info!(%error, user = HOSTILE, peer = ?HOSTILE, "bad input");
        tracing::info!("{HOSTILE}");
    }

    fn assert_two_clean_lines(text: &str) {
        assert_eq!(text.lines().count(), 2, "{text:?}");
        let hidden: Vec<char> = text
            .chars()
            .filter(|c| *c != '\n' && is_hostile(*c))
            .collect();
        assert!(hidden.is_empty(), "{text:?}");
    }

    #[test]
    fn hostile_field_in_a_human_record_is_escaped() {
        let buffer = SharedBuffer::default();
        let writer = buffer.clone();
        let log = tracing_subscriber::fmt()
            .with_ansi(false)
            .fmt_fields(human_fields());
        let log = log.with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(log, log_hostile_fields);
        assert_two_clean_lines(&buffer.text());
        assert!(
            buffer.text().contains("bad input error=a"),
            "{}",
            buffer.text()
        );
    }

    #[test]
    fn hostile_field_in_a_json_record_is_escaped() {
        let buffer = SharedBuffer::default();
        let writer = EscapeJson(buffer.clone());
        let log = tracing_subscriber::fmt().json().flatten_event(true);
        let log = log.with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(log, log_hostile_fields);
        assert_two_clean_lines(&buffer.text());
        for line in buffer.text().lines() {
            let record: serde_json::Value = serde_json::from_str(line).expect("it is json");
            let texts = ["error", "user", "message"].map(|field| record[field].as_str());
            assert!(
                texts.contains(&Some(HOSTILE)),
                "the text is the same to a reader: {line}"
            );
        }
    }
}
