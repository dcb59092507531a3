//! A logged-in session: answers find their askers, broadcasts their reader.

mod pending_reply;
mod pump;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use parking_lot::Mutex;
use tokio::io::split;
use tokio::sync::{mpsc, oneshot, watch};

pub use self::pending_reply::PendingReply;
use self::pending_reply::Waiter;
use self::pump::{HeartbeatTimer, ReadEnds, WriteEnds, read_frames, write_frames};
use super::error::{ClientError, End};
use super::handshake::LoggedInAs;
use super::heartbeat::{Activity, Heartbeat};
use super::stream::FrameReader;
use crate::link::Link;
use crate::transport::Connection;
use crate::wire::{
    Ack, Body, BodyFrame, ClientFrame, Event, IdFrame, Seq, SessionLine, Shutdown, cbor,
};

/// Frames that may wait to be written, and events that may wait to be read.
const QUEUE: usize = 1024;

/// How long a reader has after the end to acknowledge what it has read, and how long
/// the last of that may take to be written.
const LAST_ACK: Duration = Duration::from_millis(250);

/// A logged-in session, for asking. Clones share it; the session ends when the
/// last of them and the [`Events`] are dropped, or with [`Client::fim`].
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    outgoing: mpsc::Sender<Vec<u8>>,
    who: Arc<LoggedInAs>,
    max_frame: usize,
}

/// A logged-in session, for hearing.
///
/// While this is not read, a full queue holds up the answers to the same session's
/// requests as well: read it, or drop it to hear nothing.
pub struct Events {
    incoming: mpsc::Receiver<Incoming>,
    client: Client,
    /// The end has been heard.
    is_over: bool,
}

/// What a session hears without having asked.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Incoming {
    /// A broadcast, or a gap in them.
    Event(Event),
    /// The server is stopping.
    Stopping(StoppingNotice),
    /// The session's end, in order. Nothing follows.
    Closing(End),
    /// The session's end without a word: something failed. Nothing follows.
    Lost(String),
}

/// That the server is stopping, and where it is with that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoppingNotice {
    /// `fim`, `signal`, `admin` or `panic`.
    pub reason: String,
    /// The phase that it is in.
    pub phase: String,
    /// When it is gone at the latest.
    pub remaining: Duration,
}

