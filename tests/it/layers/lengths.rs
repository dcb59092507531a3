//! No source file is longer than [`LONGEST`] lines.

use std::path::{Path, PathBuf};

/// Lines of a file, at most.
const LONGEST: usize = 400;

/// The folders with sources.
const FOLDERS: &[&str] = &["src", "tests", "benches", "examples", "fuzz"];

/// Files that are to be split. An entry that is short enough fails the test.
const KNOWN: &[&str] = &[];

/// Returns what is wrong, each in a sentence: long files beside the `known` ones, and `known`
/// files that are not long.
fn problems(lengths: &[(String, usize)], known: &[&str]) -> Vec<String> {
    let long = |path: &str| {
        lengths
            .iter()
            .any(|(other, n)| other == path && *n > LONGEST)
    };
    let too_long = lengths
        .iter()
        .filter(|(path, length)| *length > LONGEST && !known.contains(&path.as_str()))
        .map(|(path, length)| format!("{path} has {length} lines, more than {LONGEST}: split it"));
    let repaired = known
        .iter()
        .filter(|path| !long(path))
        .map(|path| format!("{path} is no longer than {LONGEST} lines: take it off the list"));
    too_long.chain(repaired).collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("the sources are there").path();
        if path.is_dir() {
            // Fuzzing and benchmarks build into folders of their own.
            if path.file_name().is_none_or(|name| name != "target") {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn source_files_have_at_most_400_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in FOLDERS {
        sources(&root.join(folder), &mut found);
    }
    let lengths = found.iter().map(|path| {
        let text = std::fs::read_to_string(path).expect("a source is text");
        let path = path.strip_prefix(root).expect("it is below the root");
        let path = path.display().to_string();
        (
            path.replace(std::path::MAIN_SEPARATOR, "/"),
            text.lines().count(),
        )
    });
    let lengths: Vec<(String, usize)> = lengths.collect();
    assert!(lengths.len() > 300, "these are the sources");
    let problems = problems(&lengths, KNOWN);
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn long_file_is_found_and_a_split_one_leaves_the_list() {
    let lengths = [
        ("a.rs".to_owned(), LONGEST),
        ("b.rs".to_owned(), LONGEST + 1),
    ];
    assert_eq!(problems(&lengths, &["b.rs"]), Vec::<String>::new());
    assert_eq!(problems(&lengths, &[]).len(), 1);
    assert_eq!(problems(&lengths, &["a.rs", "b.rs"]).len(), 1);
    assert_eq!(problems(&lengths, &["b.rs", "gone.rs"]).len(), 1);
}
