//! The close reasons of sessions. Those that are error codes are in [`crate::errors`].

use arauto::CloseReason;

use super::HeldServer;
use crate::support::Fixture;

#[test]
fn session_that_says_fim_has_the_reason_fim() {
    let fixture = Fixture::new();
    let closing = fixture.client("ana").fim();
    assert_eq!(closing.text("reason"), CloseReason::Fim.as_str());
    fixture.finish();
}

#[test]
fn session_ended_by_the_stop_has_the_reason_shutdown() {
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
fn client_that_shuts_its_side_without_fim_is_disconnected() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    ana.shut_write();
    ana.expect_closing(CloseReason::Disconnected.as_str());
    fixture.finish();
}

#[test]
fn connection_broken_in_the_stop_has_the_reason_lost() {
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
fn client_that_says_fim_in_the_stop_still_gets_closing() {
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
