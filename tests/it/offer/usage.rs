//! Wrong arguments, and a server that does not answer as wanted.

use crate::support::{Served, arauto, finish, watchdog};

use super::pedir;

#[test]
fn wrong_arguments_of_services_exit_64() {
    let _watchdog = watchdog();
    for (arguments, naming) in [
        (&["offer"][..], "<SERVICE>"),
        (&["offer", "s"], "--exec"),
        (&["offer", "s", "--exec"], "--exec"),
        (
            &["offer", "s", "--jobs", "0", "--exec", "cat"],
            "between 1 and 1024",
        ),
        (
            &["offer", "s", "--jobs", "2", "--lines", "--exec", "cat"],
            "--lines",
        ),
        (&["pedir", "--timeout", "1", "a"], "--service"),
        (&["pedir", "--header", "k=v", "a"], "--service"),
        (&["pedir", "--raw", "--service", "s", "a"], "--raw"),
        (
            &["pedir", "--service", "s", "--timeout", "2h", "a"],
            "an hour",
        ),
        (&["pedir", "--service", "s", "--header", "k", "a"], "\"=\""),
        (&["services", "s"], "'s'"),
    ] {
        finish(&mut arauto(arguments), "").expect_failure(64, &[naming]);
    }
    let twice = ["--service=s", "--header=k=1", "--header=k=2", "a"];
    let mut command = arauto(&["pedir", "--connect", "unix:/no/such"]);
    let done = finish(command.args(twice), "");
    done.expect_failure(64, &["k is given twice"]);
}

#[test]
fn service_that_nobody_offers_exits_69() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let done = pedir(&served, &["a", "b"], "");
    done.expect_failure(69, &["argument 1: ", "argument 2: ", "(unavailable)"]);
    let services = finish(&mut served.command(&["services"]), "").expect_success();
    assert!(
        services.contains("service") && services.contains("p50"),
        "{services}"
    );
    served.stop();
}

#[test]
fn everything_behind_exec_belongs_to_the_command() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let arguments = ["s", "--exec", "echo", "--jobs", "2", "--", "--help", "-x"];
    let offer = super::Offer::start(&served, &arguments);
    let reply = pedir(&served, &["a"], "").expect_success();
    assert_eq!(reply, "--jobs 2 -- --help -x\n\n");
    offer.stop();
    served.stop();
}
