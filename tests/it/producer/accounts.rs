//! Numbers and the account that they belong to.

use super::{expect_published, expect_refused, expect_repeated};
use crate::support::{Served, finish, watchdog};

#[test]
fn removed_account_takes_its_producers_with_it() {
    let _watchdog = watchdog();
    for arguments in [&["--no-console"][..], &["--journal", "--no-console"]] {
        let served = Served::new(arguments);
        let mut ana = served.unauthenticated();
        ana.log_in("ana");
        expect_published(&mut ana, "p", 5);
        finish(&mut served.users(&["remove", "ana"]), "").expect_success();
        ana.skip_to("closing");
        drop(ana);
        // A new account of the same name.
        let mut ana = served.unauthenticated();
        assert!(ana.log_in("ana").flag("registered"));
        expect_published(&mut ana, "p", 1);
        drop(ana);
        served.stop();
    }
}

#[test]
fn account_removed_while_no_server_runs_takes_its_producers_with_it() {
    let _watchdog = watchdog();
    let arguments = ["--journal", "--no-console"];
    let mut served = Served::new(&arguments);
    for user in ["ana", "rui"] {
        let mut client = served.unauthenticated();
        client.log_in(user);
        expect_published(&mut client, "p", 5);
    }
    served.child.kill().expect("it runs");
    finish(&mut served.users(&["remove", "ana"]), "").expect_success();
    let served = Served::within(served.into_folder(), &arguments);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    expect_published(&mut ana, "p", 1);
    let mut rui = served.unauthenticated();
    rui.log_in("rui");
    expect_repeated(&mut rui, "p", 5);
    drop((ana, rui));
    served.stop();
}

#[test]
fn repeated_message_is_answered_after_the_role_was_lost() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    let seq = expect_published(&mut ana, "p", 1);
    finish(&mut served.users(&["role", "ana", "leitor"]), "").expect_success();
    crate::support::wait_until("the role counts", || {
        ana.publish(9, "a");
        super::answer(&mut ana).is("error")
    });
    assert_eq!(expect_repeated(&mut ana, "p", 1), seq);
    expect_refused(&mut ana, "p", 2, "forbidden");
    expect_refused(&mut ana, "p", 3, "out-of-order");
    drop(ana);
    served.stop();
}
