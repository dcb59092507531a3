//! The pages for people: the tests, files and headings that they name exist, and pages that
//! must agree do.

mod consistency;
mod links;

use std::fs;
use std::path::{Path, PathBuf};

/// The pages that name tests as their proof.
const PAGES: [&str; 10] = [
    "docs/commands.md",
    "docs/dev/proof.md",
    "docs/exercicios.md",
    "docs/exercises.md",
    "docs/operations.md",
    "docs/security.md",
    "docs/shutdown.md",
    "docs/topics.md",
    "docs/windows.md",
    "examples/shutdown/README.md",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the text of a file of the repository.
fn page(name: &str) -> String {
    let text = fs::read_to_string(root().join(name)).unwrap_or_else(|error| {
        panic!("{name}: {error}");
    });
    text.replace("\r\n", "\n") // as Git may check it out on Windows
}

/// Names such as `shutdown::flood::a_test` that stand in the page as code. A path that begins
/// with the crate's name is a public item and no test.
fn named(page: &str) -> Vec<&str> {
    let code = page.split('`').skip(1).step_by(2);
    code.filter(|code| {
        let mut parts = code.split("::");
        let is_name = |part: &str| {
            let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            !part.is_empty() && part.chars().all(known)
        };
        code.contains("::") && !code.starts_with("arauto::") && parts.all(is_name)
    })
    .collect()
}

/// The files that may hold a test of these modules.
fn places(modules: &[&str]) -> Vec<PathBuf> {
    let inner = modules
        .strip_suffix(&["tests"])
        .unwrap_or(modules)
        .join("/");
    let folders = [
        "tests/it",
        "tests/cost",
        "tests/hostile",
        "tests/examples",
        "tests/model",
        "src",
    ];
    let files = folders.iter().flat_map(|folder| {
        let path = root().join(folder).join(&inner);
        [
            path.with_extension("rs"),
            path.join("mod.rs"),
            path.join("tests.rs"),
            path.join("tests/mod.rs"),
        ]
    });
    files.filter(|file| file.exists()).collect()
}

fn is_there(name: &str) -> bool {
    let parts: Vec<&str> = name.split("::").collect();
    let Some((test, modules)) = parts.split_last() else {
        return false;
    };
    places(modules).iter().any(|file| {
        let source = fs::read_to_string(file).expect("a source is text");
        source.contains(&format!("fn {test}("))
    })
}

#[test]
fn tests_named_in_the_docs_exist() {
    let mut missing = Vec::new();
    for name in links::pages() {
        let text = page(&name);
        let names = named(&text);
        let is_proof = PAGES.contains(&name.as_str());
        assert!(!is_proof || names.len() > 5, "{name} names its tests");
        let gone = names.into_iter().filter(|test| !is_there(test));
        missing.extend(gone.map(|test| format!("{name}: {test}")));
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn missing_test_in_a_doc_page_is_found() {
    assert!(!is_there("pages::no_such_test"));
    assert!(!is_there("no_such_module::tests_named_in_the_docs_exist"));
    assert!(is_there("pages::tests_named_in_the_docs_exist"));
    assert_eq!(named("`a::b_c` b `Seq::next` `x y::z` ``"), ["a::b_c"]);
}
