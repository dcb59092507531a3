//! Renders a server's frame as a line.

use std::fmt::{self, Write};

use super::escape::{escape, escape_word};
use crate::wire::{Body, Message, ServerFrame};

pub(super) fn line(frame: &ServerFrame<'_>, out: &mut String) {
    write_line(frame, out).expect("a String takes every character");
}

fn write_line(frame: &ServerFrame<'_>, out: &mut String) -> fmt::Result {
    match frame {
        ServerFrame::Welcome(welcome) => write!(out, "+ arauto {}", welcome.version),
        ServerFrame::LoggedIn(login) if login.registered => {
            write!(out, "+ {} registered", login.user)
        }
        ServerFrame::LoggedIn(login) => write!(out, "+ {} logged in", login.user),
        ServerFrame::Published(published) => write!(out, "+ published {}", published.seq),
        ServerFrame::Present(present) => {
            out.push_str("+ present");
            present
                .users
                .iter()
                .try_for_each(|user| write!(out, " {user}"))
        }
        ServerFrame::Pong(_) => out.write_str("+ pong"),
        ServerFrame::Reply(reply) => {
            out.push_str("= ");
            escape(&reply.body, out);
            Ok(())
        }
        ServerFrame::Message(message) => {
            let (kind, topic) = match (&message.to, &message.topic) {
                (Some(_), _) => ("direct", None),
                (None, Some(topic)) => ("post", Some(&**topic)),
                (None, None) => ("message", None),
            };
            write_message(kind, message, topic, out)
        }
        ServerFrame::Kept(kept) => {
            let topic = kept.topic.as_deref().unwrap_or_default();
            write_message("kept", kept, Some(topic), out)
        }
        ServerFrame::Subscribed(subscribed) => {
            out.push_str("+ subscribed");
            for pattern in subscribed.filter.iter().flatten() {
                out.push(' ');
                escape_word(pattern, out);
            }
            Ok(())
        }
        ServerFrame::Passed(passed) => write!(out, "* passed {}", passed.to),
        ServerFrame::Joined(joined) => write!(out, "* joined {} {}", joined.seq, joined.user),
        ServerFrame::Left(left) => write!(out, "* left {} {}", left.seq, left.user),
        ServerFrame::Gap(gap) => write!(out, "* gap {} {}", gap.from, gap.to),
        ServerFrame::Stopping(stopping) => write!(out, "* stopping {}", stopping.reason),
        ServerFrame::Error(error) => {
            write!(out, "- {} ", error.code)?;
            escape(&Body::text(&error.for_people()), out);
            Ok(())
        }
        ServerFrame::Closing(closing) => write!(out, ". {}", closing.reason),
        ServerFrame::Sessions(list) => write!(out, "+ sessions {}", list.sessions.len()),
        ServerFrame::Topics(list) => write!(out, "+ topics {}", list.topics.len()),
        ServerFrame::Cursors(list) => write!(out, "+ cursors {}", list.cursors.len()),
        ServerFrame::CursorRemoved(removed) => write!(out, "+ removed {}", removed.removed),
        ServerFrame::Offered(_) => out.write_str("+ offered"),
        ServerFrame::Withdrawn(withdrawn) => {
            let kind = if withdrawn.id.is_some() { '+' } else { '*' };
            write!(out, "{kind} withdrawn ")?;
            escape_word(&withdrawn.service, out);
            Ok(())
        }
        ServerFrame::Call(call) => {
            write!(out, "* call {} ", call.call)?;
            escape_word(&call.service, out);
            write!(out, " {} ", call.from)?;
            escape(&call.body, out);
            Ok(())
        }
        ServerFrame::Cancelled(cancelled) => write!(out, "* cancelled {}", cancelled.call),
        ServerFrame::Services(list) => write!(out, "+ services {}", list.services.len()),
    }
}

fn write_message(
    kind: &str,
    message: &Message<'_>,
    topic: Option<&str>,
    out: &mut String,
) -> fmt::Result {
    write!(out, "* {kind} {} {} ", message.seq, message.from)?;
    if let Some(topic) = topic {
        escape_word(topic, out);
        out.push(' ');
    }
    escape(&message.body, out);
    Ok(())
}
