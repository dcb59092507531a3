//! Parses a client's line.

use std::borrow::Cow;

use super::escape::{unescape, unescape_text};
use crate::wire::{
    AnswerError, AnswerFrame, ClientFrame, IdFrame, Login, Offer, Publish, PublishOptions, Request,
    RequestOptions, Subscribe, Withdraw,
};

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
    if let Some(frame) = of_services(line) {
        return frame;
    }
    let text = line.strip_prefix('/').filter(|rest| rest.starts_with('/'));
    ClientFrame::Request(request(text.unwrap_or(line)))
}

/// Parses the commands of services. Returns `None` for any other line.
///
/// A line with too many words for its command, or without a number as CALL, is no command: it is a
/// request, so that the client sees from the reply how it was read.
fn of_services(line: &str) -> Option<ClientFrame<'_>> {
    if let Some(name) = argument(line, "/offer") {
        return Some(ClientFrame::Offer(Offer {
            id: ID,
            service: word(name)?,
            limit: None,
        }));
    }
    if let Some(name) = argument(line, "/withdraw") {
        let service = word(name)?;
        return Some(ClientFrame::Withdraw(Withdraw { id: ID, service }));
    }
    if let Some(ask) = argument(line, "/ask") {
        let (name, text) = ask.split_once(' ').unwrap_or((ask, ""));
        let mut request = request(text);
        request.options = Some(Box::new(RequestOptions {
            service: Some(unescape_text(name)),
            ..RequestOptions::default()
        }));
        return Some(ClientFrame::Request(request));
    }
    if let Some(answer) = argument(line, "/answer") {
        let (call, text) = answer.split_once(' ').unwrap_or((answer, ""));
        return Some(ClientFrame::Answer(AnswerFrame {
            call: number(call)?,
            result: Ok((unescape(Cow::Borrowed(text)), None)),
        }));
    }
    let failure = argument(line, "/fail")?;
    let (call, error) = failure.split_once(' ').unwrap_or((failure, ""));
    let (code, text) = error.split_once(' ').unwrap_or((error, ""));
    Some(ClientFrame::Answer(AnswerFrame {
        call: number(call)?,
        result: Err(AnswerError {
            code: unescape_text(code),
            message: unescape_text(text),
        }),
    }))
}

/// Reads one word; `None` if there are more.
fn word(text: &str) -> Option<Cow<'_, str>> {
    (!text.contains(' ')).then(|| unescape_text(text))
}

/// Reads a number; `None` for anything but decimal digits, and for a number above 2^64 - 1.
fn number(text: &str) -> Option<u64> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_digits)
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
