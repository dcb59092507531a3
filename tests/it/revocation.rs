//! Changes by `arauto users` apply to a running server: at the next login, and to live sessions
//! within 5 s. Accounts that cannot be read grant nothing.

use rusqlite::Connection;

use crate::support::{
    CommandResult, FrameClient, PASSWORD, Served, ask, finish, login, publish, text, wait_until,
    watchdog,
};

/// A server with an account `rui`.
fn served(arguments: &[&str]) -> Served {
    let served = Served::new(arguments);
    users(&served, &["add", "rui"]).expect_success();
    served
}

fn users(served: &Served, arguments: &[&str]) -> CommandResult {
    finish(&mut served.users(arguments), "")
}

fn database(served: &Served) -> Connection {
    let path = served.folder.path().join("data/arauto.db");
    Connection::open(path).expect("the server has made it")
}

/// How the server answers one login.
fn answer(served: &Served, user: &str, password: &str) -> String {
    let mut client = served.unauthenticated();
    client.send(&login(1, user, password));
    let frame = client.recv().expect("an answer");
    match frame.is("error") {
        true => frame.text("code").to_owned(),
        false => format!("registered: {}", frame.flag("registered")),
    }
}

fn logged_in(served: &Served, user: &str) -> FrameClient {
    let mut client = served.unauthenticated();
    client.log_in(user);
    client
}

#[track_caller]
fn expect_revoked(client: &mut FrameClient) {
    client.skip_to("error");
    client.expect_closing("revoked");
    client.expect_end();
}

#[test]
pub fn removed_user_sessions_end_with_revoked_and_others_go_on() {
    let _watchdog = watchdog();
    let served = served(&[]);
    let (mut ana, mut rui) = (logged_in(&served, "ana"), logged_in(&served, "rui"));
    users(&served, &["remove", "rui"]).expect_success();
    let error = rui.skip_to("error");
    assert_eq!(error.text("code"), "revoked");
    assert!(error.get("id").is_none(), "{error:?}");
    rui.expect_closing("revoked");
    rui.expect_end();
    ana.skip_to("left");
    ana.ping();
    // Where registration is open the name is free again, as a new account.
    assert_eq!(answer(&served, "rui", "outro"), "registered: true");
    drop(ana);
    served.stop();
}

#[test]
#[cfg(unix)] // its endpoints have paths
fn removed_user_cannot_log_in_where_registration_is_closed() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let closed = folder.path().join("closed.sock");
    let listen = format!("unix:{}?registration=closed", closed.display());
    let served = served(&["--listen", &listen]);
    let who = || {
        let mut who = served.command(&["who", "--user", "rui"]);
        who.env("ARAUTO_ENDPOINT", format!("unix:{}", closed.display()));
        finish(&mut who, "")
    };
    who().expect_success();
    users(&served, &["remove", "rui"]).expect_success();
    who().expect_failure(77, &["registration-closed"]);
    served.stop();
}

#[test]
#[cfg(unix)]
fn text_session_of_removed_user_gets_a_revoked_line() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("text.sock");
    let served = served(&["--listen", &format!("unix:{}?dialect=text", path.display())]);
    let endpoint = format!("unix:{}", path.display());
    let stream = crate::support::os::connect(&endpoint.parse().expect("it is one"));
    let mut rui = crate::support::TextClient::over(stream.expect("the server listens"));
    rui.expect("+ arauto 1");
    rui.exchange(&format!("/login rui {PASSWORD}"), "+ rui logged in");
    users(&served, &["remove", "rui"]).expect_success();
    rui.expect("- revoked the account was removed, or its record is not valid");
    rui.expect(". revoked");
    rui.expect_end();
    served.stop();
}

