//! The records of the sessions of a server that runs.

use std::sync::Arc;
use std::time::Duration;

use actix::{Handler, Message, ResponseFuture};
use futures_util::future::join_all;
use tokio::time::timeout;

use super::Supervisor;
use super::recent_routes::recent_routes;
use crate::close::Observation;
use crate::close::stop::{Order, live_record};
use crate::log::Log;

/// How long a session may take to answer. The thread of its sessions may be busy.
const LIMIT: Duration = Duration::from_secs(1);

/// Asks every session for its record, and waits for the answers of those that answer soon.
#[derive(Message)]
#[rtype(result = "Observation")]
pub struct Observe(pub Arc<Log>);

impl Handler<Observe> for Supervisor {
    type Result = ResponseFuture<Observation>;

    fn handle(&mut self, Observe(log): Observe, _ctx: &mut Self::Context) -> Self::Result {
        let asked = self.sessions().live().map(|(info, orders)| {
            let (info, answer) = (Arc::clone(info), orders.send(Order::Describe));
            async move {
                let answer = timeout(LIMIT, answer).await;
                (info.observe(), answer.ok().and_then(Result::ok))
            }
        });
        let answers = join_all(asked);
        Box::pin(async move {
            let answers = answers.await;
            // Read last, so that no session has been sent more.
            let head = log.head();
            let records = answers
                .into_iter()
                .map(|(seen, answered)| live_record(seen, answered, head));
            Observation {
                stream: log.stream().to_owned(),
                head,
                routes: recent_routes(&log),
                sessions: records.collect(),
            }
        })
    }
}
