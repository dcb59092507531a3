//! `/metrics`: the figures of what happened, in both formats.

use std::collections::BTreeMap;

use super::Administered;
use super::http::{Answer, get_with};
use crate::support::{FrameClient, PASSWORD, login, wait_until, watchdog};

/// Returns each sample's value by its name with its labels.
#[track_caller]
fn samples(answer: &Answer) -> BTreeMap<String, f64> {
    assert_eq!(answer.status, 200, "{answer:?}");
    let lines = answer.body.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        (name.to_owned(), value.parse().expect("a number"))
    };
    lines.map(sample).collect()
}

/// Logs in with a wrong password, which is not the last one.
fn fail_to_log_in(client: &mut FrameClient) {
    client.send(&login(1, "ana", "errada"));
    client.expect("error");
}

#[test]
fn metrics_count_sessions_logins_errors_and_services() {
    let _watchdog = watchdog();
    let server = Administered::with(&["--journal"], |command| command);
    let mut ana = server.served.unauthenticated();
    ana.log_in("ana"); // `joined` is the first broadcast
    ana.publish(2, "bom dia");
    ana.skip_to("published");
    let mut stranger = server.served.unauthenticated();
    fail_to_log_in(&mut stranger);
    stranger.fim();
    drop(stranger);
    let has_ended = "arauto_sessions_ended_total{reason=\"fim\"}";
    wait_until("the session has ended", || {
        samples(&server.get("/metrics")).get(has_ended) == Some(&1.0)
    });

    let samples = samples(&server.get("/metrics"));
    let endpoint = server.served.endpoint();
    let sessions =
        |state| samples[&format!("arauto_sessions{{endpoint=\"{endpoint}\",state=\"{state}\"}}")];
    assert_eq!(
        (sessions("logged-in"), sessions("unauthenticated")),
        (1.0, 0.0)
    );
    for (name, value) in [
        ("arauto_sessions_started_total", 2.0),
        ("arauto_logins_total", 1.0),
        ("arauto_errors_total{code=\"bad-credentials\"}", 1.0),
        ("arauto_errors_total{code=\"throttled\"}", 0.0),
        ("arauto_stream_head", 2.0),
        ("arauto_gaps_total", 0.0),
        ("arauto_deliveries_total", 1.0), // the message to ana
        ("arauto_logins_hashing", 0.0),
        ("arauto_logins_waiting", 0.0),
        ("arauto_page_file_bytes", 0.0),
        ("arauto_requests_in_work", 0.0),
        ("arauto_journal_failed_commits_total", 0.0),
        ("arauto_part_up{part=\"store\"}", 1.0),
        ("arauto_part_up{part=\"session thread 0\"}", 1.0),
    ] {
        assert_eq!(samples.get(name), Some(&value), "{name} of {samples:#?}");
    }
    let commits = samples["arauto_journal_commit_seconds_count"];
    assert!((1.0..=2.0).contains(&commits), "{commits}");
    assert_eq!(
        samples["arauto_journal_commit_seconds_bucket{le=\"+Inf\"}"],
        commits
    );
    for name in [
        "arauto_log_held_bytes",
        "arauto_sent_bytes_total",
        "arauto_journal_wal_bytes",
    ] {
        assert!(samples[name] > 0.0, "{name} of {samples:#?}");
    }
    let version = format!(
        "arauto_build_info{{version=\"{}\"}}",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(samples[&version], 1.0);
    drop(ana);
    server.served.stop();
}

#[test]
fn metrics_are_in_the_format_that_is_asked_for() {
    let _watchdog = watchdog();
    let server = Administered::new();
    let plain = server.get("/metrics");
    let has = |answer: &Answer, line: &str| answer.headers.iter().any(|one| one == line);
    assert!(
        has(
            &plain,
            "content-type: text/plain; version=0.0.4; charset=utf-8"
        ),
        "{plain:?}"
    );
    assert!(!plain.body.contains("# EOF"));
    // As Prometheus asks.
    let accept = "accept: application/openmetrics-text;version=1.0.0;q=0.75,text/plain;q=0.5\r\n";
    let open = get_with(&server.admin, "/metrics", accept);
    let wanted = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert!(has(&open, wanted), "{open:?}");
    assert!(open.body.ends_with("# EOF\n"));
    for Answer { body, .. } in [&plain, &open] {
        let buckets = body
            .matches("arauto_journal_commit_seconds_bucket{le=")
            .count();
        let all = body.matches("{le=\"+Inf\"}").count();
        assert_eq!((buckets, all), (18, 1), "{body}"); // 17 bounds, and all commits
    }
    server.served.stop();
}

#[test]
fn reader_that_does_not_read_lags() {
    let _watchdog = watchdog();
    let server = Administered::new();
    let mut slow = server.served.unauthenticated();
    slow.log_in("ana");
    let mut rui = server.served.unauthenticated();
    rui.send(&login(1, "rui", PASSWORD).with("filter", serde_cbor::Value::Array(Vec::new())));
    rui.expect("logged_in");
    let body = "x".repeat(100_000);
    for id in 0..100 {
        rui.publish(id, &body);
        rui.skip_to("published");
    }
    let samples = samples(&server.get("/metrics"));
    assert_eq!(
        samples["arauto_lagging_readers{at_least=\"10\"}"], 1.0,
        "{samples:#?}"
    );
    assert!(samples["arauto_reader_lag_max"] >= 10.0);
    drop((slow, rui));
}

#[test]
fn dashboard_and_alerts_use_metrics_that_there_are() {
    let _watchdog = watchdog();
    let server = Administered::new();
    let page = server.get("/metrics").body;
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let known: BTreeMap<_, _> = types.filter_map(|line| line.split_once(' ')).collect();
    let mut used = 0;
    for file in ["grafana.json", "alerts.yml"] {
        let path = format!("{}/docs/monitoring/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).expect("it is there");
        for name in names(&text) {
            let family = name.strip_suffix("_bucket").unwrap_or(name);
            assert!(
                known.contains_key(family),
                "{name} of {file} is not in {known:#?}"
            );
            used += 1;
        }
    }
    assert!(used > 20, "{used}");
    server.served.stop();
}

/// Returns the names of arauto's metrics in a text.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("arauto_"))
}
