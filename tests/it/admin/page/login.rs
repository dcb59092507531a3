//! The login of a browser over TCP, and requests that other pages have it send.

use serde_json::json;

use super::super::Administered;
use super::super::endpoint::port;
use super::super::http::{self, get_over_tcp, post, post_over_tcp};
use super::{AUDIT, FILES, recorded_acts, served_with_token};
use crate::support::{Served, json_lines, wait_until, watchdog};

const TOKEN: &str = "muito segredo, mesmo";

/// Logs in, and returns the lines of a head that the browser then sends.
fn log_in(port: u16) -> String {
    let local = format!("host: localhost:{port}\r\n");
    let answer = post_over_tcp(port, "/login", &local, TOKEN);
    assert_eq!(answer.status, 204, "{answer:?}");
    let cookie = answer.header("set-cookie");
    let (pair, attributes) = cookie.split_once("; ").expect("it has attributes");
    assert_eq!(
        attributes,
        "path=/; max-age=43200; httponly; samesite=strict"
    );
    assert!(pair.starts_with(&format!("arauto-admin-{port}=")), "{pair}");
    assert!(!cookie.contains("segredo"), "{cookie}");
    format!("{local}cookie: {pair}\r\n")
}

#[test]
fn browser_gets_a_cookie_for_the_token_until_it_logs_out() {
    let _watchdog = watchdog();
    let served = served_with_token(TOKEN);
    let port = port(&served);
    let local = format!("host: localhost:{port}\r\n");
    // The page itself is open, and tells nothing.
    for path in FILES {
        assert_eq!(get_over_tcp(port, path, &local).status, 200, "{path}");
    }
    let access = |head: &str| get_over_tcp(port, "/may-read", head).json();
    let none = json!({"may_read": false, "by_cookie": false});
    assert_eq!(access(&local), none);
    let closed = ["/events", "/status", "/topics", "/report"];
    for path in closed {
        assert_eq!(get_over_tcp(port, path, &local).status, 401, "{path}");
    }
    let wrong = post_over_tcp(port, "/login", &local, "muito segredo");
    assert_eq!(wrong.status, 401);
    let head = log_in(port);
    assert_eq!(get_over_tcp(port, "/status", &head).status, 200);
    assert_eq!(access(&head), json!({"may_read": true, "by_cookie": true}));
    let own = format!("{head}origin: http://localhost:{port}\r\n");
    assert_eq!(post_over_tcp(port, "/logout", &own, "").status, 204);
    assert_eq!(get_over_tcp(port, "/status", &head).status, 401);
    assert_eq!(access(&head), none);
    let bearer = format!("{local}authorization: Bearer {TOKEN}\r\n");
    assert_eq!(
        access(&bearer),
        json!({"may_read": true, "by_cookie": false})
    );
    served.stop();
}

#[test]
fn login_logout_and_a_wrong_token_are_in_the_audit_log() {
    let _watchdog = watchdog();
    let served = served_with_token(TOKEN);
    let port = port(&served);
    let local = format!("host: localhost:{port}\r\n");
    let wrong = "outro segredo, mesmo";
    assert_eq!(post_over_tcp(port, "/login", &local, wrong).status, 401);
    let head = log_in(port);
    let own = format!("{head}origin: http://localhost:{port}\r\n");
    assert_eq!(post_over_tcp(port, "/logout", &own, "").status, 204);
    let acts = ["log-in", "log-out"].map(|act| (act.to_owned(), true));
    wait_until("both acts are recorded", || recorded_acts(&served) == acts);
    let all = json_lines(&served.folder.path().join(AUDIT));
    let refused = all.iter().find(|record| record["event"] == "refused");
    let refused = refused.expect("it was recorded");
    assert_eq!(
        (&refused["code"], &refused["endpoint"]),
        (&json!("bad-credentials"), &json!("admin"))
    );
    let text = format!("{all:?}");
    assert!(!text.contains(TOKEN) && !text.contains(wrong), "{text}");
    served.stop();
}

#[test]
fn login_without_a_configured_token_says_so() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console", "--admin", "tcp:127.0.0.1:0"]);
    let answer = post_over_tcp(port(&served), "/login", "host: localhost\r\n", "");
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("--admin-token"), "{answer:?}");
    served.stop();
}

#[test]
fn act_that_another_page_sends_is_refused_with_the_cookie_too() {
    let _watchdog = watchdog();
    let served = served_with_token(TOKEN);
    let port = port(&served);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    let head = log_in(port);
    let end = |lines: &str| {
        let head = format!("{head}{lines}");
        post_over_tcp(port, "/sessions/1/end", &head, "").status
    };
    for foreign in [
        "",
        "origin: null\r\n",
        "origin: http://example.com\r\n",
        "origin: http://localhost:1\r\n",
        "sec-fetch-site: cross-site\r\n",
    ] {
        assert_eq!(end(foreign), 403, "{foreign:?}");
    }
    let own = format!("origin: http://localhost:{port}\r\nsec-fetch-site: same-origin\r\n");
    assert_eq!(end(&own), 204);
    ana.skip_to("closing");
    drop(ana);
    served.stop();
}

#[test]
fn page_of_another_host_gets_nothing_over_a_forwarded_socket() {
    let _watchdog = watchdog();
    let server = Administered::new();
    for path in ["/", "/events", "/status", "/login"] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: example.com:9180\r\n\r\n");
        let answer = http::exchange(&server.admin, &request).expect("it answers");
        assert_eq!(answer.status, 421, "{path}");
    }
    let foreign = "origin: http://example.com\r\n";
    assert_eq!(post(&server.admin, "/stop", foreign, "").status, 403);
    assert_eq!(server.get("/readyz").status, 200);
    server.served.stop();
}
