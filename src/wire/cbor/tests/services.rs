//! Random frames about services.

use std::borrow::Cow;

use proptest::prelude::{Strategy, any, prop};

use super::codec::headers;
use super::same_as_serde::{bodies, numbers};
use crate::wire::{ReplyFrame, ReplyOptions, Request, RequestOptions};

fn texts() -> impl Strategy<Value = Cow<'static, str>> {
    any::<String>().prop_map(Cow::Owned)
}

/// Generates requests with any of their keys.
pub(super) fn requests() -> impl Strategy<Value = Request<'static>> {
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
pub(super) fn replies() -> impl Strategy<Value = ReplyFrame<'static>> {
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
