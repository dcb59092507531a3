//! The library's services at a real server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arauto::wire::Headers;
use arauto::{
    Body, Call, CallError, CallReply, Client, Endpoint, ErrorCode, Responder, ServiceReply,
};

use crate::support::{Fixture, PASSWORD, block_on};

/// Connects a client that reads no broadcasts.
async fn log_in(endpoint: &Endpoint, user: &str) -> Client {
    let builder = Client::builder(endpoint.clone());
    let connecting = builder.user(user).password(PASSWORD).connect();
    let (client, events) = connecting.await.expect("the server is there");
    drop(events);
    client
}

async fn offer_double(client: &Client, limit: u32) -> Responder {
    let offer = client.offer("double", async |call: Call| {
        match call.body.as_text().map(str::parse::<u64>) {
            Some(Ok(number)) => Ok(Body::from((2 * number).to_string())),
            _ => Err(CallError::new("no-number", "the body is no number")),
        }
    });
    offer.limit(limit).await.expect("it may")
}

#[test]
fn call_and_reply_have_everything_that_was_sent() {
    let fixture = Fixture::new();
    block_on(async {
        let rui = log_in(fixture.endpoint(), "rui").await;
        let offer = rui.offer("describe", async |call: Call| {
            let headers: Vec<_> = call.headers.iter().collect();
            let text = format!("{} {} {:?} {headers:?}", call.service, call.from, call.body);
            assert!(call.remaining() > Duration::from_secs(40));
            Ok::<_, CallError>(CallReply::new(text).header("unit", "C").header("unit", "K"))
        });
        let responder = offer.await.expect("it may");
        let ana = log_in(fixture.endpoint(), "ana").await;
        let ask = ana.ask("describe", Body::bytes(&[1, 0xff]));
        let reply = ask.header("k", "v").timeout(Duration::from_secs(50)).await;
        let ServiceReply {
            body,
            from,
            headers,
            ..
        } = reply.expect("it is answered");
        let expected = Body::text(r#"describe ana h'01ff' [("k", "v")]"#);
        assert_eq!((body, &*from), (expected, "rui"));
        let mut unit = Headers::default();
        unit.push("unit", "K");
        assert_eq!(headers, unit);
        responder.withdraw().await.expect("it is offered");
        let [rui, ana] = [rui, ana].map(|client| async move { client.fim().await });
        rui.await.expect("it ends");
        ana.await.expect("it ends");
    });
    fixture.finish();
}

#[test]
fn many_callers_and_responders_lose_no_call() {
    const CALLERS: u64 = 16;
    const CALLS: u64 = 200;
    let fixture = Fixture::new();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    runtime.block_on(async {
        let rui = log_in(fixture.endpoint(), "rui").await;
        let eva = log_in(fixture.endpoint(), "eva").await;
        let mut responders = Vec::new();
        for client in [&rui, &eva] {
            responders.push(offer_double(client, 8).await);
        }
        let mut callers = Vec::new();
        for caller in 0..CALLERS {
            let client = log_in(fixture.endpoint(), &format!("caller{caller}")).await;
            callers.push(tokio::spawn(async move {
                let mut replies = Vec::new();
                for n in 0..CALLS {
                    let ask = client.ask("double", n.to_string());
                    let ask = ask.patience(Duration::from_secs(50));
                    replies.push(ask.begin().await.expect("it is sent"));
                }
                for (n, reply) in (0..CALLS).zip(replies) {
                    let reply = reply.await.expect("it is answered");
                    assert_eq!(reply.body, Body::from((2 * n).to_string()));
                }
                client.fim().await.expect("it ends in order");
            }));
        }
        for caller in callers {
            caller.await.expect("it does not panic");
        }
        let ana = log_in(fixture.endpoint(), "ana").await;
        let services = ana.services().await.expect("the user of the server may");
        let answered: u64 = services.iter().map(|line| line.answered).sum();
        assert_eq!(answered, CALLERS * CALLS);
        for responder in responders {
            responder.withdraw().await.expect("it is offered");
        }
        for client in [rui, eva, ana] {
            client.fim().await.expect("it ends in order");
        }
    });
    fixture.finish();
}

#[test]
fn rolling_restart_of_responders_fails_no_call() {
    let fixture = Fixture::new();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    runtime.block_on(async {
        let ana = log_in(fixture.endpoint(), "ana").await;
        let asked = Arc::<AtomicUsize>::default();
        let mut current = log_in(fixture.endpoint(), "rui").await;
        let mut responder = offer_double(&current, 4).await;
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let callers: Vec<_> = (0..8)
            .map(|_| {
                let (ana, asked, stopped) = (ana.clone(), Arc::clone(&asked), stopped.clone());
                tokio::spawn(async move {
                    while !*stopped.borrow() {
                        let reply = ana.ask("double", "21").await.expect("it never fails");
                        assert_eq!(reply.body, Body::text("42"));
                        asked.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for _ in 0..20 {
            let before = asked.load(Ordering::Relaxed);
            let next = log_in(fixture.endpoint(), "rui").await;
            let next_responder = offer_double(&next, 4).await;
            responder.withdraw().await.expect("it is offered");
            current.fim().await.expect("it ends in order");
            (current, responder) = (next, next_responder);
            while asked.load(Ordering::Relaxed) < before + 8 {
                tokio::task::yield_now().await;
            }
        }
        stop.send_replace(true);
        for caller in callers {
            caller.await.expect("no call fails");
        }
        responder.withdraw().await.expect("it is offered");
        for client in [current, ana] {
            client.fim().await.expect("it ends in order");
        }
    });
    fixture.finish();
}

#[test]
fn failures_of_services_have_their_codes() {
    let fixture = Fixture::new();
    block_on(async {
        let rui = log_in(fixture.endpoint(), "rui").await;
        let ana = log_in(fixture.endpoint(), "ana").await;
        // A panic takes a while: it prints a backtrace.
        let fails = async |service: &'static str, body: &'static str, millis: u64| {
            let ask = ana.ask(service, body);
            let error = ask.timeout(Duration::from_millis(millis)).await;
            let error = error.expect_err("it fails");
            (error.code().expect("the server says so"), error.to_string())
        };
        let code = async |service, body| fails(service, body, 50_000).await;
        assert_eq!(code("double", "1").await.0, ErrorCode::Unavailable);
        let responder = offer_double(&rui, 1).await;
        let (failed, text) = code("double", "x").await;
        assert_eq!(failed, ErrorCode::Failed);
        assert!(
            text.contains("no-number") && text.contains("the body is no number"),
            "{text}"
        );
        let never = rui.offer("never", async |_: Call| {
            std::future::pending::<Result<Body<'static>, CallError>>().await
        });
        let never = never.await.expect("it may");
        assert_eq!(fails("never", "1", 200).await.0, ErrorCode::Timeout);
        let panics = rui.offer("panics", async |call: Call| {
            assert_eq!(call.body, Body::text("2"), "as the test wants");
            Ok::<_, CallError>(call.body)
        });
        let panics = panics.await.expect("it may");
        let (failed, text) = code("panics", "1").await;
        assert_eq!(failed, ErrorCode::Failed);
        assert!(text.contains("panic"), "{text}");
        let reply = ana.ask("panics", "2").await.expect("the next call goes on");
        assert_eq!(reply.body, Body::text("2"));
        let name = "s".repeat(65);
        let error = ana.ask(&*name, "1").await.expect_err("it is too long");
        assert_eq!(error.code(), Some(ErrorCode::BadValue));
        let error = rui.offer(name, async |call: Call| Ok(call.body)).await;
        let error = error.expect_err("it is too long");
        assert_eq!(error.code(), Some(ErrorCode::BadValue));
        for responder in [responder, never, panics] {
            responder.withdraw().await.expect("it is offered");
        }
        for client in [rui, ana] {
            client.fim().await.expect("it ends in order");
        }
    });
    fixture.finish();
}

#[test]
fn call_is_dropped_when_its_caller_has_gone() {
    struct Dropped(Option<tokio::sync::oneshot::Sender<()>>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            let sender = self.0.take().expect("it is dropped once");
            sender.send(()).expect("the test waits");
        }
    }
    let fixture = Fixture::new();
    block_on(async {
        let rui = log_in(fixture.endpoint(), "rui").await;
        let (dropped, was_dropped) = tokio::sync::oneshot::channel();
        let (began, has_begun) = tokio::sync::oneshot::channel();
        let once = std::sync::Mutex::new(Some((dropped, began)));
        let offer = rui.offer("s", move |_: Call| {
            let (dropped, began) = once.lock().expect("no panic").take().expect("one call");
            let dropped = Dropped(Some(dropped));
            async move {
                let _dropped = dropped;
                began.send(()).expect("the test waits");
                std::future::pending::<Result<Body<'static>, CallError>>().await
            }
        });
        let responder = offer.await.expect("it may");
        let ana = log_in(fixture.endpoint(), "ana").await;
        let reply = ana.ask("s", "1").begin().await.expect("it is sent");
        has_begun.await.expect("it is called");
        drop((reply, ana));
        was_dropped.await.expect("its future is dropped");
        responder.withdraw().await.expect("it is offered");
        rui.fim().await.expect("it ends in order");
    });
    fixture.finish();
}
