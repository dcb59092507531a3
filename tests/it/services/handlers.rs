//! Services that the server itself answers.

use std::sync::Arc;

use arauto::{Answer, Body, CallEnd, Handler, HandlerError, KnownCall, Request, SessionId};
use serde_cbor::Value;
use tokio::sync::Notify;

use super::{call, expect, expect_failed, member, number};
use crate::support::{Fixture, Frame, ask, text};

/// Answers `now` at once, `later` once it is told to, and refuses anything else.
#[derive(Default, Clone)]
struct Three {
    go_on: Arc<Notify>,
}

impl Handler for Three {
    fn handle(&self, request: Request<'_>) -> Answer {
        let go_on = Arc::clone(&self.go_on);
        match request.body.as_text() {
            Some("now") => Answer::now(Body::from(request.user.to_owned())),
            Some("later") => Answer::later(async move {
                go_on.notified().await;
                Ok(Body::from("sim".to_owned()))
            }),
            _ => Answer::refuse(HandlerError::NotText),
        }
    }
}

fn served() -> (Fixture, Three) {
    let three = Three::default();
    let handler = Arc::new(three.clone());
    let fixture = Fixture::with(|config| {
        config.services.insert("three".to_owned(), handler);
    });
    (fixture, three)
}

fn ask_three(id: u64, body: &str) -> Frame {
    call(id, "three", "").with("body", text(body))
}

#[test]
fn handlers_answer_calls_and_replies_overtake_each_other() {
    let (fixture, three) = served();
    let mut ana = member(&fixture, "ana");
    for (id, body) in (1..).zip(["later", "now", "wrong"]) {
        ana.send(&ask_three(id, body));
    }
    let reply = expect(&mut ana, "reply");
    assert_eq!((reply.num("id"), reply.text("body")), (2, "ana"));
    assert_eq!(reply.text("from"), "arauto");
    assert!(expect_failed(&mut ana, 3, "failed").starts_with("not-text: "));
    three.go_on.notify_one();
    assert_eq!(expect(&mut ana, "reply").num("id"), 1);
    drop(ana);
    fixture.begin_stop();
    let report = fixture.assert_clean();
    let calls = report.calls.expect("there were calls");
    assert_eq!((calls.last, calls.unlisted), (3, 0));
    let KnownCall::Listed(refused) = calls.of(3) else {
        panic!("{calls:?}");
    };
    assert_eq!(refused.end, Some(CallEnd::Failed));
    let server = refused.responder.as_ref().expect("a handler answered");
    assert_eq!((server.session, &*server.user), (SessionId(0), "arauto"));
}

#[test]
fn services_of_the_server_are_listed_and_cannot_be_offered() {
    let (fixture, _three) = served();
    let mut ana = member(&fixture, "ana");
    ana.send(&ask_three(1, "now"));
    expect(&mut ana, "reply");
    ana.send(&ask_three(2, "later"));
    ana.send(&Frame::new(
        "offer",
        [("id", number(3)), ("service", text("three"))],
    ));
    expect_failed(&mut ana, 3, "forbidden");
    ana.send(&ask("services", 4));
    let list = expect(&mut ana, "services");
    let Some(Value::Array(lines)) = list.get("services") else {
        panic!("{list:?}");
    };
    let field = |line: &Value, name: &str| match line {
        Value::Map(fields) => fields.get(&text(name)).cloned(),
        _ => None,
    };
    let [line] = &lines[..] else {
        panic!("{lines:?}");
    };
    assert_eq!(field(line, "answered"), Some(number(1)));
    let Some(Value::Array(offers)) = field(line, "offers") else {
        panic!("{line:?}");
    };
    let named = ["session", "user", "in_work", "limit"].map(|name| field(&offers[0], name));
    let expected = [Some(number(0)), Some(text("arauto")), Some(number(1)), None];
    assert_eq!(named, expected);
    drop(ana);
    fixture.finish();
}

#[test]
fn stop_waits_for_a_handler_and_a_caller_that_leaves_ends_its_call() {
    let (fixture, three) = served();
    let mut eva = member(&fixture, "eva");
    eva.send(&ask_three(1, "later"));
    eva.ping();
    drop(eva);
    fixture.wait_for_sessions(0);
    let mut ana = member(&fixture, "ana");
    ana.send(&ask_three(1, "later"));
    ana.ping();
    fixture.begin_stop();
    ana.skip_to("stopping");
    three.go_on.notify_one();
    assert_eq!(expect(&mut ana, "reply").num("id"), 1);
    ana.expect_closing("shutdown");
    ana.expect_end();
    drop(ana);
    let calls = fixture.assert_clean().calls.expect("there were calls");
    let ends: Vec<_> = calls.listed.iter().map(|recorded| recorded.end).collect();
    assert_eq!(ends, [Some(CallEnd::CallerEnded), Some(CallEnd::Replied)]);
}