#[test]
#[cfg(target_os = "linux")]
fn seqpacket_session_of_removed_user_ends_with_revoked() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let endpoint = format!("seqpacket:{}", folder.path().join("s.sock").display());
    let served = served(&["--listen", &endpoint]);
    let mut leitor = served.command(&["leitor", "--user", "rui", "--connect", &endpoint]);
    let mut leitor = crate::support::spawn(&mut leitor);
    wait_until("rui is there", || {
        let who = finish(&mut served.command(&["who"]), "").expect_success();
        who.lines().any(|user| user == "rui")
    });
    users(&served, &["remove", "rui"]).expect_success();
    // It does not log in again: that would register the name.
    assert_eq!(leitor.wait().expect("it is a child").code(), Some(77));
    assert!(!users(&served, &["list"]).expect_success().contains("rui"));
    served.stop();
}

#[test]
fn changed_role_counts_for_live_sessions() {
    let _watchdog = watchdog();
    let served = served(&[]);
    let mut rui = logged_in(&served, "rui");
    let mut publishes = |id| {
        rui.send(&publish(id, text("bom dia")));
        loop {
            match rui.recv().expect("an answer") {
                answer if answer.is("published") => break true,
                answer if answer.is("error") => {
                    assert_eq!(answer.text("code"), "forbidden");
                    break false;
                }
                _ => {}
            }
        }
    };
    assert!(publishes(1));
    users(&served, &["role", "rui", "leitor"]).expect_success();
    wait_until("the demotion counts", || !publishes(2));
    users(&served, &["role", "rui", "escritor"]).expect_success();
    wait_until("the promotion counts", || publishes(3));
    drop(rui);
    served.stop();
}

#[test]
fn demoted_admin_may_not_list_sessions() {
    let _watchdog = watchdog();
    let served = served(&["--listen", "tcp:127.0.0.1:0"]); // there nobody is the server's own user
    users(&served, &["role", "rui", "admin"]).expect_success();
    let listening = served.log();
    let (_, port) = listening.rsplit_once("tcp:127.0.0.1:").expect("it is told");
    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
    let stream = std::net::TcpStream::connect(format!("127.0.0.1:{port}"));
    let mut rui = FrameClient::tcp(stream.expect("the server listens"));
    rui.expect("welcome");
    rui.log_in("rui");
    let mut lists = |id| {
        rui.send(&ask("sessions", id));
        !rui.recv().expect("an answer").is("error")
    };
    assert!(lists(1));
    users(&served, &["role", "rui", "escritor"]).expect_success();
    wait_until("the demotion counts", || !lists(2));
    rui.fim();
    drop(rui);
    // Not every system tells what TCP has delivered: the stop is to find no such session.
    wait_until("its session is over", || {
        let mut sessions = served.command(&["sessions", "--json"]);
        let listed = finish(sessions.env("ARAUTO_USER", "rui"), "").expect_success();
        !listed.contains("tcp:")
    });
    served.stop();
}

#[test]
fn new_password_ends_the_sessions_of_the_old_one() {
    let _watchdog = watchdog();
    let served = served(&[]);
    let mut rui = logged_in(&served, "rui");
    let mut passwd = served.users(&["passwd", "rui"]);
    finish(passwd.env("ARAUTO_PASSWORD", "novo"), "").expect_success();
    expect_revoked(&mut rui);
    assert_eq!(answer(&served, "rui", PASSWORD), "bad-credentials");
    let mut again = served.unauthenticated();
    again.send(&login(1, "rui", "novo"));
    again.expect("logged_in");
    // The change was that one: what logged in behind it stays.
    users(&served, &["add", "zé"]).expect_success();
    again.ping();
    drop(again);
    served.stop();
}

#[test]
fn stalled_reader_of_removed_user_ends_within_5_s() {
    let _watchdog = watchdog();
    let served = served(&["--drain-timeout", "1h"]);
    let mut rui = logged_in(&served, "rui");
    let mut ana = logged_in(&served, "ana");
    // More than a socket takes, and nobody reads it.
    for id in 1..=64 {
        rui.send(&ask("ping", id));
        ana.send(&publish(id, text(&"x".repeat(64 << 10))));
        ana.skip_to("published");
    }
    users(&served, &["remove", "rui"]).expect_success();
    ana.skip_to("left");
    wait_until("the session is over", || {
        !finish(&mut served.command(&["sessions", "--json"]), "")
            .expect_success()
            .contains("\"rui\"")
    });
    drop((ana, rui));
    let mut served = served;
    served.send_stop(crate::support::Stop::USUAL);
    served.wait();
}

