//! A session gets what its filter matches, and is told of the rest.

use serde_cbor::Value;

use super::{listening, post, published, subscribe, texts};
use crate::support::{Fixture, PASSWORD, login, publish, text};

#[test]
fn session_gets_what_its_filter_matches_and_passed_for_the_rest() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    let (mut rui, answer) = listening(&fixture, "rui", &["a/+", "a/+", "b/#"]);
    assert_eq!(answer.texts("filter"), ["a/+", "b/#"], "each pattern once");
    let before = answer.num("seq");
    let seqs: Vec<u64> = ["a/x", "c", "b", "a/x/y", "b/x/y"]
        .iter()
        .map(|topic| published(&mut ana, &post(1, topic, topic)))
        .collect();
    published(&mut ana, &publish(2, text("no topic")));
    let head = published(&mut ana, &post(3, "c", "last"));
    for (seq, topic) in [(seqs[0], "a/x"), (seqs[2], "b"), (seqs[4], "b/x/y")] {
        let message = rui.expect("message");
        assert_eq!((message.num("seq"), message.text("topic")), (seq, topic));
    }
    assert_eq!(rui.expect("passed").num("to"), head);
    assert_eq!(rui.fim().num("last_seq"), head);
    assert!(seqs[0] > before);
    drop((ana, rui));
    fixture.finish();
}

#[test]
fn changed_filter_holds_behind_its_answer() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    let (mut rui, _) = listening(&fixture, "rui", &[]);
    published(&mut ana, &post(1, "a", "before"));
    let answer = subscribe(&mut rui, &["a"], &["z"]);
    assert_eq!(answer.texts("filter"), ["a"]);
    let first = published(&mut ana, &post(2, "a", "first"));
    let message = rui.skip_to("message");
    assert_eq!(message.num("seq"), first);
    assert!(answer.num("seq") < first);
    let answer = subscribe(&mut rui, &["b"], &["a"]);
    assert_eq!(answer.texts("filter"), ["b"]);
    published(&mut ana, &post(3, "a", "no more"));
    let second = published(&mut ana, &post(4, "b", "second"));
    assert_eq!(rui.skip_to("message").num("seq"), second);
    drop((ana, rui));
    fixture.finish();
}

#[test]
fn session_without_a_filter_gets_everything_and_no_passed() {
    let fixture = Fixture::new();
    let mut rui = fixture.client("rui");
    let mut ana = fixture.client("ana");
    let seq = published(&mut ana, &post(1, "a/b", "bom dia"));
    let message = rui.skip_to("message");
    assert_eq!(
        (message.num("seq"), message.text("topic")),
        (seq, "a/b"),
        "a client that knows no topics gets the message"
    );
    // The first pattern that it adds is its filter; the last one that it removes leaves none.
    assert_eq!(subscribe(&mut rui, &["x"], &[]).texts("filter"), ["x"]);
    assert!(subscribe(&mut rui, &[], &["x"]).texts("filter").is_empty());
    let head = published(&mut ana, &post(2, "a/b", "boa tarde"));
    assert_eq!(rui.skip_to("passed").num("to"), head);
    drop((rui, ana));
    fixture.finish();
}

#[test]
fn presence_is_chosen_at_the_login() {
    let fixture = Fixture::new();
    let (mut quiet, _) = listening(&fixture, "quiet", &["#"]);
    let mut told = fixture.unauthenticated();
    let with = login(1, "told", PASSWORD).with("filter", texts(&[]));
    told.send(&with.with("presence", Value::Bool(true)));
    told.expect("logged_in");
    let mut ana = fixture.client("ana");
    let seq = published(&mut ana, &publish(1, text("olá")));
    assert_eq!(told.skip_to("joined").text("user"), "ana");
    let message = quiet.recv().expect("a broadcast");
    let is_first = message.is("passed") || message.is("message");
    assert!(is_first, "{message:?}");
    if message.is("passed") {
        assert_eq!(quiet.skip_to("message").num("seq"), seq);
    }
    drop((quiet, told, ana));
    fixture.finish();
}

#[test]
fn headers_are_passed_on_in_memory_and_to_a_resume() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    let (mut rui, answer) = listening(&fixture, "rui", &["a"]);
    let headers = Value::Map([(text("k"), text("v")), (text("ç"), text(""))].into());
    let seq = published(
        &mut ana,
        &post(1, "a", "x").with("headers", headers.clone()),
    );
    let message = rui.skip_to("message");
    assert_eq!(message.get("headers"), Some(&headers));
    drop(rui);
    let mut again = fixture.unauthenticated();
    let resume = Value::Map(
        [
            (text("stream"), text(answer.text("stream"))),
            (text("after"), Value::Integer((seq - 1).into())),
        ]
        .into(),
    );
    let with = login(1, "rui", PASSWORD).with("filter", texts(&["a"]));
    again.send(&with.with("resume", resume));
    assert_eq!(again.expect("logged_in").num("seq"), seq - 1);
    let message = again.skip_to("message");
    assert_eq!(message.num("seq"), seq);
    assert_eq!(message.get("headers"), Some(&headers));
    drop((ana, again));
    fixture.finish();
}
