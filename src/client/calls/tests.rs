use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc::Receiver;

use super::*;
use crate::client::offer::CallReply;
use crate::wire::{Body, Decoded, Headers, MAX_FRAME};

type Handled = Pin<Box<dyn Future<Output = CallResult> + Send>>;

/// The calls of a session whose writing side is this test.
struct Session {
    calls: SessionCalls,
    outgoing: mpsc::Sender<Vec<u8>>,
    written: Receiver<Vec<u8>>,
}

impl Session {
    fn new() -> Session {
        let (outgoing, written) = mpsc::channel(8);
        Session {
            calls: SessionCalls::new(outgoing.downgrade(), MAX_FRAME),
            outgoing,
            written,
        }
    }

    fn offer(
        &self,
        limit: usize,
        handler: impl Fn(Call) -> Handled + Send + Sync + 'static,
    ) -> oneshot::Receiver<()> {
        let added = self.calls.add_offer("s", Arc::new(handler), limit);
        added.expect("it is not offered yet")
    }

    fn call(&self, call: u64, body: &'static str) {
        self.calls.begin(CallFrame {
            call,
            service: "s".into(),
            from: "ana".into(),
            body: Body::text(body),
            remaining: 1000,
            headers: None,
        });
    }

    /// Returns the next answer: its call, and its body or the error's code.
    async fn answer(&mut self) -> (u64, Result<Body<'static>, String>) {
        let bytes = self.written.recv().await.expect("an answer comes");
        match cbor::decode_client(&bytes, MAX_FRAME) {
            Ok(Decoded::Frame(ClientFrame::Answer(answer), _)) => {
                let AnswerFrame { call, result } = answer.into_owned();
                let result = result.map(|(body, _)| body);
                (call, result.map_err(|error| error.code.into_owned()))
            }
            other => panic!("it is an answer: {other:?}"),
        }
    }
}

/// Notes that it was dropped.
struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn echo(call: Call) -> Handled {
    Box::pin(async move { Ok(call.body.into()) })
}

/// Returns a handler that never answers, and the number of its futures that were dropped.
fn endless() -> (impl Fn(Call) -> Handled + Send + Sync, Arc<AtomicUsize>) {
    let dropped = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&dropped);
    let handler = move |_| -> Handled {
        let dropped = Dropped(Arc::clone(&counted));
        Box::pin(async move {
            let _dropped = dropped;
            std::future::pending().await
        })
    };
    (handler, dropped)
}

