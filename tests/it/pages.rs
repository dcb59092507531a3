//! Pages that name a test as their proof: the test is there.

use std::fs;
use std::path::{Path, PathBuf};

const PAGES: [&str; 6] = [
    "docs/commands.md",
    "docs/exercises.md",
    "docs/operations.md",
    "docs/security.md",
    "docs/shutdown.md",
    "docs/windows.md",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Names such as `shutdown::flood::a_test` that stand in the page as code.
fn named(page: &str) -> Vec<&str> {
    let code = page.split('`').skip(1).step_by(2);
    code.filter(|code| {
        let mut parts = code.split("::");
        let is_name = |part: &str| {
            let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            !part.is_empty() && part.chars().all(known)
        };
        code.contains("::") && parts.all(is_name)
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
fn every_test_that_a_page_names_is_there() {
    for page in PAGES {
        let text = fs::read_to_string(root().join(page)).expect("the page is there");
        let names = named(&text);
        assert!(names.len() > 5, "{page} names its tests");
        let missing: Vec<_> = names.iter().filter(|name| !is_there(name)).collect();
        assert!(missing.is_empty(), "{page}: {missing:?}");
    }
}

#[test]
fn a_test_that_is_not_there_is_found_missing() {
    assert!(!is_there("pages::no_such_test"));
    assert!(!is_there(
        "no_such_module::every_test_that_a_page_names_is_there"
    ));
    assert!(is_there("pages::every_test_that_a_page_names_is_there"));
    assert_eq!(named("`a::b_c` b `Seq::next` `x y::z` ``"), ["a::b_c"]);
}
