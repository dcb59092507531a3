//! Runs the commands that a page shows, to compare what they print with what the page shows.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::PASSWORD;

/// A command of a page, and the lines that the page shows below it.
pub struct Shown {
    pub command: String,
    pub lines: Vec<String>,
}

/// Returns a section of a page in docs/.
pub fn section(page: &str, section: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs")
        .join(page);
    let page = std::fs::read_to_string(page).expect("the page is there");
    let heading = format!("\n## {section}\n");
    let (_, text) = page.split_once(&heading).expect("the page has the section");
    let (text, _) = text.split_once("\n## ").expect("another section follows");
    text.to_owned()
}

/// Returns the blocks of a section in a language.
pub fn blocks(section: &str, language: &str) -> Vec<String> {
    let opening = format!("\n```{language}\n");
    let blocks = section.split(&opening).skip(1);
    let blocks = blocks.map(|block| {
        let (block, _) = block.split_once("\n```").expect("the block ends");
        block.to_owned()
    });
    blocks.collect()
}

/// Returns the commands of a section's `console` blocks.
pub fn commands(section: &str) -> Vec<Shown> {
    let mut found: Vec<Shown> = Vec::new();
    for block in blocks(section, "console") {
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

/// Returns the line with one space between its words, and without what differs from one run to the
/// next: seqs, numbers of sessions and times, if they are words or the ends of words behind a colon.
fn without_numbers(line: &str) -> String {
    let is_figure = |word: &str| {
        let rest = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        rest.len() < word.len() && matches!(rest, "" | "s" | "ms" | "µs")
    };
    let words = line.split_whitespace();
    let words = words.map(|word| match word.rsplit_once(':') {
        _ if is_figure(word) => "N".to_owned(),
        Some((user, session)) if is_figure(session) => format!("{user}:N"),
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Returns the lines of an output as [`commands`] has those of a page.
pub fn printed_lines(text: &str) -> Vec<String> {
    text.lines().map(without_numbers).collect()
}

/// Returns the word behind `--user`.
pub fn user(command: &str) -> &str {
    let mut words = command.split(' ').skip_while(|word| *word != "--user");
    words.nth(1).expect("the command names its user")
}

/// A folder in which the commands of a page run as in a user's shell.
pub struct Shell {
    pub folder: TempDir,
}

impl Shell {
    pub fn new() -> Shell {
        Shell {
            folder: tempfile::tempdir().expect("a folder can be made"),
        }
    }

    fn command(&self, text: &str) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_arauto"));
        let programs = program.parent().expect("it is in a folder").display();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("sh");
        command
            .args(["-c", text])
            .current_dir(self.folder.path())
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
    pub fn run(&self, text: &str) -> (bool, String) {
        let output = self.command(text).output().expect("there is a shell");
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8(printed).expect("it prints utf-8");
        (output.status.success(), printed)
    }

    /// Starts a command that goes on, and prints into a file.
    pub fn start(&self, number: usize, text: &str) -> Running {
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
pub struct Running {
    child: Child,
    printed: PathBuf,
}

impl Running {
    pub fn lines(&self) -> Vec<String> {
        let mut text = String::new();
        let mut file = File::open(&self.printed).expect("it is there");
        file.read_to_string(&mut text).expect("it prints utf-8");
        printed_lines(&text)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill(); // or it has ended
        let _ = self.child.wait();
    }
}