/// What answers a frame.
#[derive(Debug)]
enum Reply {
    Body(Body<'static>),
    Seq(Seq),
    Users(Vec<String>),
    Sessions(Vec<SessionLine<'static>>),
    Stopping(StoppingNotice),
    Pong,
}

type Waiting = oneshot::Sender<Result<Reply, ClientError>>;

struct Shared {
    next_id: AtomicU64,
    waiting: Mutex<HashMap<u64, Waiting>>,
    activity: Arc<Activity>,
    /// How the session ended, once it has.
    over: watch::Sender<Option<Result<End, ClientError>>>,
}

pub(super) fn start(
    connection: Connection,
    buffer: BytesMut,
    limit: usize,
    who: LoggedInAs,
    server_timeout: Duration,
) -> (Client, Events) {
    let now = Instant::now();
    let framing = connection.framing();
    let (read, write) = split(connection);
    let (outgoing, frames) = mpsc::channel(QUEUE);
    let (events, incoming) = mpsc::channel(QUEUE);
    let shared = Arc::new(Shared {
        next_id: AtomicU64::new(1),
        waiting: Mutex::default(),
        activity: Arc::new(Activity::new(now)),
        over: watch::Sender::new(None),
    });
    let reader = FrameReader::resume(read, framing, buffer, limit);
    let (hang_up, hung_up) = oneshot::channel();
    let (failed, write_failure) = oneshot::channel();
    let heartbeat = Heartbeat::new(server_timeout, who.idle_timeout, now);
    let timer = HeartbeatTimer::new(heartbeat, outgoing.downgrade());
    let ends = ReadEnds {
        hang_up,
        write_failure,
    };
    tokio::spawn(read_frames(
        reader,
        Arc::clone(&shared),
        events,
        timer,
        ends,
    ));
    let ends = WriteEnds { hung_up, failed };
    let activity = Arc::clone(&shared.activity);
    let writing = write_frames(write, framing, frames, activity, ends);
    tokio::spawn(writing);
    let client = Client {
        shared,
        outgoing,
        who: Arc::new(who),
        max_frame: limit,
    };
    let events = Events {
        incoming,
        client: client.clone(),
        is_over: false,
    };
    (client, events)
}

impl Client {
    /// Who this client is, and where its broadcasts begin.
    pub fn who_am_i(&self) -> &LoggedInAs {
        &self.who
    }

    /// The longest frame that the server takes, in bytes without its prefix.
    pub fn max_frame(&self) -> usize {
        self.max_frame
    }

    /// Asks the endpoint's handler.
    ///
    /// # Errors
    /// The handler refuses, or the session ends first.
    pub async fn request(&self, body: impl Into<Body<'_>>) -> Result<Body<'static>, ClientError> {
        self.begin_request(body).await?.await
    }

    /// Sends a request; the answer is another future. So many can be on their way
    /// at once, and they are answered in the order in which they were sent.
    ///
    /// # Errors
    /// The session is over.
    pub async fn begin_request(
        &self,
        body: impl Into<Body<'_>>,
    ) -> Result<PendingReply<Body<'static>>, ClientError> {
        let body = body.into();
        let answer = self.begin(|id| ClientFrame::Request(BodyFrame { id, body }));
        Ok(answer.await?.map_reply(|reply| match reply {
            Reply::Body(body) => Ok(body),
            other => Err(mismatch(&other)),
        }))
    }

    /// Publishes a message; its place in the stream.
    ///
    /// # Errors
    /// The user may not, or the session ends first.
    pub async fn publish(&self, body: impl Into<Body<'_>>) -> Result<Seq, ClientError> {
        self.begin_publish(body).await?.await
    }

    /// Sends a message; its place in the stream is another future, as with
    /// [`Client::begin_request`].
    ///
    /// # Errors
    /// The session is over.
    pub async fn begin_publish(
        &self,
        body: impl Into<Body<'_>>,
    ) -> Result<PendingReply<Seq>, ClientError> {
        let body = body.into();
        let answer = self.begin(|id| ClientFrame::Publish(BodyFrame { id, body }));
        Ok(answer.await?.map_reply(|reply| match reply {
            Reply::Seq(seq) => Ok(seq),
            other => Err(mismatch(&other)),
        }))
    }

    /// Who is logged in.
    ///
    /// # Errors
    /// The session ends first.
    pub async fn who(&self) -> Result<Vec<String>, ClientError> {
        match self.ask(|id| ClientFrame::Who(IdFrame { id })).await? {
            Reply::Users(users) => Ok(users),
            other => Err(mismatch(&other)),
        }
    }

    /// Waits for the server to answer.
    ///
    /// # Errors
    /// The session ends first.
    pub async fn ping(&self) -> Result<(), ClientError> {
        match self.ask(|id| ClientFrame::Ping(IdFrame { id })).await? {
            Reply::Pong => Ok(()),
            other => Err(mismatch(&other)),
        }
    }

    /// The server's sessions; for admins.
    ///
    /// # Errors
    /// The user may not, or the session ends first.
    pub async fn sessions(&self) -> Result<Vec<SessionLine<'static>>, ClientError> {
        match self.ask(|id| ClientFrame::Sessions(IdFrame { id })).await? {
            Reply::Sessions(sessions) => Ok(sessions),
            other => Err(mismatch(&other)),
        }
    }

    /// Stops the server; for admins. `now` skips the drain.
    ///
    /// # Errors
    /// The user may not, or the session ends first.
    pub async fn shutdown(&self, now: bool) -> Result<StoppingNotice, ClientError> {
        let now = now.then_some(true);
        match self
            .ask(|id| ClientFrame::Shutdown(Shutdown { id, now }))
            .await?
        {
            Reply::Stopping(notice) => Ok(notice),
            other => Err(mismatch(&other)),
        }
    }

    /// Says that everything up to `seq` has been read.
    ///
    /// # Errors
    /// The session is over.
    pub async fn ack(&self, seq: Seq) -> Result<(), ClientError> {
        self.send(&ClientFrame::Ack(Ack { seq })).await
    }

    /// Ends the session: what was asked before is answered, what was broadcast
    /// before is delivered. Waits for the end.
    ///
    /// # Errors
    /// The connection breaks first.
    pub async fn fim(&self) -> Result<End, ClientError> {
        let id = self.shared.next_id.fetch_add(1, Ordering::Relaxed);
        self.shared.activity.note_asked();
        // A session that is over already has its end.
        let _ = self.send(&ClientFrame::Fim(IdFrame { id })).await;
        self.closed().await
    }

    /// Waits for the session's end.
    ///
    /// # Errors
    /// It ended without `closing`.
    pub async fn closed(&self) -> Result<End, ClientError> {
        let mut over = self.shared.over.subscribe();
        let over = over.wait_for(Option::is_some).await;
        over.expect("this client holds the sender")
            .clone()
            .expect("it was waited for")
    }

    async fn ask<'a>(
        &self,
        frame: impl FnOnce(u64) -> ClientFrame<'a>,
    ) -> Result<Reply, ClientError> {
        self.begin(frame).await?.wait().await
    }

