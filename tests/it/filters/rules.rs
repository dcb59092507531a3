//! The operator's rules about what sessions hear.

use super::{post, published, subscribe, texts};
use crate::support::{
    CommandResult, FrameClient, PASSWORD, Served, finish, login, text, wait_until, watchdog,
};

fn users(served: &Served, arguments: &[&str]) -> CommandResult {
    finish(&mut served.users(arguments), "")
}

fn logged_in(served: &Served, user: &str) -> FrameClient {
    let mut client = served.unauthenticated();
    client.log_in(user);
    client
}

/// Publishes with this topic, then with `open`; returns whether the reader got the first one.
fn hears(ana: &mut FrameClient, reader: &mut FrameClient, topic: &str) -> bool {
    let first = published(ana, &post(1, topic, "x"));
    let last = published(ana, &post(2, "open", "x"));
    let mut has_heard = false;
    loop {
        let frame = reader.recv().expect("the session goes on");
        let seq = frame.is("message").then(|| frame.num("seq"));
        has_heard |= seq == Some(first);
        if seq == Some(last) {
            return has_heard;
        }
    }
}

#[test]
fn changed_rules_count_for_live_sessions_with_and_without_a_filter() {
    let _watchdog = watchdog();
    let served = Served::new(&[]);
    let mut ana = logged_in(&served, "ana");
    let mut plain = logged_in(&served, "rui");
    let mut filtered = served.unauthenticated();
    filtered.send(&login(1, "rui", PASSWORD).with("filter", texts(&["a/#", "open"])));
    filtered.expect("logged_in");
    for reader in [&mut plain, &mut filtered] {
        assert!(hears(&mut ana, reader, "a/b"));
    }
    users(&served, &["deny", "rui", "subscribe", "a/+"]).expect_success();
    for reader in [&mut plain, &mut filtered] {
        wait_until("the rule counts", || !hears(&mut ana, reader, "a/b"));
        assert!(hears(&mut ana, reader, "a/b/c"));
    }
    let told = subscribe(&mut filtered, &["a/x", "+/b"], &[]);
    assert_eq!(
        told.texts("filter"),
        ["a/#", "open", "+/b"],
        "a pattern that is denied whole is left out"
    );
    users(&served, &["forget", "rui", "subscribe", "a/+"]).expect_success();
    for reader in [&mut plain, &mut filtered] {
        wait_until("everything is heard", || hears(&mut ana, reader, "a/b"));
    }
    drop((ana, plain, filtered));
    served.stop();
}

#[test]
fn allow_rules_narrow_the_filter_and_kept_values() {
    let _watchdog = watchdog();
    let served = Served::new(&[]);
    users(&served, &["add", "rui"]).expect_success();
    users(&served, &["allow", "rui", "subscribe", "%u/#"]).expect_success();
    let mut ana = logged_in(&served, "ana");
    for topic in ["rui/x", "eva/x"] {
        published(&mut ana, &super::keep(1, topic, "x"));
    }
    let mut rui = served.unauthenticated();
    let with = login(1, "rui", PASSWORD).with("filter", texts(&["+/x", "eva/#"]));
    rui.send(&with.with("kept", serde_cbor::Value::Bool(true)));
    assert_eq!(rui.expect("logged_in").texts("filter"), ["rui/x"]);
    assert_eq!(rui.expect("kept").text("topic"), "rui/x");
    published(&mut ana, &post(2, "eva/x", "x"));
    // Direct messages are judged by their topic too.
    published(&mut ana, &post(3, "eva/x", "x").with("to", text("rui")));
    let seq = published(&mut ana, &post(4, "rui/x", "x"));
    assert_eq!(rui.skip_to("message").num("seq"), seq);
    drop((ana, rui));
    served.stop();
}
