//! A link that holds what it has taken, as one with TLS does.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::AsyncWrite;

use super::{Outlet, OutletSetup, Wanted, Written};
use crate::actors::link::Link;
use crate::close::Evidence;
use crate::framing::{Framing, Received};
use crate::log::{BackpressureLimits, Log, LogLimits};
use crate::wire::{Closing, Dialect, IdFrame, Seq, ServerFrame, SessionId, Stopping};

/// Takes everything at once, and passes it on once it `may`.
#[derive(Debug, Default)]
struct Holding {
    held: usize,
    passed_on: usize,
    may: bool,
    is_shut: bool,
}

impl Holding {
    fn pass_on(&mut self) -> Poll<io::Result<()>> {
        if !self.may && self.held > 0 {
            return Poll::Pending;
        }
        self.passed_on += std::mem::take(&mut self.held);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Holding {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.held += buf.len();
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pass_on()
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let passed_on = self.pass_on();
        self.is_shut = passed_on.is_ready();
        passed_on
    }
}

impl Link for Holding {
    fn framing(&self) -> Framing {
        Framing::Stream
    }

    fn poll_receive(&mut self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<Received>> {
        Poll::Pending
    }

    fn half_closes(&self) -> bool {
        true
    }

    fn is_hung_up(&self) -> bool {
        false
    }

    fn evidence(&self) -> Evidence {
        Evidence::Written
    }

    fn best_evidence(&self) -> Evidence {
        Evidence::Written
    }
}

mod hearing;
mod journal;
mod received;

const ALL: Wanted = Wanted {
    until: None,
    ends_on_gap: false,
};

fn outlet() -> Outlet {
    let mut outlet = silent_outlet();
    outlet.answer(&ServerFrame::Pong(IdFrame { id: 1 }));
    outlet
}

/// One that has answered nothing yet.
fn silent_outlet() -> Outlet {
    let limits = LogLimits {
        bytes: 1 << 20,
        backpressure: BackpressureLimits {
            window: 1000,
            min_rate: 1000,
            patience: Duration::from_secs(3600),
            ..BackpressureLimits::default()
        },
    };
    let (log, _) = Log::new("s".to_owned(), limits, 1);
    Outlet::new(setup(&log))
}

/// Returns the setup of a session that reads the log's bytes as they are.
pub(super) fn setup(log: &Arc<Log>) -> OutletSetup {
    OutletSetup {
        framing: Framing::Stream,
        session: SessionId(1),
        dialect: Dialect::Cbor,
        max_frame: 1 << 20,
        log: Arc::clone(log),
        shard: 0,
        counters: Arc::default(),
    }
}

#[test]
fn bytes_held_by_the_link_are_flushed_without_new_writes() {
    let mut cx = Context::from_waker(std::task::Waker::noop());
    let (mut outlet, mut link) = (outlet(), Holding::default());
    assert_eq!(outlet.write(&mut link, ALL, &mut cx), Written::More);
    assert_eq!(outlet.write(&mut link, ALL, &mut cx), Written::Blocked);
    link.may = true;
    assert_eq!(outlet.write(&mut link, ALL, &mut cx), Written::Clear);
    assert!(link.passed_on > 0);
}

#[test]
fn write_side_is_shut_after_the_bytes_held_by_the_link() {
    let mut cx = Context::from_waker(std::task::Waker::noop());
    let (mut outlet, mut link) = (outlet(), Holding::default());
    assert_eq!(outlet.write(&mut link, ALL, &mut cx), Written::More);
    outlet.shut(&mut link, &mut cx);
    assert!(!link.is_shut);
    link.may = true;
    outlet.shut(&mut link, &mut cx);
    assert!(link.is_shut);
}

#[test]
fn last_answer_stands_behind_the_broadcast_before_it() {
    let mut outlet = silent_outlet();
    for notice in [stopping(None), closing()] {
        outlet.answer(&notice);
        assert_eq!(outlet.state().last_answer, None, "it answers nothing");
    }
    outlet.answer(&stopping(Some(2)));
    assert_eq!(outlet.state().last_answer, Some(Seq::ZERO));
}

fn stopping(id: Option<u64>) -> ServerFrame<'static> {
    ServerFrame::Stopping(Stopping {
        id,
        reason: "fim".into(),
        phase: "announce".into(),
        remaining: 1,
    })
}

fn closing() -> ServerFrame<'static> {
    ServerFrame::Closing(Closing {
        reason: "shutdown".into(),
        last_seq: Seq(4),
        accepted: 0,
        refused: 0,
    })
}
