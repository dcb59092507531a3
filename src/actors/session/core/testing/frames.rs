//! Frames of a client, made of few words, and the server's in few words.

use std::borrow::Cow;

use crate::wire::cbor::decode_server;
use crate::wire::{
    Ack, AnswerFrame, Body, ClientFrame, Decoded, ErrorCode, Headers, IdFrame, Login, LoginOptions,
    Publish, PublishOptions, Request, Seq, ServerFrame, Shutdown, Subscribe, Unserved,
};

/// Topics; the last two are none that a client may publish to.
const TOPICS: [&str; 4] = ["a", "a/b", "$a", "a/+"];

/// Lists of patterns; the last one has one that is wrong.
const FILTERS: [&[&str]; 4] = [&["a"], &["#", "a/+", "#"], &["+/b", "$a"], &["a/#/b"]];

pub fn login(id: u64) -> ClientFrame<'static> {
    ClientFrame::Login(Box::new(Login {
        id,
        user: Cow::Borrowed("ana"),
        password: Cow::Borrowed("segredo"),
        resume: None,
        options: None,
    }))
}

/// A login with the keys of topics, which the number chooses.
pub fn login_with_filter(id: u64, choice: u8) -> ClientFrame<'static> {
    let ClientFrame::Login(mut login) = login(id) else {
        unreachable!("it is a login");
    };
    login.options = Some(Box::new(LoginOptions {
        filter: (choice % 5 < 4).then(|| filter(choice % 5)),
        presence: (choice / 4 % 2 == 1).then_some(choice < 8),
        kept: (choice / 8 == 1).then_some(true),
        cursor: None,
    }));
    ClientFrame::Login(login)
}

fn filter(choice: u8) -> Vec<Cow<'static, str>> {
    let patterns = FILTERS[usize::from(choice) % FILTERS.len()].iter();
    patterns.map(|pattern| Cow::Borrowed(*pattern)).collect()
}

/// Changes the filter by patterns that the number chooses.
pub fn subscribe(id: u64, choice: u8) -> ClientFrame<'static> {
    let removes = choice / 4 % 2 == 1;
    ClientFrame::Subscribe(Box::new(Subscribe {
        id,
        add: filter(choice),
        remove: if removes {
            filter(choice / 4)
        } else {
            Vec::new()
        },
        kept: (choice / 8 == 1).then_some(true),
    }))
}

fn body() -> Body<'static> {
    Body::text("bom dia")
}

pub fn request(id: u64) -> ClientFrame<'static> {
    ClientFrame::Request(Request::new(id, body()))
}

pub fn publish(id: u64) -> ClientFrame<'static> {
    ClientFrame::Publish(Publish::new(id, body()))
}

/// A message with a topic, headers, a value to keep or one receiver, which the number chooses.
pub fn addressed(id: u64, choice: u8) -> ClientFrame<'static> {
    let mut publish = Publish::new(id, body());
    let topic = TOPICS.get(usize::from(choice) % 5);
    publish.topic = topic.map(|topic| Cow::Borrowed(*topic));
    let mut headers = Headers::default();
    headers.push("lang", "pt");
    let to = ["ana", "eva"][usize::from(choice) % 2];
    publish.options = Some(Box::new(PublishOptions {
        headers: choice.is_multiple_of(3).then_some(headers),
        keep: (choice / 4 % 2 == 1).then_some(true),
        to: (choice / 8 == 1).then_some(Cow::Borrowed(to)),
        ..PublishOptions::default()
    }));
    ClientFrame::Publish(publish)
}

/// A message that the producer `p` has given this number.
pub fn numbered(id: u64, n: u64) -> ClientFrame<'static> {
    let mut publish = Publish::new(id, body());
    publish.options = Some(Box::new(PublishOptions {
        producer: Some(Cow::Borrowed("p")),
        n: Some(n),
        ..PublishOptions::default()
    }));
    ClientFrame::Publish(publish)
}

/// A call of a service.
#[cfg(test)]
pub fn ask(id: u64, service: &'static str) -> ClientFrame<'static> {
    let mut request = Request::new(id, body());
    request.options = Some(Box::new(crate::wire::RequestOptions {
        service: Some(Cow::Borrowed(service)),
        ..crate::wire::RequestOptions::default()
    }));
    ClientFrame::Request(request)
}

#[cfg(test)]
pub fn offer(id: u64, service: &'static str, limit: Option<u64>) -> ClientFrame<'static> {
    let service = Cow::Borrowed(service);
    ClientFrame::Offer(crate::wire::Offer { id, service, limit })
}

#[cfg(test)]
pub fn withdraw(id: u64, service: &'static str) -> ClientFrame<'static> {
    let service = Cow::Borrowed(service);
    ClientFrame::Withdraw(crate::wire::Withdraw { id, service })
}

pub fn who(id: u64) -> ClientFrame<'static> {
    ClientFrame::Who(IdFrame { id })
}

pub fn ping(id: u64) -> ClientFrame<'static> {
    ClientFrame::Ping(IdFrame { id })
}

pub fn fim(id: u64) -> ClientFrame<'static> {
    ClientFrame::Fim(IdFrame { id })
}

pub fn sessions(id: u64) -> ClientFrame<'static> {
    ClientFrame::Sessions(IdFrame { id })
}

