//! The hub as an actor: its messages, its timer and its life.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll};
use std::time::Instant;

use actix::fut::ActorFuture;
use actix::{Actor, ActorContext, AsyncContext, Context, Handler, MessageResult, Response};

use super::cursors::{
    CheckCursor, CursorRefusal, ListCursors, OpenCursor, OpenedCursor, RemoveCursor,
};
use super::deadline_timer::DeadlineTimer;
use super::direct::{self, HubKey, Panicked, Shared};
use super::messages::{
    Forget, Join, Joined, Leave, Publish, PublishJudged, Seal, SetLimits, Stop, Verdicts, Who,
};
use super::not_published::NotPublished;
use super::state::{HubSetup, State};
use crate::actors::ping::Ping;
use crate::actors::sentinel::Sentinel;
use crate::wire::Seq;

/// The actor around the log's appender.
pub struct Hub {
    key: HubKey,
    shared: Rc<Shared>,
    /// Fires when an announcement is due.
    timer: DeadlineTimer,
    sentinel: Sentinel,
}

impl Hub {
    /// Creates the hub; the sentinel reports its panic.
    pub(super) fn new(key: HubKey, setup: HubSetup, sentinel: Sentinel) -> Hub {
        Hub {
            key,
            shared: Shared::new(State::new(setup)),
            timer: DeadlineTimer::default(),
            sentinel,
        }
    }
}

impl Actor for Hub {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(1 << 12);
        self.shared.state().start();
        let hub = ctx.address().recipient();
        direct::register(self.key, hub, &self.shared);
        ctx.spawn(Commit);
    }

    fn stopped(&mut self, _ctx: &mut Self::Context) {
        direct::deregister(self.key);
    }
}

/// Runs each time that the mailbox is empty, and commits what was appended.
struct Commit;

impl ActorFuture<Hub> for Commit {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        hub: &mut Hub,
        _ctx: &mut Context<Hub>,
        task: &mut TaskContext<'_>,
    ) -> Poll<()> {
        let mut state = hub.shared.state();
        state.poll_cursors(task);
        if hub.timer.poll(state.next_due(), task) {
            state.announce_due(Instant::now());
            let _ = hub.timer.poll(state.next_due(), task); // for the next announcement
        }
        state.commit(task);
        Poll::Pending
    }
}

impl Handler<Publish> for Hub {
    type Result = Response<Result<Seq, NotPublished>>;

    fn handle(&mut self, publish: Publish, _ctx: &mut Self::Context) -> Self::Result {
        self.shared.state().publish(publish)
    }
}

impl Handler<PublishJudged> for Hub {
    type Result = Response<Result<Verdicts, NotPublished>>;

    fn handle(&mut self, publish: PublishJudged, _ctx: &mut Self::Context) -> Self::Result {
        self.shared.state().publish_judged(publish)
    }
}

impl Handler<Forget> for Hub {
    type Result = ();

    fn handle(&mut self, Forget(users): Forget, _ctx: &mut Self::Context) {
        self.shared.state().forget(&users);
    }
}

impl Handler<SetLimits> for Hub {
    type Result = ();

    fn handle(&mut self, SetLimits(limits): SetLimits, _ctx: &mut Self::Context) {
        self.shared.state().set_limits(limits);
    }
}

impl Handler<CheckCursor> for Hub {
    type Result = Result<(), CursorRefusal>;

    fn handle(&mut self, check: CheckCursor, _ctx: &mut Self::Context) -> Self::Result {
        self.shared.state().check_cursor(&check.user, &check.name)
    }
}

impl Handler<OpenCursor> for Hub {
    type Result = Response<Result<OpenedCursor, CursorRefusal>>;

    fn handle(&mut self, open: OpenCursor, _ctx: &mut Self::Context) -> Self::Result {
        self.shared.state().open_cursor(open)
    }
}

impl Handler<ListCursors> for Hub {
    type Result = MessageResult<ListCursors>;

    fn handle(&mut self, list: ListCursors, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(self.shared.state().list_cursors(&list))
    }
}

impl Handler<RemoveCursor> for Hub {
    type Result = Response<Result<bool, CursorRefusal>>;

    fn handle(&mut self, remove: RemoveCursor, _ctx: &mut Self::Context) -> Self::Result {
        self.shared.state().remove_cursor(&remove)
    }
}

impl Handler<Join> for Hub {
    type Result = Response<Result<Joined, NotPublished>>;

    fn handle(&mut self, Join(user): Join, _ctx: &mut Self::Context) -> Self::Result {
        self.shared.state().join(user)
    }
}

impl Handler<Leave> for Hub {
    type Result = ();

    fn handle(&mut self, Leave(user): Leave, _ctx: &mut Self::Context) {
        self.shared.state().leave(&user);
    }
}

impl Handler<Who> for Hub {
    type Result = MessageResult<Who>;

    fn handle(&mut self, Who: Who, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(self.shared.state().present())
    }
}

impl Handler<Ping> for Hub {
    type Result = ();

    fn handle(&mut self, Ping: Ping, _ctx: &mut Self::Context) {}
}

impl Handler<Seal> for Hub {
    type Result = Response<Seq>;

    fn handle(&mut self, Seal: Seal, _ctx: &mut Self::Context) -> Self::Result {
        self.shared.state().seal()
    }
}

impl Handler<Panicked> for Hub {
    type Result = ();

    fn handle(&mut self, Panicked(panic): Panicked, _ctx: &mut Self::Context) {
        std::panic::resume_unwind(panic);
    }
}

impl Handler<Stop> for Hub {
    type Result = ();

    fn handle(&mut self, Stop: Stop, ctx: &mut Self::Context) {
        self.sentinel.disarm();
        self.shared.state().store_last_acks();
        ctx.stop();
    }
}