/// Waits until this many futures were dropped.
async fn until_dropped(dropped: &AtomicUsize, count: usize) {
    while dropped.load(Ordering::SeqCst) < count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn calls_are_answered_at_once_in_any_order() {
    let mut session = Session::new();
    let (release, released) = oneshot::channel::<()>();
    let released = Mutex::new(Some(released));
    let _offer = session.offer(2, move |call| {
        let wait = released.lock().take();
        Box::pin(async move {
            if let Some(wait) = wait {
                wait.await.expect("it is released");
            }
            Ok(call.body.into())
        })
    });
    session.call(1, "first");
    session.call(2, "second");
    assert_eq!(session.answer().await, (2, Ok(Body::text("second"))));
    release.send(()).expect("the handler waits");
    assert_eq!(session.answer().await, (1, Ok(Body::text("first"))));
}

#[tokio::test]
async fn call_behind_the_answer_to_another_is_within_the_limit() {
    let mut session = Session::new();
    let _offer = session.offer(1, echo);
    for call in 1..100 {
        session.call(call, "olá");
        assert_eq!(session.answer().await, (call, Ok(Body::text("olá"))));
    }
}

#[tokio::test]
async fn call_that_must_not_come_gets_an_error() {
    let mut session = Session::new();
    let refused = |code: &str| Err(code.to_owned());
    session.call(1, "olá");
    assert_eq!(session.answer().await, (1, refused("not-offered")));
    let (handler, _) = endless();
    let _offer = session.offer(1, handler);
    session.call(2, "olá");
    session.call(3, "olá");
    assert_eq!(session.answer().await, (3, refused("over-limit")));
    session.call(2, "olá");
    assert_eq!(session.answer().await, (2, refused("bad-call")));
}

#[tokio::test]
async fn cancelled_call_is_dropped_and_makes_room() {
    let session = Session::new();
    let (handler, dropped) = endless();
    let _offer = session.offer(1, handler);
    for call in 1..=3 {
        session.call(call, "olá");
        tokio::task::yield_now().await;
        session.calls.cancel(call);
        until_dropped(&dropped, usize::try_from(call).expect("it is small")).await;
    }
    session.calls.cancel(7); // nothing is known of it
    assert!(session.written.is_empty());
}

#[tokio::test]
async fn panic_of_a_handler_is_an_error_of_its_call() {
    let mut session = Session::new();
    let _offer = session.offer(1, |call| {
        assert_ne!(call.body, Body::text("now"), "as the test wants");
        Box::pin(async move {
            assert_ne!(call.body, Body::text("later"), "as the test wants");
            Ok(call.body.into())
        })
    });
    for (call, body) in [(1, "now"), (2, "later")] {
        session.call(call, body);
        assert_eq!(session.answer().await, (call, Err("panic".to_owned())));
    }
    session.call(3, "olá");
    assert_eq!(session.answer().await, (3, Ok(Body::text("olá"))));
}

#[tokio::test]
async fn reply_that_no_frame_carries_is_an_error() {
    let mut session = Session::new();
    let _offer = session.offer(1, |call| {
        Box::pin(async move {
            Ok(match call.body.as_text() {
                Some("long") => CallReply::new("x".repeat(MAX_FRAME)),
                Some("headers") => {
                    let reply = CallReply::new("");
                    (0..33).fold(reply, |reply, n| reply.header(n.to_string(), ""))
                }
                _ => return Err(CallError::new("c".repeat(1000), "m".repeat(MAX_FRAME))),
            })
        })
    });
    session.call(1, "long");
    let too_long = Err("reply-too-long".to_owned());
    assert_eq!(session.answer().await, (1, too_long));
    session.call(2, "headers");
    assert_eq!(session.answer().await, (2, Err("bad-value".to_owned())));
    session.call(3, "error");
    let (_, error) = session.answer().await;
    let code = error.expect_err("it is one");
    assert!(code.len() < 100 && code.starts_with("ccc"), "{code}");
}

#[tokio::test]
async fn end_of_the_session_drops_work_and_offers() {
    let session = Session::new();
    let (handler, dropped) = endless();
    let mut offer = session.offer(2, handler);
    session.call(1, "olá");
    session.call(2, "olá");
    tokio::task::yield_now().await; // the handlers are called
    session.calls.finish();
    until_dropped(&dropped, 2).await;
    assert!(
        (&mut offer).await.is_err(),
        "the server did not withdraw it"
    );
    assert!(session.written.is_empty());
}

#[tokio::test]
async fn offer_withdrawn_unasked_is_told_and_its_calls_go_on() {
    let mut session = Session::new();
    let (release, released) = oneshot::channel::<()>();
    let released = Mutex::new(Some(released));
    let offer = session.offer(2, move |call| {
        let wait = released.lock().take().expect("it has one call");
        Box::pin(async move {
            wait.await.expect("it is released");
            Ok(call.body.into())
        })
    });
    session.call(1, "olá");
    session.calls.note_withdrawn("s");
    assert_eq!(offer.await, Ok(()));
    // Offered again, the old call still counts.
    let _again = session.offer(1, echo);
    session.call(2, "olá");
    let over = Err("over-limit".to_owned());
    assert_eq!(session.answer().await, (2, over));
    release.send(()).expect("the handler waits");
    assert_eq!(session.answer().await, (1, Ok(Body::text("olá"))));
    session.call(3, "olá");
    assert_eq!(session.answer().await, (3, Ok(Body::text("olá"))));
}

#[tokio::test]
async fn call_carries_what_the_caller_sent() {
    let mut session = Session::new();
    let _offer = session.offer(1, |call| {
        let mut headers = call.headers.iter();
        let header = headers
            .next()
            .map(|(name, value)| format!("{name}={value}"));
        let remaining = call.remaining().as_millis();
        assert!((1..=1500).contains(&remaining), "{remaining}");
        let text = format!("{} {} {header:?}", call.service, call.from);
        Box::pin(async move { Ok(Body::from(text).into()) })
    });
    let mut headers = Headers::default();
    headers.push("k", "v");
    session.calls.begin(CallFrame {
        call: 1,
        service: "s".into(),
        from: "ana".into(),
        body: Body::bytes(&[0xff]),
        remaining: 1500,
        headers: Some(headers),
    });
    let expected = Body::text("s ana Some(\"k=v\")");
    assert_eq!(session.answer().await, (1, Ok(expected)));
    drop(session.outgoing);
}
