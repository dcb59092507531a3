//! One logged-in session: frames go out by its queue, answers come back to their frames.

use std::sync::Arc;
use std::time::Instant;

use tokio::io::split;
use tokio::sync::{mpsc, oneshot};

use super::calls::SessionCalls;
use super::error::ClientError;
use super::filter::FilterChange;
use super::heartbeat::Heartbeat;
use super::login::{LoggedInAs, LoggedInConnection};
use super::pending_reply::Waiter;
use super::reader::{HeartbeatTimer, Reader};
use super::shared::Shared;
use super::stream::FrameReader;
use super::writer::{WriteEnds, write_frames};
use crate::link::Link;
use crate::wire::{ClientFrame, cbor};

/// Frames that may wait to be written.
const QUEUE: usize = 1024;

/// The handle of one session. The session ends when the last one is dropped.
#[derive(Debug, Clone)]
pub(super) struct Session {
    shared: Arc<Shared>,
    outgoing: mpsc::Sender<Vec<u8>>,
    who: Arc<LoggedInAs>,
    max_frame: usize,
}

impl Session {
    /// Starts the writing side and returns the reading one, which must be run.
    pub(super) fn start(login: LoggedInConnection) -> (Session, Reader) {
        let now = Instant::now();
        let framing = login.connection.framing();
        let (read, write) = split(login.connection);
        let (outgoing, frames) = mpsc::channel(QUEUE);
        let calls = SessionCalls::new(outgoing.downgrade(), login.max_frame);
        let shared = Arc::new(Shared::new(now, login.wanted, calls));
        let frame_reader = FrameReader::resume(read, framing, login.buffer, login.max_frame);
        let (hang_up, hung_up) = oneshot::channel();
        let (failed, write_failure) = oneshot::channel();
        let heartbeat = Heartbeat::new(login.server_timeout, login.who.idle_timeout, now);
        let timer = HeartbeatTimer::new(heartbeat, outgoing.downgrade());
        let activity = Arc::clone(shared.activity());
        let ends = WriteEnds { hung_up, failed };
        tokio::spawn(write_frames(write, framing, frames, activity, ends));
        let session = Session {
            shared: Arc::clone(&shared),
            outgoing,
            max_frame: login.max_frame,
            who: Arc::new(login.who),
        };
        let reader = Reader::new(frame_reader, shared, timer, hang_up, write_failure);
        (session, reader)
    }

    pub(super) fn who(&self) -> &Arc<LoggedInAs> {
        &self.who
    }

    pub(super) fn max_frame(&self) -> usize {
        self.max_frame
    }

    /// Returns the offers of the session and its calls in work.
    pub(super) fn calls(&self) -> &SessionCalls {
        self.shared.calls()
    }

    pub(super) fn is_over(&self) -> bool {
        self.shared.is_over()
    }

    /// Waits for the end of the session.
    pub(super) async fn over(&self) {
        self.shared.over().await;
    }

    /// Waits until nothing that is sent is written any more.
    pub(super) async fn hung_up(&self) {
        self.outgoing.closed().await;
    }

    /// Sends a frame that is answered.
    pub(super) async fn begin<'a>(
        &self,
        frame: impl FnOnce(u64) -> ClientFrame<'a>,
    ) -> Result<Waiter, ClientError> {
        let waiter = Waiter::new(&self.shared, &self.outgoing);
        self.send(&frame(waiter.id())).await?;
        Ok(waiter)
    }

    /// Sends a change of the filter.
    pub(super) async fn begin_change(&self, change: FilterChange) -> Result<Waiter, ClientError> {
        let waiter = Waiter::new(&self.shared, &self.outgoing);
        let id = waiter.id();
        let noted = change.clone();
        self.send_noted(&change.frame(id), || self.shared.filter().begin(id, noted))
            .await?;
        Ok(waiter)
    }

    /// Sends a frame.
    pub(super) async fn send(&self, frame: &ClientFrame<'_>) -> Result<(), ClientError> {
        self.send_noted(frame, || ()).await
    }

    /// Sends a frame, and calls `note` just before. Cancel safety: both are done, or neither is.
    async fn send_noted(
        &self,
        frame: &ClientFrame<'_>,
        note: impl FnOnce(),
    ) -> Result<(), ClientError> {
        let is_ack = matches!(frame, ClientFrame::Ack(_));
        let mut bytes = Vec::new();
        cbor::encode(frame, &mut bytes);
        // An ack still counts behind the end, for as long as the write side is open.
        if self.is_over() && !is_ack {
            return Err(self.shared.why_over());
        }
        let Ok(place) = self.outgoing.reserve().await else {
            return Err(self.shared.why_over());
        };
        // Behind the wait for a place, which the caller may give up.
        if !is_ack {
            self.shared.activity().note_asked();
        }
        note();
        place.send(bytes);
        Ok(())
    }
}
