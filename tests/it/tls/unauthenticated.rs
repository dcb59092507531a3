//! Connections to a TLS port that are not TLS clients, or are not allowed.

use std::io::{Read, Write};
use std::time::Duration;

use arauto::{Client, Endpoint, Server, TlsConfig};

use super::Secured;
use crate::support::{Fixture, PASSWORD, block_on, login, tcp, watchdog};

#[test]
fn garbage_at_a_tls_port_ends_the_connection() {
    let secured = Secured::new("?registration=open");
    for said in [
        &b"GET / HTTP/1.0\r\n\r\n"[..],
        &[0; 600],
        &[22, 3, 1, 255, 255, 1],
    ] {
        let mut unauthenticated = tcp(secured.endpoint());
        unauthenticated.write_all(said).expect("the server reads");
        let _ = unauthenticated.shutdown(std::net::Shutdown::Write);
        let mut heard = Vec::new();
        let _ = unauthenticated.read_to_end(&mut heard); // an alert, or a reset
        assert!(heard.len() < 64, "nothing but an alert: {heard:?}");
    }
    let mut ana = secured.client("ana");
    ana.fim();
    drop(ana);
    secured.finish();
}

#[test]
fn silent_tls_handshake_times_out_alone() {
    let secured = Secured::with("?registration=open", |_, config| {
        config.timeouts.handshake = Duration::from_millis(300);
    });
    let mut silent = tcp(secured.endpoint());
    let mut ana = secured.client("ana");
    ana.ping();
    assert_eq!(
        silent
            .read(&mut [0; 64])
            .expect("it is closed, and in order"),
        0
    );
    ana.ping();
    secured.fixture.wait_for_sessions(1);
    ana.fim();
    drop(ana);
    secured.finish();
}

#[test]
fn tcp_client_at_a_tls_port_gets_a_hint() {
    let secured = Secured::with("", |_, config| {
        config.timeouts.handshake = Duration::from_millis(300);
    });
    let Endpoint::Tls { host, port } = secured.endpoint().clone() else {
        panic!("it is tls");
    };
    let _watchdog = watchdog();
    let outcome = block_on(Client::connect(&Endpoint::Tcp { host, port }));
    let error = outcome.expect_err("no welcome comes").to_string();
    assert!(error.contains("is it a tls: endpoint"), "{error}");
    secured.finish();
}

#[test]
fn stop_waits_for_no_tls_handshake() {
    let secured = Secured::with("", |_, config| {
        config.timeouts.handshake = Duration::from_secs(3600);
        config.timeouts.login = Duration::from_secs(3600);
        config.timeouts.drain = Duration::from_secs(3600);
    });
    let _silent = tcp(secured.endpoint());
    secured.fixture.wait_for_sessions(1);
    secured.fixture.begin_stop();
    let report = secured.fixture.assert_clean();
    assert_eq!(report.sessions.len(), 1);
    assert_eq!(report.sessions[0].reason, "lost");
}

#[test]
fn tls_endpoint_registers_only_if_it_says_so() {
    let secured = Secured::new("");
    let mut ana = secured.unauthenticated();
    ana.send(&login(5, "ana", PASSWORD));
    assert_eq!(ana.expect_error("registration-closed").num("id"), 5);
    drop(ana);
    // A user that registered elsewhere can log in.
    secured.fixture.client("ana").fim();
    let mut ana = secured.unauthenticated();
    assert!(!ana.log_in("ana").flag("registered"));
    drop(ana);
    secured.finish();
}

#[test]
fn tls_client_is_never_the_servers_own_user() {
    let secured = Secured::new("?registration=open");
    let mut ana = secured.client("ana");
    let mut local = secured.fixture.client("rui");
    for asked in ["shutdown", "sessions"] {
        ana.ask(asked, 1);
        assert_eq!(ana.skip_to("error").text("code"), "forbidden");
    }
    local.ask("sessions", 1);
    local.skip_to("sessions");
    drop((ana, local));
    secured.finish();
}

#[test]
fn impossible_tls_listener_is_refused_with_a_remedy() {
    let _watchdog = watchdog();
    let refused = |listen: &str, tls: Option<TlsConfig>| {
        let mut config = arauto::Config::default();
        config.listen.clear();
        Fixture::also(&mut config, listen);
        config.tls = tls;
        let refused = Server::start(config).expect_err("it does not start");
        refused.to_string()
    };
    let plain = refused("tcp:0.0.0.0:0", None);
    assert!(
        plain.contains("not loopback") && plain.contains("tls:"),
        "{plain}"
    );
    let bare = refused("tls:127.0.0.1:0", None);
    assert!(bare.contains("arauto tls init"), "{bare}");
    let missing = TlsConfig::new("/nowhere/cert.pem", "/nowhere/key.pem");
    let missing = refused("tls:127.0.0.1:0", Some(missing));
    assert!(missing.contains("/nowhere/cert.pem"), "{missing}");
    assert!(missing.contains("arauto tls init"), "{missing}");
    let asking = refused(
        "tls:127.0.0.1:0?client-cert=required",
        Some(TlsConfig::new("a", "b")),
    );
    assert!(asking.contains("--tls-client-ca"), "{asking}");
}
