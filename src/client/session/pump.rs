//! What reads a session's frames and what writes them, each a task of its own.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncWrite, AsyncWriteExt, ReadHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Sleep, sleep};

use super::{Incoming, LAST_ACK, Reply, Shared, StoppingNotice};
use crate::client::error::{ClientError, End};
use crate::client::heartbeat::{Activity, Heartbeat, HeartbeatAction};
use crate::client::stream::FrameReader;
use crate::framing::{Failure, Framing};
use crate::transport::{Connection, failure_of};
use crate::wire::{ClientFrame, Event, IdFrame, ServerFrame, SessionLine, cbor};

/// What one write takes at most, about.
const BATCH: usize = 64 * 1024;

/// The channels between the reading side and the writing side.
pub(super) struct ReadEnds {
    /// Dropped when the session is over.
    pub(super) hang_up: oneshot::Sender<()>,
    pub(super) write_failure: oneshot::Receiver<ClientError>,
}

/// The writing side's ends of the same.
pub(super) struct WriteEnds {
    pub(super) hung_up: oneshot::Receiver<()>,
    pub(super) failed: oneshot::Sender<ClientError>,
}

/// Reads until the end, or until writing fails on this side, and tells everybody of it.
pub(super) async fn read_frames(
    mut reader: FrameReader<ReadHalf<Connection>>,
    shared: Arc<Shared>,
    events: mpsc::Sender<Incoming>,
    mut timer: HeartbeatTimer,
    ends: ReadEnds,
) {
    let ReadEnds {
        hang_up,
        write_failure,
    } = ends;
    let write_failure = async {
        match write_failure.await {
            Ok(error) => error,
            Err(_) => std::future::pending().await, // the writer has ended in order
        }
    };
    let mut write_failure = std::pin::pin!(write_failure);
    let how = loop {
        let read = tokio::select! {
            biased; // what has come is heard first
            read = timer.next(&mut reader, &shared) => read,
            error = &mut write_failure => break Err(error),
        };
        let heard = match read {
            Ok(Some(heard)) => heard,
            Ok(None) => break Err(ClientError::no_closing()),
            Err(error) => break Err(error),
        };
        match heard {
            None => {}
            Some(Incoming::Closing(end)) => break Ok(end),
            Some(incoming) => timer.deliver(incoming, &events, &shared).await,
        }
    };
    let last = match &how {
        Ok(end) => Incoming::Closing(end.clone()),
        Err(error) => Incoming::Lost(error.to_string()),
    };
    shared.finish(how);
    // Whoever still reads may want to acknowledge what was last: the write side
    // stays open for a moment, and the server waits for its end.
    let _ = events.send(last).await;
    let _ = tokio::time::timeout(LAST_ACK, events.closed()).await;
    drop(hang_up);
}

/// The heartbeat of a session, with its timer and its way to send pings.
pub(super) struct HeartbeatTimer {
    heartbeat: Heartbeat,
    timer: Pin<Box<Sleep>>,
    /// Weak, as a session ends when nobody can ask any more.
    outgoing: mpsc::WeakSender<Vec<u8>>,
}

impl HeartbeatTimer {
    pub(super) fn new(heartbeat: Heartbeat, outgoing: mpsc::WeakSender<Vec<u8>>) -> HeartbeatTimer {
        HeartbeatTimer {
            timer: Box::pin(sleep(heartbeat.interval())),
            heartbeat,
            outgoing,
        }
    }

    /// Reads the next frame, and pings meanwhile. See [`FrameReader::next`].
    async fn next(
        &mut self,
        reader: &mut FrameReader<ReadHalf<Connection>>,
        shared: &Shared,
    ) -> Result<Option<Option<Incoming>>, ClientError> {
        loop {
            tokio::select! {
                biased; // what lies in the socket is read before a deadline is judged
                heard = reader.next(|frame| dispatch(frame, shared)) => return heard,
                () = &mut self.timer => {
                    self.heartbeat.note_received(reader.last_read());
                    if !self.beat(shared) {
                        let problem = "the server answers no ping".to_owned();
                        return Err(ClientError::Lost(problem));
                    }
                }
            }
        }
    }

    /// Hands an event to its reader, and pings while that one takes none.
    async fn deliver(
        &mut self,
        incoming: Incoming,
        events: &mpsc::Sender<Incoming>,
        shared: &Shared,
    ) {
        loop {
            tokio::select! {
                biased;
                place = events.reserve() => {
                    // A reader that is gone hears nothing; its answers go on.
                    if let Ok(place) = place {
                        place.send(incoming);
                    }
                    return;
                }
                () = &mut self.timer => {
                    self.heartbeat.note_deaf(Instant::now());
                    self.beat(shared);
                }
            }
        }
    }

    /// Does what the heartbeat says. `false`: the server is lost.
    fn beat(&mut self, shared: &Shared) -> bool {
        let now = Instant::now();
        let wait = match self.heartbeat.next_action(&shared.activity, now) {
            HeartbeatAction::Lost => return false,
            HeartbeatAction::Wait(wait) => wait,
            HeartbeatAction::Ping(id) => {
                self.send_ping(id);
                self.heartbeat.interval()
            }
        };
        let least = Duration::from_millis(1);
        self.timer.as_mut().reset((now + wait.max(least)).into());
        true
    }

