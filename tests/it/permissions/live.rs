//! Rules are applied to sessions that are logged in.

use rusqlite::Connection;

use super::{logged_in, may_publish, refusal, rules, served, users};
use crate::support::{Served, wait_until, watchdog};

fn database(served: &Served) -> Connection {
    let path = served.folder.path().join("data/arauto.db");
    Connection::open(path).expect("the server has made it")
}

#[test]
fn changed_rules_count_for_live_sessions_and_every_role() {
    let _watchdog = watchdog();
    let served = served();
    users(&served, &["add", "bia", "--role", "admin"]).expect_success();
    let mut rui = logged_in(&served, "rui");
    let mut bia = logged_in(&served, "bia");
    assert!(may_publish(&mut rui) && may_publish(&mut bia));

    users(&served, &["deny", "rui", "publish", "#"]).expect_success();
    wait_until("the rule counts", || !may_publish(&mut rui));
    let message = refusal(&mut rui, 7).expect("it is denied");
    assert!(
        message.contains("rules") && message.contains("without a topic"),
        "{message}"
    );
    rui.ping(); // the session goes on
    assert!(may_publish(&mut bia), "the rule is for rui only");
    users(&served, &["deny", "--all", "publish", "#"]).expect_success();
    wait_until("the rule for all counts", || !may_publish(&mut bia));
    // A user that logs in later is denied too.
    assert!(!may_publish(&mut logged_in(&served, "nova")));

    users(&served, &["forget", "--all", "publish", "#"]).expect_success();
    wait_until("bia may publish again", || may_publish(&mut bia));
    assert!(!may_publish(&mut rui));
    users(&served, &["forget", "rui", "publish", "#"]).expect_success();
    wait_until("rui may publish again", || may_publish(&mut rui));
    drop((rui, bia));
    served.stop();
}

#[test]
fn allow_rule_lets_a_leitor_publish_and_restricts_others() {
    let _watchdog = watchdog();
    let served = served();
    let mut rui = logged_in(&served, "rui");
    let mut eva = logged_in(&served, "eva");
    assert!(!may_publish(&mut eva));
    users(&served, &["allow", "eva", "publish", "#"]).expect_success();
    wait_until("eva may publish", || may_publish(&mut eva));
    // A message without a topic is matched by `#` only.
    users(&served, &["allow", "rui", "publish", "casa/%u/#"]).expect_success();
    wait_until("rui may not publish without a topic", || {
        !may_publish(&mut rui)
    });
    users(&served, &["allow", "rui", "publish", "#"]).expect_success();
    wait_until("rui may publish", || may_publish(&mut rui));
    users(&served, &["role", "rui", "leitor"]).expect_success();
    users(&served, &["role", "eva", "escritor"]).expect_success();
    users(&served, &["forget", "rui", "publish", "#"]).expect_success();
    users(&served, &["forget", "rui", "publish", "casa/%u/#"]).expect_success();
    wait_until("the role of rui decides", || !may_publish(&mut rui));
    drop((rui, eva));
    served.stop();
}

#[test]
#[cfg(unix)] // its endpoints have paths
fn text_session_is_told_of_a_rule_and_goes_on() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("text.sock");
    let listen = format!("unix:{}?dialect=text", path.display());
    let served = Served::new(&["--listen", &listen]);
    users(&served, &["add", "rui"]).expect_success();
    users(&served, &["deny", "--all", "publish", "#"]).expect_success();
    let endpoint = format!("unix:{}", path.display());
    let stream = crate::support::os::connect(&endpoint.parse().expect("it is one"));
    let mut rui = crate::support::TextClient::over(stream.expect("the server listens"));
    rui.expect("+ arauto 1");
    rui.exchange(
        &format!("/login rui {}", crate::support::PASSWORD),
        "+ rui logged in",
    );
    let refused = "- forbidden the operator's rules do not allow you to publish without a topic";
    rui.exchange("/publish bom dia", refused);
    rui.exchange("/ping", "+ pong");
    drop(rui);
    served.stop();
}

#[test]
fn invalid_rule_row_denies_only_what_it_may_be_about() {
    let _watchdog = watchdog();
    let served = served();
    users(&served, &["deny", "rui", "publish", "a/b"]).expect_success();
    let (mut rui, mut ana) = (logged_in(&served, "rui"), logged_in(&served, "ana"));
    assert!(may_publish(&mut rui));
    let spoil = "UPDATE rule SET pattern = 'a/#/b' WHERE account = 'rui'";
    database(&served).execute(spoil, []).expect("writable");
    wait_until("the row that cannot be read denies", || {
        !may_publish(&mut rui)
    });
    assert!(may_publish(&mut ana));
    assert!(
        !may_publish(&mut logged_in(&served, "rui")),
        "a login is let in all the same"
    );
    let told = |served: &Served| served.log().matches("rule is invalid").count();
    wait_until("it is logged", || told(&served) == 1);

    let listed = users(&served, &["rules"]);
    listed.expect_failure(65, &["rui", "a/#/b", "users forget"]);
    users(&served, &["rules", "ana"]).expect_success();
    users(&served, &["export"]).expect_failure(65, &["a/#/b"]);
    users(&served, &["forget", "rui", "publish", "a/#/b"]).expect_success();
    wait_until("rui may publish again", || may_publish(&mut rui));
    assert!(rules(&served, &[]).is_empty());
    assert_eq!(told(&served), 1, "{}", served.log());
    drop((rui, ana));
    served.stop();
}
