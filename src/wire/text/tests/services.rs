//! The lines of services.

use std::borrow::Cow;

use super::{parsed, rendered, request};
use crate::wire::{
    AnswerError, AnswerFrame, Body, CallFrame, Cancelled, ClientFrame, Headers, IdFrame, Offer,
    ReplyFrame, ReplyOptions, Request, RequestOptions, ServerFrame, ServiceList, Withdraw,
    Withdrawn,
};

fn offer(service: &'static str) -> ClientFrame<'static> {
    ClientFrame::Offer(Offer {
        id: 0,
        service: Cow::Borrowed(service),
        limit: None,
    })
}

fn withdraw(service: &'static str) -> ClientFrame<'static> {
    ClientFrame::Withdraw(Withdraw {
        id: 0,
        service: Cow::Borrowed(service),
    })
}

fn answer(call: u64, body: Body<'static>) -> ClientFrame<'static> {
    let result = Ok((body, None));
    ClientFrame::Answer(AnswerFrame { call, result })
}

fn fail(call: u64, code: &'static str, message: &'static str) -> ClientFrame<'static> {
    let (code, message) = (Cow::Borrowed(code), Cow::Borrowed(message));
    let result = Err(AnswerError { code, message });
    ClientFrame::Answer(AnswerFrame { call, result })
}

fn ask(service: &'static str, body: Body<'static>) -> ClientFrame<'static> {
    let mut request = Request::new(0, body);
    request.options = Some(Box::new(RequestOptions {
        service: Some(Cow::Borrowed(service)),
        ..RequestOptions::default()
    }));
    ClientFrame::Request(request)
}

#[test]
fn service_commands_have_names_of_one_word() {
    assert_eq!(parsed(r"/offer a\u{20}b\\c"), offer(r"a b\c"));
    assert_eq!(parsed("/offer"), offer(""));
    assert_eq!(parsed("/withdraw a/b"), withdraw("a/b"));
    assert_eq!(parsed(r"/ask a\u{20}b"), ask("a b", Body::text("")));
    let body = Body::text("olá\n mundo ");
    assert_eq!(parsed(r"/ask a olá\n mundo "), ask("a", body));
    assert_eq!(parsed(r"/ask a \x00"), ask("a", Body::bytes(&[0])));
}

#[test]
fn answer_and_failure_begin_with_the_number_of_the_call() {
    assert_eq!(
        parsed(r"/answer 7 um\ndois "),
        answer(7, Body::text("um\ndois "))
    );
    assert_eq!(parsed(r"/answer 0 \xff"), answer(0, Body::bytes(&[0xff])));
    assert_eq!(parsed("/answer 7"), answer(7, Body::text("")));
    let longest = "/answer 18446744073709551615 x";
    assert_eq!(parsed(longest), answer(u64::MAX, Body::text("x")));
    assert_eq!(
        parsed(r"/fail 7 no\u{20}paper it\nis empty"),
        fail(7, "no paper", "it\nis empty")
    );
    assert_eq!(parsed(r"/fail 7 a \x00"), fail(7, "a", r"\x00"));
    assert_eq!(parsed("/fail 7"), fail(7, "", ""));
}

/// A client of this dialect sees from the reply that the line was no command.
#[test]
fn malformed_service_command_is_a_request() {
    for line in [
        "/offer a b",
        "/offer a ",
        "/offers a",
        "/withdraw a b",
        "/answer",
        "/answer x y",
        "/answer +7 y",
        "/answer -7 y",
        "/answer 18446744073709551616 y",
        "/answer  7 y",
        "/fail",
        "/fail x code y",
        "/asks a",
    ] {
        assert_eq!(parsed(line), request(Body::text(line)), "{line}");
    }
}

#[test]
fn frames_of_services_have_lines_of_their_own() {
    let service = || Cow::Borrowed("a b");
    let withdrawn = |id| {
        rendered(&ServerFrame::Withdrawn(Withdrawn {
            id,
            service: service(),
        }))
    };
    assert_eq!(
        rendered(&ServerFrame::Offered(IdFrame { id: 0 })),
        "+ offered"
    );
    assert_eq!(withdrawn(Some(0)), r"+ withdrawn a\u{20}b");
    assert_eq!(withdrawn(None), r"* withdrawn a\u{20}b");
    let call = CallFrame {
        call: 7,
        service: service(),
        from: Cow::Borrowed("ana"),
        body: Body::text("um\n dois"),
        remaining: 30_000,
        headers: Some(Headers::default()),
    };
    assert_eq!(
        rendered(&ServerFrame::Call(call)),
        r"* call 7 a\u{20}b ana um\n dois"
    );
    let cancelled = ServerFrame::Cancelled(Cancelled { call: 7 });
    assert_eq!(rendered(&cancelled), "* cancelled 7");
    let mut reply = ReplyFrame::new(0, Body::text("um"));
    reply.options = Some(Box::new(ReplyOptions {
        from: Some(Cow::Borrowed("rui")),
        headers: None,
    }));
    assert_eq!(rendered(&ServerFrame::Reply(reply)), "= um");
    let services = ServerFrame::Services(ServiceList {
        id: 0,
        services: Vec::new(),
        more: false,
    });
    assert_eq!(rendered(&services), "+ services 0");
}
