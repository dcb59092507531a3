//! The reading side of a session's connection.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::ReadHalf;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Sleep, sleep};

use super::error::{Break, ClientError, End};
use super::filter::{CurrentFilter, Wanted};
use super::heartbeat::{Heartbeat, HeartbeatAction};
use super::incoming::{Incoming, StoppingNotice};
use super::shared::{Reply, Shared};
use super::stream::FrameReader;
use crate::transport::Connection;
use crate::wire::{
    Cancelled, ClientFrame, CursorLine, CursorList, CursorRemoved, Event, IdFrame, KeptValue,
    Published, Seq, ServerFrame, ServiceLine, ServiceList, SessionLine, TopicLine, Withdrawn, cbor,
};

/// Reads the frames of one session.
pub(super) struct Reader {
    frames: FrameReader<ReadHalf<Connection>>,
    shared: Arc<Shared>,
    timer: HeartbeatTimer,
    write_failure: oneshot::Receiver<ClientError>,
    /// Ends the writing side when it is dropped.
    hang_up: oneshot::Sender<()>,
    /// The last broadcast that was delivered.
    delivered: Option<Seq>,
}

/// The rest of a session whose frames have been read to the end.
pub(super) struct Ended {
    pub(super) how: Result<End, ClientError>,
    /// The last broadcast that was delivered.
    pub(super) delivered: Option<Seq>,
    /// The filter that the next login is to ask for.
    pub(super) wanted: Wanted,
    /// The writing side stays open until this is dropped.
    pub(super) hang_up: oneshot::Sender<()>,
}

/// The meaning of a frame for the reading side.
enum Read {
    /// It was an answer or a call and has been handed over, or it tells nothing.
    Handled,
    Incoming(Incoming),
    Closing(End),
}

impl Reader {
    pub(super) fn new(
        frames: FrameReader<ReadHalf<Connection>>,
        shared: Arc<Shared>,
        timer: HeartbeatTimer,
        hang_up: oneshot::Sender<()>,
        write_failure: oneshot::Receiver<ClientError>,
    ) -> Reader {
        Reader {
            frames,
            shared,
            timer,
            write_failure,
            hang_up,
            delivered: None,
        }
    }

    /// Drops broadcasts up to this one, which an earlier session has delivered.
    pub(super) fn skip_to(&mut self, delivered: Option<Seq>) {
        self.delivered = delivered;
    }

