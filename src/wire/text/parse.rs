//! Parses a client's line.

use std::borrow::Cow;

use super::escape::{unescape, unescape_text};
use crate::wire::{ClientFrame, IdFrame, Login, Publish, PublishOptions, Request, Subscribe};

/// The id of every frame. Lines have no ids, because answers come in the order of the lines.
const ID: u64 = 0;
const ID_FRAME: IdFrame = IdFrame { id: ID };

/// Parses a line. It cannot fail: a line that is not a command is a request.
pub(super) fn line(line: Cow<'_, str>) -> ClientFrame<'_> {
    match line {
        Cow::Borrowed(line) => borrowed(line),
        Cow::Owned(line) => borrowed(&line).into_owned(),
    }
}

fn borrowed(line: &str) -> ClientFrame<'_> {
    match line {
        "fim" => return ClientFrame::Fim(ID_FRAME),
        "/who" => return ClientFrame::Who(ID_FRAME),
        "/ping" => return ClientFrame::Ping(ID_FRAME),
        _ => {}
    }
    if let Some(login) = argument(line, "/login") {
        let (user, password) = login.split_once(' ').unwrap_or((login, ""));
        return ClientFrame::Login(Box::new(Login {
            id: ID,
            user: Cow::Borrowed(user),
            password: Cow::Borrowed(password),
            resume: None,
            options: None,
        }));
    }
    if let Some(text) = argument(line, "/publish") {
        return ClientFrame::Publish(publish(text));
    }
    if let Some(post) = argument(line, "/post") {
        let (topic, text) = post.split_once(' ').unwrap_or((post, ""));
        let mut publish = publish(text);
        publish.topic = Some(unescape_text(topic));
        return ClientFrame::Publish(publish);
    }
    if let Some(tell) = argument(line, "/tell") {
        let (user, text) = tell.split_once(' ').unwrap_or((tell, ""));
        let mut publish = publish(text);
        publish.options = Some(Box::new(PublishOptions {
            to: Some(Cow::Borrowed(user)),
            ..PublishOptions::default()
        }));
        return ClientFrame::Publish(publish);
    }
    if let Some(patterns) = argument(line, "/subscribe") {
        return ClientFrame::Subscribe(Box::new(Subscribe {
            id: ID,
            add: patterns.split(' ').map(unescape_text).collect(),
            remove: Vec::new(),
            kept: Some(true),
        }));
    }
    if let Some(patterns) = argument(line, "/unsubscribe") {
        return ClientFrame::Subscribe(Box::new(Subscribe {
            id: ID,
            add: Vec::new(),
            remove: patterns.split(' ').map(unescape_text).collect(),
            kept: None,
        }));
    }
    let text = line.strip_prefix('/').filter(|rest| rest.starts_with('/'));
    ClientFrame::Request(request(text.unwrap_or(line)))
}

/// Returns the text after the command and one space, or the empty text if nothing follows the
/// command. Returns `None` for another command.
fn argument<'a>(line: &'a str, command: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(command)?;
    if rest.is_empty() {
        return Some(rest);
    }
    rest.strip_prefix(' ')
}

fn publish(text: &str) -> Publish<'_> {
    Publish::new(ID, unescape(Cow::Borrowed(text)))
}

fn request(text: &str) -> Request<'_> {
    Request::new(ID, unescape(Cow::Borrowed(text)))
}
