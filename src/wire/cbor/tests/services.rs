//! Random frames about services.

use std::borrow::Cow;

use proptest::prelude::{Strategy, any, prop, prop_oneof};

use super::codec::headers;
use super::same_as_serde::{bodies, numbers};
use crate::wire::{
    AnswerError, AnswerFrame, CallFrame, Cancelled, ClientFrame, IdFrame, Offer, OfferLine,
    ReplyFrame, ReplyOptions, Request, RequestOptions, ServerFrame, ServiceLine, ServiceList,
    ServiceQuery, SessionId, Withdraw, Withdrawn,
};

fn texts() -> impl Strategy<Value = Cow<'static, str>> {
    any::<String>().prop_map(Cow::Owned)
}

/// Generates requests with any of their keys.
fn requests() -> impl Strategy<Value = Request<'static>> {
    let options = (
        prop::option::of(texts()),
        prop::option::of(numbers()),
        headers(),
    );
    let options = options.prop_map(|(service, timeout, headers)| RequestOptions {
        service,
        timeout,
        headers,
    });
    let parts = (numbers(), bodies(), options);
    parts.prop_map(|(id, body, options)| Request {
        id,
        body,
        options: (options != RequestOptions::default()).then(|| Box::new(options)),
    })
}

/// Generates replies with any of their keys.
fn replies() -> impl Strategy<Value = ReplyFrame<'static>> {
    let parts = (numbers(), bodies(), prop::option::of(texts()), headers());
    parts.prop_map(|(id, body, from, headers)| {
        let options = ReplyOptions { from, headers };
        ReplyFrame {
            id,
            body,
            options: (options != ReplyOptions::default()).then(|| Box::new(options)),
        }
    })
}

/// Generates answers with a body or an error.
fn answers() -> impl Strategy<Value = AnswerFrame<'static>> {
    let error = (texts(), texts()).prop_map(|(code, message)| AnswerError { code, message });
    let result = prop_oneof![(bodies(), headers()).prop_map(Ok), error.prop_map(Err),];
    (numbers(), result).prop_map(|(call, result)| AnswerFrame { call, result })
}

/// Generates calls with and without headers.
fn calls() -> impl Strategy<Value = CallFrame<'static>> {
    let parts = (numbers(), texts(), texts(), bodies(), numbers(), headers());
    parts.prop_map(
        |(call, service, from, body, remaining, headers)| CallFrame {
            call,
            service,
            from,
            body,
            remaining,
            headers,
        },
    )
}

fn service_lists() -> impl Strategy<Value = ServiceList<'static>> {
    let limit = prop::option::of(numbers());
    let offer = (numbers(), texts(), limit, numbers());
    let offer = offer.prop_map(|(session, user, limit, in_work)| OfferLine {
        session: SessionId(session),
        user,
        limit,
        in_work,
    });
    let offers = prop::collection::vec(offer, 0..4);
    let counts = (numbers(), numbers(), numbers());
    let times = prop::option::of((numbers(), numbers()));
    let line = (texts(), offers, counts, times);
    let line = line.prop_map(|(service, offers, counts, times)| ServiceLine {
        service,
        offers,
        waiting: counts.0,
        answered: counts.1,
        failed: counts.2,
        p50_us: times.map(|times| times.0),
        p99_us: times.map(|times| times.1),
    });
    let services = prop::collection::vec(line, 0..4);
    let parts = (numbers(), services, any::<bool>());
    parts.prop_map(|(id, services, more)| ServiceList { id, services, more })
}

/// Generates the frames of clients that are about services.
pub(super) fn client_frames() -> impl Strategy<Value = ClientFrame<'static>> {
    let offer = (numbers(), texts(), prop::option::of(numbers()));
    let offer = offer.prop_map(|(id, service, limit)| Offer { id, service, limit });
    let withdraw = (numbers(), texts());
    let withdraw = withdraw.prop_map(|(id, service)| Withdraw { id, service });
    let query = (numbers(), prop::option::of(texts()));
    let query = query.prop_map(|(id, after)| ServiceQuery { id, after });
    prop_oneof![
        requests().prop_map(ClientFrame::Request),
        offer.prop_map(ClientFrame::Offer),
        withdraw.prop_map(ClientFrame::Withdraw),
        answers().prop_map(ClientFrame::Answer),
        query.prop_map(|query| ClientFrame::Services(Box::new(query))),
    ]
}

/// Generates the frames of servers that are about services.
pub(super) fn server_frames() -> impl Strategy<Value = ServerFrame<'static>> {
    let withdrawn = (prop::option::of(numbers()), texts());
    let withdrawn = withdrawn.prop_map(|(id, service)| Withdrawn { id, service });
    prop_oneof![
        replies().prop_map(ServerFrame::Reply),
        numbers().prop_map(|id| ServerFrame::Offered(IdFrame { id })),
        withdrawn.prop_map(ServerFrame::Withdrawn),
        calls().prop_map(ServerFrame::Call),
        numbers().prop_map(|call| ServerFrame::Cancelled(Cancelled { call })),
        service_lists().prop_map(ServerFrame::Services),
    ]
}
