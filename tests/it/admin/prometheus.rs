//! `/metrics` and docs/monitoring, as Prometheus and its promtool judge them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::Administered;
use super::endpoint::port;
use super::http::get_over_tcp;
use crate::support::{Served, finish, has_tool, wait_until, watchdog};

/// Runs promtool, and asserts that it succeeds and complains of nothing. Returns its output.
#[track_caller]
fn expect_clean(arguments: &[&str], input: &str) -> String {
    let result = finish(Command::new("promtool").args(arguments), input);
    assert!(result.err.is_empty(), "{}", result.err);
    result.expect_success()
}

/// Returns the path of a file in docs/monitoring.
fn shipped(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("docs/monitoring").join(name)
}

/// Prometheus, with its data in a folder. Dropping the value ends the process.
struct Prometheus {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts it with the shipped alerts, to read the metrics at this port each second.
    fn reading(admin: u16, token: &Path) -> Prometheus {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let settings = folder.path().join("prometheus.yml");
        let lines = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\n\
             rule_files: [{:?}]\n\
             scrape_configs:\n  \
             - job_name: arauto\n    \
             authorization: {{ credentials_file: {token:?} }}\n    \
             static_configs: [{{ targets: [\"127.0.0.1:{admin}\"] }}]\n",
            shipped("alerts.yml")
        );
        std::fs::write(&settings, lines).expect("the folder is ours");
        let log = folder.path().join("log");
        let process = Command::new("prometheus")
            .arg("--web.listen-address=127.0.0.1:0")
            .arg("--config.file")
            .arg(&settings)
            .arg("--storage.tsdb.path")
            .arg(folder.path().join("data"))
            .stdin(Stdio::null())
            .stderr(File::create(&log).expect("the folder is ours"))
            .spawn()
            .expect("it is installed");
        let mut prometheus = Prometheus {
            process,
            port: 0,
            _folder: folder,
        };
        wait_until("Prometheus listens", || {
            let log = std::fs::read_to_string(&log).expect("it is there");
            let line = log.lines().find(|line| line.contains("\"Listening on\""));
            let port = line.and_then(|line| line.rsplit_once(':')?.1.parse().ok());
            prometheus.port = port.unwrap_or_default();
            port.is_some()
        });
        prometheus
    }

    /// Returns the value of an expression; `None` if there is none yet.
    fn value(&self, expression: &str) -> Option<f64> {
        let path = format!("/api/v1/query?query={expression}");
        let head = "host: localhost\r\nconnection: close\r\n";
        let answer = get_over_tcp(self.port, &path, head);
        if answer.status == 503 {
            return None; // it starts
        }
        let answer: Value = serde_json::from_str(&answer.body).expect("the body is json");
        let value = answer["data"]["result"][0]["value"][1].as_str()?;
        Some(value.parse().expect("a number"))
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill(); // it may have ended
        let _ = self.process.wait();
    }
}

#[test]
fn metrics_pass_promtool_check() {
    let _watchdog = watchdog();
    if !has_tool("promtool") {
        return;
    }
    let server = Administered::with(&["--journal"], |command| command);
    let mut ana = server.served.unauthenticated();
    ana.log_in("ana");
    expect_clean(&["check", "metrics"], &server.get("/metrics").body);
    drop(ana);
    server.served.stop();
}

#[test]
fn alerts_pass_promtool_check_and_fire_for_their_causes_only() {
    let _watchdog = watchdog();
    if !has_tool("promtool") {
        return;
    }
    let alerts = shipped("alerts.yml");
    let text = std::fs::read_to_string(&alerts).expect("it is there");
    let found = format!("{} rules found", text.matches("- alert: ").count());
    let alerts = alerts.to_str().expect("the tree's path is utf-8");
    let checked = expect_clean(&["check", "rules", alerts], "");
    assert!(checked.contains(&found), "{checked}");
    let cases = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/admin/alerts.yml");
    let tested = expect_clean(&["test", "rules", cases], "");
    assert!(tested.contains("SUCCESS"), "{tested}");
}

/// Collects the expressions of a dashboard.
fn expressions<'d>(dashboard: &'d Value, into: &mut Vec<&'d str>) {
    match dashboard {
        Value::Array(items) => items.iter().for_each(|item| expressions(item, into)),
        Value::Object(entries) => {
            into.extend(entries.get("expr").and_then(Value::as_str));
            entries.values().for_each(|entry| expressions(entry, into));
        }
        _ => {}
    }
}

#[test]
fn expressions_of_the_dashboard_pass_promtool_check() {
    let _watchdog = watchdog();
    if !has_tool("promtool") {
        return;
    }
    let text = std::fs::read_to_string(shipped("grafana.json")).expect("it is in the tree");
    let dashboard: Value = serde_json::from_str(&text).expect("it is json");
    let mut all = Vec::new();
    expressions(&dashboard, &mut all);
    assert!(all.len() > 10, "{all:?}");
    // promtool checks them as rules; Grafana puts a time in the place of its variable.
    let mut rules = "groups:\n- name: dashboard\n  rules:\n".to_owned();
    for (number, expression) in all.iter().enumerate() {
        let expression = expression.replace("$__rate_interval", "5m");
        rules += &format!("  - record: r{number}\n    expr: {expression:?}\n");
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("rules.yml");
    std::fs::write(&path, rules).expect("the folder is ours");
    let path = path.to_str().expect("it is utf-8");
    let checked = expect_clean(&["check", "rules", path], "");
    let found = format!("{} rules found", all.len());
    assert!(checked.contains(&found), "{checked}");
}

#[test]
fn prometheus_takes_every_sample_and_the_quantiles_of_commits() {
    let _watchdog = watchdog();
    if !has_tool("prometheus") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    let token = folder.path().join("token");
    std::fs::write(&token, "muito segredo, mesmo\n").expect("the folder is ours");
    let served = Served::new(&[
        "--no-console",
        "--journal",
        "--admin",
        "tcp:127.0.0.1:0",
        "--admin-token",
        token.to_str().expect("it is utf-8"),
    ]);
    let mut ana = served.unauthenticated();
    ana.log_in("ana"); // `joined` is in the journal
    let admin = port(&served);
    let prometheus = Prometheus::reading(admin, &token);
    wait_until("Prometheus has read the metrics", || {
        prometheus.value("up") == Some(1.0)
    });
    let head = "host: localhost\r\nauthorization: Bearer muito segredo, mesmo\r\n";
    let page = get_over_tcp(admin, "/metrics", head).body;
    let samples = page.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(
        prometheus.value("scrape_samples_scraped"),
        Some(samples as f64),
        "{page}"
    );
    // It needs the bucket of all commits, and is not a number without.
    let quantile = "histogram_quantile(0.5,arauto_journal_commit_seconds_bucket)";
    let median = prometheus.value(quantile).expect("there was a commit");
    assert!(median > 0.0, "{median}");
    drop(ana);
    served.stop();
}
