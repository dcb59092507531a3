//! The worked example of docs/topics.md does what the page shows.

use crate::support::page_commands::{
    Running, Shell, Shown, commands, printed_lines, section, user,
};
use crate::support::{wait_until, watchdog};

#[test]
fn worked_example_of_the_page_does_what_it_shows() {
    let _watchdog = watchdog();
    let shell = Shell::new();
    let all = commands(&section("topics.md", "Five programs"));
    assert!(all.len() > 10, "{}", all.len());
    let mut running: Vec<(Running, &Shown)> = Vec::new();
    for (number, shown) in all.iter().enumerate() {
        let command = &*shown.command;
        if command.starts_with("arauto serve") {
            running.push((shell.start(number, command), shown));
            wait_until("the server listens", || shell.run("arauto who").0);
        } else if command.starts_with("arauto leitor") {
            running.push((shell.start(number, command), shown));
            wait_until("the leitor is logged in", || {
                let present = shell.run("arauto who").1;
                present.lines().any(|line| line == user(command))
            });
        } else {
            let (_, printed) = shell.run(command);
            assert_eq!(printed_lines(&printed), shown.lines, "{command}");
        }
    }
    // The last message of the page is for every leitor, so nothing that should not come follows.
    for (reader, shown) in &running {
        wait_until(&format!("{} prints it all", shown.command), || {
            reader.lines().len() >= shown.lines.len()
        });
        assert_eq!(reader.lines(), shown.lines, "{}", shown.command);
    }
}
