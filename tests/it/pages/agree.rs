//! Pages that must say the same: the exercises in two languages, and the program of the README.

use super::{named, page};

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
