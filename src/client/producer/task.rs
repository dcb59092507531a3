//! The task of a producer: it sends messages, takes their answers, and sends again.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::published::PublishedOnce;
use crate::client::backoff::Backoff;
use crate::client::error::ClientError;
use crate::client::handle::Client;
use crate::client::pending_reply::Waiter;
use crate::client::retry::RetryClass;
use crate::client::session::Session;
use crate::client::shared::{Answer, Reply};
use crate::wire::{ClientFrame, Feature, NewMessage, Seq};

/// The most messages, and bytes in them, that may be without an answer.
const WINDOW: usize = 1024;
const WINDOW_BYTES: usize = 8 << 20;

/// A message.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) n: u64,
    pub(super) message: NewMessage<'static>,
    pub(super) reply: oneshot::Sender<Result<PublishedOnce, ClientError>>,
}

/// The task of a producer.
pub(super) struct Task {
    client: Client,
    name: Arc<str>,
    messages: mpsc::Receiver<Entry>,
    end: Arc<OnceLock<ClientError>>,
    /// The messages without an answer, in the order of their numbers.
    unanswered: VecDeque<Entry>,
    /// Their length.
    bytes: usize,
    has_dropped_handle: bool,
}

/// Why nothing more is sent on a session.
enum Stopped {
    /// Every message has its answer, and no further one comes.
    Done,
    /// The session has ended.
    SessionOver,
    /// The server is ending the session.
    SessionEnding,
    /// The first message without an answer was refused.
    Refused(ClientError),
    /// The producer cannot go on.
    Failed(ClientError),
}

impl Task {
    pub(super) fn new(
        client: Client,
        name: Arc<str>,
        messages: mpsc::Receiver<Entry>,
        end: Arc<OnceLock<ClientError>>,
    ) -> Task {
        Task {
            client,
            name,
            messages,
            end,
            unanswered: VecDeque::new(),
            bytes: 0,
            has_dropped_handle: false,
        }
    }

    /// Runs until every message has its answer and the handle is dropped, or the producer ends.
    /// `patience` is for how long a refused message is sent again.
    pub(super) async fn run(mut self, patience: Option<Duration>) {
        let waits = || patience.map_or_else(Backoff::new, Backoff::until);
        // The message that was refused last, and the waits since it was refused first.
        let mut refused: Option<(u64, Backoff)> = None;
        loop {
            let session = match self.session().await {
                Ok(Some(session)) => session,
                Ok(None) => return,
                Err(error) => return self.fail(error),
            };
            match self.serve(&session).await {
                Stopped::Done => return,
                Stopped::SessionOver => {}
                Stopped::SessionEnding => session.over().await,
                Stopped::Failed(error) => return self.fail(error),
                Stopped::Refused(error) => {
                    let Some(n) = self.unanswered.front().map(|entry| entry.n) else {
                        return;
                    };
                    let (_, backoff) = match &mut refused {
                        Some(known) if known.0 == n => known,
                        other => other.insert((n, waits())),
                    };
                    let may_pass = error.retry_class() == RetryClass::Retry;
                    let wait = backoff.next_wait(error.retry_after());
                    let Some(wait) = wait.filter(|_| may_pass) else {
                        return self.refuse(error);
                    };
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    /// Waits for a session. `None`: it is not needed any more.
    async fn session(&mut self) -> Result<Option<Session>, ClientError> {
        loop {
            let is_idle = self.unanswered.is_empty();
            if is_idle && self.has_dropped_handle {
                return Ok(None);
            }
            let connected = self.client.connected_session();
            tokio::select! {
                biased;
                session = connected => return session.map(Some),
                message = self.messages.recv(), if is_idle => self.take(message),
            }
        }
    }

    fn take(&mut self, message: Option<Entry>) {
        match message {
            Some(entry) => {
                self.bytes += entry.message.bytes();
                self.unanswered.push_back(entry);
            }
            None => self.has_dropped_handle = true,
        }
    }

    /// Sends every message without an answer, and those that come, and takes the answers.
    async fn serve(&mut self, session: &Session) -> Stopped {
        if let Err(error) = session.who().require(Feature::Producer) {
            return Stopped::Failed(error);
        }
        // The answers to the first messages of `unanswered`; the others have not been sent.
        let mut sent: VecDeque<Waiter> = VecDeque::new();
        loop {
            if self.unanswered.is_empty() && self.has_dropped_handle {
                return Stopped::Done;
            }
            let has_room = self.unanswered.len() < WINDOW && self.bytes < WINDOW_BYTES;
            let unsent = self.unanswered.get(sent.len());
            if unsent.is_some_and(|entry| entry.message.has_options())
                && let Err(error) = session.who().require(Feature::Topics)
            {
                return Stopped::Failed(error);
            }
            tokio::select! {
                biased;
                answer = first(&mut sent) => {
                    sent.pop_front();
                    if let Some(stopped) = self.answered(answer) {
                        return stopped;
                    }
                }
                begun = send(session, &self.name, unsent) => match begun {
                    Ok(waiter) => sent.push_back(waiter),
                    Err(_) => return Stopped::SessionOver,
                },
                message = self.messages.recv(), if has_room && !self.has_dropped_handle => {
                    self.take(message);
                }
            }
        }
    }

    /// Takes the answer to the first message without one.
    fn answered(&mut self, answer: Answer) -> Option<Stopped> {
        let (seq, repeated) = match answer {
            Ok(Reply::Published { seq, repeated }) => (seq, repeated),
            Ok(other) => return Some(Stopped::Failed(other.mismatch())),
            Err(error) if error.code().is_none() => return Some(Stopped::SessionOver),
            Err(error) if error.retry_class() == RetryClass::RetryAfterLogin => {
                return Some(Stopped::SessionEnding);
            }
            Err(error) => return Some(Stopped::Refused(error)),
        };
        let entry = self.unanswered.pop_front()?;
        self.bytes -= entry.message.bytes();
        let published = PublishedOnce {
            n: entry.n,
            seq: Some(seq).filter(|seq| *seq > Seq::ZERO),
            repeated,
        };
        let _ = entry.reply.send(Ok(published)); // the answer may not be awaited
        None
    }

    /// Ends the producer: its first message without an answer is refused for good.
    fn refuse(mut self, error: ClientError) {
        let Some(entry) = self.unanswered.pop_front() else {
            return;
        };
        let reason = Box::new(error.clone());
        let _ = entry.reply.send(Err(error));
        self.fail(ClientError::ProducerStopped { n: entry.n, reason });
    }

    /// Ends the producer: every message without an answer fails.
    fn fail(mut self, error: ClientError) {
        let _ = self.end.set(error.clone()); // it ends once
        self.messages.close();
        while let Ok(entry) = self.messages.try_recv() {
            self.unanswered.push_back(entry);
        }
        for entry in self.unanswered {
            let _ = entry.reply.send(Err(error.clone()));
        }
    }
}

/// Waits for the answer to the message that was sent first.
async fn first(sent: &mut VecDeque<Waiter>) -> Answer {
    match sent.front_mut() {
        Some(waiter) => waiter.answer().await,
        None => std::future::pending().await,
    }
}

/// Sends a message, if there is one. Cancel safety: it is sent whole or not at all.
async fn send(session: &Session, name: &str, entry: Option<&Entry>) -> Result<Waiter, ClientError> {
    let Some(entry) = entry else {
        return std::future::pending().await;
    };
    let number = Some((name, entry.n));
    let frame = |id| ClientFrame::Publish(entry.message.frame(id, number));
    session.begin(frame).await
}
