//! Log records and spans of messages that carry a trace context, the header `traceparent`.
//!
//! They have the fields `trace_id` and `span_id`, so that a trace's records are found by its id. The
//! records are at the level debug and have a target of their own (`ARAUTO_LOG=info,arauto::trace=debug`):
//! a client decides how many there are. Without that filter, a message costs a comparison.

use tracing::{Level, Span};

use crate::accounts::UserName;
use crate::close::CallEnd;
use crate::services::{CallAnswer, CallId, CallOutcome, GivenCall, Unavailability};
use crate::wire::{ClientFrame, Headers, SessionId, TraceParent};

/// The target of these records and spans.
const TARGET: &str = "arauto::trace";

/// Whether the records are logged.
fn is_logged() -> bool {
    tracing::enabled!(target: TARGET, Level::DEBUG)
}

/// Returns the trace context of these headers, if records about it are logged.
pub(super) fn traced(headers: Option<&Headers<'_>>) -> Option<TraceParent> {
    let headers = headers.filter(|_| is_logged())?;
    TraceParent::of(headers)
}

/// A publish with a trace context.
#[derive(Debug)]
pub(super) struct TracedPublish {
    id: u64,
    topic: Option<String>,
    parent: TraceParent,
}

impl TracedPublish {
    /// Returns what is logged of a frame; `None` of one that is no publish with a trace context.
    #[inline]
    pub(super) fn of(frame: &ClientFrame<'_>) -> Option<TracedPublish> {
        let ClientFrame::Publish(publish) = frame else {
            return None;
        };
        let headers = publish.options.as_ref()?.headers.as_ref();
        Some(TracedPublish {
            parent: traced(headers)?,
            id: publish.id,
            topic: publish.topic.as_deref().map(str::to_owned),
        })
    }

    /// Logs that the message was received. Its answer has the same id.
    pub(super) fn log(&self, session: SessionId, user: Option<&UserName>) {
        let (trace_id, span_id) = (self.parent.trace_id(), self.parent.span_id());
        let (user, topic) = (user.map(UserName::as_str), self.topic.as_deref());
        tracing::debug!(
            target: TARGET, %session, user, id = self.id, topic, trace_id, span_id,
            "message received"
        );
    }
}

/// Returns the span in which a handler answers a request. The records that the handler logs have the
/// trace's fields; a request without a trace context has no span.
pub(super) fn handler_span(session: SessionId, user: &str, headers: &Headers<'_>) -> Span {
    match TraceParent::of(headers) {
        None => Span::none(),
        Some(parent) => {
            let (trace_id, span_id) = (parent.trace_id(), parent.span_id());
            tracing::info_span!(target: TARGET, "request", %session, user, trace_id, span_id)
        }
    }
}

/// Logs that a session has made a call.
pub(super) fn log_made(session: SessionId, call: CallId, service: &str, parent: &TraceParent) {
    let (trace_id, span_id) = (parent.trace_id(), parent.span_id());
    tracing::debug!(target: TARGET, %session, %call, service, trace_id, span_id, "call made");
}

/// Logs that a session is to answer a call, if that has a trace context.
pub(super) fn log_given(session: SessionId, given: &GivenCall) {
    let Some(parent) = traced(given.payload.headers.as_ref()) else {
        return;
    };
    let (call, service, from) = (given.call, &*given.service, &*given.from);
    let (trace_id, span_id) = (parent.trace_id(), parent.span_id());
    tracing::debug!(target: TARGET, %session, %call, service, from, trace_id, span_id, "call given");
}

/// Logs the end of a call that this session has made.
pub(super) fn log_end(session: SessionId, call: CallId, end: &str, parent: &TraceParent) {
    let (trace_id, span_id) = (parent.trace_id(), parent.span_id());
    tracing::debug!(target: TARGET, %session, %call, end, trace_id, span_id, "call ended");
}

/// Returns the end of a call in a word, as the report of a stop has it.
pub(super) fn end_of(outcome: &CallOutcome) -> &'static str {
    let end = match outcome {
        CallOutcome::Answered { answer, .. } => match answer {
            CallAnswer::Reply(_) => CallEnd::Replied,
            CallAnswer::Failed { .. } => CallEnd::Failed,
            CallAnswer::TooLong => CallEnd::TooLong,
        },
        CallOutcome::Unavailable(why) => match why {
            Unavailability::NotOffered => CallEnd::NotOffered,
            Unavailability::ResponderEnded => CallEnd::ResponderEnded,
            Unavailability::ReplyDropped => CallEnd::ReplyDropped,
        },
    };
    end.as_str()
}

#[cfg(all(test, feature = "cli"))] // the log has the form of the program's
mod tests {
    use std::io;
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;
    use crate::wire::{Body, Publish, PublishOptions};

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Returns the records that `act` logs at this level.
    fn logged(level: Level, act: impl FnOnce()) -> Vec<serde_json::Value> {
        let written = Written::default();
        let writer = written.clone();
        let log = tracing_subscriber::fmt().json().flatten_event(true);
        let log = log
            .with_max_level(level)
            .with_writer(move || writer.clone());
        tracing::subscriber::with_default(log.finish(), act);
        let text = String::from_utf8(written.0.lock().clone()).expect("it is utf-8");
        let records = text.lines().map(serde_json::from_str);
        records.map(|record| record.expect("it is json")).collect()
    }

    fn headers(value: &str) -> Headers<'_> {
        let mut headers = Headers::default();
        headers.push(TraceParent::HEADER, value);
        headers
    }

    fn publish(value: &str) -> ClientFrame<'_> {
        let mut publish = Publish::new(7, Body::text("bom dia"));
        publish.topic = Some("a/b".into());
        publish.options = Some(Box::new(PublishOptions {
            headers: Some(headers(value)),
            ..PublishOptions::default()
        }));
        ClientFrame::Publish(publish)
    }

    #[test]
    fn records_of_a_handler_have_the_fields_of_the_trace() {
        let records = logged(Level::INFO, || {
            handler_span(SessionId(3), "ana", &headers(PARENT))
                .in_scope(|| tracing::info!("in the trace"));
            handler_span(SessionId(3), "ana", &headers("none"))
                .in_scope(|| tracing::info!("outside"));
        });
        let span = &records[0]["span"];
        assert_eq!(span["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(span["span_id"], "00f067aa0ba902b7");
        assert!(records[1]["span"].is_null(), "{}", records[1]);
    }

    #[test]
    fn publish_is_logged_only_where_the_filter_asks_for_it() {
        let log = |level, value: &str| {
            logged(level, || {
                let traced = TracedPublish::of(&publish(value));
                traced
                    .iter()
                    .for_each(|traced| traced.log(SessionId(3), None));
            })
        };
        let records = log(Level::DEBUG, PARENT);
        assert_eq!(records.len(), 1);
        assert_eq!(records[0]["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(
            (&records[0]["topic"], &records[0]["id"]),
            (&"a/b".into(), &7.into())
        );
        assert_eq!(log(Level::INFO, PARENT).len(), 0);
        assert_eq!(log(Level::DEBUG, "no trace").len(), 0);
    }
}