    async fn begin<'a>(
        &self,
        frame: impl FnOnce(u64) -> ClientFrame<'a>,
    ) -> Result<Waiter, ClientError> {
        let id = self.shared.next_id.fetch_add(1, Ordering::Relaxed);
        let (waiting, answer) = oneshot::channel();
        let frame = frame(id);
        self.shared.waiting.lock().insert(id, waiting);
        let waiter = Waiter {
            id,
            answer,
            client: self.clone(),
        };
        self.shared.activity.note_asked();
        self.send(&frame).await?;
        Ok(waiter)
    }

    async fn send(&self, frame: &ClientFrame<'_>) -> Result<(), ClientError> {
        let mut bytes = Vec::new();
        cbor::encode(frame, &mut bytes);
        // An ack still counts behind the end, for as long as the write side is open.
        let is_late = self.shared.over.borrow().is_some() && !matches!(frame, ClientFrame::Ack(_));
        if is_late || self.outgoing.send(bytes).await.is_err() {
            return Err(self.shared.why_over());
        }
        Ok(())
    }
}

impl Events {
    /// The next thing to hear; `None` after the end. Between the end and this
    /// `None` an [`Client::ack`] still counts, and with it all of them have gone:
    /// whoever acknowledges waits for it before leaving the runtime.
    pub async fn next(&mut self) -> Option<Incoming> {
        if self.is_over {
            self.incoming.close();
            let written = self.client.outgoing.closed();
            let _ = tokio::time::timeout(LAST_ACK, written).await; // nobody may take it
            return None;
        }
        let incoming = self.incoming.recv().await;
        self.note(incoming)
    }

    /// What is there to hear now, without waiting.
    pub fn try_next(&mut self) -> Option<Incoming> {
        if self.is_over {
            self.incoming.close();
            return None;
        }
        let incoming = self.incoming.try_recv().ok();
        self.note(incoming)
    }

    fn note(&mut self, incoming: Option<Incoming>) -> Option<Incoming> {
        self.is_over |= matches!(incoming, Some(Incoming::Closing(_) | Incoming::Lost(_)));
        incoming
    }

    /// Whether nothing is there to hear now.
    pub fn is_empty(&self) -> bool {
        self.incoming.is_empty()
    }

    /// The same session, for asking.
    pub fn client(&self) -> &Client {
        &self.client
    }
}

impl Shared {
    fn why_over(&self) -> ClientError {
        match &*self.over.borrow() {
            Some(Ok(end)) => ClientError::Closed(end.reason.clone()),
            Some(Err(error)) => error.clone(),
            None => ClientError::Lost("nothing can be written any more".to_owned()),
        }
    }

    fn resolve(&self, id: u64, answer: Result<Reply, ClientError>) {
        if let Some(waiting) = self.waiting.lock().remove(&id) {
            let _ = waiting.send(answer); // whoever asked may have gone
        }
    }

    fn finish(&self, how: Result<End, ClientError>) {
        self.over.send_replace(Some(how));
        self.waiting.lock().clear();
    }
}

fn mismatch(reply: &Reply) -> ClientError {
    ClientError::unexpected("an answer of another kind:", reply)
}
