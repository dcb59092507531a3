//! Which broadcasts were not for a session, and which a session misses: in the report and in
//! `arauto explain`.

use std::io::Write;
use std::path::Path;

use arauto::{Evidence, Report, Seq, SessionOutcome, SessionRecord};
use serde_cbor::Value as Cbor;
use serde_json::Value;

use super::Told;
use crate::support::{
    Fixture, Frame, FrameClient, PASSWORD, Served, arauto, ask, finish, login, publish, text,
    wait_until, watchdog,
};

fn texts(items: &[&str]) -> Cbor {
    Cbor::Array(items.iter().map(|item| text(item)).collect())
}

/// Publishes, and returns the seq.
#[track_caller]
fn published(client: &mut FrameClient, frame: &Frame) -> Seq {
    client.send(frame);
    Seq(client.skip_to("published").num("seq"))
}

fn post(client: &mut FrameClient, topic: &str) -> Seq {
    published(client, &publish(1, text("x")).with("topic", text(topic)))
}

fn tell(client: &mut FrameClient, user: &str, topic: &str) -> Seq {
    let frame = publish(1, text("x")).with("to", text(user));
    published(client, &frame.with("topic", text(topic)))
}

fn listening(mut client: FrameClient, user: &str, filter: &[&str]) -> FrameClient {
    client.send(&login(1, user, PASSWORD).with("filter", texts(filter)));
    client.expect("logged_in");
    client
}

fn of<'r>(report: &'r Report, user: &str) -> &'r SessionRecord {
    let mut sessions = report.sessions.iter();
    let found = sessions.find(|record| record.user.as_deref() == Some(user));
    found.unwrap_or_else(|| panic!("{user} is not in {report:#?}"))
}

/// Asks `explain --json` about a broadcast. Returns its fate at each user's session and the reason.
fn explained(file: &Path, seq: Seq) -> impl Fn(&str) -> (String, String) {
    let seq = seq.to_string();
    let mut command = arauto(&["explain", &seq, "--json", "--report"]);
    let text = finish(command.arg(file), "").expect_success();
    let lines = text.lines().map(|line| {
        let line: Value = serde_json::from_str(line).expect("each line is json");
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        assert!(!text("because").is_empty(), "{line}");
        (text("user"), (text("fate"), text("why")))
    });
    let lines: Vec<_> = lines.collect();
    move |user| {
        let mut lines = lines.iter();
        let found = lines.find(|(name, _)| name == user);
        found.expect("the user is there").1.clone()
    }
}

fn pair(fate: &str, why: &str) -> (String, String) {
    (fate.to_owned(), why.to_owned())
}

/// Waits until a session may not receive a topic. The session has an empty filter.
fn rule_counts(client: &mut FrameClient, denied: &str) {
    // The answer leaves out the patterns that are denied.
    wait_until("the rule counts", || {
        client.send(&ask("subscribe", 9).with("add", texts(&[denied])));
        client.skip_to("subscribed").texts("filter").is_empty()
    });
}

