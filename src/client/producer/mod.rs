//! Publishing exactly once: messages with numbers, which are sent again until they are answered.
//!
//! The problem: when a connection is lost, nobody knows which of the messages without an answer
//! were published. A server with the feature `producer` remembers the highest number that each
//! producer of an account has published, so the same message may be sent again with the same
//! number: it is published once.
//!
//! Invariants:
//! - messages are numbered in their order, without a hole, and are sent in that order;
//! - a message keeps its number, on every session;
//! - behind a message that is refused for good nothing is published.

mod published;
mod task;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

pub use self::published::PublishedOnce;
use self::task::{Entry, Task};
use super::error::{Break, ClientError};
use super::handle::Client;
use super::pending_reply::PendingReply;
use crate::wire::NewMessage;

/// Messages that may wait for the task, beside those that are sent and not answered.
const QUEUE: usize = 64;

/// Publishes each message exactly once: made by [`Client::producer`].
///
/// Its messages have consecutive numbers. One that has no answer when the session ends is sent
/// again on the next session, with the same number; so
/// [`ClientBuilder::reconnect`](crate::ClientBuilder::reconnect) belongs to it. The server
/// publishes each number once.
///
/// That holds across restarts of the program as well, if the program
/// - keeps the name, and the number of its first message without an answer, where they outlive
///   the process, before the message is sent;
/// - begins again with that name and that number, and sends the same messages in the same order.
///
/// With a journal the server remembers the numbers as long as its stream. It remembers a limited
/// number of producers for each account, those that were used last.
///
/// Dropping it keeps the client's session until every message has its answer.
#[derive(Debug)]
pub struct Producer {
    name: Arc<str>,
    next: u64,
    outbox: mpsc::Sender<Entry>,
    /// Why it has ended, once it has.
    end: Arc<OnceLock<ClientError>>,
}

impl Client {
    /// Returns a producer, which publishes each message exactly once. `name` is of 1 to 64 bytes
    /// and names a sequence of messages of this account; `next` is the number of its next message,
    /// 1 for a new name. Two producers with one name at once lose messages.
    ///
    /// It must run on a tokio runtime, which sends its messages from then on. While the server
    /// refuses a message for a reason that may pass
    /// ([`RetryClass::Retry`](crate::RetryClass::Retry)), the message is sent again after a wait,
    /// until `patience` has passed; `None`: without an end.
    ///
    #[cfg_attr(feature = "server", doc = "```")]
    #[cfg_attr(not(feature = "server"), doc = "```ignore")]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use arauto::{Client, Config, Reconnect, Server};
    /// # let folder = tempfile::tempdir()?;
    /// # let endpoint = format!("unix:{}", folder.path().join("a.sock").display());
    /// # let mut config = Config::default();
    /// # config.listen = vec![endpoint.parse()?];
    /// # let server = Server::start(config)?;
    /// # let runtime = tokio::runtime::Runtime::new()?;
    /// # runtime.block_on(async {
    /// # let kept = folder.path().join("next");
    /// let (client, events) = Client::builder(endpoint.parse()?)
    ///     .user("ana")
    ///     .password("segredo")
    ///     .reconnect(Reconnect::new())
    ///     .connect()
    ///     .await?;
    /// drop(events); // this program only publishes
    ///
    /// // The lines of a file, each published once, however often this program is started.
    /// let lines = ["bom dia", "boa tarde", "boa noite"];
    /// let next = std::fs::read_to_string(&kept).map_or(Ok(1), |text| text.parse())?;
    /// let mut producer = client.producer("lines", next, None);
    /// for line in lines.iter().skip(usize::try_from(next)? - 1) {
    ///     let published = producer.publish(*line).await?;
    ///     std::fs::write(&kept, (published.n + 1).to_string())?;
    /// }
    /// assert_eq!(std::fs::read_to_string(&kept)?, "4");
    ///
    /// drop(producer);
    /// // A program that was killed before it could keep the number sends the line again.
    /// let mut killed = client.producer("lines", 3, None);
    /// let published = killed.publish("boa noite").await?;
    /// assert!(published.repeated && published.seq.is_some());
    /// # server.stop().await;
    /// # Ok::<_, Box<dyn std::error::Error>>(()) })?;
    /// # Ok(()) }
    /// ```
    pub fn producer(
        &self,
        name: impl Into<String>,
        next: u64,
        patience: Option<Duration>,
    ) -> Producer {
        let name: Arc<str> = name.into().into();
        let (outbox, messages) = mpsc::channel(QUEUE);
        let end = Arc::default();
        let task = Task::new(self.clone(), Arc::clone(&name), messages, Arc::clone(&end));
        tokio::spawn(task.run(patience));
        Producer {
            name,
            next,
            outbox,
            end,
        }
    }
}

impl Producer {
    /// Returns the producer's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the number of the next message.
    pub fn next_number(&self) -> u64 {
        self.next
    }

    /// Publishes a message and waits for the answer.
    ///
    /// Cancel safety: the message may have been taken, and is then published; see
    /// [`Producer::next_number`].
    ///
    /// # Errors
    /// See [`Producer::begin_publish`].
    pub async fn publish(
        &mut self,
        message: impl Into<NewMessage<'_>>,
    ) -> Result<PublishedOnce, ClientError> {
        self.begin_publish(message).await?.await
    }

    /// Takes a message, which gets the number [`Producer::next_number`]; the answer is another future. So
    /// many can be on their way at once. It waits while 1024 messages, or 8 MiB, have no answer.
    ///
    /// Cancel safety: the message was taken only if this returns. Dropping the answer gives up the
    /// answer, and not the message.
    ///
    /// # Errors
    /// The producer has ended: with its client, because the server refused a message for good, or
    /// because the server does not have a feature. A message without an answer may have been
    /// published if the client ended, and was not if a message was refused: the next producer of
    /// this name begins with it.
    pub async fn begin_publish(
        &mut self,
        message: impl Into<NewMessage<'_>>,
    ) -> Result<PendingReply<PublishedOnce>, ClientError> {
        let message = message.into().into_owned();
        let Ok(place) = self.outbox.reserve().await else {
            return Err(ended(&self.end));
        };
        let (reply, answer) = oneshot::channel();
        let n = self.next;
        self.next = n.saturating_add(1);
        place.send(Entry { n, message, reply });
        let end = Arc::clone(&self.end);
        Ok(PendingReply::new(async move {
            match answer.await {
                Ok(answer) => answer,
                Err(_) => Err(ended(&end)), // the runtime has ended, or the producer just has
            }
        }))
    }
}

fn ended(end: &OnceLock<ClientError>) -> ClientError {
    end.get()
        .cloned()
        .unwrap_or_else(|| Break::NoClosing.into())
}
