//! The small servers of examples/shutdown: what each of them loses, and the right one not.

use std::path::Path;

use super::support::{complaint, example, lines, printed, run_with, within};

const WRONG: [&str; 5] = [
    "system-stop",
    "ctx-stop",
    "marker",
    "close-unread",
    "drop-runtime",
];

/// The printed counts of a run over one transport.
#[derive(Debug, PartialEq, Eq)]
struct Sum {
    over: String,
    asked: usize,
    accepted: usize,
    answered: usize,
    lost: usize,
}

/// Runs the example with these arguments, and returns its output.
async fn shown(args: &[&str]) -> String {
    let shutdown = example("shutdown/main.rs").await;
    let shutdown = shutdown.expect("it needs no tools");
    printed(run_with(shutdown, args).await)
}

/// The lines such as `unix asked 9, accepted 9, answered 8, lost 1`.
fn sums(output: &str) -> Vec<Sum> {
    let sum = |line: &str| {
        let words: Vec<&str> = line
            .split([' ', ','])
            .filter(|word| !word.is_empty())
            .collect();
        let [
            over,
            "asked",
            asked,
            "accepted",
            accepted,
            "answered",
            answered,
            "lost",
            lost,
        ] = words[..]
        else {
            return None;
        };
        Some(added_up(over, [asked, accepted, answered, lost]))
    };
    lines(output).into_iter().filter_map(sum).collect()
}

/// The rows of the table, each with its lesson's name.
fn rows(output: &str) -> Vec<(String, Sum)> {
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, over, asked, accepted, answered, lost, ..] = words[..] else {
            return None;
        };
        let counts = [asked, accepted, answered, lost];
        let is_row = counts.iter().all(|count| count.parse::<usize>().is_ok());
        is_row.then(|| (name.to_owned(), added_up(over, counts)))
    };
    lines(output).into_iter().filter_map(row).collect()
}

fn added_up(over: &str, counts: [&str; 4]) -> Sum {
    let [asked, accepted, answered, lost] =
        counts.map(|count| count.parse().expect("it is a count"));
    assert_eq!(accepted, answered + lost, "{over}: {counts:?}");
    assert!(accepted <= asked, "{over}: {counts:?}");
    Sum {
        over: over.to_owned(),
        asked,
        accepted,
        answered,
        lost,
    }
}

/// Each lesson ends with the place where arauto deals with the matter.
fn names_a_file_of_the_server(output: &str) -> bool {
    let file = lines(output).last().map(|line| line.trim());
    file.is_some_and(|file| {
        let is_there = Path::new(env!("CARGO_MANIFEST_DIR")).join(file).is_file();
        file.starts_with("src/") && is_there
    })
}

#[tokio::test]
async fn wrong_stops_each_lose_data_and_print_why() {
    let test = async {
        for name in WRONG {
            let output = shown(&[name]).await;
            let lost: usize = sums(&output).iter().map(|sum| sum.lost).sum();
            assert!(lost >= 1, "{output}");
            assert!(output.contains("\n             lost: "), "{output}");
            assert!(output.contains("\n  why  "), "{output}");
            assert!(names_a_file_of_the_server(&output), "{output}");
        }
    };
    within(test).await;
}

#[tokio::test]
async fn right_stop_loses_nothing_on_any_transport() {
    let test = async {
        let output = shown(&["right"]).await;
        let whole = |over: &str| Sum {
            over: over.to_owned(),
            asked: 1008, // 8 of them behind the fim
            accepted: 1000,
            answered: 1000,
            lost: 0,
        };
        assert_eq!(
            sums(&output),
            ["unix", "seqpacket", "tcp"].map(whole),
            "{output}"
        );
        let clean_ends = output.matches("the client sees: closing: 1000 accepted\n");
        assert_eq!(clean_ends.count(), 3, "{output}");
        let hooks = output.matches("1 of 1 `stopped` hooks had run\n");
        assert_eq!(hooks.count(), 3, "{output}");
        assert!(names_a_file_of_the_server(&output), "{output}");
    };
    within(test).await;
}

#[tokio::test]
async fn stop_message_loses_the_messages_queued_behind_it() {
    let test = async {
        let output = shown(&["ctx-stop"]).await;
        let [sum] = &sums(&output)[..] else {
            panic!("{output}")
        };
        assert!(sum.answered > 0 && sum.lost >= 500, "{output}");
        let closed = format!("callers that got MailboxError::Closed: {}", sum.lost);
        assert!(output.contains(&closed), "{output}");
    };
    within(test).await;
}

#[tokio::test]
async fn marker_answers_before_the_work_is_done() {
    let test = async {
        let output = shown(&["marker"]).await;
        let [sum] = &sums(&output)[..] else {
            panic!("{output}")
        };
        // Each tenth ask waited outside of the mailbox.
        assert!(sum.lost >= sum.accepted / 10, "{output}");
        assert!(output.contains("closing: 1000 accepted\n"), "{output}");
    };
    within(test).await;
}

#[tokio::test]
async fn close_with_unread_input_discards_written_bytes() {
    let test = async {
        let output = shown(&["close-unread"]).await;
        let sums = sums(&output);
        for over in ["tcp", "seqpacket"] {
            let sum = sums.iter().find(|sum| sum.over == over);
            let sum = sum.expect("it is shown on this transport");
            assert!(sum.lost >= 1, "{output}");
        }
        assert!(
            output.contains("the client sees: connection reset"),
            "{output}"
        );
    };
    within(test).await;
}

#[tokio::test]
async fn dropped_runtime_leaves_half_a_reply() {
    let test = async {
        let output = shown(&["drop-runtime"]).await;
        let half = "the client sees: 16 of 256 bytes of a reply, the end";
        assert!(output.contains(half), "{output}");
    };
    within(test).await;
}

#[tokio::test]
async fn lesson_table_has_six_rows_that_add_up() {
    let test = async {
        let output = shown(&[]).await;
        let rows = rows(&output);
        for name in WRONG {
            let of_it = rows.iter().filter(|(row, _)| row == name);
            let lost: usize = of_it.map(|(_, sum)| sum.lost).sum();
            assert!(lost >= 1, "{name}: {output}");
        }
        let right: Vec<_> = rows.iter().filter(|(row, _)| row == "right").collect();
        assert_eq!(right.len(), 3, "{output}");
        assert!(right.iter().all(|(_, sum)| sum.lost == 0), "{output}");
    };
    within(test).await;
}

#[tokio::test]
async fn repeated_runs_print_median_and_range() {
    let test = async {
        let output = shown(&["drop-runtime", "3"]).await;
        let [_, row] = lines(&output)[..] else {
            panic!("{output}")
        };
        let words: Vec<&str> = row.split_whitespace().collect();
        let ["drop-runtime", "unix", "3", "1000", median, min, max] = words[..] else {
            panic!("{output}")
        };
        let [median, min, max] =
            [median, min, max].map(|count| count.parse::<usize>().expect("it is a count"));
        assert!(1 <= min && min <= median && median <= max, "{output}");
        assert!(max <= 1000, "{output}");
    };
    within(test).await;
}

#[tokio::test]
async fn unknown_lesson_name_prints_the_names() {
    let test = async {
        for args in [&["no-such"][..], &["all", "0"], &["marker", "3", "4"]] {
            let shutdown = example("shutdown/main.rs").await;
            let shutdown = shutdown.expect("it needs no tools");
            let told = complaint(run_with(shutdown, args).await, 64);
            assert!(WRONG.iter().all(|name| told.contains(name)), "{told}");
        }
    };
    within(test).await;
}
