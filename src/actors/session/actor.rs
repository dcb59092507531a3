//! The session as an actor: its life, its orders and its timer.

use std::cell::RefCell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::{Rc, Weak};
use std::task::{Context as TaskContext, Poll};

use actix::fut::ActorFuture;
use actix::{Actor, ActorContext, AsyncContext, Context, Handler, ResponseFuture};
use tokio::sync::oneshot;
use tokio::task::unconstrained;
use tokio::time::{Instant as Moment, Sleep};

use super::core::shutdown::Carried;
use super::delivery::Registration;
use super::driver::Driver;
use super::listener_context::Start;
use crate::actors::link::Link;
use crate::actors::supervisor::{Ended, Order};
use crate::close::SessionRecord;

/// One connection.
pub struct Session<L: Link + 'static> {
    /// Shared with what delivers broadcasts without a run of the actor.
    driver: Rc<RefCell<Driver<L>>>,
    /// Gets the record once the last order has been carried out.
    waiting: Option<oneshot::Sender<SessionRecord>>,
    /// Calls the session.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<L: Link + 'static> Session<L> {
    /// Begins a session: its welcome is queued.
    pub fn new(start: Start<L>) -> Self {
        let driver = Rc::new(RefCell::new(Driver::new(start)));
        let weak: Weak<RefCell<Driver<L>>> = Rc::downgrade(&driver);
        driver.borrow_mut().set_delivery(Registration::new(weak));
        Session {
            driver,
            waiting: None,
            timer: None,
        }
    }

    /// Has the timer call the session no later than it wants. It may call earlier, which only
    /// costs a look: what is waited for often moves away while it runs.
    fn set_timer(&mut self, task: &mut TaskContext<'_>) {
        self.timer.take_if(|timer| timer.is_elapsed());
        let Some(at) = self.driver.borrow().wake_at().map(Moment::from_std) else {
            return;
        };
        match &mut self.timer {
            Some(timer) if timer.deadline() <= at => return,
            Some(timer) => timer.as_mut().reset(at),
            None => self.timer = Some(Box::pin(tokio::time::sleep_until(at))),
        }
        let timer = self.timer.as_mut();
        if timer.is_some_and(|timer| start(timer.as_mut(), task)) {
            self.driver.borrow().wake();
        }
    }

    /// Sends the record to the giver of the last order, if the order has been carried out.
    fn tell_carried_out(&mut self) {
        let mut driver = self.driver.borrow_mut();
        if driver.take_carried_out()
            && let Some(waiting) = self.waiting.take()
        {
            let _ = waiting.send(driver.record());
        }
    }
}

impl<L: Link + 'static> Actor for Session<L> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.spawn(Pump);
    }

    /// Also runs when a panic drops the actor, so that the supervisor does not wait for it.
    fn stopped(&mut self, _ctx: &mut Self::Context) {
        let mut driver = self.driver.borrow_mut();
        let record = driver.end();
        tracing::debug!(
            session = %record.session,
            user = record.user,
            reason = record.reason.as_str(),
            accepted = record.accepted,
            refused = record.refused,
            sent = %record.sent,
            "session closed"
        );
        if let Some(waiting) = self.waiting.take() {
            let _ = waiting.send(record.clone());
        }
        let has_failed = driver.has_failed();
        if let Some(reason) = record.reason.known() {
            driver.listener().counters.session_ended(reason);
        }
        let ended = Ended { record, has_failed };
        driver.listener().supervisor.do_send(ended);
    }
}

/// Starts a timer. Returns whether its moment has come already.
fn start(timer: Pin<&mut Sleep>, task: &mut TaskContext<'_>) -> bool {
    // Not within the task's budget: behind a long run it would not be started.
    pin!(unconstrained(timer)).poll(task).is_ready()
}

/// Runs the session whenever its task is called.
struct Pump;

impl<L: Link + 'static> ActorFuture<Session<L>> for Pump {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        session: &mut Session<L>,
        ctx: &mut Context<Session<L>>,
        task: &mut TaskContext<'_>,
    ) -> Poll<()> {
        session.driver.borrow_mut().run(task);
        session.tell_carried_out();
        if session.driver.borrow().is_closed() && session.waiting.is_none() {
            ctx.stop();
        } else {
            session.set_timer(task);
        }
        Poll::Pending
    }
}

impl<L: Link + 'static> Handler<Order> for Session<L> {
    type Result = ResponseFuture<SessionRecord>;

    // The pump runs after the mailbox, in the same poll: it acts on the order.
    fn handle(&mut self, order: Order, ctx: &mut Self::Context) -> Self::Result {
        if order == Order::Finish {
            ctx.stop();
        }
        let carried = self.driver.borrow_mut().order(order);
        self.tell_carried_out();
        let record = self.driver.borrow().record();
        if carried == Carried::Out {
            return Box::pin(async move { record });
        }
        let (done, receiver) = oneshot::channel();
        self.waiting = Some(done);
        Box::pin(async move { receiver.await.unwrap_or(record) })
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use super::*;

    /// Uses up the budget of the task that is polled.
    fn use_up_budget(task: &mut TaskContext<'_>) {
        while pin!(tokio::task::consume_budget()).poll(task).is_ready() {}
    }

    #[tokio::test]
    async fn timer_that_starts_behind_a_long_run_wakes_the_task() {
        let mut timer = Box::pin(tokio::time::sleep(Duration::from_millis(5)));
        poll_fn(|task| {
            use_up_budget(task);
            assert!(!start(timer.as_mut(), task));
            Poll::Ready(())
        })
        .await;
        let fired = poll_fn(|_| match timer.is_elapsed() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        });
        let fired = tokio::time::timeout(Duration::from_secs(60), fired).await;
        fired.expect("the timer was started");
    }
}
