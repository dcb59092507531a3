//! The worked example of docs/topics.md does what the page shows.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::support::{PASSWORD, wait_until, watchdog};

/// A command of the page, and the lines that the page shows below it.
struct Shown {
    command: String,
    lines: Vec<String>,
}

/// Returns the commands of a section's `console` blocks.
fn commands(section: &str) -> Vec<Shown> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/topics.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    let heading = format!("\n## {section}\n");
    let (_, text) = page.split_once(&heading).expect("the page has the section");
    let (text, _) = text.split_once("\n## ").expect("another section follows");
    let mut found: Vec<Shown> = Vec::new();
    for block in text.split("\n```console\n").skip(1) {
        let (block, _) = block.split_once("\n```").expect("the block ends");
        for line in block.lines() {
            match line.strip_prefix("$ ") {
                Some(command) => found.push(Shown {
                    command: command.to_owned(),
                    lines: Vec::new(),
                }),
                None => {
                    let last = found.last_mut().expect("a command comes first");
                    last.lines.push(without_numbers(line));
                }
            }
        }
    }
    found
}

/// Returns the line with one space between its words, and without the seqs that are words: these
/// depend on who comes and goes meanwhile.
fn without_numbers(line: &str) -> String {
    let words = line.split_whitespace();
    let words = words.map(|word| match word.parse::<u64>() {
        Ok(_) => "N",
        Err(_) => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(without_numbers).collect()
}

/// A folder in which the commands of the page run as in a user's shell.
struct Shell {
    folder: TempDir,
}

impl Shell {
    fn command(&self, text: &str) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_arauto"));
        let programs = program.parent().expect("it is in a folder").display();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("sh");
        command
            .args(["-c", text])
            .env("PATH", format!("{programs}:{path}"))
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env("STATE_DIRECTORY", self.folder.path().join("data"))
            .env("ARAUTO_PASSWORD", PASSWORD)
            .stdin(Stdio::null());
        for name in ["ARAUTO_ENDPOINT", "ARAUTO_USER", "ARAUTO_SERVER_USER"] {
            command.env_remove(name);
        }
        command
    }

    /// Runs a command to its end, and returns what it prints.
    fn run(&self, text: &str) -> (bool, String) {
        let output = self.command(text).output().expect("there is a shell");
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8(printed).expect("it prints utf-8");
        (output.status.success(), printed)
    }

    /// Starts a command that goes on, and prints into a file.
    fn start(&self, number: usize, text: &str) -> Running {
        let printed = self.folder.path().join(format!("printed-{number}"));
        let file = File::create(&printed).expect("the folder is ours");
        let mut command = self.command(&format!("exec {text}"));
        command.stdout(file).stderr(Stdio::null());
        Running {
            child: command.spawn().expect("there is a shell"),
            printed,
        }
    }
}

/// A command that goes on; it is killed when it is dropped.
struct Running {
    child: Child,
    printed: PathBuf,
}

impl Running {
    fn lines(&self) -> Vec<String> {
        let mut text = String::new();
        let mut file = File::open(&self.printed).expect("it is there");
        file.read_to_string(&mut text).expect("it prints utf-8");
        lines(&text)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill(); // or it has ended
        let _ = self.child.wait();
    }
}

/// The word behind `--user`.
fn user(command: &str) -> &str {
    let mut words = command.split(' ').skip_while(|word| *word != "--user");
    words.nth(1).expect("the command names its user")
}

#[test]
fn worked_example_of_the_page_does_what_it_shows() {
    let _watchdog = watchdog();
    let shell = Shell {
        folder: tempfile::tempdir().expect("a folder can be made"),
    };
    let all = commands("Five programs");
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
            assert_eq!(lines(&printed), shown.lines, "{command}");
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
