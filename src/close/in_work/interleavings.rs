//! The counter among threads: whoever waits for idleness sees it, and not too soon.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use shuttle::{future, thread};

use super::{InWork, Work};
use crate::interleavings::{expect_found, explore};

/// The answers, counted beside the counter. Std's lock on purpose: no
/// scheduler steps in here, so that counting adds no schedules.
#[derive(Clone, Default)]
struct Answered(Arc<Mutex<usize>>);

impl Answered {
    fn note(&self, frames: usize) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += frames;
    }

    fn count(&self) -> usize {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Two sessions, each with a frame in work from before the cut: each admits the next
/// ones before it has answered the last, so that at no moment nothing is in work.
fn hand_on(in_work: &InWork, mut work: Work, answered: &Answered) {
    for frames in 1..=2 {
        let next = in_work.admit(frames);
        answered.note(work.frames);
        drop(std::mem::replace(&mut work, next));
    }
    answered.note(work.frames);
}

fn idle_is_seen_and_not_too_soon() {
    let (in_work, answered) = (InWork::default(), Answered::default());
    let sessions = [0, 1].map(|_| {
        let (in_work, answered) = (in_work.clone(), answered.clone());
        let work = in_work.admit(1);
        thread::spawn(move || hand_on(&in_work, work, &answered))
    });
    future::block_on(in_work.idle());
    assert_eq!((answered.count(), in_work.count()), (2 * (1 + 1 + 2), 0));
    for session in sessions {
        session.join().expect("it does not panic");
    }
}

#[test]
fn waiter_is_woken_when_the_last_frame_is_answered() {
    explore(idle_is_seen_and_not_too_soon);
}

/// A session that has panicked is caught, and its work is dropped by the unwinding.
fn panic_in_work(work: Work, answered: &Answered) {
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let work = work;
        answered.note(work.frames);
        resume_unwind(Box::new(())); // a panic that nothing is printed of
    }));
    assert!(panicked.is_err());
}

fn a_panic_takes_its_work_along() {
    let (in_work, answered) = (InWork::default(), Answered::default());
    let (one, other) = (in_work.admit(2), in_work.admit(1));
    let panics = {
        let answered = answered.clone();
        thread::spawn(move || panic_in_work(one, &answered))
    };
    let answers = {
        let (in_work, answered) = (in_work.clone(), answered.clone());
        thread::spawn(move || hand_on(&in_work, other, &answered))
    };
    future::block_on(in_work.idle());
    assert_eq!((answered.count(), in_work.count()), (2 + 1 + 1 + 2, 0));
    panics.join().expect("the panic is caught");
    answers.join().expect("it does not panic");
}

#[test]
fn work_dropped_by_a_panic_is_not_counted() {
    explore(a_panic_takes_its_work_along);
}

/// The phase's deadline drops its wait, and a later one is another task's.
fn a_second_wait_is_served() {
    let in_work = InWork::default();
    let work = in_work.admit(1);
    let first = future::spawn({
        let in_work = in_work.clone();
        async move { in_work.idle().await }
    });
    let session = thread::spawn(move || drop(work));
    first.abort();
    let _ = future::block_on(first);
    future::block_on(in_work.idle());
    assert_eq!(in_work.count(), 0);
    session.join().expect("it does not panic");
}

#[test]
fn waiter_behind_a_cancelled_one_is_woken() {
    explore(a_second_wait_is_served);
}

/// [`InWork::idle`] the wrong way round: it looks before it leaves word where it is.
async fn look_first(in_work: &InWork) {
    poll_fn(|cx| {
        let count = in_work.count();
        in_work.shared.waiting.register(cx.waker());
        if count == 0 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

#[test]
fn wait_that_checks_before_registering_is_found_asleep() {
    expect_found("deadlock", || {
        let in_work = InWork::default();
        let work = in_work.admit(1);
        let session = thread::spawn(move || drop(work));
        future::block_on(look_first(&in_work));
        session.join().expect("it does not panic");
    });
}
