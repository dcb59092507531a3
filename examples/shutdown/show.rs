//! The command line: selects lessons, runs them and prints the results.

use std::process::ExitCode;

use crate::common::{Account, Lesson};
use crate::{close_unread, ctx_stop, drop_runtime, marker, right, system_stop};

static LESSONS: [Lesson; 6] = [
    system_stop::LESSON,
    ctx_stop::LESSON,
    marker::LESSON,
    close_unread::LESSON,
    drop_runtime::LESSON,
    right::LESSON,
];

/// The exit code of sysexits(3) for a wrong command line.
const USAGE: u8 = 64;

/// The output that the arguments ask for.
enum Show {
    Table,
    Details(&'static Lesson),
    Repeat(&'static [Lesson], usize),
}

pub(crate) fn main(args: Vec<String>) -> ExitCode {
    match asked_for(&args) {
        Some(Show::Table) => table(&LESSONS),
        Some(Show::Details(lesson)) => lesson.print(&(lesson.run)()),
        Some(Show::Repeat(lessons, runs)) => repeat(lessons, runs),
        None => {
            let names: Vec<_> = LESSONS.iter().map(|lesson| lesson.name).collect();
            eprintln!(
                "shutdown: usage: shutdown [NAME [RUNS]], where NAME is all, {}",
                names.join(", ")
            );
            return ExitCode::from(USAGE);
        }
    }
    ExitCode::SUCCESS
}

fn asked_for(args: &[String]) -> Option<Show> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let show = match args[..] {
        [] | ["all"] => Show::Table,
        ["all", runs] => Show::Repeat(&LESSONS, number(runs)?),
        [name] => Show::Details(find(name)?),
        [name, runs] => Show::Repeat(std::slice::from_ref(find(name)?), number(runs)?),
        _ => return None,
    };
    Some(show)
}

fn number(runs: &str) -> Option<usize> {
    runs.parse().ok().filter(|runs| *runs > 0)
}

fn find(name: &str) -> Option<&'static Lesson> {
    LESSONS.iter().find(|lesson| lesson.name == name)
}

/// Runs each lesson once, and prints the counts and the explanations.
fn table(lessons: &[Lesson]) {
    println!(
        "{:13} {:9}  {:>5} {:>8} {:>8} {:>5}  the client sees",
        "", "over", "asked", "accepted", "answered", "lost"
    );
    for lesson in lessons {
        for account in (lesson.run)() {
            println!(
                "{:13} {:9}  {:>5} {:>8} {:>8} {:>5}  {}",
                lesson.name,
                account.over,
                account.received.asked,
                account.accepted.len(),
                account.answered(),
                account.lost().len(),
                account.received.end
            );
        }
    }
    for lesson in lessons {
        println!("\n{}: {}", lesson.name, lesson.title);
        lesson.explain();
    }
}

/// Runs each lesson many times, and prints the median and the range of the losses.
fn repeat(lessons: &[Lesson], runs: usize) {
    println!(
        "{:13} {:9}  {:>4} {:>8} {:>11} {:>5} {:>5}",
        "", "over", "runs", "accepted", "lost median", "min", "max"
    );
    for lesson in lessons {
        let mut lines: Vec<Line> = Vec::new();
        for _ in 0..runs {
            let accounts = (lesson.run)();
            lines.resize_with(accounts.len(), Line::default);
            for (line, account) in lines.iter_mut().zip(&accounts) {
                line.add(account);
            }
        }
        for line in &mut lines {
            line.print(lesson.name, runs);
        }
    }
}

/// The counts of all runs over one transport.
#[derive(Default)]
struct Line {
    over: String,
    accepted: usize,
    lost: Vec<usize>,
}

impl Line {
    fn add(&mut self, account: &Account) {
        self.over = account.over.to_string();
        self.accepted = account.accepted.len();
        self.lost.push(account.lost().len());
    }

    fn print(&mut self, name: &str, runs: usize) {
        self.lost.sort_unstable();
        println!(
            "{name:13} {:9}  {runs:>4} {:>8} {:>11} {:>5} {:>5}",
            self.over,
            self.accepted,
            self.lost[runs / 2],
            self.lost[0],
            self.lost[runs - 1]
        );
    }
}
