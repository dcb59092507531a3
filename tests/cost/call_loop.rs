//! A caller and a responder of a service in a closed loop.

use serde_cbor::Value;

use crate::support::{Frame, FrameClient, PASSWORD, login, request, text};

const SERVICE: &str = "s";

/// A caller that waits for each reply before its next request, and the session that answers it.
pub struct CallLoop {
    caller: FrameClient,
    responder: FrameClient,
}

impl CallLoop {
    /// Logs in both, without broadcasts.
    pub fn begin(connect: impl Fn() -> FrameClient) -> CallLoop {
        let log_in = |user| {
            let mut client = connect();
            let filter = Value::Array(Vec::new());
            client.send(&login(0, user, PASSWORD).with("filter", filter));
            client.expect("logged_in");
            client
        };
        let (caller, mut responder) = (log_in("ana"), log_in("rui"));
        let offer = [("id", Value::Integer(1)), ("service", text(SERVICE))];
        responder.send(&Frame::new("offer", offer));
        responder.skip_to("offered");
        let mut clients = CallLoop { caller, responder };
        clients.call("begin");
        clients
    }

    /// Sends a request, answers it, and waits for its reply.
    pub fn call(&mut self, body: &str) {
        let request = request(2, text(body));
        self.caller.send(&request.with("service", text(SERVICE)));
        let call = self.responder.skip_to("call").num("call");
        let number = Value::Integer(call.into());
        // It differs from the request's body, by which tests find the request.
        let answer = [("call", number), ("body", text("boa tarde"))];
        self.responder.send(&Frame::new("answer", answer));
        self.caller.skip_to("reply");
    }
}
