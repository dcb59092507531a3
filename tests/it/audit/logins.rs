//! Logins and refusals.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::{Audited, events, log_in_wrongly};
use crate::support::{PASSWORD, Served, arauto, finish, json_lines, login, wait_until, watchdog};

#[test]
fn login_is_recorded_with_its_session_and_peer() {
    let _watchdog = watchdog();
    let mut audited = Audited::new();
    audited.visit("ana");
    audited.visit("ana");
    let endpoint = audited.served.endpoint().to_string();
    let records = audited.stop();
    assert_eq!(events(&records), ["start", "login", "login", "stop"]);
    let first = &records[1];
    assert_eq!(first["user"], "ana");
    assert_eq!(first["role"], "escritor");
    assert_eq!(
        (&first["registered"], &records[2]["registered"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(first["endpoint"], endpoint);
    assert_eq!(
        (&first["session"], &records[2]["session"]),
        (&1.into(), &2.into())
    );
    let peer = first["peer"].as_str().expect("it is text");
    let pid = format!("pid {} ", std::process::id());
    assert!(cfg!(windows) || peer.starts_with(&pid), "{peer}");
    assert!(first["host"].is_string(), "{first}");
    for record in &records {
        assert_time(record);
    }
}

/// Asserts that a record begins with its time, in the form of RFC 3339, and its event.
fn assert_time(record: &Value) {
    let time = record["time"].as_str().expect("it is text");
    let form: String = time
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    assert_eq!(form, "0000-00-00T00:00:00.000000Z");
}

#[test]
fn refused_login_names_an_account_only_if_it_exists() {
    let _watchdog = watchdog();
    let mut audited = Audited::new();
    audited.users(&["add", "ana"]).expect_success();
    let mut client = audited.served.unauthenticated();
    assert_eq!(log_in_wrongly(&mut client, "ana"), "bad-credentials");
    // A password that was typed in place of the name.
    client.send(&login(2, "senha secreta", PASSWORD));
    client.expect_error("bad-name");
    client.publish(3, "bom dia");
    client.expect_error("not-logged-in");
    client.fim();
    let path = audited.path.clone();
    let records = audited.stop();
    let refusals: Vec<_> = records
        .iter()
        .filter(|record| record["event"] == "refused")
        .map(|record| (&record["code"], &record["user"], &record["reason"]))
        .collect();
    let not_a_name = "a user name takes letters, digits and ascii signs, no space (rfc 8265)";
    assert_eq!(
        refusals,
        [
            (
                &json!("bad-credentials"),
                &json!("ana"),
                &json!("wrong user name or password")
            ),
            (&json!("bad-name"), &Value::Null, &json!(not_a_name)),
            (
                &json!("not-logged-in"),
                &Value::Null,
                &json!("log in first")
            ),
        ]
    );
    let text = std::fs::read_to_string(path).expect("it is there");
    for secret in [PASSWORD, "errada", "senha", "argon2"] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}

#[test]
fn frame_that_a_user_may_not_send_is_recorded_with_the_user() {
    let _watchdog = watchdog();
    let mut audited = Audited::new();
    audited
        .users(&["add", "--role", "leitor", "ana"])
        .expect_success();
    let mut client = audited.served.unauthenticated();
    client.log_in("ana");
    client.publish(1, "bom dia");
    client.skip_to("error");
    client.fim();
    let record = audited.wait_for_event("refused");
    assert_eq!(
        (&record["code"], &record["user"]),
        (&json!("forbidden"), &json!("ana"))
    );
    audited.stop();
}

#[test]
fn session_that_an_operator_ends_is_recorded_with_act_and_reason() {
    let _watchdog = watchdog();
    let mut audited = Audited::new();
    let mut client = audited.served.unauthenticated();
    client.log_in("ana");
    let end = |session: &str| {
        let admin = audited.admin.to_string();
        let arguments = [
            "sessions",
            "end",
            session,
            "--why",
            "manutenção\n{",
            "--admin",
            &admin,
        ];
        let done = finish(&mut arauto(&arguments), "");
        done.code
    };
    assert_eq!((end("1"), end("77")), (Some(0), Some(65)));
    client.skip_to("closing");
    drop(client);
    audited.wait_for_event("revoked");
    let records = audited.stop();
    let acts: Vec<_> = records
        .iter()
        .filter(|record| record["event"] == "operator")
        .collect();
    assert_eq!(acts.len(), 2);
    for (act, session, done) in [(acts[0], 1, true), (acts[1], 77, false)] {
        assert_eq!(act["act"], "end-session");
        assert_eq!(
            (&act["session"], &act["done"]),
            (&session.into(), &done.into())
        );
        assert_eq!(act["reason"], "manutenção\n{");
        assert!(act["peer"].is_string(), "{act}");
    }
    let revoked = records.iter().find(|record| record["event"] == "revoked");
    let revoked = revoked.expect("it was there");
    assert_eq!(
        (&revoked["session"], &revoked["user"]),
        (&1.into(), &"ana".into())
    );
    assert!(
        revoked["reason"]
            .as_str()
            .is_some_and(|why| why.contains("manutenção"))
    );
}

#[test]
fn request_without_the_admin_token_is_recorded() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("audit.jsonl");
    let shown = path.display().to_string();
    let admin = "tcp:127.0.0.1:0";
    let arguments = ["--no-console", "--audit", &shown, "--admin", admin];
    let served = Served::within(folder, &arguments);
    let log = served.log();
    let port = log.split("endpoint=tcp:127.0.0.1:").nth(1);
    let port = port.expect("the log has it").chars();
    let port: String = port.take_while(char::is_ascii_digit).collect();
    let port: u16 = port.parse().expect("it is a port");
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let request =
        b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer senha\r\n\r\n";
    stream.write_all(request).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    let find = || {
        let mut records = json_lines(&path).into_iter();
        records.find(|record| record["event"] == "refused")
    };
    wait_until("it is recorded", || find().is_some());
    let record = find().expect("it was there");
    assert_eq!(
        (&record["endpoint"], &record["code"]),
        (&"admin".into(), &"forbidden".into())
    );
    let text = std::fs::read_to_string(&path).expect("it is there");
    assert!(!text.contains("senha"), "{text}");
    served.stop();
}

#[test]
fn drain_and_reload_of_an_operator_are_recorded() {
    let _watchdog = watchdog();
    let mut audited = Audited::new();
    let admin = audited.admin.to_string();
    for command in [&["drain"][..], &["drain", "--cancel"], &["reload"]] {
        let arguments = [command, &["--admin", &admin]].concat();
        finish(&mut arauto(&arguments), "").expect_success();
    }
    let records = audited.stop();
    let operator = records
        .iter()
        .filter(|record| record["event"] == "operator");
    let acts: Vec<_> = operator
        .map(|record| (&record["act"], &record["done"]))
        .collect();
    let expected = ["drain", "cancel-drain", "reload"].map(|act| (json!(act), json!(true)));
    assert_eq!(acts, expected.each_ref().map(|(act, done)| (act, done)));
}