    /// Queues a ping. Where frames wait to be written the server will hear of those.
    fn send_ping(&self, id: u64) {
        let Some(outgoing) = self.outgoing.upgrade() else {
            return;
        };
        if outgoing.capacity() == outgoing.max_capacity() {
            let mut bytes = Vec::new();
            cbor::encode(&ClientFrame::Ping(IdFrame { id }), &mut bytes);
            let _ = outgoing.try_send(bytes); // the session may just have ended
        }
    }
}

/// Gives an answer to who waits for it; what nobody asked for is returned.
fn dispatch(frame: ServerFrame<'_>, shared: &Shared) -> Option<Incoming> {
    let (id, answer) = match frame {
        ServerFrame::Reply(reply) => (reply.id, Ok(Reply::Body(reply.body.into_owned()))),
        ServerFrame::Published(published) => (published.id, Ok(Reply::Seq(published.seq))),
        ServerFrame::Pong(asked) => (asked.id, Ok(Reply::Pong)),
        ServerFrame::Present(present) => {
            let users = present.users.into_iter().map(|user| user.into_owned());
            (present.id, Ok(Reply::Users(users.collect())))
        }
        ServerFrame::Sessions(list) => {
            let sessions = list.sessions.into_iter().map(owned_line);
            (list.id, Ok(Reply::Sessions(sessions.collect())))
        }
        ServerFrame::Stopping(stopping) => {
            let notice = StoppingNotice {
                reason: stopping.reason.into_owned(),
                phase: stopping.phase.into_owned(),
                remaining: Duration::from_millis(stopping.remaining),
            };
            match stopping.id {
                Some(id) => (id, Ok(Reply::Stopping(notice))),
                None => return Some(Incoming::Stopping(notice)),
            }
        }
        ServerFrame::Error(error) => {
            // An error without an id is followed by closing, which tells its code.
            (error.id?, Err(ClientError::refused(error)))
        }
        ServerFrame::Closing(closing) => return Some(Incoming::Closing(End::of(closing))),
        ServerFrame::Welcome(_) | ServerFrame::LoggedIn(_) => return None,
        broadcast => return Event::of(broadcast).map(Incoming::Event),
    };
    shared.activity.note_answer(id);
    shared.resolve(id, answer);
    None
}

fn owned_line(line: SessionLine<'_>) -> SessionLine<'static> {
    SessionLine {
        session: line.session,
        user: line.user.map(|user| user.into_owned().into()),
        endpoint: line.endpoint.into_owned().into(),
        peer: line.peer.into_owned().into(),
        since: line.since,
        sent: line.sent,
    }
}

/// Writes frames, those that wait together in one write of a stream, until nobody can
/// ask any more or the session is over; then the server sees the end. `failed` hears of a
/// failure of this side: no end will come of it to the reader.
pub(super) async fn write_frames(
    mut sink: impl AsyncWrite + Unpin,
    framing: Framing,
    mut frames: mpsc::Receiver<Vec<u8>>,
    activity: Arc<Activity>,
    ends: WriteEnds,
) {
    let WriteEnds {
        mut hung_up,
        failed,
    } = ends;
    loop {
        let frame = tokio::select! {
            biased; // what was sent before the end still goes out: a last ack, say
            frame = frames.recv() => frame,
            _ = &mut hung_up => None,
        };
        let Some(mut bytes) = frame else { break };
        while framing == Framing::Stream
            && bytes.len() < BATCH
            && let Ok(more) = frames.try_recv()
        {
            bytes.extend_from_slice(&more);
        }
        let written = async {
            sink.write_all(&bytes).await?;
            sink.flush().await
        };
        if let Err(error) = written.await {
            // Where the server has gone the reader learns why, behind what was sent before.
            if failure_of(&error) != Failure::PeerGone {
                let _ = failed.send(ClientError::Lost(error.to_string())); // or it is over
            }
            return;
        }
        activity.note_sent(Instant::now());
    }
    let _ = sink.shutdown().await; // or it is gone already
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use super::*;

    /// A sink whose writes all fail like this.
    struct Failing(io::ErrorKind);

    impl AsyncWrite for Failing {
        fn poll_write(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
            _buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Err(self.0.into()))
        }

        fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// Returns the error that the reader gets for a write that failed like this.
    async fn heard(kind: io::ErrorKind) -> Option<ClientError> {
        let (outgoing, frames) = mpsc::channel(1);
        let (_hang_up, hung_up) = oneshot::channel();
        let (failed, write_failure) = oneshot::channel();
        outgoing.send(vec![0]).await.expect("there is room");
        let activity = Arc::new(Activity::new(Instant::now()));
        let ends = WriteEnds { hung_up, failed };
        write_frames(Failing(kind), Framing::Stream, frames, activity, ends).await;
        write_failure.await.ok()
    }

    #[tokio::test]
    async fn reader_gets_a_write_error_that_is_local_only() {
        let error = heard(io::ErrorKind::Other).await;
        assert!(matches!(error, Some(ClientError::Lost(_))), "{error:?}");
        // The server's end is still to be read, and may say why.
        assert!(heard(io::ErrorKind::BrokenPipe).await.is_none());
    }
}