#[test]
fn invalid_account_row_disables_only_its_own_account() {
    let _watchdog = watchdog();
    let served = served(&[]);
    users(&served, &["add", "zé"]).expect_success();
    let (mut ana, mut rui) = (logged_in(&served, "ana"), logged_in(&served, "rui"));
    let spoil = "UPDATE account SET role = 'chefe' WHERE name = 'rui'";
    database(&served).execute(spoil, []).expect("writable");
    expect_revoked(&mut rui);
    ana.skip_to("left");
    ana.ping();
    for _ in 0..3 {
        assert_eq!(answer(&served, "rui", PASSWORD), "forbidden");
    }
    // Changes of other accounts go on counting.
    let mut passwd = served.users(&["passwd", "zé"]);
    finish(passwd.env("ARAUTO_PASSWORD", "novo"), "").expect_success();
    assert_eq!(answer(&served, "zé", PASSWORD), "bad-credentials");
    assert_eq!(answer(&served, "zé", "novo"), "registered: false");
    let told = |served: &Served| served.log().matches("account is invalid").count();
    assert_eq!(told(&served), 1, "{}", served.log());

    let listed = users(&served, &["list"]);
    listed.expect_failure(65, &["rui", "chefe", "users role"]);
    users(&served, &["role", "rui", "leitor"]).expect_success();
    assert_eq!(answer(&served, "rui", PASSWORD), "registered: false");
    drop(ana);
    served.stop();
}

#[test]
fn rows_with_impossible_names_are_logged_and_removable() {
    let _watchdog = watchdog();
    let served = served(&[]);
    let insert = "INSERT INTO account VALUES (?, ?, ?, 0)";
    let phc = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    let database = database(&served);
    for (name, phc, role) in [
        ("a b", phc, "admin"),
        ("e\u{301}va", phc, "admin"), // not as logins have it
        ("zé", "segredo", "admin"),   // no hash
    ] {
        database
            .execute(insert, [name, phc, role])
            .expect("writable");
    }
    assert_eq!(answer(&served, "rui", PASSWORD), "registered: false");
    assert_eq!(answer(&served, "zé", "segredo"), "forbidden");
    assert_eq!(served.log().matches("account is invalid").count(), 3);
    let served = Served::within(
        {
            let mut served = served;
            served.send_stop(crate::support::Stop::USUAL);
            served.wait();
            served.into_folder()
        },
        &[],
    );
    // A server that starts with them starts all the same.
    assert_eq!(answer(&served, "rui", PASSWORD), "registered: false");
    for name in ["a b", "e\u{301}va", "zé"] {
        users(&served, &["remove", name]).expect_success();
    }
    users(&served, &["remove", "a b"]).expect_failure(64, &["a b"]);
    users(&served, &["list"]).expect_success();
    served.stop();
}

#[test]
fn unreadable_accounts_refuse_logins_until_readable_again() {
    let _watchdog = watchdog();
    let served = served(&[]);
    let mut ana = logged_in(&served, "ana");
    let database = database(&served);
    let rename = |from: &str, to: &str| {
        let sql = format!("ALTER TABLE {from} RENAME TO {to}");
        database.execute_batch(&sql).expect("writable");
    };
    rename("account", "elsewhere");
    for _ in 0..3 {
        assert_eq!(answer(&served, "rui", PASSWORD), "internal");
    }
    ana.ping(); // what was granted before goes on until something else is read
    rename("elsewhere", "account");
    assert_eq!(answer(&served, "rui", PASSWORD), "registered: false");
    let log = served.log();
    assert_eq!(log.matches("accounts cannot be read").count(), 1, "{log}");
    assert_eq!(log.matches("can be read again").count(), 1, "{log}");
    drop(ana);
    served.stop();
}
