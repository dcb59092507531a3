//! `/`: the page for operators, as far as requests by hand can tell. The tests in a browser are in
//! `admin::browser`.

mod events;
mod login;

use arauto::StopReason;

use super::Administered;
use super::http::post;
use crate::support::{Served, finish, json_lines, watchdog};

/// The audit log in a server's folder.
const AUDIT: &str = "audit.jsonl";

/// The files of the page.
const FILES: [&str; 9] = [
    "/",
    "/page.css",
    "/icon.svg",
    "/page.js",
    "/acts.js",
    "/history.js",
    "/plots.js",
    "/tables.js",
    "/text.js",
];

/// Starts a server whose admin endpoint is a loopback port with this token, and which has an audit log.
pub fn served_with_token(token: &str) -> Served {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let [file, audit] = ["token", AUDIT].map(|name| folder.path().join(name).display().to_string());
    std::fs::write(&file, token).expect("the folder is ours");
    let admin = ["--admin", "tcp:127.0.0.1:0", "--admin-token", &file];
    let arguments = [
        &["--no-console", "--journal", "--audit", &audit][..],
        &admin,
    ]
    .concat();
    Served::within(folder, &arguments)
}

/// Returns the acts of operators in the audit log of a server, and whether each was done.
pub fn recorded_acts(served: &Served) -> Vec<(String, bool)> {
    let records = json_lines(&served.folder.path().join(AUDIT));
    let acts = records.iter().filter_map(|record| {
        let act = record["act"].as_str()?.to_owned();
        Some((act, record["done"] == true))
    });
    acts.collect()
}

#[test]
fn page_loads_nothing_from_elsewhere_and_has_no_inline_code() {
    let _watchdog = watchdog();
    let server = Administered::new();
    for path in FILES {
        let answer = server.get(path);
        assert_eq!(answer.status, 200, "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert!(policy.contains("script-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        // The name of SVG is no address that is loaded.
        let text = answer.body.replace("http://www.w3.org/2000/svg", "");
        for elsewhere in ["http:", "https:", "//www", "innerHTML", "eval("] {
            assert!(!text.contains(elsewhere), "{elsewhere} in {path}");
        }
    }
    let page = server.get("/");
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    for inline in ["<style", " style=", " onclick=", " onload=", "<script>"] {
        assert!(!page.body.contains(inline), "{inline}");
    }
    server.served.stop();
}

#[test]
fn tables_of_the_page_have_captions_and_inputs_have_labels() {
    let _watchdog = watchdog();
    let server = Administered::new();
    let page = server.get("/").body;
    let count = |text: &str| page.matches(text).count();
    assert!(count("</table>") >= 6);
    assert_eq!(count("</table>"), count("<caption"));
    assert_eq!(count("<th "), count("<th scope=\"col\""));
    assert_eq!(count("<input"), count("<label"));
    for label in page.split("<label for=\"").skip(1) {
        let name = label.split('"').next().expect("it is quoted");
        assert!(page.contains(&format!("id=\"{name}\"")), "{name}");
    }
    // Each element that a script looks up is there.
    for script in FILES.iter().filter(|path| path.ends_with(".js")) {
        let text = server.get(script).body;
        for rest in text.split("byId(\"").skip(1) {
            let name = rest.split('"').next().expect("it is quoted");
            assert!(page.contains(&format!("id=\"{name}\"")), "{name}");
        }
    }
    server.served.stop();
}

#[test]
fn stop_by_an_operator_is_that_of_an_admin() {
    let _watchdog = watchdog();
    let mut server = Administered::new();
    assert_eq!(post(&server.admin, "/stop", "", "").status, 202);
    assert_eq!(server.served.wait(), Some(0));
    assert_eq!(server.served.report().reason, StopReason::Admin);
}

#[test]
fn report_of_the_last_stop_is_a_page_without_scripts() {
    let _watchdog = watchdog();
    let mut first = Administered::new();
    assert_eq!(first.get("/report").status, 404);
    assert_eq!(post(&first.admin, "/stop", "", "").status, 202);
    first.served.wait();
    let report = first.served.folder.path().join("report.json");
    let server = Administered::new();
    let place = server.served.folder.path().join("report.json");
    std::fs::copy(report, &place).expect("both are ours");
    let answer = server.get("/report");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body.contains("<svg"), "{answer:?}");
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert!(!policy.contains("script"), "{policy}");
    // A file that is no report is an error for people.
    std::fs::write(&place, "bom dia").expect("it is ours");
    let answer = server.get("/report");
    assert_eq!(answer.status, 500);
    assert!(answer.body.contains("report.json"), "{answer:?}");
    server.served.stop();
}

#[test]
fn topics_are_listed_when_they_are_asked_for() {
    let _watchdog = watchdog();
    let server = Administered::new();
    let empty = server.get("/topics").json();
    assert_eq!(empty, serde_json::json!({"topics": [], "more": false}));
    let writer = ["escritor", "--topic", "casa/porta", "aberta"];
    finish(&mut server.served.command(&writer), "").expect_success();
    let list = server.get("/topics").json();
    let topics = list["topics"].as_array().expect("a list");
    assert_eq!(topics.len(), 1, "{list}");
    assert_eq!(topics[0]["topic"], "casa/porta");
    assert_eq!(topics[0]["held"], 1);
    server.served.stop();
}