    /// Reads until the end, or until writing fails on this side, and ends the session.
    pub(super) async fn run(mut self, events: &mpsc::Sender<Incoming>) -> Ended {
        let write_failure = async {
            match (&mut self.write_failure).await {
                Ok(error) => error,
                Err(_) => std::future::pending().await, // the writer has ended in order
            }
        };
        let mut write_failure = std::pin::pin!(write_failure);
        let how = loop {
            let read = tokio::select! {
                biased; // what has come is read first
                read = self.timer.next(&mut self.frames, &self.shared) => read,
                error = &mut write_failure => break Err(error),
            };
            match read {
                Ok(Some(Read::Handled)) => {}
                Ok(Some(Read::Incoming(incoming))) => {
                    if let Incoming::Event(event) = &incoming {
                        if self.delivered.is_some_and(|seq| event.seq() <= seq) {
                            continue;
                        }
                        self.delivered = Some(event.seq());
                    }
                    self.timer.deliver(incoming, events, &self.shared).await;
                }
                Ok(Some(Read::Closing(end))) => break Ok(end),
                Ok(None) => break Err(Break::NoClosing.into()),
                Err(error) => break Err(error),
            }
        };
        self.shared.finish(how.clone());
        Ended {
            how,
            delivered: self.delivered,
            wanted: self.shared.filter().wanted(),
            hang_up: self.hang_up,
        }
    }
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
    ) -> Result<Option<Read>, ClientError> {
        loop {
            tokio::select! {
                biased; // what lies in the socket is read before a deadline is judged
                read = reader.next(|frame| dispatch(frame, shared)) => return read,
                () = &mut self.timer => {
                    self.heartbeat.note_received(reader.last_read());
                    if !self.beat(shared) {
                        return Err(Break::Silent.into());
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
                    self.heartbeat.note_unread_pause(Instant::now());
                    self.beat(shared);
                }
            }
        }
    }

    /// Does what the heartbeat says. `false`: the server is lost.
    fn beat(&mut self, shared: &Shared) -> bool {
        let now = Instant::now();
        let wait = match self.heartbeat.next_action(shared.activity(), now) {
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

    /// Queues a ping, except where frames wait to be written: the server receives those.
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

/// Hands an answer to the one that waits for it and a call to its handler, and returns everything
/// else.
fn dispatch(frame: ServerFrame<'_>, shared: &Shared) -> Read {
    let (id, answer) = match frame {
        ServerFrame::Reply(reply) => (reply.id, Ok(Reply::of(reply))),
        ServerFrame::Published(published) => {
            let Published { id, seq, repeated } = published;
            (id, Ok(Reply::Published { seq, repeated }))
        }
        ServerFrame::Pong(asked) => (asked.id, Ok(Reply::Pong)),
        ServerFrame::Present(present) => {
            let users = present.users.into_iter().map(|user| user.into_owned());
            (present.id, Ok(Reply::Users(users.collect())))
        }
        ServerFrame::Sessions(list) => {
            let sessions = list.sessions.into_iter().map(owned_line);
            (list.id, Ok(Reply::Sessions(sessions.collect())))
        }
        ServerFrame::Topics(list) => {
            let lines = list.topics.into_iter().map(|line| TopicLine {
                topic: line.topic.into_owned().into(),
                ..line
            });
            let lines = lines.collect();
            let has_more = list.more;
            (list.id, Ok(Reply::Topics { lines, has_more }))
        }
        ServerFrame::Subscribed(subscribed) => {
            let id = subscribed.id;
            shared.filter().confirm(id);
            (id, Ok(Reply::Filter(CurrentFilter::of(subscribed))))
        }
        ServerFrame::Kept(kept) => {
            return Read::Incoming(Incoming::Kept(KeptValue::of(kept)));
        }
        ServerFrame::Cursors(list) => {
            let CursorList { id, cursors, more } = list;
            let cursors = cursors.into_iter().map(CursorLine::into_owned).collect();
            (id, Ok(Reply::Cursors { cursors, more }))
        }
        ServerFrame::CursorRemoved(CursorRemoved { id, removed }) => {
            (id, Ok(Reply::CursorRemoved(removed)))
        }
        ServerFrame::Services(list) => {
            let ServiceList { id, services, more } = list;
            let services = services.into_iter().map(ServiceLine::into_owned).collect();
            (id, Ok(Reply::Services { services, more }))
        }
        ServerFrame::Offered(asked) => (asked.id, Ok(Reply::Offered)),
        ServerFrame::Withdrawn(Withdrawn { id, service }) => {
            let Some(id) = id else {
                shared.calls().note_withdrawn(&service);
                return Read::Handled;
            };
            shared.calls().remove_offer(&service);
            (id, Ok(Reply::Withdrawn))
        }
        ServerFrame::Call(call) => {
            shared.calls().begin(call);
            return Read::Handled;
        }
        ServerFrame::Cancelled(Cancelled { call }) => {
            shared.calls().cancel(call);
            return Read::Handled;
        }
        ServerFrame::Stopping(stopping) => {
            let notice = StoppingNotice {
                reason: stopping.reason.shortened(),
                phase: stopping.phase.shortened(),
                remaining: Duration::from_millis(stopping.remaining),
            };
            match stopping.id {
                Some(id) => (id, Ok(Reply::Stopping(notice))),
                None => return Read::Incoming(Incoming::Stopping(notice)),
            }
        }
        ServerFrame::Error(error) => {
            // An error without an id is followed by closing, which tells its code.
            let Some(id) = error.id else {
                return Read::Handled;
            };
            shared.filter().refuse(id);
            (id, Err(ClientError::refused(error)))
        }
        ServerFrame::Closing(closing) => return Read::Closing(End::of(closing)),
        ServerFrame::Welcome(_) | ServerFrame::LoggedIn(_) => return Read::Handled,
        broadcast => {
            let event = Event::of(broadcast).map(Incoming::Event);
            return event.map_or(Read::Handled, Read::Incoming);
        }
    };
    shared.activity().note_answer(id);
    shared.resolve(id, answer);
    Read::Handled
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
