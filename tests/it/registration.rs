//! A first login registers the name, exactly once and durably.

use std::sync::Barrier;

use crate::support::{Fixture, FrameClient, PASSWORD, Served, Stop, login, watchdog};

/// How many log in at once.
const AT_ONCE: usize = 100;

#[test]
fn first_logins_of_one_name_100_at_once_register_once() {
    let fixture = Fixture::new();
    for name in ["ana", "bia", "caio", "davi", "eva"] {
        let start = Barrier::new(AT_ONCE);
        let registered: usize = std::thread::scope(|scope| {
            let attempts: Vec<_> = (0..AT_ONCE)
                .map(|number| {
                    let (fixture, start) = (&fixture, &start);
                    scope.spawn(move || {
                        let mut client = fixture.unauthenticated();
                        start.wait();
                        // Half of them bring a password of their own.
                        let password = if number % 2 == 0 { "um" } else { "outro" };
                        client.send(&login(1, name, password));
                        let answer = client.recv().expect("it is answered");
                        match answer.name.as_str() {
                            "logged_in" => (password, Some(answer.flag("registered"))),
                            _ => (password, None),
                        }
                    })
                })
                .collect();
            let outcomes: Vec<_> = attempts
                .into_iter()
                .map(|one| one.join().expect("no panic"))
                .collect();
            let winner = outcomes.iter().find(|(_, outcome)| *outcome == Some(true));
            let (its_password, _) = winner.expect("one registers");
            for (password, outcome) in &outcomes {
                assert_eq!(
                    outcome.is_some(),
                    password == its_password,
                    "{password}: {outcome:?}"
                );
            }
            outcomes
                .iter()
                .filter(|(_, outcome)| *outcome == Some(true))
                .count()
        });
        assert_eq!(registered, 1, "{name}");
    }
    fixture.finish();
}

/// Three register, the server comes to its end, and the next one knows them.
fn outlive(end: impl FnOnce(&mut Served)) {
    let _watchdog = watchdog();
    let arguments = ["--no-console"];
    let mut server = Served::new(&arguments);
    let users = ["ana", "rui", "eva"];
    let mut clients: Vec<FrameClient> = users.iter().map(|_| server.unauthenticated()).collect();
    for (client, user) in clients.iter_mut().zip(users) {
        client.send(&login(1, user, PASSWORD));
    }
    for client in &mut clients {
        assert!(client.skip_to("logged_in").flag("registered"));
    }
    drop(clients);
    end(&mut server);
    let server = Served::within(server.into_folder(), &arguments);
    for user in users {
        let mut client = server.unauthenticated();
        client.send(&login(1, user, "outro"));
        client.expect_error("bad-credentials");
        assert!(!client.log_in(user).flag("registered"), "{user} is known");
    }
}

#[test]
fn answered_registration_outlives_a_kill_9() {
    outlive(|server| server.child.kill().expect("it runs"));
}

#[test]
fn answered_registration_outlives_a_stop() {
    outlive(|server| {
        server.send_stop(Stop::USUAL);
        assert_eq!(server.wait(), Some(0), "{}", server.log());
    });
}
