//! Pages that must agree: the exercises in two languages, and the README with the program and the
//! demo that it shows.

use super::{named, page};
use crate::support::{arauto, finish, watchdog};

/// Returns the fenced blocks of a page, each with its language in the first line.
fn blocks(text: &str) -> Vec<&str> {
    text.split("\n```").skip(1).step_by(2).collect()
}

#[test]
fn exercises_have_the_same_commands_and_tests_in_both_languages() {
    let (english, portuguese) = (page("docs/exercises.md"), page("docs/exercicios.md"));
    let commands = blocks(&english);
    assert!(commands.len() > 15, "{commands:?}");
    assert_eq!(commands, blocks(&portuguese));
    assert_eq!(named(&english), named(&portuguese));
    let headings = |text: &str| text.lines().filter(|line| line.starts_with("## ")).count();
    assert_eq!(headings(&english), headings(&portuguese));
}

#[test]
fn program_in_the_readme_is_the_example_hello() {
    let readme = page("README.md");
    let shown = blocks(&readme).into_iter().find_map(|block| {
        let code = block.strip_prefix("rust\n")?;
        Some(code.to_owned())
    });
    let source = page("examples/hello.rs");
    let code = source.lines().skip_while(|line| line.starts_with("//!"));
    let code = code.collect::<Vec<_>>().join("\n");
    assert_eq!(shown.as_deref(), Some(code.trim()));
}

/// Returns the line with one space between its words and every number as 0: figures differ from
/// one demo to the next.
fn without_figures(line: &str) -> String {
    let words = line.split_whitespace().map(|word| {
        let mut word: Vec<char> = word.chars().collect();
        for c in word.iter_mut().filter(|c| c.is_ascii_digit()) {
            *c = '0';
        }
        word.dedup_by(|next, last| *next == '0' && *last == '0');
        word.into_iter().collect::<String>()
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn demo_in_the_readme_is_what_the_demo_prints() {
    let _watchdog = watchdog();
    let readme = page("README.md");
    let shown = blocks(&readme).into_iter().find_map(|block| {
        let lines = block.strip_prefix("console\n$ arauto demo\n")?;
        Some(lines.to_owned())
    });
    let shown = shown.expect("the README shows the demo");
    let printed = finish(&mut arauto(&["demo"]), "").expect_success();
    let printed: Vec<_> = printed.lines().map(without_figures).collect();
    let lines = shown.lines().filter(|line| line.trim() != "…");
    let other: Vec<_> = lines
        .filter(|line| !printed.contains(&without_figures(line)))
        .collect();
    assert!(other.is_empty(), "the demo does not print {other:#?}");
}
