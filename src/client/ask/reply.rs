//! The reply of a service.

use crate::wire::{Body, Headers};

/// The reply of a service to a request.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ServiceReply {
    /// Text or bytes.
    pub body: Body<'static>,
    /// The user that answered.
    pub from: String,
    /// The headers of the reply; empty if there are none.
    pub headers: Headers<'static>,
}

impl ServiceReply {
    pub(in crate::client) fn new(
        body: Body<'_>,
        from: String,
        headers: Option<Headers<'_>>,
    ) -> ServiceReply {
        ServiceReply {
            body: body.into_owned(),
            from,
            headers: headers.unwrap_or_default().into_owned(),
        }
    }
}
