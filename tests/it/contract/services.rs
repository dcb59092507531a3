//! The frames of services, which no conversation has yet.

use arauto::SessionId;
use arauto::wire::{
    AnswerError, AnswerFrame, Body, CallFrame, Cancelled, ClientFrame, Headers, IdFrame, Offer,
    OfferLine, ReplyFrame, ReplyOptions, Request, RequestOptions, ServerFrame, ServiceLine,
    ServiceList, ServiceQuery, Withdraw, Withdrawn,
};
use serde_cbor::Value;

use super::{assert_conform, assert_refused};
use crate::support::{Frame, ask, request, text};

fn headers() -> Option<Headers<'static>> {
    let mut headers = Headers::default();
    headers.push("kind", "a");
    Some(headers)
}

/// The frames of clients with all of their keys, and with none of the optional ones.
fn client_frames() -> Vec<ClientFrame<'static>> {
    let mut request = Request::new(1, Body::text("a"));
    request.options = Some(Box::new(RequestOptions {
        service: Some("s".into()),
        timeout: Some(3_600_000),
        headers: headers(),
    }));
    let offer = |limit| {
        ClientFrame::Offer(Offer {
            id: 1,
            service: "s".into(),
            limit,
        })
    };
    let answer = |result| ClientFrame::Answer(AnswerFrame { call: 0, result });
    let services = |after| ClientFrame::Services(Box::new(ServiceQuery { id: 1, after }));
    vec![
        ClientFrame::Request(request),
        offer(None),
        offer(Some(1)),
        ClientFrame::Withdraw(Withdraw {
            id: 1,
            service: "s".into(),
        }),
        answer(Ok((Body::text("a"), None))),
        answer(Ok((Body::bytes(b"a"), headers()))),
        answer(Err(AnswerError {
            code: "busy".into(),
            message: "".into(),
        })),
        services(None),
        services(Some("s".into())),
    ]
}

/// The frames of servers, likewise.
fn server_frames() -> Vec<ServerFrame<'static>> {
    let mut reply = ReplyFrame::new(1, Body::text("a"));
    reply.options = Some(Box::new(ReplyOptions {
        from: Some("rui".into()),
        headers: headers(),
    }));
    let withdrawn = |id| {
        ServerFrame::Withdrawn(Withdrawn {
            id,
            service: "s".into(),
        })
    };
    let call = |headers| {
        ServerFrame::Call(CallFrame {
            call: 1,
            service: "s".into(),
            from: "ana".into(),
            body: Body::text("a"),
            remaining: 0,
            headers,
        })
    };
    let offer = |limit| OfferLine {
        session: SessionId(1),
        user: "rui".into(),
        limit,
        in_work: 0,
    };
    let line = |offers, time| ServiceLine {
        service: "s".into(),
        offers,
        waiting: 0,
        answered: 0,
        failed: 0,
        p50_us: time,
        p99_us: time,
    };
    vec![
        ServerFrame::Reply(reply),
        ServerFrame::Offered(IdFrame { id: 1 }),
        withdrawn(None),
        withdrawn(Some(1)),
        call(None),
        call(headers()),
        ServerFrame::Cancelled(Cancelled { call: 1 }),
        ServerFrame::Services(ServiceList {
            id: 1,
            services: vec![
                line(Vec::new(), None),
                line(vec![offer(None), offer(Some(1))], Some(9)),
            ],
            more: true,
        }),
    ]
}

#[test]
fn frames_of_services_conform_to_the_schema() {
    assert_conform(&client_frames(), &server_frames());
    let error = Value::Map([(text("code"), text("busy"))].into());
    let answer = |key, value| Frame::new("answer", [("call", Value::Integer(1)), (key, value)]);
    assert_refused(&[
        ask("offer", 1),
        ask("offer", 1).with("service", text("")),
        ask("offer", 1)
            .with("service", text("s"))
            .with("limit", Value::Integer(0)),
        ask("withdraw", 1).with("service", text(&"s".repeat(65))),
        request(1, text("a")).with("timeout", Value::Integer(0)),
        request(1, text("a")).with("timeout", Value::Integer(3_600_001)),
        answer("id", Value::Integer(1)),
        answer("error", error.clone()),
        answer("error", error).with("body", text("a")),
    ]);
}
