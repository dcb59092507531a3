//! Direct publishes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

use actix::{Arbiter, System};
use tokio::sync::oneshot;

use super::{
    Clock, Contents, Forget, HubAddress, HubSetup, JudgedContents, NotPublished, PresenceLimits,
    Publish, PublishJudged, Seal, Verdict, Verdicts, Who,
};
use crate::accounts::UserName;
use crate::actors::sentinel::Sentinel;
use crate::actors::turn;
use crate::log::{BackpressureLimits, Log, LogLimits, ReadWait};
use crate::wire::{self, Body, Millis, Seq};

struct Server {
    log: Arc<Log>,
    hub: HubAddress,
    has_ended: oneshot::Receiver<()>,
    is_time_known: Arc<AtomicBool>,
}

impl Server {
    /// A hub on this thread, which has begun.
    async fn start() -> Server {
        let limits = LogLimits {
            bytes: 1 << 20,
            backpressure: BackpressureLimits::default(),
        };
        let (log, appender) = Log::new("stream".to_owned(), limits, 1);
        let is_time_known = Arc::new(AtomicBool::new(true));
        let is_known = Arc::clone(&is_time_known);
        let clock: Clock = Arc::new(move || {
            assert!(is_known.load(Ordering::Relaxed), "the clock is broken");
            Millis(1)
        });
        let setup = HubSetup {
            appender,
            journal_writer: None,
            presence: PresenceLimits::share_of(1 << 20),
            producers: 4,
            cursors: 4,
            clock,
        };
        let (end, has_ended) = oneshot::channel();
        let sentinel = move || {
            Sentinel::new(move || {
                let _ = end.send(());
            })
        };
        let hub = HubAddress::start(&Arbiter::current(), setup, sentinel);
        hub.addr().send(Who).await.expect("the hub has begun");
        Server {
            log,
            hub,
            has_ended,
            is_time_known,
        }
    }

    fn publish_now(&self) -> Option<Result<Seq, NotPublished>> {
        let (ana, contents) = publish();
        self.hub.publish_now(&self.log, 0, &ana, &contents)
    }

    /// Publishes in a turn without other publishes.
    fn publish_uncontended(&self) -> Option<Result<Seq, NotPublished>> {
        turn::end();
        self.publish_now()
    }
}

fn numbered(numbers: &[u64]) -> JudgedContents {
    let mut messages = JudgedContents::default();
    for n in numbers {
        messages.push(
            Some(("p", *n)),
            &wire::Publish::new(1, Body::text("bom dia")),
        );
    }
    messages
}

impl Server {
    /// Publishes numbered messages of ana in a turn without other publishes.
    fn judge_uncontended(&self, numbers: &[u64]) -> Option<Result<Verdicts, NotPublished>> {
        turn::end();
        let ana = UserName::parse("ana").expect("it is a name");
        self.hub
            .publish_judged_now(&self.log, 0, &ana, &numbered(numbers))
    }

    /// Has the hub judge numbered messages of ana.
    async fn judge(&self, numbers: &[u64]) -> Result<Verdicts, NotPublished> {
        let publish = PublishJudged {
            from: UserName::parse("ana").expect("it is a name"),
            messages: numbered(numbers),
            in_flight: None,
        };
        self.hub.addr().send(publish).await.expect("it is there")
    }
}

fn publish() -> (UserName, Contents) {
    let mut contents = Contents::default();
    contents.push(&Body::text("bom dia"));
    contents.push(&Body::text("boa tarde"));
    (UserName::console(), contents)
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn uncontended_publish_is_visible_at_once_and_wakes_readers() {
    System::new().block_on(async {
        let server = Server::start().await;
        assert_eq!(server.publish_now(), None, "nothing is known of the turns");
        let woken = Arc::new(Woken::default());
        let mut wait = ReadWait::default();
        let waker = Waker::from(Arc::clone(&woken));
        server.log.notifier(0).register(&mut wait, &waker);
        assert_eq!(server.publish_uncontended(), Some(Ok(Seq(1))));
        assert_eq!(server.log.head(), Seq(2));
        assert!(woken.0.load(Ordering::Relaxed));
        assert_eq!(server.publish_now(), None, "the second of its turn");
    });
}

#[test]
fn publish_from_another_thread_is_not_direct() {
    System::new().block_on(async {
        let Server { log, hub, .. } = Server::start().await;
        let elsewhere = std::thread::spawn(move || {
            let (ana, contents) = publish();
            let publish = || {
                turn::end();
                hub.publish_now(&log, 0, &ana, &contents)
            };
            [publish(), publish()]
        });
        assert_eq!(elsewhere.join().expect("it does not panic"), [None, None]);
    });
}

#[test]
fn direct_publish_behind_the_seal_is_refused() {
    System::new().block_on(async {
        let server = Server::start().await;
        let head = server.hub.addr().send(Seal).await.expect("it is there");
        assert_eq!(
            server.publish_uncontended(),
            Some(Err(NotPublished::Sealed))
        );
        assert_eq!(server.log.head(), head);
    });
}

#[test]
fn panic_of_a_direct_publish_ends_the_hub_and_not_its_caller() {
    System::new().block_on(async {
        let server = Server::start().await;
        server.is_time_known.store(false, Ordering::Relaxed);
        assert_eq!(server.publish_uncontended(), None);
        server.is_time_known.store(true, Ordering::Relaxed);
        assert_eq!(
            server.publish_uncontended(),
            None,
            "its state is not trusted"
        );
        let (from, contents) = publish();
        let publish = Publish {
            from,
            contents,
            in_flight: None,
        };
        assert!(server.hub.addr().send(publish).await.is_err());
        assert!(server.has_ended.await.is_ok(), "its sentinel tells");
        assert_eq!(server.log.head(), Seq::ZERO);
    });
}

#[test]
fn direct_and_sent_numbers_are_judged_by_one_state() {
    System::new().block_on(async {
        let server = Server::start().await;
        let (published, repeated) = (Verdict::Published, Verdict::Repeated);
        let both = vec![published(Seq(1)), published(Seq(2))];
        assert_eq!(server.judge(&[7, 8]).await, Ok(both));
        let direct = server.judge_uncontended(&[7, 9]);
        assert_eq!(direct, Some(Ok(vec![repeated(Seq(1)), published(Seq(3))])));
        assert_eq!(server.log.head(), Seq(3), "it is visible at once");
        let gap = Verdict::OutOfOrder { highest: 9 };
        assert_eq!(
            server.judge(&[11, 9]).await,
            Ok(vec![gap, repeated(Seq(3))])
        );
        let ana = UserName::parse("ana").expect("it is a name");
        server
            .hub
            .addr()
            .send(Forget(vec![ana]))
            .await
            .expect("it is there");
        assert_eq!(server.judge(&[1]).await, Ok(vec![published(Seq(4))]));
    });
}

#[test]
fn numbers_behind_the_seal_are_refused_and_do_not_advance() {
    System::new().block_on(async {
        let server = Server::start().await;
        server.judge(&[1]).await.expect("the log is open");
        let head = server.hub.addr().send(Seal).await.expect("it is there");
        assert_eq!(server.judge(&[2]).await, Err(NotPublished::Sealed));
        let direct = server.judge_uncontended(&[1, 2]);
        assert_eq!(direct, Some(Err(NotPublished::Sealed)));
        assert_eq!(server.log.head(), head);
    });
}
