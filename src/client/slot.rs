//! The state that a client's handles share: the current session, and the end of the last one.

use std::sync::Arc;

use tokio::sync::{Notify, watch};

use super::error::{ClientError, End};
use super::session::Session;

/// The place of the current session. Dropping it ends the client.
#[derive(Debug)]
pub(super) struct Slot {
    session: watch::Sender<Session>,
    /// How the client ended, once it has.
    over: watch::Sender<Option<Result<End, ClientError>>>,
    /// Whether the client has asked for its end. It closes with the last handle.
    end_asked: watch::Sender<bool>,
    /// Notified when the reader of the events has passed the end of a session.
    passed_end: Arc<Notify>,
}

impl Slot {
    pub(super) fn new(session: Session) -> Slot {
        Slot {
            session: watch::Sender::new(session),
            over: watch::Sender::new(None),
            end_asked: watch::Sender::new(false),
            passed_end: Arc::default(),
        }
    }

    pub(super) fn session(&self) -> Session {
        self.session.borrow().clone()
    }

    pub(super) fn replace(&self, session: Session) {
        self.session.send_replace(session);
    }

    /// Notes that the client wants to end: no session follows the current one.
    pub(super) fn ask_end(&self) {
        self.end_asked.send_replace(true);
    }

    /// Returns what tells whether the client has asked for its end, and closes with the last
    /// handle.
    pub(super) fn watch_end(&self) -> watch::Receiver<bool> {
        self.end_asked.subscribe()
    }

    /// Returns what is notified when the reader of the events has passed the end of a session.
    pub(super) fn passed_end(&self) -> &Arc<Notify> {
        &self.passed_end
    }

    pub(super) fn finish(&self, how: Result<End, ClientError>) {
        self.over.send_replace(Some(how));
    }

    /// Waits for the end of the client.
    pub(super) async fn closed(&self) -> Result<End, ClientError> {
        let mut over = self.over.subscribe();
        let over = over.wait_for(Option::is_some).await;
        over.expect("this slot holds the sender")
            .clone()
            .expect("it was waited for")
    }

    /// Waits until there is a session.
    pub(super) async fn connected(&self) -> Result<Session, ClientError> {
        let mut sessions = self.session.subscribe();
        let there = async {
            let session = sessions.wait_for(|session| !session.is_over()).await;
            session.expect("this slot holds the sender").clone()
        };
        tokio::select! {
            biased;
            session = there => Ok(session),
            end = self.closed() => Err(match end {
                Ok(end) => ClientError::Closed(end.reason),
                Err(error) => error,
            }),
        }
    }
}
