//! The futures behind a session's pending work, in the order of its core's queue.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use super::core::effects::Done;
use super::entrance::Entrance;
use super::lazy_queue::LazyQueue;
use crate::close::Work;

/// The result of a job.
pub(super) struct Finished {
    pub(super) done: Done,
    /// The user's permit and authorization, of a login that succeeded.
    pub(super) entrance: Option<Entrance>,
    /// Keeps the frames in the server's count until they are answered.
    pub(super) work: Option<Work>,
}

struct Job {
    future: Pin<Box<dyn Future<Output = (Done, Option<Entrance>)>>>,
    work: Option<Work>,
}

/// Pending work, of which only the oldest piece is polled.
#[derive(Default)]
pub(super) struct Jobs {
    oldest: Option<Job>,
    later: LazyQueue<Job>,
}

impl Jobs {
    /// Adds work whose frames `work` counts.
    pub(super) fn push(
        &mut self,
        work: Option<Work>,
        future: impl Future<Output = (Done, Option<Entrance>)> + 'static,
    ) {
        let job = Job {
            future: Box::pin(future),
            work,
        };
        match self.oldest {
            None => self.oldest = Some(job),
            Some(_) => self.later.push_back(job),
        }
    }

    /// Adds work that answers frames of a user.
    pub(super) fn push_done(&mut self, work: Work, future: impl Future<Output = Done> + 'static) {
        self.push(Some(work), async move { (future.await, None) });
    }

    /// Resolves when the oldest piece is done. It must not be called where there is none.
    pub(super) fn poll_oldest(&mut self, cx: &mut TaskContext<'_>) -> Poll<Finished> {
        let Some(job) = &mut self.oldest else {
            return Poll::Pending;
        };
        let Poll::Ready((done, entrance)) = job.future.as_mut().poll(cx) else {
            return Poll::Pending;
        };
        let work = job.work.take();
        self.oldest = self.later.pop_front();
        Poll::Ready(Finished {
            done,
            entrance,
            work,
        })
    }

    /// Forgets all of it.
    pub(super) fn clear(&mut self) {
        *self = Jobs::default();
    }
}
