//! Some escritores on a thread, which publish a run of messages.

use std::cell::Cell;
use std::time::Instant;

use arauto::Seq;
use futures_util::future::try_join_all;
use tokio::sync::Notify;

use super::client::Buffer;
use super::connector::Connector;
use super::progress::Counter;
use super::publisher::{Messages, Publisher};
use super::target::Target;
use super::threads::{self, Worker};
use crate::cli::exit::Failure;
use crate::load::output::Writes;

/// The number of the escritores' account. The leitores have another one, because they may be as many
/// as one account may have sessions.
const ACCOUNT: usize = 1;

/// The number of accounts of a measurement with leitores and escritores.
pub(super) const ACCOUNTS: usize = 2;

/// When a run began and ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Published {
    pub(super) began: Instant,
    /// When the last message was answered.
    pub(super) ended: Instant,
    /// Its seq.
    pub(super) last: Seq,
}

/// Returns `count` messages of `size` bytes, published as fast as the server takes them.
pub(super) fn burst(count: usize, size: usize) -> Messages {
    Messages {
        count: count as u64,
        size,
        writes: Writes::Pipelined,
        rate: None,
    }
}

/// Publishes a burst, and waits until the server has published all of it.
pub(super) async fn publish_burst(
    target: &mut Target,
    step: &'static str,
    count: usize,
    size: usize,
) -> Result<(), Failure> {
    let answered = Counter::default();
    let mut publishing = start(&target.connector, 1, burst(count, size), &answered)?;
    let step = (target.progress).step(step, count as u64, &answered, publishing.done());
    step.await.map(drop)
}

/// Starts a run: `escritores` publish `messages` together. `answered` counts what the
/// server has published.
pub(super) fn start(
    connector: &Connector,
    escritores: usize,
    messages: Messages,
    answered: &Counter,
) -> Result<Worker<Published>, Failure> {
    let (connector, answered) = (connector.clone(), answered.clone());
    let work = move || publish(connector, escritores, messages, answered);
    threads::spawn("escritores", work)
}

async fn publish(
    connector: Connector,
    escritores: usize,
    messages: Messages,
    answered: Counter,
) -> Result<Published, Failure> {
    let count = Counter::default();
    let sessions = connector
        .log_in_all(escritores, ACCOUNT..ACCOUNT + 1, &count)
        .await?;
    let all = usize::try_from(messages.count).unwrap_or(usize::MAX);
    let shares = threads::shares(all, escritores);
    let each = |share| Messages {
        count: share as u64,
        rate: (messages.rate).map(|(rate, epoch)| (rate / escritores as f64, epoch)),
        ..messages
    };
    let publishers = sessions.into_iter().zip(shares);
    let publishers = publishers.map(|(session, share)| Publisher::new(session, each(share)));
    let mut publishers = publishers.collect::<Result<Vec<_>, _>>()?;
    let (buffer, all_published) = (Buffer::new(), Notify::new());
    let left = Cell::new(publishers.len());
    let began = Instant::now();
    let publishing = publishers.iter_mut().map(|publisher| {
        let (buffer, answered, left, all_published) = (&buffer, &answered, &left, &all_published);
        async move {
            let last = publisher.publish(buffer, answered).await?;
            left.set(left.get() - 1);
            if left.get() == 0 {
                all_published.notify_waiters();
                return Ok::<_, Failure>(last);
            }
            tokio::select! {
                biased;
                ended = publisher.read_on(buffer) => ended.map(|()| last),
                () = all_published.notified() => Ok(last),
            }
        }
    });
    let lasts = try_join_all(publishing).await?;
    Ok(Published {
        began,
        ended: Instant::now(),
        last: lasts.into_iter().max().unwrap_or_default(),
    })
}
