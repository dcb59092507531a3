//! The sending half of a client.

use std::sync::Arc;

use super::error::{ClientError, End};
use super::incoming::StoppingNotice;
use super::login::LoggedInAs;
use super::pending_reply::PendingReply;
use super::session::Session;
use super::shared::Reply;
use super::slot::Slot;
use crate::wire::{
    Ack, Body, ClientFrame, Feature, IdFrame, NewMessage, Request, Seq, SessionLine, Shutdown,
};

/// The sending half of a client. Clones share its session, which ends when the last of them and
/// the [`Events`](crate::Events) are dropped, or with [`Client::fim`].
///
/// A frame that has no answer when the session ends gets the session's error, and is not sent
/// again: after [`ClientError::Closed`] it was not accepted, after [`ClientError::Lost`] it may
/// have been. With [`ClientBuilder::reconnect`](crate::ClientBuilder::reconnect) later frames go
/// to the next session; until there is one they fail at once with the same error, and
/// [`Client::connected`] waits for it.
///
/// Cancel safety: an answer that is no longer awaited is dropped, and its frame may have been
/// sent. The `begin_` functions send their frame whole or not at all.
#[derive(Debug, Clone)]
pub struct Client {
    slot: Arc<Slot>,
}

impl Client {
    pub(super) fn new(slot: Arc<Slot>) -> Client {
        Client { slot }
    }

    pub(super) fn session(&self) -> Session {
        self.slot.session()
    }

    pub(super) fn note_passed_end(&self) {
        self.slot.passed_end().notify_one();
    }

    /// Returns the answer to the current session's login.
    pub fn who_am_i(&self) -> Arc<LoggedInAs> {
        Arc::clone(self.session().who())
    }

    /// Returns the longest frame that the server takes, in bytes without its prefix.
    pub fn max_frame(&self) -> usize {
        self.session().max_frame()
    }

    /// Waits until there is a session; returns at once where there is one.
    ///
    /// Cancel safety: nothing is lost.
    ///
    /// # Errors
    /// The client has ended.
    pub async fn connected(&self) -> Result<(), ClientError> {
        self.slot.connected().await.map(drop)
    }

    /// As [`Client::connected`]; returns the session.
    pub(super) async fn connected_session(&self) -> Result<Session, ClientError> {
        self.slot.connected().await
    }

    /// Sends a request and waits for the handler's answer.
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
        let (body, session) = (body.into(), self.session());
        let answer = session.begin(|id| ClientFrame::Request(Request::new(id, body)));
        Ok(answer.await?.map_reply(|reply| match reply {
            Reply::Body(body) => Ok(body),
            other => Err(other.mismatch()),
        }))
    }

    /// Publishes a message and waits for its seq in the stream. A body by itself is a message
    /// without a topic; [`NewMessage`] has the rest.
    ///
    /// # Errors
    /// The user may not, the topic is wrong, or the session ends first.
    pub async fn publish(&self, message: impl Into<NewMessage<'_>>) -> Result<Seq, ClientError> {
        self.begin_publish(message).await?.await
    }

    /// Sends a message; its seq in the stream is another future, as with
    /// [`Client::begin_request`].
    ///
    /// # Errors
    /// The session is over, or the server does not serve topics and the message needs them.
    pub async fn begin_publish(
        &self,
        message: impl Into<NewMessage<'_>>,
    ) -> Result<PendingReply<Seq>, ClientError> {
        let (message, session) = (message.into(), self.session());
        if message.has_options() {
            session.who().require(Feature::Topics)?;
        }
        let answer = session.begin(|id| ClientFrame::Publish(message.frame(id, None)));
        Ok(answer.await?.map_reply(|reply| match reply {
            Reply::Published { seq, .. } => Ok(seq),
            other => Err(other.mismatch()),
        }))
    }

    /// Returns the users who are logged in.
    ///
    /// # Errors
    /// The session ends first.
    pub async fn who(&self) -> Result<Vec<String>, ClientError> {
        match self.exchange(|id| ClientFrame::Who(IdFrame { id })).await? {
            Reply::Users(users) => Ok(users),
            other => Err(other.mismatch()),
        }
    }

    /// Sends a ping and waits for the server to answer it.
    ///
    /// # Errors
    /// The session ends first.
    pub async fn ping(&self) -> Result<(), ClientError> {
        match self
            .exchange(|id| ClientFrame::Ping(IdFrame { id }))
            .await?
        {
            Reply::Pong => Ok(()),
            other => Err(other.mismatch()),
        }
    }

    /// Returns the server's sessions; for admins.
    ///
    /// # Errors
    /// The user may not, or the session ends first.
    pub async fn sessions(&self) -> Result<Vec<SessionLine<'static>>, ClientError> {
        match self
            .exchange(|id| ClientFrame::Sessions(IdFrame { id }))
            .await?
        {
            Reply::Sessions(sessions) => Ok(sessions),
            other => Err(other.mismatch()),
        }
    }

    /// Stops the server; for admins. `now` skips the drain.
    ///
    /// # Errors
    /// The user may not, or the session ends first.
    pub async fn shutdown(&self, now: bool) -> Result<StoppingNotice, ClientError> {
        let now = now.then_some(true);
        let answer = self.exchange(|id| ClientFrame::Shutdown(Shutdown { id, now }));
        match answer.await? {
            Reply::Stopping(notice) => Ok(notice),
            other => Err(other.mismatch()),
        }
    }

    /// Acknowledges that everything up to `seq` has been read.
    ///
    /// # Errors
    /// The session is over.
    pub async fn ack(&self, seq: Seq) -> Result<(), ClientError> {
        self.session().send(&ClientFrame::Ack(Ack { seq })).await
    }

    /// Ends the session and waits for its end: earlier frames are answered, and earlier
    /// broadcasts are delivered. The client does not connect again.
    ///
    /// Cancel safety: the end has been asked for and comes.
    ///
    /// # Errors
    /// The connection breaks first, or there is none.
    pub async fn fim(&self) -> Result<End, ClientError> {
        self.slot.ask_end();
        let session = self.session();
        // A session that is over already has its end.
        let _ = session.begin(|id| ClientFrame::Fim(IdFrame { id })).await;
        drop(session);
        self.closed().await
    }

    /// Waits for the end of the client: of its session, or of the last one where it connects
    /// again.
    ///
    /// # Errors
    /// It ended without `closing`.
    pub async fn closed(&self) -> Result<End, ClientError> {
        self.slot.closed().await
    }

    async fn exchange<'a>(
        &self,
        frame: impl FnOnce(u64) -> ClientFrame<'a>,
    ) -> Result<Reply, ClientError> {
        self.session().begin(frame).await?.wait().await
    }
}
