//! Links between pages, and the files that pages name.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{page, root};

/// Returns every page of the repository, as paths from its root.
pub(super) fn pages() -> Vec<String> {
    let mut found: Vec<String> = [
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "benches/peers/README.md",
        "fuzz/README.md",
    ]
    .map(str::to_owned)
    .into();
    for folder in ["docs", "examples"] {
        add_pages(folder, &mut found);
    }
    found
}

fn add_pages(folder: &str, found: &mut Vec<String>) {
    let entries = fs::read_dir(root().join(folder)).expect("the folder is there");
    for entry in entries {
        let entry = entry.expect("a folder can be listed");
        let name = entry.file_name().into_string().expect("names are text");
        let path = format!("{folder}/{name}");
        if entry.path().is_dir() {
            add_pages(&path, found);
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
}

/// Returns the page without its fenced blocks.
fn without_blocks(text: &str) -> String {
    let mut is_block = false;
    let lines = text.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        is_block ^= is_fence;
        !is_block && !is_fence
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the text without its code spans.
fn without_code(text: &str) -> String {
    text.split('`').step_by(2).collect::<Vec<_>>().join("")
}

/// Returns the targets of links and pictures that are no addresses of the web.
fn targets(text: &str) -> Vec<String> {
    let text = without_code(&without_blocks(text));
    let between = |open: &str, close: char| -> Vec<String> {
        let rest = text.split(open).skip(1);
        let ends = rest.filter_map(|rest| rest.split(close).next().map(str::to_owned));
        ends.collect()
    };
    let mut all = between("](", ')');
    all.extend(between("src=\"", '"'));
    all.extend(between("srcset=\"", '"'));
    all.retain(|target| !target.contains("://") && !target.starts_with("mailto:"));
    all
}

/// Returns the anchors of a page's headings, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut anchors = Vec::new();
    for line in without_blocks(text).lines() {
        let title = line.trim_start_matches('#');
        if title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let keeps = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let words: String = title.trim().to_lowercase().chars().filter(keeps).collect();
        let anchor = words.replace(' ', "-");
        let times = seen.entry(anchor.clone()).or_default();
        anchors.push(match *times {
            0 => anchor,
            times => format!("{anchor}-{times}"),
        });
        *times += 1;
    }
    anchors
}

/// Returns what is wrong with a link of the page at `from`.
fn problem(from: &str, target: &str) -> Option<String> {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let folder = Path::new(from).parent().expect("a page is in a folder");
    let file: PathBuf = match path {
        "" => root().join(from),
        path => root().join(folder).join(path),
    };
    if !file.exists() {
        return Some(format!("{from}: {target}: no such file"));
    }
    if anchor.is_empty() || file.extension().is_none_or(|kind| kind != "md") {
        return None;
    }
    let text = fs::read_to_string(&file).expect("a page is text");
    let is_there = anchors(&text).iter().any(|there| there == anchor);
    (!is_there).then(|| format!("{from}: {target}: no such heading"))
}

/// Returns the paths of the repository that stand in the page as code.
fn files(text: &str) -> Vec<String> {
    let text = without_blocks(text);
    let code = text.split('`').skip(1).step_by(2);
    let words = code.filter_map(|code| code.split_whitespace().next());
    let is_path = |word: &&str| {
        let (top, rest) = word.split_once('/').unwrap_or_default();
        let known = ["src", "tests", "docs", "examples", "benches", "fuzz", ".ci"];
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        known.contains(&top) && rest.chars().all(plain)
    };
    words.filter(is_path).map(str::to_owned).collect()
}

#[test]
fn links_of_pages_lead_to_files_and_headings_that_exist() {
    let pages = pages();
    assert!(pages.len() > 30, "{pages:?}");
    let mut count = 0;
    let mut problems = Vec::new();
    for name in &pages {
        let targets = targets(&page(name));
        count += targets.len();
        let wrong = targets.iter().filter_map(|target| problem(name, target));
        problems.extend(wrong);
    }
    assert!(count > 100, "{count} links");
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn files_named_by_pages_exist() {
    let mut missing = Vec::new();
    let named_files = pages().into_iter().filter(|name| name != "CHANGELOG.md");
    for name in named_files {
        // A crate of its own names its files from its own folder.
        let folder = root().join(&name);
        let folder = folder.parent().expect("a page is in a folder");
        let gone = |file: &String| !root().join(file).exists() && !folder.join(file).exists();
        let gone = files(&page(&name)).into_iter().filter(gone);
        missing.extend(gone.map(|file| format!("{name}: {file}")));
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn link_to_a_missing_file_or_heading_is_found() {
    let page = "docs/README.md";
    assert_eq!(problem(page, "limits.md"), None);
    assert_eq!(problem(page, "../README.md#licence"), None);
    assert!(problem(page, "no-such-page.md").is_some());
    assert!(problem(page, "limits.md#no-such-heading").is_some());
    assert!(problem(page, "#no-such-heading").is_some());
}

#[test]
fn targets_and_anchors_are_read_as_github_reads_them() {
    let text = "# A `b::c`, d!\n[x](a.md#b) `[no](code.md)`\n```\n# no\n[no](block.md)\n```\n\
                ## Same\n## Same\n<img src=\"p.svg\"> [w](https://example.org)";
    assert_eq!(targets(text), ["a.md#b", "p.svg"]);
    assert_eq!(anchors(text), ["a-bc-d", "same", "same-1"]);
    assert_eq!(
        files("`src/lib.rs` `cargo src/x.rs` `tests/x.sh y` `src/…`"),
        ["src/lib.rs", "tests/x.sh"]
    );
}
