//! A stop, and sessions that have not logged in.

use arauto::HashCost;

use crate::support::{Fixture, PASSWORD, login};

const LOGINS: usize = 300;

#[test]
fn stop_refuses_queued_logins_at_once() {
    let fixture = Fixture::with(|config| {
        config.hash_cost = HashCost::default();
        config.limits.hashing = 1;
    });
    let mut clients: Vec<_> = (0..LOGINS).map(|_| fixture.unauthenticated()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.send(&login(1, &format!("u{number}"), PASSWORD));
    }
    clients[0].expect("logged_in"); // the others are in line
    fixture.begin_stop();
    // Concurrently, because the stop closes no connection before all clients have read the rest.
    let logged_in: usize = std::thread::scope(|scope| {
        let clients: Vec<_> = clients
            .into_iter()
            .map(|mut client| {
                scope.spawn(move || {
                    let frames = client.until("closing");
                    let closing = frames.last().expect("it ends with that frame");
                    assert_eq!(closing.text("reason"), "shutdown");
                    client.expect_end();
                    usize::from(frames.iter().any(|frame| frame.is("logged_in")))
                })
            })
            .collect();
        let counts = clients.into_iter().map(|client| client.join());
        counts.map(|count| count.expect("it is told")).sum()
    });
    // Those are the logins that were hashed before the stop began.
    assert!(logged_in < LOGINS / 2, "{logged_in} logins were hashed");
    fixture.assert_clean();
}

#[test]
fn unauthenticated_peers_that_never_read_make_no_exit_3() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    let unauthenticated: Vec<_> = (0..30).map(|_| fixture.connected()).collect();
    fixture.wait_for_sessions(31);
    fixture.begin_stop();
    ana.skip_to("closing");
    ana.expect_end();
    let report = fixture.assert_clean();
    let in_time = report.phases.iter().all(|phase| phase.in_time);
    assert!(in_time, "{:#?}", report.phases);
    drop(unauthenticated);
}
