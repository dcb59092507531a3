//! The header `traceparent`: it is passed on unchanged, and its ids are in log records.

use arauto::wire::TraceParent;
use arauto::{Answer, Body, Config, Handler, Request};
use serde_cbor::Value;

use crate::support::{
    Fixture, Frame, Served, finish, publish, request, spawn, text, wait_until, watchdog,
};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Returns a frame with a header `traceparent`.
fn traced(frame: Frame, parent: &str) -> Frame {
    let headers = Value::Map([(text("traceparent"), text(parent))].into());
    frame.with("headers", headers)
}

#[test]
fn published_header_reaches_readers_unchanged_valid_or_not() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let mut reader = served.unauthenticated();
    reader.log_in("eva");
    for parent in [PARENT, "of another kind"] {
        let header = format!("traceparent={parent}");
        let mut escritor = served.command(&["escritor", "--header", &header, "bom dia"]);
        finish(&mut escritor, "").expect_success();
        let message = reader.skip_to("message");
        let headers = Value::Map([(text("traceparent"), text(parent))].into());
        assert_eq!(message.get("headers"), Some(&headers));
    }
    drop(reader);
    served.stop();
}

#[test]
fn records_of_messages_and_calls_have_the_trace_id() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let served = Served::with_command(folder, &["--no-console", "--log", "json"], |mut command| {
        command.env("ARAUTO_LOG", "info,arauto::trace=debug");
        command
    });
    let header = format!("traceparent={PARENT}");
    let mut offer = served.command(&["offer", "s", "--exec", "cat"]);
    let mut offer = spawn(offer.env("ARAUTO_USER", "rui"));
    wait_until("the service is offered", || {
        let services = finish(&mut served.command(&["services"]), "").expect_success();
        services.contains("rui:")
    });
    let publish = ["escritor", "--topic", "a/b", "--header", &header, "bom dia"];
    finish(&mut served.command(&publish), "").expect_success();
    let pedir = ["pedir", "--service", "s", "--header", &header, "bom dia"];
    finish(&mut served.command(&pedir), "").expect_success();
    finish(&mut served.command(&["escritor", "no trace"]), "").expect_success();
    offer.kill().expect("it runs");
    offer.wait().expect("it is a child");
    let log = served.log();
    let records = log.lines().map(|line| {
        let record: serde_json::Value = serde_json::from_str(line).expect("it is json");
        record
    });
    let of_trace = records.filter(|record| record["trace_id"] == TRACE);
    let of_trace: Vec<_> = of_trace
        .map(|record| record["message"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        of_trace,
        ["message received", "call made", "call given", "call ended"]
    );
    served.stop();
}

#[test]
fn command_of_a_service_gets_a_valid_trace_in_its_environment() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let script = "echo ${TRACEPARENT-none}";
    let mut offer = served.command(&["offer", "s", "--exec", "sh", "-c", script]);
    let mut offer = spawn(
        offer
            .env("ARAUTO_USER", "rui")
            .env("TRACEPARENT", "its own"),
    );
    wait_until("the service is offered", || {
        let services = finish(&mut served.command(&["services"]), "").expect_success();
        services.contains("rui:")
    });
    let reply = |parent: &str| {
        let header = format!("traceparent={parent}");
        let pedir = ["pedir", "--service", "s", "--header", &header, "x"];
        let reply = finish(&mut served.command(&pedir), "").expect_success();
        reply.trim_end().to_owned()
    };
    assert_eq!(reply(PARENT), PARENT);
    assert_eq!(reply("not valid"), "none");
    offer.kill().expect("it runs");
    offer.wait().expect("it is a child");
    served.stop();
}

/// Answers with the trace's id.
struct TraceId;

impl Handler for TraceId {
    fn handle(&self, request: Request<'_>) -> Answer {
        let parent = TraceParent::of(&request.headers);
        let id = parent.map_or("none".to_owned(), |parent| parent.trace_id().to_owned());
        // Later, so that the future is put into the span too.
        Answer::later(async move { Ok(Body::from(id)) })
    }
}

#[test]
fn handler_of_the_server_gets_the_headers() {
    let fixture = Fixture::with(|config: &mut Config| {
        let handler = std::sync::Arc::new(TraceId);
        config.services.insert("trace".to_owned(), handler);
    });
    let mut client = fixture.unauthenticated();
    client.log_in("ana");
    let ask = |id| request(id, text("x")).with("service", text("trace"));
    client.send(&traced(ask(1), PARENT));
    assert_eq!(client.skip_to("reply").text("body"), TRACE);
    client.send(&ask(2));
    assert_eq!(client.skip_to("reply").text("body"), "none");
    client.send(&traced(publish(3, text("bom dia")), PARENT));
    client.skip_to("published");
    drop(client);
    fixture.finish();
}
