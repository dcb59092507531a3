//! Topics, as the library and the commands have them.

mod commands;
mod console;
mod library;
mod list;
#[cfg(unix)] // shells and their pipes
mod page;
#[cfg(unix)]
mod raw;

use arauto::{Client, Endpoint, Event, Events, Incoming};

use crate::support::PASSWORD;

/// Connects a client with everything at its default.
async fn log_in(endpoint: &Endpoint, user: &str) -> (Client, Events) {
    let builder = Client::builder(endpoint.clone());
    let connecting = builder.user(user).password(PASSWORD).connect();
    connecting.await.expect("the server is there")
}

/// Returns the next item that is not [`Event::Passed`].
async fn next(events: &mut Events) -> Incoming {
    loop {
        let next = events.next().await.expect("the client goes on");
        if !matches!(next, Incoming::Event(Event::Passed(_))) {
            return next;
        }
    }
}

/// Returns the topic, the body and the seq of the next item, which must be a message.
async fn next_message(events: &mut Events) -> (Option<String>, String, u64) {
    match next(events).await {
        Incoming::Event(Event::Message {
            topic, body, seq, ..
        }) => {
            let body = body.as_text().expect("it is a text").to_owned();
            (topic, body, seq.0)
        }
        other => panic!("a message comes: {other:?}"),
    }
}
