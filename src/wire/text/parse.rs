//! A client's line.

use std::borrow::Cow;

use super::escape::unescape;
use crate::wire::{BodyFrame, ClientFrame, IdFrame, Login};

/// Lines have no ids: an answer follows its line.
const ID: u64 = 0;
const ASKED: IdFrame = IdFrame { id: ID };

/// Every line is a frame: what is no command is a request.
pub(super) fn line(line: Cow<'_, str>) -> ClientFrame<'_> {
    match line {
        Cow::Borrowed(line) => borrowed(line),
        Cow::Owned(line) => borrowed(&line).into_owned(),
    }
}

fn borrowed(line: &str) -> ClientFrame<'_> {
    match line {
        "fim" => return ClientFrame::Fim(ASKED),
        "/who" => return ClientFrame::Who(ASKED),
        "/ping" => return ClientFrame::Ping(ASKED),
        _ => {}
    }
    if let Some(claim) = argument(line, "/login") {
        let (user, password) = claim.split_once(' ').unwrap_or((claim, ""));
        return ClientFrame::Login(Login {
            id: ID,
            user: Cow::Borrowed(user),
            password: Cow::Borrowed(password),
            resume: None,
        });
    }
    if let Some(text) = argument(line, "/publish") {
        return ClientFrame::Publish(body_frame(text));
    }
    let text = line.strip_prefix('/').filter(|rest| rest.starts_with('/'));
    ClientFrame::Request(body_frame(text.unwrap_or(line)))
}

/// The text behind a command and one space; nothing follows a bare command.
fn argument<'a>(line: &'a str, command: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(command)?;
    if rest.is_empty() {
        return Some(rest);
    }
    rest.strip_prefix(' ')
}

fn body_frame(text: &str) -> BodyFrame<'_> {
    BodyFrame {
        id: ID,
        body: unescape(Cow::Borrowed(text)),
    }
}
