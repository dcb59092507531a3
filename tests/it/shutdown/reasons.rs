//! The close reasons of sessions. Those that are error codes are in [`crate::errors`].

use arauto::CloseReason;

use super::HeldServer;
use crate::support::Fixture;

#[test]
fn a_session_that_says_fim_ends_for_fim() {
    let fixture = Fixture::new();
    let closing = fixture.client("ana").fim();
    assert_eq!(closing.text("reason"), CloseReason::Fim.as_str());
    fixture.finish();
}

#[test]
fn a_session_that_the_stop_ends_ends_for_shutdown() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    fixture.begin_stop();
    ana.expect("stopping");
    ana.expect_closing(CloseReason::Shutdown.as_str());
    let report = fixture.assert_clean();
    assert_eq!(report.sessions[0].reason, CloseReason::Shutdown.as_str());
}

#[test]
#[cfg(unix)] // a pipe has no side of its own
fn a_client_that_shuts_its_side_without_a_word_is_disconnected() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    ana.shut_write();
    ana.expect_closing(CloseReason::Disconnected.as_str());
    fixture.finish();
}

#[test]
fn a_connection_that_breaks_while_the_server_stops_is_lost() {
    let HeldServer {
        fixture,
        held,
        mut holder,
    } = HeldServer::new("hold");
    let mut ana = fixture.client("ana");
    fixture.begin_stop();
    ana.expect("stopping");
    drop(ana);
    held.release();
    holder.skip_to("reply");
    holder.expect_closing("shutdown");
    let report = fixture.assert_clean();
    let record = report
        .sessions
        .iter()
        .find(|record| record.user.as_deref() == Some("ana"));
    assert_eq!(
        record.expect("it was there").reason,
        CloseReason::Lost.as_str()
    );
}

#[test]
fn a_client_that_says_fim_while_the_server_stops_gets_its_closing_all_the_same() {
    let HeldServer {
        fixture,
        held,
        mut holder,
    } = HeldServer::new("hold");
    fixture.begin_stop();
    holder.expect("stopping");
    holder.ask("fim", 3);
    held.release();
    holder.expect("reply");
    let closing = holder.expect("closing");
    assert_eq!((closing.num("accepted"), closing.num("refused")), (1, 0));
    holder.expect_end();
    fixture.assert_clean();
}
