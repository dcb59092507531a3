//! Records for systemd's journal, which has the time of each, and takes its priority from a prefix.

use std::fmt;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::queue::DROPPED;

/// Writes the priority of a record, as sd-daemon(3) has it, before the record itself.
pub(super) struct WithPriority<F>(pub(super) F);

impl<S, N, F> FormatEvent<S, N> for WithPriority<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        writer.write_str(priority(*event.metadata().level()))?;
        self.0.format_event(ctx, writer, event)
    }
}

fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "<3>",
        Level::WARN => "<4>",
        Level::INFO => "<6>",
        _ => "<7>",
    }
}

/// Makes the record that says how many records were dropped.
pub(super) fn human_drop_notice(records: u64) -> Vec<u8> {
    format!("<4>{} records={records}\n", DROPPED).into_bytes()
}

/// Makes the same record as JSON.
pub(super) fn json_drop_notice(records: u64) -> Vec<u8> {
    let record = serde_json::json!({
        "level": "WARN", "message": DROPPED, "records": records,
        "target": env!("CARGO_PKG_NAME"),
    });
    format!("<4>{record}\n").into_bytes()
}