#[cfg(test)]
pub fn topics(id: u64, pattern: Option<&'static str>) -> ClientFrame<'static> {
    ClientFrame::Topics(Box::new(crate::wire::TopicQuery {
        id,
        pattern: pattern.map(Into::into),
        after: None,
    }))
}

pub fn shutdown(id: u64, now: bool) -> ClientFrame<'static> {
    let now = Some(now);
    ClientFrame::Shutdown(Shutdown { id, now })
}

pub fn ack(seq: u64) -> ClientFrame<'static> {
    ClientFrame::Ack(Ack { seq: Seq(seq) })
}

/// The reply to a call.
pub fn answer(call: u64) -> ClientFrame<'static> {
    let result = Ok((body(), None));
    ClientFrame::Answer(AnswerFrame { call, result })
}

pub fn unserved(id: u64, is_login: bool) -> ClientFrame<'static> {
    ClientFrame::Unserved(Unserved {
        id,
        what: "the frame subscribe",
        is_login,
    })
}

/// An answer, as far as the order of answers and the counts are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It answers no frame.
    Notice,
    /// It answers the frame with this id.
    To {
        id: u64,
        code: Option<ErrorCode>,
        /// Whether it tells of a login.
        enters: bool,
    },
    Closing {
        accepted: u64,
        refused: u64,
    },
}

/// Reads an answer.
pub fn read(answer: &[u8]) -> Answer {
    let to = |id| Answer::To {
        id,
        code: None,
        enters: false,
    };
    match decode(answer) {
        ServerFrame::LoggedIn(login) => Answer::To {
            id: login.id,
            code: None,
            enters: true,
        },
        ServerFrame::Reply(reply) => to(reply.id),
        ServerFrame::Published(published) => to(published.id),
        ServerFrame::Present(present) => to(present.id),
        ServerFrame::Pong(pong) => to(pong.id),
        ServerFrame::Sessions(list) => to(list.id),
        ServerFrame::Topics(list) => to(list.id),
        ServerFrame::Cursors(list) => to(list.id),
        ServerFrame::CursorRemoved(removed) => to(removed.id),
        ServerFrame::Subscribed(subscribed) => to(subscribed.id),
        ServerFrame::Stopping(stopping) => stopping.id.map_or(Answer::Notice, to),
        ServerFrame::Error(error) => error.id.map_or(Answer::Notice, |id| Answer::To {
            id,
            code: Some(error.code),
            enters: false,
        }),
        ServerFrame::Closing(closing) => Answer::Closing {
            accepted: closing.accepted,
            refused: closing.refused,
        },
        _ => Answer::Notice,
    }
}

fn decode(answer: &[u8]) -> ServerFrame<'_> {
    match decode_server(answer, usize::MAX) {
        Ok(Decoded::Frame(frame, used)) if used == answer.len() => frame,
        other => panic!("an answer is one frame: {other:?}"),
    }
}

/// Describes an answer in a few words: its name, the id that it answers, and what differs.
#[cfg(test)]
pub fn describe(answer: &[u8]) -> String {
    let id = |id: Option<u64>| id.map_or("-".to_owned(), |id| id.to_string());
    match decode(answer) {
        ServerFrame::Welcome(welcome) => format!("welcome {}", welcome.session),
        ServerFrame::LoggedIn(login) => format!("logged_in {} {}", login.id, login.user),
        ServerFrame::Reply(reply) => match reply.options.and_then(|options| options.from) {
            Some(from) => format!("reply {} from {from}", reply.id),
            None => format!("reply {}", reply.id),
        },
        ServerFrame::Offered(offered) => format!("offered {}", offered.id),
        ServerFrame::Withdrawn(withdrawn) => {
            format!("withdrawn {} {}", id(withdrawn.id), withdrawn.service)
        }
        ServerFrame::Call(call) => format!("call {} {}", call.call, call.service),
        ServerFrame::Cancelled(cancelled) => format!("cancelled {}", cancelled.call),
        ServerFrame::Published(published) => {
            let repeated = if published.repeated { ", repeated" } else { "" };
            format!("published {} at {}{repeated}", published.id, published.seq)
        }
        ServerFrame::Present(present) => {
            format!("present {} {}", present.id, present.users.join(","))
        }
        ServerFrame::Pong(pong) => format!("pong {}", pong.id),
        ServerFrame::Gap(gap) => format!("gap {} to {}", gap.from, gap.to),
        ServerFrame::Error(error) => format!("error {} {}", id(error.id), error.code),
        ServerFrame::Stopping(stopping) => {
            format!("stopping {} {}", id(stopping.id), stopping.phase)
        }
        ServerFrame::Closing(closing) => format!(
            "closing {} at {}, {} accepted, {} refused",
            closing.reason, closing.last_seq, closing.accepted, closing.refused
        ),
        ServerFrame::Sessions(list) => format!("sessions {}", list.id),
        ServerFrame::Topics(list) => format!("topics {} of {}", list.id, list.topics.len()),
        ServerFrame::Cursors(list) => format!("cursors {}", list.id),
        ServerFrame::CursorRemoved(removed) => {
            format!("cursor_removed {} {}", removed.id, removed.removed)
        }
        other => panic!("the core makes no broadcasts: {other:?}"),
    }
}