/// Sessions of all kinds, each of which reads everything to the end of the stop.
#[test]
fn explain_tells_why_a_broadcast_was_not_for_a_session() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--console"]);
    let users = |arguments: &[&str]| finish(&mut served.users(arguments), "").expect_success();
    users(&["add", "ruled"]);
    users(&["deny", "ruled", "subscribe", "secret/#"]);
    let mut ana = listening(served.unauthenticated(), "ana", &[]);
    let mut plain = served.unauthenticated();
    plain.log_in("plain");
    let old = post(&mut ana, "a/old");
    for _ in 0..1100 {
        post(&mut ana, "a/old");
    }
    let filtered = listening(served.unauthenticated(), "filtered", &["a/+"]);
    let mut ruled = served.unauthenticated();
    ruled.log_in("ruled");
    let mut quiet = served.unauthenticated();
    quiet.send(&login(1, "quiet", PASSWORD).with("presence", Cbor::Bool(false)));
    quiet.expect("logged_in");
    let many: Vec<String> = (0..40).map(|n| format!("many/{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let long = listening(served.unauthenticated(), "long", &many);
    let mut changed = listening(served.unauthenticated(), "changed", &["b"]);

    let mut joined = served.unauthenticated();
    joined.log_in("joined");
    let topic = post(&mut ana, "a/1");
    let without = published(&mut ana, &publish(1, text("x")));
    let direct = tell(&mut ana, "filtered", "c");
    let secret = post(&mut ana, "secret/a");
    let marker = post(&mut ana, "a/marker");
    while Seq(ruled.skip_to("message").num("seq")) < marker {}
    users(&["deny", "ruled", "subscribe", "never"]);
    let mut other = listening(served.unauthenticated(), "ruled", &[]);
    rule_counts(&mut other, "never");
    other.fim();
    let told_later = post(&mut ana, "a/1");
    for _ in 0..16 {
        post(&mut ana, "secret/b");
    }
    let last_secret = post(&mut ana, "secret/c");
    let secret_direct = tell(&mut ana, "ruled", "secret/d");
    changed.send(&ask("subscribe", 9).with("add", texts(&["a/#"])));
    let since = Seq(changed.skip_to("subscribed").num("seq"));
    let presence = served.unauthenticated().log_in("zoe").num("seq");
    let last = post(&mut ana, "a/2");
    assert!(since >= secret_direct && presence > since.0);

    let mut stdin = served.child.stdin.take().expect("it is a pipe");
    stdin.write_all(b"fim\n").expect("the console reads it");
    let clients = [ana, plain, filtered, ruled, quiet, long, changed, joined];
    std::thread::scope(|scope| {
        for mut client in clients {
            scope.spawn(move || {
                client.skip_to("closing");
                client.expect_end();
            });
        }
    });
    assert_eq!(served.wait(), Some(0), "{}", served.log());
    let report = served.report();
    let file = served.folder.path().join("report.json");

    let read = pair("read", "");
    let filter = pair("not-for-it", "filter");
    let at = explained(&file, topic);
    assert_eq!((at("filtered"), at("plain")), (read.clone(), read.clone()));
    assert_eq!(at("quiet"), read);
    assert_eq!(at("ana"), filter);
    assert_eq!(at("long"), pair("undecided", "patterns-unlisted"));
    assert_eq!(at("changed"), pair("undecided", "filter-changed"));
    assert_eq!(explained(&file, last)("changed"), read);
    assert_eq!(
        explained(&file, last)("long"),
        pair("undecided", "patterns-unlisted")
    );

    let at = explained(&file, without);
    assert_eq!(
        (at("filtered"), at("plain")),
        (filter.clone(), read.clone())
    );

    let another = pair("not-for-it", "another-user");
    let at = explained(&file, direct);
    assert_eq!(
        (at("filtered"), at("plain")),
        (read.clone(), another.clone())
    );
    for user in ["ana", "long", "changed", "quiet", "ruled"] {
        assert_eq!(at(user), another, "{user}");
    }

    let rules = pair("not-for-it", "rules");
    for seq in [last_secret, secret_direct] {
        assert_eq!(explained(&file, seq)("ruled"), rules);
    }
    assert_eq!(explained(&file, last_secret)("filtered"), filter);
    assert_eq!(explained(&file, last_secret)("plain"), read);
    let first = explained(&file, secret)("ruled");
    assert_eq!(first, pair("undecided", "withheld-unlisted"));
    assert_eq!(explained(&file, told_later)("ruled"), read);
    let ruled = of(&report, "ruled");
    assert_eq!(ruled.withheld.len(), 16);
    assert!(ruled.withheld_unlisted_to > Some(secret));
    assert_eq!(
        ruled.rules.as_ref().expect("there is one").deny,
        ["never", "secret/#"]
    );

    let at = explained(&file, Seq(presence));
    let unwanted = pair("not-for-it", "presence");
    assert_eq!((at("quiet"), at("filtered")), (unwanted.clone(), unwanted));
    assert_eq!((at("plain"), at("ruled")), (read.clone(), read.clone()));

    let at = explained(&file, old);
    assert_eq!(at("plain"), read, "no message was for one user by then");
    assert_eq!(at("ana"), pair("undecided", "route-unlisted"));
    assert_eq!(at("filtered"), pair("before", ""));

    // The same in words, and nobody misses anything.
    let told = |seq: Seq| {
        let seq = seq.to_string();
        let mut command = arauto(&["explain", &seq, "--report"]);
        finish(command.arg(&file), "").expect_success()
    };
    for (seq, words) in [
        (topic, "a message with the topic a/1"),
        (topic, "no pattern of its filter matches: it is empty"),
        (direct, "a message to the user filtered with the topic c"),
        (direct, "the message is for another user only"),
        (without, "no pattern of its filter matches: a/+"),
        (
            secret,
            "does not list what rules kept from the session up to",
        ),
        (last_secret, "the operator's rules did not let the session"),
        (Seq(presence), "a user joined or left"),
        (Seq(presence), "is not told who joins and who leaves"),
        (old, "its topic is unknown"),
    ] {
        let text = told(seq);
        assert!(text.contains(words), "{words:?} is not in {text}");
    }
    assert!(
        report
            .sessions
            .iter()
            .all(|record| record.missing.is_empty())
    );
}

/// The report of a stop in which a reader of `big` read nothing, and what it was owed of `big`.
/// Another one had everything when it stopped reading.
fn stop_with_filtered_readers() -> (Report, Vec<Seq>) {
    let fixture = Fixture::with(|config| {
        config.timeouts.drain = std::time::Duration::from_secs(3);
    });
    let _stalled = listening(fixture.unauthenticated(), "stalled", &["big", "never"]);
    let mut ana = listening(fixture.unauthenticated(), "ana", &[]);
    let body = "x".repeat(64 << 10);
    let mut owed = Vec::new();
    for _ in 0..40 {
        let big = publish(1, text(&body)).with("topic", text("big"));
        owed.push(published(&mut ana, &big));
        post(&mut ana, "small");
        post(&mut ana, "small");
    }
    owed.push(tell(&mut ana, "stalled", "small"));
    tell(&mut ana, "ana", "small");
    ana.fim();
    fixture.wait_for_sessions(1);
    fixture.begin_stop();
    (fixture.report(), owed)
}

#[test]
fn stalled_reader_misses_only_what_its_filter_matches() {
    let (report, owed) = stop_with_filtered_readers();
    assert_eq!(report.exit, 3);
    let record = of(&report, "stalled");
    assert_eq!(record.outcome(), SessionOutcome::Missing, "{record:#?}");
    assert_eq!(record.evidence, Evidence::Queued);
    let missed: Vec<Seq> = owed
        .iter()
        .copied()
        .filter(|seq| *seq > record.sent)
        .collect();
    assert!(missed.len() > 10, "{record:#?}");
    let ranges: Vec<(Seq, Seq)> = missed.iter().map(|seq| (*seq, *seq)).collect();
    assert_eq!(record.missing, ranges);
    assert_eq!(record.missing_undecided_to, None);
    let others = record.cut.0 - record.sent.0 - missed.len() as u64;
    assert_eq!(record.not_for_it, others);

    let head = report.head;
    let told = Told::of(report);
    let file = told.file();
    assert_eq!(explained(&file, missed[0])("stalled"), pair("missing", ""));
    let small = missed[0].next();
    assert_eq!(
        explained(&file, small)("stalled"),
        pair("not-for-it", "filter")
    );
    let direct = missed.last().expect("it missed some");
    assert_eq!(explained(&file, *direct)("stalled"), pair("missing", ""));
    let to_ana = direct.next();
    let another = pair("not-for-it", "another-user");
    assert_eq!(explained(&file, to_ana)("stalled"), another);
    assert_eq!(
        explained(&file, head)("stalled"),
        pair("not-for-it", "presence")
    );
    let text = told.prints(&["report"], &[]);
    let row = format!(
        "1         missing   shutdown  queued     0         0         0        {}       {others}",
        missed.len()
    );
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(squeezed(&text).contains(&squeezed(&row)), "{text}");
}

/// Which broadcasts a reader misses is told also where rules changed after it had stalled.
#[test]
fn rules_at_the_stop_judge_what_a_stalled_reader_has_not_read() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--console", "--drain-timeout", "3s"]);
    let stalled = listening(served.unauthenticated(), "stalled", &["#"]);
    let mut ana = listening(served.unauthenticated(), "ana", &[]);
    let body = "x".repeat(64 << 10);
    for _ in 0..40 {
        let big = publish(1, text(&body)).with("topic", text("big"));
        published(&mut ana, &big);
    }
    let open = post(&mut ana, "open");
    let secret = post(&mut ana, "secret");
    let mut watcher = listening(served.unauthenticated(), "watcher", &[]);
    let rule = ["deny", "--all", "subscribe", "secret"];
    finish(&mut served.users(&rule), "").expect_success();
    rule_counts(&mut watcher, "secret");
    watcher.fim();
    ana.fim();
    let mut stdin = served.child.stdin.take().expect("it is a pipe");
    stdin.write_all(b"fim\n").expect("the console reads it");
    assert_eq!(served.wait(), Some(3), "{}", served.log());
    let report = served.report();
    let record = of(&report, "stalled");
    let is_missing = |seq: Seq| {
        record
            .missing
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&seq))
    };
    assert!(is_missing(open) && !is_missing(secret), "{record:#?}");
    let file = served.folder.path().join("report.json");
    assert_eq!(explained(&file, open)("stalled"), pair("missing", ""));
    assert_eq!(
        explained(&file, secret)("stalled"),
        pair("not-for-it", "rules")
    );
    drop(stalled);
}
