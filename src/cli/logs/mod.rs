//! The log: structured, on stderr, never in anybody's way.
//!
//! No field can start a second record, colour a terminal or hide text, whoever it comes
//! from: control characters, and those that reorder a line, are escaped in every form.

mod form;
mod queue;

use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal, Write};

use tracing::field::Field;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::util::SubscriberInitExt;

pub(super) use self::form::LogForm;
use self::queue::LogGuard;
use super::output::{is_hostile, one_line};
use super::screen::Screen;

/// Starts the log. `ARAUTO_LOG` filters it as tracing's EnvFilter does, as in
/// `ARAUTO_LOG=debug`. Records that a stuck stderr does not take are dropped and
/// counted in the log: the server goes on.
pub(super) fn start(form: LogForm, screen: Screen) -> LogGuard {
    let filter = EnvFilter::try_from_env("ARAUTO_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let is_terminal = io::stderr().is_terminal();
    match form {
        LogForm::Human => {
            let (writer, guard) = queue::start(screen, dropped_for_people);
            let log = tracing_subscriber::fmt().with_env_filter(filter);
            let log = log
                .with_writer(writer)
                .with_ansi(is_terminal)
                .with_target(false);
            let started = log.fmt_fields(human_fields()).finish().try_init();
            started.expect("the log is started once");
            guard
        }
        LogForm::Json => {
            let (writer, guard) = queue::start(OneLine(screen), dropped_for_programs);
            let log = tracing_subscriber::fmt().with_env_filter(filter);
            let log = log.with_writer(writer).json().flatten_event(true);
            log.finish().try_init().expect("the log is started once");
            guard
        }
    }
}

const DROPPED: &str = "log records dropped";

fn dropped_for_people(records: u64) -> Vec<u8> {
    format!("{}  WARN {DROPPED} records={records}\n", now()).into_bytes()
}

fn dropped_for_programs(records: u64) -> Vec<u8> {
    let (timestamp, target) = (now(), env!("CARGO_PKG_NAME"));
    let record = serde_json::json!({
        "timestamp": timestamp, "level": "WARN", "message": DROPPED, "records": records,
        "target": target,
    });
    format!("{record}\n").into_bytes()
}

/// The time as every other record has it.
fn now() -> String {
    let mut now = String::new();
    let written = SystemTime.format_time(&mut Writer::new(&mut now));
    written.expect("a String takes it");
    now
}

/// Fields as `name=value`, each on the record's one line.
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

/// JSON escapes the ASCII control characters itself; the others can only stand within a
/// string, where `\u` and four digits mean the same.
#[derive(Clone)]
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(record);
        let mut line = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '\n' => line.push(c),
                c if is_hostile(c) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        write!(line, "\\u{unit:04x}").expect("a String takes it");
                    }
                }
                c => line.push(c),
            }
        }
        self.0.write_all(line.as_bytes())?;
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

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no test panics here").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Kept {
        fn text(&self) -> String {
            let bytes = self.0.lock().expect("no test panics here").clone();
            String::from_utf8(bytes).expect("the log is utf-8")
        }
    }

    const HOSTILE: &str = "a\r\n2026 ERROR forged\u{1b}[31m\u{0}\u{7f}\u{85}\u{9b}31m\u{202e}\u{2066}\u{2028}\u{200b}\u{e0041}b";

    fn say() {
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
    fn no_field_starts_a_record_colours_a_terminal_or_hides_text() {
        let kept = Kept::default();
        let writer = kept.clone();
        let log = tracing_subscriber::fmt()
            .with_ansi(false)
            .fmt_fields(human_fields());
        let log = log.with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(log, say);
        assert_two_clean_lines(&kept.text());
        assert!(kept.text().contains("bad input error=a"), "{}", kept.text());
    }

    #[test]
    fn nor_does_one_in_the_form_for_programs() {
        let kept = Kept::default();
        let writer = OneLine(kept.clone());
        let log = tracing_subscriber::fmt().json().flatten_event(true);
        let log = log.with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(log, say);
        assert_two_clean_lines(&kept.text());
        for line in kept.text().lines() {
            let record: serde_json::Value = serde_json::from_str(line).expect("it is json");
            let texts = ["error", "user", "message"].map(|field| record[field].as_str());
            assert!(
                texts.contains(&Some(HOSTILE)),
                "the text itself is kept: {line}"
            );
        }
    }
}
