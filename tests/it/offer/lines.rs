//! `arauto offer --lines`: one process for all requests.

use super::{Offer, pedir};
use crate::support::{Served, finish, watchdog};

#[test]
fn one_process_answers_all_requests_by_lines() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let script = "while read line; do n=$((n + 1)); echo $n $line; done";
    let offer = Offer::start(&served, &["s", "--lines", "--exec", "sh", "-c", script]);
    let replies = pedir(&served, &["a", "b", "c"], "").expect_success();
    assert_eq!(replies, "1 a\n2 b\n3 c\n");
    let done = pedir(&served, &["two\nlines", "d"], "");
    done.expect_failure(70, &["argument 1", "not-a-line"]);
    assert_eq!(done.out, "4 d\n");
    offer.stop();
    served.stop();
}

#[test]
fn process_that_ends_fails_its_call_and_is_started_again() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let script = "read line; echo $line; read line; exit 1";
    let offer = Offer::start(&served, &["s", "--lines", "--exec", "sh", "-c", script]);
    for round in 0..3 {
        let done = pedir(&served, &["um", "dois"], "");
        done.expect_failure(70, &["argument 2", "ended"]);
        assert_eq!(done.out, "um\n", "{round}");
    }
    offer.stop();
    served.stop();
}

#[test]
fn cancelled_call_leaves_no_line_for_the_next_one() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let gate = served.folder.path().join("gate");
    let script = format!(
        "while read line; do while test $line = slow -a -d {} -a ! -e {}; do sleep 0.01; done; \
         echo $$ $line; done",
        served.folder.path().display(),
        gate.display()
    );
    let offer = Offer::start(&served, &["s", "--lines", "--exec", "sh", "-c", &script]);
    let first = pedir(&served, &["a"], "").expect_success();
    let late = pedir(&served, &["--timeout", "0.1", "slow"], "");
    late.expect_failure(75, &["(timeout)"]);
    std::fs::write(&gate, "").expect("the folder is ours");
    let second = pedir(&served, &["b"], "").expect_success();
    let process = |reply: &str| reply.split(' ').next().map(str::to_owned);
    assert!(second.ends_with(" b\n"), "{second}");
    assert_ne!(process(&first), process(&second), "the slow one was killed");
    offer.stop();
    served.stop();
}

#[test]
fn process_that_prints_unasked_is_started_again() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let script = "while read line; do printf '%s\\nextra\\n' $line; done";
    let offer = Offer::start(&served, &["s", "--lines", "--exec", "sh", "-c", script]);
    for word in ["a", "b", "c"] {
        assert_eq!(
            pedir(&served, &[word], "").expect_success(),
            format!("{word}\n")
        );
    }
    offer.stop();
    served.stop();
}

#[test]
fn process_has_a_moment_to_end_at_a_stop() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let ended = served.folder.path().join("ended");
    let script = format!("cat; sleep 0.1; touch {}", ended.display());
    let offer = Offer::start(&served, &["s", "--lines", "--exec", "sh", "-c", &script]);
    assert_eq!(pedir(&served, &["a"], "").expect_success(), "a\n");
    offer.stop();
    assert!(ended.exists());
    served.stop();
}

#[test]
fn process_that_cannot_be_started_exits_66() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let arguments = ["offer", "s", "--lines", "--exec", "/no/such/command"];
    let done = finish(&mut served.command(&arguments), "");
    done.expect_failure(66, &["cannot be started"]);
    served.stop();
}
