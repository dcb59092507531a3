//! Renders a server's frame as a line.

use std::fmt::{self, Write};

use super::escape::escape;
use crate::wire::{Body, ServerFrame};

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
            write!(out, "* message {} {} ", message.seq, message.from)?;
            escape(&message.body, out);
            Ok(())
        }
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
    }
}
